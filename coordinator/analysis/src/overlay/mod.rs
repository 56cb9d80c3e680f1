//! What authors say about their services outside of the code: compose files, Procfiles, platform manifests, Dockerfiles.
//!
//! One rule: an overlay names and refines what the stacks found; it makes a new service only from something that can be built.

pub(crate) mod compose;
pub(crate) mod compose_file;
pub(crate) mod compose_match;
pub(crate) mod compose_matrix;
pub(crate) mod dockerfiles;
pub(crate) mod hints;
pub(crate) mod image_facts;
pub(crate) mod images;
pub(crate) mod kubernetes;
pub(crate) mod platform;
pub(crate) mod process;
pub(crate) mod procfile;
