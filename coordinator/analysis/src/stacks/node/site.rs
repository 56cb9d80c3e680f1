//! Site generators of the Node world: Eleventy, Docusaurus, VitePress, VuePress.
//!
//! One rule: their output is files; a `start` script is always their development server.

use super::rule::{Makes, Rule};

const SITE: Rule = Rule {
    id: "",
    packages: &[],
    imported: false,
    companions: &[],
    makes: Makes::Files { fallback: false },
    start: None,
    port: 80,
    output: None,
    build: None,
};

/// In superseding order.
pub(crate) static RULES: &[Rule] = &[
    Rule {
        id: "eleventy",
        packages: &["@11ty/eleventy"],
        output: Some("_site"),
        build: Some("eleventy"),
        ..SITE
    },
    Rule {
        id: "docusaurus",
        packages: &["@docusaurus/core"],
        output: Some("build"),
        build: Some("docusaurus build"),
        ..SITE
    },
    Rule {
        id: "vitepress",
        packages: &["vitepress"],
        output: Some(".vitepress/dist"),
        build: Some("vitepress build"),
        ..SITE
    },
    Rule {
        id: "vuepress",
        packages: &["vuepress"],
        output: Some(".vuepress/dist"),
        build: Some("vuepress build"),
        ..SITE
    },
    Rule { id: "hexo", packages: &["hexo"], output: Some("public"), build: Some("hexo generate"), ..SITE },
];
