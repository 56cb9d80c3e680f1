//! Messages that nobody asked for come once, whatever happens to the coordinator.

use std::sync::Arc;

use hydron_domain::chat::{Message, Speaker};
use hydron_proto::ids::{ChatId, MessageId};
use serde_json::json;

use super::Talk;
use crate::harness::{ACTOR, TestCoordinator, World};
use crate::in_a_world;
use crate::pipeline::Bench;

fn count(messages: &[serde_json::Value], part: &str) -> usize {
    messages.iter().filter(|message| message["text"].as_str().unwrap().contains(part)).count()
}

in_a_world! {
    async fn a_reading_begun_by_clicking_is_told_in_the_projects_latest_chat(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let project = bench.project().await;
        let older = Talk::begin(bench.owner(), &project).await;
        older.say("status").await;
        world.coordinator.clock.advance(1000);
        let talk = Talk::begin(bench.owner(), &project).await;
        bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        talk.until_told("I read the repository and found").await;
        assert_eq!(count(&older.messages().await, "I read the repository"), 0);
    }

    async fn a_reading_that_failed_is_told_with_its_code(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        let talk = Talk::begin(bench.owner(), &project).await;
        talk.say(&format!("deploy {}", bench.git.url("nothing.git"))).await;
        let told = talk.until_told("could not be read").await;
        assert!(crate::chats::card(&told, "error")["data"]["code"].is_string());
    }

    async fn an_end_is_told_once_over_restarts(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let project = bench.project().await;
        let talk = Talk::begin(bench.owner(), &project).await;
        talk.say(&format!("deploy {}", bench.git.url("app.git"))).await;
        talk.until_told("I read the repository and found").await;
        let (config, clock, dir) = (world.coordinator.config.clone(), world.coordinator.clock.clone(), Arc::clone(&world.coordinator.dir));
        drop(bench);
        let World { coordinator, .. } = world;
        coordinator.stop().await;
        let again = TestCoordinator::start_with(config, clock, dir).await;
        let talk = Talk { caller: again.nobody().with_cookie("ours-owner-session"), id: talk.id };
        let other = Talk::begin(&talk.caller, &project).await;
        other.say("status").await;
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        assert_eq!(count(&talk.messages().await, "I read the repository and found"), 1);
        assert_eq!(count(&other.messages().await, "I read the repository and found"), 0);
    }

    async fn a_message_whose_answer_was_cut_off_gets_an_apology_once(world: World) {
        let made = world.owner().post("/projects", json!({ "name": "Talk" })).await.ok(201);
        let talk = Talk::begin(world.owner(), made["id"].as_str().unwrap()).await;
        let app = &world.coordinator.app;
        let mut tx = app.store.team(world.ours.team).begin(&ACTOR, app.now()).await.unwrap();
        let message = Message {
            id: app.ids.next(MessageId::new),
            chat: talk.id.parse::<ChatId>().unwrap(),
            seq: 0,
            role: Speaker::User,
            text: "redeploy".to_owned(),
            cards: Vec::new(),
            suggestions: Vec::new(),
            at: app.now(),
        };
        tx.insert_message(message).await.unwrap();
        tx.commit().await.unwrap();
        world.coordinator.clock.advance(3 * 60 * 1000 + 1);
        Talk::begin(world.owner(), made["id"].as_str().unwrap()).await;
        talk.until_told("I was interrupted").await;
        Talk::begin(world.owner(), made["id"].as_str().unwrap()).await;
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        assert_eq!(count(&talk.messages().await, "I was interrupted"), 1);
    }
}
