//! Tests of the store on real databases of both engines. One module an aggregate; every test runs on every engine.

mod identity;
mod timeline;
mod worlds;
