//! Every operation of the OpenAPI document × every role, a token, nobody, and another team.

use std::collections::{BTreeMap, BTreeSet};

use hydron_coordinator::http::gate::{Access, operations};
use hydron_coordinator::http::{openapi, router, routes};
use hydron_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::things::{BODIES, MAKERS, PARAMETERS};
use crate::harness::{Answer, Caller, Who, World};
use crate::in_a_world;

#[test]
fn every_operation_has_an_authorisation_entry_and_every_entry_an_operation() {
    let document = router::document();
    let ids: Vec<String> = operations(&document).into_iter().map(|(_, _, id)| id).collect();
    let distinct: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(ids.len(), distinct.len(), "two operations share an id");
    let entries: Vec<&str> = routes::access().into_iter().map(|(id, _)| id).collect();
    let listed: BTreeSet<&str> = entries.iter().copied().collect();
    assert_eq!(entries.len(), listed.len(), "an operation has two entries");
    assert_eq!(distinct, listed, "left: operations, right: entries of ACCESS");
}

#[test]
fn the_committed_openapi_document_is_current() {
    let committed = include_str!("../../openapi.json");
    let current = openapi::text().unwrap();
    assert!(
        committed == current,
        "run: cargo run -p hydron-coordinator -- openapi > coordinator/openapi.json"
    );
}

in_a_world! {
    async fn every_operation_lets_in_exactly_whom_its_entry_names(world: World) {
        let document = serde_json::to_value(router::document()).unwrap();
        let access = routes::access();
        for (path, method, id) in operations(&router::document()) {
            let access = access.iter().find(|(known, _)| *known == id).unwrap().1;
            let target = fill(&document, &path, &method, |_| None);
            for (who, caller) in &world.ours.callers {
                // Signing out would end the session that later rows of the matrix need.
                if id == "logout" && matches!(who, Who::Session(_)) {
                    continue;
                }
                let answer = caller.send(method.clone(), &target, body_for(&document, &path, &method, None)).await;
                let seen = verdict(&answer);
                assert_eq!(seen, expected(access, *who), "{id} as {who:?}: {} {}", answer.status, answer.json);
            }
        }
    }

    async fn no_operation_reaches_a_thing_of_another_team(world: World) {
        let document = serde_json::to_value(router::document()).unwrap();
        for (path, method, id) in operations(&router::document()) {
            if !path.contains('{') {
                continue;
            }
            let mut made = Vec::new();
            for prefix in prefixes(&document, &path, &method) {
                let maker = MAKERS.iter().find(|(known, _)| *known == prefix);
                let maker = maker.unwrap_or_else(|| panic!("harness::things::MAKERS has no maker of {prefix}_ for {id}"));
                made.push((prefix.clone(), maker.1(&world).await));
            }
            let target = fill(&document, &path, &method, |prefix| {
                made.iter().find(|(known, _)| known == prefix).map(|(_, id)| id.clone())
            });
            let body = body_for(&document, &path, &method, Some(&id));
            for who in [Who::Session(Role::Owner), Who::Token(Role::Owner)] {
                let answer = world.theirs.caller(who).send(method.clone(), &target, body.clone()).await;
                let code = answer.json["code"].as_str().unwrap_or("");
                assert!(
                    answer.status == 404 && code == "not_found",
                    "{id} with another team's id as {who:?}: {} {} (a body in harness::things::BODIES may be missing)",
                    answer.status, answer.json
                );
            }
            let answer = world.owner().send(method.clone(), &target, body).await;
            assert_ne!(answer.status, 404, "{id} does not find our own thing at {target}, so the test above proves nothing");
        }
    }

    async fn what_one_team_is_shown_and_what_another_is_shown_have_nothing_in_common(world: World) {
        let mut world = world;
        let of_ours = one_of_everything(&world).await;
        std::mem::swap(&mut world.ours, &mut world.theirs);
        let of_theirs = one_of_everything(&world).await;
        let theirs = shown(world.owner(), &of_theirs).await;
        std::mem::swap(&mut world.ours, &mut world.theirs);
        let ours = shown(world.owner(), &of_ours).await;
        for (made, shown) in [(&of_ours, &ours), (&of_theirs, &theirs)] {
            let seen = made.iter().filter(|(_, id)| shown.contains_key(id)).count();
            assert!(seen >= 9, "only {seen} kinds of things are shown at all: nothing is proved");
        }
        for (id, operation) in &theirs {
            assert!(!ours.contains_key(id), "{operation} shows {id} to one team and {} to the other", ours[id]);
        }
    }

    async fn every_change_leaves_an_entry_in_the_audit_log(world: World) {
        let document = serde_json::to_value(router::document()).unwrap();
        for (path, method, id) in operations(&router::document()) {
            let public = routes::access().iter().any(|(known, access)| *known == id && *access == Access::Public);
            // Signing out is seen in `sign_in`; it would end the session of this test.
            if method == Method::GET || public || id == "logout" || UNAUDITED.contains(&id.as_str()) {
                continue;
            }
            let mut made = Vec::new();
            for prefix in prefixes(&document, &path, &method) {
                let maker = MAKERS.iter().find(|(known, _)| *known == prefix).expect("seen by the other test");
                made.push((prefix.clone(), maker.1(&world).await));
            }
            let target = fill(&document, &path, &method, |prefix| {
                made.iter().find(|(known, _)| known == prefix).map(|(_, id)| id.clone())
            });
            let before = newest_audit(&world).await;
            let answer = world.owner().send(method.clone(), &target, body_for(&document, &path, &method, Some(&id))).await;
            let changed = newest_audit(&world).await > before;
            assert!(changed || !answer.status.is_success(), "{id} answered {} and left no audit entry", answer.status);
        }
    }

    async fn ids_that_are_no_ids_are_not_found_and_never_an_error_inside(world: World) {
        let document = serde_json::to_value(router::document()).unwrap();
        for (path, method, id) in operations(&router::document()) {
            for odd in ["x", "prj_00", "..%2f..%2fetc", "%00", "'%20OR%201=1--"] {
                if prefixes(&document, &path, &method).is_empty() {
                    continue;
                }
                let target = fill(&document, &path, &method, |_| Some(odd.to_owned()));
                let body = body_for(&document, &path, &method, Some(&id));
                let answer = world.owner().send(method.clone(), &target, body).await;
                assert_eq!(answer.problem(404), "not_found", "{id} with {odd:?}");
            }
        }
    }
}

/// A thing of every kind, by the prefix of its id.
async fn one_of_everything(world: &World) -> Vec<(&'static str, String)> {
    let mut made = Vec::new();
    for (prefix, maker) in MAKERS {
        made.push((*prefix, maker(world).await));
    }
    made
}

/// Every id that any answer to a GET shows, and the operation that shows it.
async fn shown(caller: &Caller, things: &[(&'static str, String)]) -> BTreeMap<String, String> {
    let document = serde_json::to_value(router::document()).unwrap();
    let mut ids = BTreeMap::new();
    for (path, method, id) in operations(&router::document()) {
        if method != Method::GET {
            continue;
        }
        let target = fill(&document, &path, &method, |prefix| {
            things.iter().find(|(known, _)| *known == prefix).map(|(_, id)| id.clone())
        });
        let answer = caller.get(&target).await;
        assert!(answer.status.as_u16() < 500, "{id}: {}", answer.json);
        collect_ids(&answer.json, &mut |found| drop(ids.insert(found.to_owned(), id.clone())));
    }
    ids
}

fn collect_ids(json: &Value, found: &mut impl FnMut(&str)) {
    match json {
        Value::String(text) => {
            let digits =
                text.split_once('_').filter(|(prefix, _)| prefix.len() <= 4).map(|(_, digits)| digits);
            if digits.is_some_and(|digits| digits.len() == 32) {
                found(text);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_ids(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect_ids(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Operations that succeed without changing anything that the log is about.
const UNAUDITED: &[&str] = &[];

async fn newest_audit(world: &World) -> i64 {
    let team = world.coordinator.app.store.team(world.ours.team);
    team.audit_before(None, 1).await.unwrap().first().map_or(0, |entry| entry.seq)
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    LetIn,
    NotSignedIn,
    WrongRole,
}

fn verdict(answer: &Answer) -> Verdict {
    match (answer.status.as_u16(), answer.json["code"].as_str()) {
        (401, Some("unauthenticated")) => Verdict::NotSignedIn,
        (403, Some("forbidden")) => Verdict::WrongRole,
        (500.., _) => panic!("failed inside: {}", answer.json),
        _ => Verdict::LetIn,
    }
}

fn expected(access: Access, who: Who) -> Verdict {
    let role = match who {
        Who::Nobody => None,
        Who::Session(role) | Who::Token(role) => Some(role),
    };
    match (access, role) {
        (Access::Public, _) | (Access::SignedIn, Some(_)) => Verdict::LetIn,
        (Access::SignedIn | Access::Needs(_), None) => Verdict::NotSignedIn,
        (Access::Needs(permission), Some(role)) if role >= permission.needs() => Verdict::LetIn,
        (Access::Needs(_), Some(_)) => Verdict::WrongRole,
    }
}

/// The path with its parameters filled: ids from `id_of` (by prefix), or an id that nobody has.
fn fill(document: &Value, path: &str, method: &Method, id_of: impl Fn(&str) -> Option<String>) -> String {
    let mut target = path.strip_prefix("/api/v1").unwrap().to_owned();
    for (name, prefix) in parameters(document, path, method) {
        let value = match prefix {
            Some(prefix) => id_of(&prefix).unwrap_or_else(|| format!("{prefix}_{}", "0".repeat(32))),
            None => plain(&name),
        };
        target = target.replace(&format!("{{{name}}}"), &value);
    }
    target
}

fn plain(name: &str) -> String {
    let known = PARAMETERS.iter().find(|(known, _)| *known == name);
    known.unwrap_or_else(|| panic!("harness::things::PARAMETERS has no value for {{{name}}}")).1.to_owned()
}

fn prefixes(document: &Value, path: &str, method: &Method) -> Vec<String> {
    parameters(document, path, method).into_iter().filter_map(|(_, prefix)| prefix).collect()
}

/// Names of the path's parameters; with the prefix for those that are ids.
fn parameters(document: &Value, path: &str, method: &Method) -> Vec<(String, Option<String>)> {
    let operation = &document["paths"][path][method.as_str().to_lowercase()];
    let declared = operation["parameters"].as_array().cloned().unwrap_or_default();
    let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
    names
        .map(|name| {
            let parameter = declared.iter().find(|one| one["name"] == name && one["in"] == "path");
            let parameter = parameter.unwrap_or_else(|| panic!("{path} does not declare {{{name}}}"));
            (name.to_owned(), prefix_of(document, &parameter["schema"]))
        })
        .collect()
}

fn prefix_of(document: &Value, schema: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return prefix_of(document, document.pointer(name.trim_start_matches('#')).unwrap());
    }
    let pattern = schema["pattern"].as_str()?;
    pattern.strip_prefix('^')?.split_once('_').map(|(prefix, _)| prefix.to_owned())
}

/// A body where the operation takes one: the registered one, or an empty object.
fn body_for(document: &Value, path: &str, method: &Method, id: Option<&str>) -> Option<Value> {
    let operation = &document["paths"][path][method.as_str().to_lowercase()];
    operation.get("requestBody")?;
    let registered = BODIES.iter().find(|(known, _)| Some(*known) == id).map(|(_, body)| body());
    Some(registered.unwrap_or_else(|| json!({})))
}
