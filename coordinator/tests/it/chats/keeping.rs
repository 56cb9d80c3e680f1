//! What is kept of a conversation, in which order, and what is not.

use serde_json::{Value, json};

use super::Talk;
use crate::harness::{EventStream, World};
use crate::in_a_world;
use crate::pipeline::plain_service;

const CANARY: &str = "hunter2-Canary";

async fn project(world: &World) -> String {
    let made = world.owner().post("/projects", json!({ "name": "Talk" })).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

in_a_world! {
    async fn a_message_is_kept_with_its_answer_and_streamed_to_whoever_listens(world: World) {
        let project = project(&world).await;
        let talk = Talk::begin(world.owner(), &project).await;
        let events = format!("/chats/{}/events", talk.id);
        let mut stream = EventStream::open(world.owner(), &events).await;
        let reply = talk.say("  help ").await;
        let (asked, answered) = (stream.next().await, stream.next().await);
        assert_eq!((asked.id, &asked.data["text"], asked.event.as_deref()), (Some(1), &json!("help"), Some("message")));
        assert_eq!((answered.id, &answered.data), (Some(2), &reply));
        assert!(answered.data["at"].as_i64() > asked.data["at"].as_i64());
        talk.say("status").await;
        let again = world.owner().with("last-event-id", "2");
        let mut resumed = EventStream::open(&again, &events).await;
        assert_eq!(resumed.next().await.data["text"], "status");
        assert_eq!(talk.messages().await.len(), 4);
    }

    async fn the_newest_page_comes_first_and_leads_to_older_ones(world: World) {
        let talk = Talk::begin(world.owner(), &project(&world).await).await;
        for _ in 0..3 {
            talk.say("status").await;
        }
        let seqs = |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["seq"].as_i64().unwrap()).collect::<Vec<_>>();
        let page = world.owner().get(&format!("{}?limit=4", talk.path())).await.ok(200);
        assert_eq!(seqs(&page), [3, 4, 5, 6]);
        let cursor = page["next_cursor"].as_str().unwrap();
        let older = world.owner().get(&format!("{}?limit=4&cursor={cursor}", talk.path())).await.ok(200);
        assert_eq!((seqs(&older), older["next_cursor"].is_null()), (vec![1, 2], true));
        assert_eq!(world.owner().get(&format!("{}?cursor=x", talk.path())).await.problem(422), "invalid_field");
    }

    async fn a_repeated_message_is_one_message(world: World) {
        let talk = Talk::begin(world.owner(), &project(&world).await).await;
        let caller = world.owner().with("idempotency-key", "say-1");
        let first = caller.post(&talk.path(), json!({ "text": "status" })).await.ok(201);
        assert_eq!(caller.post(&talk.path(), json!({ "text": "status" })).await.ok(201), first);
        assert_eq!(caller.post(&talk.path(), json!({ "text": "help" })).await.problem(409), "idempotency_conflict");
        assert_eq!(talk.messages().await.len(), 2);
    }

    async fn what_cannot_be_a_message_is_refused_and_nothing_is_kept(world: World) {
        let talk = Talk::begin(world.owner(), &project(&world).await).await;
        for text in [" \n ", &"x".repeat(8001), "a\u{0}b"] {
            let answer = world.owner().post(&talk.path(), json!({ "text": text })).await;
            assert_eq!((answer.problem(422), &answer.json["field"]), ("invalid_field", &json!("text")));
        }
        assert_eq!(talk.messages().await, Vec::<Value>::new());
        let title = world.owner().post(&format!("/projects/{}/chats", project(&world).await), json!({ "title": "a\u{202e}b" })).await;
        assert_eq!(title.problem(422), "invalid_field");
    }

    async fn the_value_of_a_variable_is_set_and_kept_nowhere_in_clear(world: World) {
        let project = project(&world).await;
        let api = plain_service(&world, project.parse().unwrap(), "api").await;
        let talk = Talk::begin(world.owner(), &project).await;
        let mut stream = EventStream::open(world.owner(), &format!("/chats/{}/events", talk.id)).await;
        let mut seen = String::new();
        for text in [
            "set env DB_PASSWORD=hunter2-Canary for api",
            "set GREETING to hunter2-Canary for api",
            "my password is hunter2-Canary",
            "deploy https://me:hunter2-Canary@git.example.com/a/b",
        ] {
            seen.push_str(&talk.say(text).await.to_string());
            for _ in 0..2 {
                seen.push_str(&stream.next().await.data.to_string());
            }
        }
        seen.push_str(&json!(talk.messages().await).to_string());
        seen.push_str(&world.owner().get("/audit").await.ok(200).to_string());
        assert!(!seen.contains(CANARY), "{seen}");
        let env = world.owner().get(&format!("/services/{api}/env")).await.ok(200).to_string();
        assert!(env.contains("DB_PASSWORD") && env.contains("GREETING"), "{env}");
        for entry in std::fs::read_dir(world.coordinator.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "{}", path.display());
            }
        }
    }
}
