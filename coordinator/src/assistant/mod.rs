//! The assistant: a sentence in, actions and an answer out.
//!
//! Rule: a brain only calls the typed tools of [`brain::Tools`], in the name of whoever wrote the message; it never sees
//! the value of a secret ([`hidden`] takes it out of the text first) and never reads or writes rows.
//! Neighbours: `services/chats` keeps the messages; `tools` calls the services; `http/routes/chats` calls [`conversation`].

pub mod brain;
pub mod conversation;
pub mod follow_ups;
pub mod hidden;
pub mod rules;
pub mod situation;
pub mod tools;
