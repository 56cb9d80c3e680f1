//! The first start.

use hydron_coordinator::http::gate::{Access, operations};
use hydron_coordinator::http::{router, routes};
use hydron_store::testing::Engine;
use serde_json::{Value, json};

use crate::harness::TestCoordinator;

fn body(token: &str) -> Value {
    json!({ "token": token, "email": "Ada@Example.com", "name": "Ada", "password": "correct horse battery", "team_name": "Analytical" })
}

async fn fresh(engine: Engine) -> Option<(TestCoordinator, String)> {
    let coordinator = TestCoordinator::start(engine).await?;
    let link = coordinator.setup_link.clone().expect("a fresh installation prints a link");
    let token = link.split_once("#token=").unwrap().1.to_owned();
    Some((coordinator, token))
}

async fn the_link_makes_one_owner_and_is_void_afterwards(engine: Engine) {
    let Some((coordinator, token)) = fresh(engine).await else { return };
    let nobody = coordinator.nobody();
    assert_eq!(nobody.get("/setup").await.ok(200)["needed"], true);
    assert_eq!(nobody.post("/setup", body("guess")).await.problem(403), "bad_setup_link");
    let short = json!({ "password": "short" });
    let mut wrong = body(&token);
    wrong["password"] = short["password"].clone();
    let refused = nobody.post("/setup", wrong).await;
    assert_eq!((refused.problem(422), &refused.json["field"]), ("invalid_field", &json!("password")));

    let (a, b) = tokio::join!(nobody.post("/setup", body(&token)), nobody.post("/setup", body(&token)));
    let (won, lost) = if a.status == 201 { (a, b) } else { (b, a) };
    assert!(matches!(lost.status.as_u16(), 403 | 409), "{:?}", lost.json);
    let cookie = won.headers["set-cookie"].to_str().unwrap().to_owned();
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let ada = nobody.with_cookie(&won.cookie());
    let me = ada.get("/me").await.ok(200);
    assert_eq!(
        (&me["user"]["email"], &me["team"]["name"], &me["team"]["role"]),
        (&json!("ada@example.com"), &json!("Analytical"), &json!("owner"))
    );
    assert_eq!(nobody.get("/setup").await.ok(200)["needed"], false);
    assert_eq!(nobody.post("/setup", body(&token)).await.problem(409), "already_set_up");
    let audit = ada.get("/audit").await.ok(200);
    assert_eq!(audit["items"][0]["action"], "installation.set_up");
}

/// An installation that nobody has set up yet is no open door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_set_up_nobody_may_do_anything_but_that() {
    let (coordinator, _token) = fresh(Engine::Sqlite).await.unwrap();
    let nobody = coordinator.nobody();
    let (mut refused, mut public) = (0, Vec::new());
    for (path, method, id) in operations(&router::document()) {
        let access = routes::access().into_iter().find(|(known, _)| *known == id).unwrap().1;
        if access == Access::Public {
            public.push(id);
            continue;
        }
        let path = path.trim_start_matches("/api/v1").replace("{id}", "prj_00000000000000000000000000000000");
        let answer = nobody.send(method, &path, None).await;
        assert_eq!(answer.status, 401, "{id}: {}", answer.json);
        refused += 1;
    }
    assert!(refused > 40, "only {refused} operations");
    public.sort_unstable();
    assert_eq!(public, ["complete_setup", "get_setup", "login"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_makes_one_owner_on_sqlite() {
    Box::pin(the_link_makes_one_owner_and_is_void_afterwards(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_makes_one_owner_on_postgresql() {
    Box::pin(the_link_makes_one_owner_and_is_void_afterwards(Engine::Postgres)).await;
}
