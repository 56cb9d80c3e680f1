//! Single-page applications: React, Vue, Svelte, Preact, Solid, Lit behind a bundler.
//!
//! One rule: a view library alone is a component library; an application also has a bundler and a page to load.

use super::package::Package;
use super::rule::{Makes, Rule};
use crate::path;
use crate::repo::Repo;

const SPA: Rule = Rule {
    id: "",
    packages: &[],
    imported: false,
    companions: &[],
    makes: Makes::Files { fallback: true },
    start: None,
    port: 80,
    output: Some("dist"),
    build: Some("vite build"),
};

/// In superseding order.
pub(crate) static RULES: &[Rule] = &[
    Rule { id: "vue", packages: &["vue"], ..SPA },
    Rule { id: "svelte", packages: &["svelte"], ..SPA },
    Rule { id: "preact", packages: &["preact"], ..SPA },
    Rule { id: "solid", packages: &["solid-js"], ..SPA },
    Rule { id: "react", packages: &["react", "react-scripts"], ..SPA },
    Rule { id: "lit", packages: &["lit", "lit-element"], ..SPA },
    Rule {
        id: "ember",
        packages: &["ember-source"],
        build: Some("ember build --environment=production"),
        ..SPA
    },
    Rule { id: "vite", packages: &["vite"], ..SPA },
    Rule {
        id: "parcel",
        packages: &["parcel", "parcel-bundler"],
        build: Some("parcel build index.html"),
        ..SPA
    },
];

/// Whether a rule is one of these.
pub(crate) fn is_spa(rule: &Rule) -> bool {
    RULES.iter().any(|r| std::ptr::eq(r, rule))
}

/// The bundler and its output directory, if the package builds pages.
pub(crate) fn bundler(repo: &Repo<'_>, package: &Package) -> Option<(&'static str, &'static str)> {
    let dir = package.dir.as_str();
    let config = |names: &[&str]| repo.first_of(dir, names).is_some();
    let page = ["index.html", "public/index.html", "src/index.html", "app/index.html", "src/app.html"];
    let has_page = repo.first_of(dir, &page).is_some();
    if package.has("react-scripts") || package.has("react-app-rewired") || package.has("@craco/craco") {
        return Some(("create-react-app", "build"));
    }
    if package.has("@vue/cli-service") {
        return Some(("vue-cli", "dist"));
    }
    let rsbuild = config(&["rsbuild.config.ts", "rsbuild.config.js", "rsbuild.config.mjs"]);
    if rsbuild {
        return Some(("rsbuild", "dist"));
    }
    let vite = package.has("vite")
        || config(&["vite.config.ts", "vite.config.js", "vite.config.mts", "vite.config.mjs"]);
    if vite && has_page {
        return Some(("vite", "dist"));
    }
    if package.has("parcel") && has_page {
        return Some(("parcel", "dist"));
    }
    let webpack = package.has("webpack") && (has_page || package.has("html-webpack-plugin"));
    let webpack_app = config(&["webpack.config.js", "webpack.config.ts", "webpack.config.cjs"])
        || repo.has_dir(&path::join(dir, "webpack"));
    if webpack && webpack_app {
        return Some(("webpack", "dist"));
    }
    (package.has("ember-source")).then_some(("ember", "dist"))
}
