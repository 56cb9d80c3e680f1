//! Small readers for the file formats that repositories are made of.
//!
//! One rule: each takes text and gives data or `None`; none reads a file, and hostile text costs at most linear time.

pub(crate) mod command;
pub(crate) mod dockerfile;
pub(crate) mod dotenv;
pub(crate) mod json;
pub(crate) mod procfile;
pub(crate) mod yaml;
