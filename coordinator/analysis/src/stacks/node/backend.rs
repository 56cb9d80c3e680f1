//! Server frameworks: NestJS, Fastify, Koa, Hapi, Hono, Express and their like.
//!
//! One rule: the package must be a run-time dependency *and* imported by code; a mere dependency is a tool's.

use super::rule::{Makes, Rule};

const SERVER: Rule = Rule {
    id: "",
    packages: &[],
    imported: true,
    companions: &[],
    makes: Makes::Server,
    start: None,
    port: 3000,
    output: None,
    build: None,
};

/// In superseding order.
pub(crate) static RULES: &[Rule] = &[
    Rule {
        id: "nestjs",
        packages: &["@nestjs/core"],
        imported: false,
        start: Some("node dist/main"),
        build: Some("nest build"),
        ..SERVER
    },
    Rule {
        id: "adonisjs",
        packages: &["@adonisjs/core"],
        start: Some("node build/bin/server.js"),
        port: 3333,
        ..SERVER
    },
    Rule {
        id: "strapi",
        packages: &["@strapi/strapi"],
        imported: false,
        start: Some("strapi start"),
        build: Some("strapi build"),
        port: 1337,
        ..SERVER
    },
    Rule {
        id: "keystone",
        packages: &["@keystone-6/core"],
        start: Some("keystone start"),
        build: Some("keystone build"),
        ..SERVER
    },
    Rule { id: "payload", packages: &["payload"], ..SERVER },
    Rule {
        id: "nitro",
        packages: &["nitropack", "nitro"],
        imported: false,
        start: Some("node .output/server/index.mjs"),
        build: Some("nitropack build"),
        ..SERVER
    },
    Rule { id: "fastify", packages: &["fastify", "fastify-cli"], ..SERVER },
    Rule { id: "koa", packages: &["koa"], ..SERVER },
    Rule { id: "hapi", packages: &["@hapi/hapi", "hapi"], companions: &["glue", "@hapi/glue"], ..SERVER },
    Rule { id: "hono", packages: &["hono"], ..SERVER },
    Rule { id: "elysia", packages: &["elysia"], ..SERVER },
    Rule { id: "feathers", packages: &["@feathersjs/feathers"], port: 3030, ..SERVER },
    Rule { id: "apollo", packages: &["@apollo/server", "apollo-server"], port: 4000, ..SERVER },
    Rule { id: "graphql-yoga", packages: &["graphql-yoga"], port: 4000, ..SERVER },
    Rule { id: "express", packages: &["express"], ..SERVER },
    Rule { id: "restify", packages: &["restify"], port: 8080, ..SERVER },
    Rule { id: "polka", packages: &["polka"], ..SERVER },
    Rule { id: "moleculer", packages: &["moleculer"], ..SERVER },
    Rule { id: "socket.io", packages: &["socket.io"], ..SERVER },
    Rule { id: "ws", packages: &["ws"], port: 8080, ..SERVER },
];
