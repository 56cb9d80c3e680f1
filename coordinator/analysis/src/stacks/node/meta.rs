//! Meta-frameworks: Next.js, Nuxt, SvelteKit, Remix, React Router, TanStack Start, Astro, Gatsby, Angular.
//!
//! One rule: what the framework builds (a server or files) follows from its configuration, read in `output`.

use super::rule::{Makes, Rule};

const SERVER: Rule = Rule {
    id: "",
    packages: &[],
    imported: false,
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
        id: "nextjs",
        packages: &["next"],
        start: Some("next start"),
        build: Some("next build"),
        ..SERVER
    },
    Rule {
        id: "nuxt",
        packages: &["nuxt", "nuxt3", "nuxt-edge", "nuxt-nightly"],
        start: Some("node .output/server/index.mjs"),
        build: Some("nuxt build"),
        ..SERVER
    },
    Rule {
        id: "sveltekit",
        packages: &["@sveltejs/kit"],
        start: Some("node build"),
        build: Some("vite build"),
        ..SERVER
    },
    Rule {
        id: "remix",
        packages: &["@remix-run/dev", "@remix-run/serve", "@remix-run/node"],
        start: Some("remix-serve build/server/index.js"),
        build: Some("remix vite:build"),
        ..SERVER
    },
    Rule {
        id: "react-router",
        packages: &["@react-router/dev"],
        start: Some("react-router-serve build/server/index.js"),
        build: Some("react-router build"),
        ..SERVER
    },
    Rule {
        id: "tanstack-start",
        packages: &["@tanstack/react-start", "@tanstack/solid-start", "@tanstack/start"],
        start: Some("node .output/server/index.mjs"),
        build: Some("vite build"),
        ..SERVER
    },
    Rule {
        id: "solid-start",
        packages: &["@solidjs/start"],
        start: Some("node .output/server/index.mjs"),
        build: Some("vinxi build"),
        ..SERVER
    },
    Rule {
        id: "astro",
        packages: &["astro"],
        makes: Makes::Files { fallback: false },
        port: 4321,
        output: Some("dist"),
        build: Some("astro build"),
        ..SERVER
    },
    Rule {
        id: "gatsby",
        packages: &["gatsby"],
        makes: Makes::Files { fallback: false },
        output: Some("public"),
        build: Some("gatsby build"),
        ..SERVER
    },
    Rule {
        id: "angular",
        packages: &["@angular/core"],
        makes: Makes::Files { fallback: true },
        output: Some("dist"),
        build: Some("ng build"),
        port: 4000,
        ..SERVER
    },
];
