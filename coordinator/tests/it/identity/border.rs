//! What every request passes: where it comes from, its body, its method, its answer's headers.

use reqwest::Method;
use serde_json::json;

use crate::in_a_world;

in_a_world! {
    async fn another_sites_page_cannot_use_a_cookie(world: World) {
        let body = json!({ "name": "x" });
        let owner = world.owner();
        for site in ["cross-site", "same-site", "none"] {
            let refused = owner.with("sec-fetch-site", site).post("/tokens", body.clone()).await;
            assert_eq!(refused.problem(403), "cross_site", "{site}");
        }
        assert_eq!(owner.with("sec-fetch-site", "cross-site").get("/me").await.status, 200, "reading is safe");
        let nobody = world.coordinator.nobody();
        let login = json!({ "email": "a@example.com", "password": "whatever it is" });
        let refused = nobody.with("origin", "https://evil.example").post("/auth/login", login).await;
        assert_eq!(refused.problem(403), "cross_site");
    }

    async fn an_old_browser_is_known_by_its_origin(world: World) {
        let secret = "ours-owner-session";
        let old = world.coordinator.nobody().with("cookie", &format!("__Host-hydron={secret}"));
        let body = json!({ "name": "x" });
        assert_eq!(old.post("/tokens", body.clone()).await.problem(403), "cross_site", "no sign of where it comes from");
        assert_eq!(old.with("origin", "https://evil.example").post("/tokens", body).await.problem(403), "cross_site");
    }

    async fn what_does_not_fit_is_a_problem_and_never_plain_text(world: World) {
        let owner = world.owner();
        let long = "x".repeat(1024 * 1024 + 1);
        let json = "application/json";
        assert_eq!(owner.get("/nothing/here").await.problem(404), "not_found");
        assert_eq!(owner.get("//api/v2/me").await.problem(404), "not_found");
        let wrong_method = owner.send(Method::DELETE, "/me", None).await;
        assert_eq!((wrong_method.problem(405), &wrong_method.headers["allow"]), ("method_not_allowed", &"GET".parse().unwrap()));
        assert_eq!(owner.raw(Method::POST, "/tokens", json, long).await.problem(413), "body_too_large");
        assert_eq!(owner.raw(Method::POST, "/tokens", "text/plain", "{}").await.problem(415), "unsupported_media_type");
        assert_eq!(owner.raw(Method::POST, "/tokens", json, "{").await.problem(400), "invalid_json");
        let query = owner.get("/audit?limit=many").await;
        assert_eq!((query.problem(422), query.json["field"].as_str()), ("invalid_field", Some("limit")));
    }

    async fn every_answer_carries_the_headers_that_protect_a_browser(world: World) {
        for path in ["//", "//healthz", "/me", "/nothing"] {
            let answer = world.owner().with("accept", "text/html").get(path).await;
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        }
        assert_eq!(world.owner().get("/me").await.headers["cache-control"], "no-store");
    }

    async fn health_is_told_to_anybody_and_the_page_is_there(world: World) {
        let nobody = world.coordinator.nobody();
        assert_eq!(nobody.get("//healthz").await.status, 200);
        assert_eq!(nobody.get("//readyz").await.status, 200);
        let metrics = nobody.get("//metrics").await;
        assert!(metrics.json.as_str().unwrap().contains("hydron_http_requests_total"));
        let page = nobody.with("accept", "text/html").get("//projects/anything").await;
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        let short = nobody.with("accept", "text/html").with("accept-encoding", "gzip").get("//projects").await;
        assert!(short.headers["content-encoding"] == "gzip" && short.headers["vary"] == "accept-encoding");
        // What differs from person to person is not.
        let me = world.owner().with("accept-encoding", "gzip").get("/me").await;
        assert!(me.status == 200 && !me.headers.contains_key("content-encoding"));
        assert_eq!(nobody.get("//api/v1/openapi.json").await.ok(200)["info"]["title"], "Hydron");
    }
}
