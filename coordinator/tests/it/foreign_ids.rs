//! Ids in bodies and queries: another team's is answered exactly as one that nobody has, so that it neither does anything
//! nor tells that it exists. The list is complete by the OpenAPI document.

use std::collections::BTreeSet;

use hydron_coordinator::http::gate::operations;
use hydron_coordinator::http::router;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Answer;
use crate::harness::things::MAKERS;
use crate::in_a_world;

/// Things of ours, by the prefix of their ids.
struct Ours(Vec<(&'static str, String)>);

impl Ours {
    fn id(&self, prefix: &str) -> &str {
        &self.0.iter().find(|(known, _)| *known == prefix).expect("it was made").1
    }
}

/// What is asked, with an id in the place in question.
type Ask = fn(&Ours, &str) -> (Method, String, Option<Value>);

/// Operation, prefix of the id, and the request.
const PLACES: &[(&str, &str, Ask)] = &[
    ("create_enrollment_token", "srv", |_, id| {
        (Method::POST, "/enrollment-tokens".to_owned(), Some(json!({ "server_id": id })))
    }),
    ("create_infrastructure_plan", "srv", |ours, id| {
        let path = format!("/projects/{}/infrastructure-plans", ours.id("prj"));
        (Method::POST, path, Some(json!({ "server_ids": [id] })))
    }),
    ("place_infrastructure_plan", "srv", |ours, id| {
        let placement = json!({ ours.id("svc"): id });
        (Method::PATCH, plan(ours), Some(json!({ "placement": placement })))
    }),
    ("place_infrastructure_plan", "svc", |ours, id| {
        let placement = json!({ id: ours.id("srv") });
        (Method::PATCH, plan(ours), Some(json!({ "placement": placement })))
    }),
    ("approve_infrastructure_plan", "ppl", |ours, id| {
        let digests = json!({ id: "0".repeat(64) });
        let body = json!({ "digest": "0".repeat(64), "start": true, "provisioning_digests": digests });
        (Method::POST, format!("{}/approve", plan(ours)), Some(body))
    }),
    ("start_run", "svc", |ours, id| {
        let path = format!("/projects/{}/runs", ours.id("prj"));
        (Method::POST, path, Some(json!({ "kind": "redeploy", "services": [id] })))
    }),
    ("resolve_run", "srv", |ours, id| {
        let body = json!({ "server_id": id, "step": 0, "decision": "rerun" });
        (Method::POST, format!("/runs/{}/resolve", ours.id("run")), Some(body))
    }),
    ("read_log", "srv", |ours, id| {
        (Method::GET, format!("/runs/{}/logs?server={id}&step=0&attempt=1", ours.id("run")), None)
    }),
    ("stream_log", "srv", |ours, id| {
        (Method::GET, format!("/runs/{}/logs/stream?server={id}&step=0&attempt=1", ours.id("run")), None)
    }),
];

fn plan(ours: &Ours) -> String {
    format!("/infrastructure-plans/{}", ours.id("ipl"))
}

#[test]
fn every_id_in_a_body_or_a_query_has_its_place_here() {
    let document = serde_json::to_value(router::document()).unwrap();
    let mut found = BTreeSet::new();
    for (path, method, id) in operations(&router::document()) {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        let mut prefixes = BTreeSet::new();
        collect_prefixes(&document, &operation["requestBody"], &mut prefixes);
        // A cursor is a position in an order, which is the same for everybody.
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" && parameter["name"] != "cursor" {
                collect_prefixes(&document, &parameter["schema"], &mut prefixes);
            }
        }
        found.extend(prefixes.into_iter().map(|prefix| (id.clone(), prefix)));
    }
    let listed: BTreeSet<_> =
        PLACES.iter().map(|(id, prefix, _)| ((*id).to_owned(), (*prefix).to_owned())).collect();
    assert_eq!(found, listed, "left: the document, right: PLACES");
}

/// Prefixes of ids that a schema allows anywhere, through what it refers to.
fn collect_prefixes(document: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                collect_prefixes(document, document.pointer(name.trim_start_matches('#')).unwrap(), found);
            }
            let pattern = fields.get("pattern").and_then(Value::as_str).unwrap_or_default();
            if let Some((prefix, rest)) = pattern.strip_prefix('^').and_then(|text| text.split_once('_'))
                && rest == "[0-9a-f]{32}$"
            {
                found.insert(prefix.to_owned());
            }
            fields.values().for_each(|field| collect_prefixes(document, field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_prefixes(document, item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

in_a_world! {
    async fn another_teams_id_in_a_body_or_a_query_is_an_id_of_nobody(world: World) {
        let mut world = world;
        std::mem::swap(&mut world.ours, &mut world.theirs);
        let mut theirs = Vec::new();
        for (prefix, maker) in MAKERS {
            theirs.push((*prefix, maker(&world).await));
        }
        std::mem::swap(&mut world.ours, &mut world.theirs);
        let mut ours = Vec::new();
        for (prefix, maker) in MAKERS {
            ours.push((*prefix, maker(&world).await));
        }
        let (ours, theirs) = (Ours(ours), Ours(theirs));
        for (operation, prefix, ask) in PLACES {
            let nobody = format!("{prefix}_{}", "0".repeat(32));
            let mut seen = Vec::new();
            for id in [nobody.as_str(), theirs.id(prefix)] {
                let (method, path, body) = ask(&ours, id);
                let answer = world.owner().send(method, &path, body).await;
                assert!(answer.status.is_client_error(), "{operation} takes {id}: {} {}", answer.status, answer.json);
                seen.push(told(&answer, id));
            }
            assert_eq!(seen[0], seen[1], "{operation}: left an id of nobody, right another team's");
        }
    }
}

/// The whole answer without the id itself and the number of the request.
fn told(answer: &Answer, id: &str) -> (u16, String) {
    let mut json = answer.json.clone();
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|name, _| name != "request_id" && name != "instance");
    }
    (answer.status.as_u16(), json.to_string().replace(id, "ID"))
}
