//! How one thing of every kind is made, so that every operation can be tried with a real id of another team; and a body
//! with which every operation gets as far as looking at that id.
//!
//! An area adds its rows here. The matrix fails, and names what is missing, when an operation has none.

use std::pin::Pin;

use serde_json::{Value, json};

use super::World;

/// Makes a thing of our team; its id.
pub(crate) type Maker = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// By the prefix of the id.
pub(crate) const MAKERS: &[(&str, Maker)] = &[
    ("team", |world| Box::pin(async { world.ours.team.to_string() })),
    ("tok", |world| {
        Box::pin(async {
            let made = world.owner().post("/tokens", json!({ "name": "thing" })).await.ok(201);
            made["id"].as_str().unwrap().to_owned()
        })
    }),
];

/// By the operation's id: a valid body. Operations without a body need none.
pub(crate) const BODIES: &[(&str, fn() -> Value)] = &[("create_token", || json!({ "name": "thing" }))];

/// Parameters of paths that are not ids, by their name.
pub(crate) const PARAMETERS: &[(&str, &str)] = &[("name", "A_NAME")];
