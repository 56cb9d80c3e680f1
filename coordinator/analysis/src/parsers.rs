//! Every parser of this crate by name, for what throws arbitrary bytes at them.
//!
//! One rule: a parser answers any text, however broken, without a panic and in time that grows with its length; it may
//! refuse, it may not fall. Neighbours: `fuzz/` runs these under libFuzzer, `tests/corpora.rs` on every change.

use crate::env::{config, reads, schema};
use crate::formats::{command, dockerfile, dotenv, json, procfile, yaml};
use crate::options::Options;
use crate::overlay::images;
use crate::recipe;
use crate::repo::as_file;
use crate::tree::MemoryTree;
use crate::{analyze, path};

/// A parser: its name and what it does with a text.
pub type Parser = (&'static str, fn(&str));

/// All of them. Those of manifests go through a whole reading of a tree that holds the manifest.
pub const PARSERS: &[Parser] = &[
    ("json", |text| drop(json::parse(text))),
    ("yaml", |text| drop(yaml::parse(text).map(|value| yaml::leaves(&value)))),
    ("dotenv", |text| drop(dotenv::parse(text))),
    ("procfile", |text| drop(procfile::parse(text))),
    ("command", commands),
    ("dockerfile", dockerfiles),
    ("image", |text| drop(images::judge(text))),
    ("version", recipe::try_versions),
    ("glob", globs),
    ("sources", sources),
    ("manifests", manifests),
    ("compose", |text| tree(&[("compose.yaml", text), ("app/Dockerfile", DOCKERFILE)])),
];

const DOCKERFILE: &str = "FROM node:22\nCMD [\"node\", \"x.js\"]\n";

fn commands(text: &str) {
    drop(command::split(text));
    drop(command::unwrap(text));
    drop(command::parts(text));
    let _ = command::is_dev(text);
}

fn dockerfiles(text: &str) {
    let file = dockerfile::Dockerfile::parse(text);
    drop(file.ports(None));
    drop(file.start(None));
    drop(file.variables(None));
    drop(dockerfile::expand(text, &[("A".to_owned(), "$A".to_owned())]));
    tree(&[("Dockerfile", text), ("package.json", EXPRESS), ("index.js", "require('express')().listen(1)")]);
}

const EXPRESS: &str = r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#;

fn globs(text: &str) {
    let (pattern, name) = text.split_once('\n').unwrap_or((text, "a/b/c"));
    let _ = path::glob(pattern, name);
    drop(path::resolve(pattern, name));
}

/// Source code in every language that is read, and configuration files that interpolate.
fn sources(text: &str) {
    for name in SOURCES {
        let file = as_file(name);
        drop(reads::scan(&file, text));
        drop(schema::scan(&file, text));
        drop(config::scan(&file, text));
    }
}

const SOURCES: [&str; 16] = [
    "a.js",
    "a.ts",
    "a.svelte",
    "a.py",
    "a.rb",
    "a.go",
    "a.php",
    "a.rs",
    "A.java",
    "a.cs",
    "entrypoint.sh",
    "nginx/default.conf.template",
    "src/main/resources/application.yml",
    "src/main/resources/application.properties",
    "config/services.yaml",
    "config/database.yml",
];

/// One manifest after the other, each beside the source that makes it count.
fn manifests(text: &str) {
    for (name, beside) in MANIFESTS {
        let beside = beside.split_once('=').unwrap_or((beside, ""));
        tree(&[(name, text), beside]);
    }
}

const MANIFESTS: [(&str, &str); 34] = [
    ("package.json", "index.js=require('express')().listen(1)"),
    ("pnpm-workspace.yaml", "package.json={\"name\":\"a\"}"),
    ("lerna.json", "package.json={\"name\":\"a\"}"),
    ("nx.json", "project.json={\"name\":\"a\"}"),
    ("project.json", "nx.json={}"),
    ("angular.json", "package.json={\"dependencies\":{\"@angular/core\":\"20\"}}"),
    ("requirements.txt", "app.py=from flask import Flask\napp = Flask(__name__)"),
    ("pyproject.toml", "app.py=from fastapi import FastAPI\napp = FastAPI()"),
    ("Pipfile", "app.py=from flask import Flask\napp = Flask(__name__)"),
    ("app.py", "requirements.txt=flask\nfastapi\ncelery"),
    ("manage.py", "requirements.txt=django"),
    ("Gemfile", "config.ru=run App"),
    ("Gemfile.lock", "Gemfile=gem 'rails'"),
    ("config/database.yml", "Gemfile=gem 'rails'"),
    ("go.mod", "main.go=package main\nfunc main() { http.ListenAndServe(\":80\", nil) }"),
    ("main.go", "go.mod=module a"),
    ("go.work", "go.mod=module a"),
    ("Cargo.toml", "src/main.rs=fn main() {}"),
    ("src/main.rs", "Cargo.toml=[package]\nname = \"a\"\n[dependencies]\naxum = \"0.8\""),
    ("pom.xml", "src/main/java/A.java=@SpringBootApplication class A {}"),
    ("build.gradle", "src/main/java/A.java=@SpringBootApplication class A {}"),
    ("settings.gradle", "build.gradle=implementation 'a:b'"),
    ("gradle/libs.versions.toml", "build.gradle=implementation libs.a"),
    ("composer.json", "public/index.php=<?php"),
    ("A.csproj", "Program.cs=app.Run();"),
    ("a.sln", "A.csproj=<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>"),
    ("hugo.toml", "content/a.md=#"),
    ("_config.yml", "index.md=#"),
    ("kubernetes/app.yaml", "app/main.go=package main\nfunc main() { http.ListenAndServe(\":80\", nil) }"),
    (".github/workflows/test.yml", "app.py=from flask import Flask\napp = Flask(__name__)"),
    ("README.md", "app.py=from flask import Flask\napp = Flask(__name__)"),
    ("compose.override.yaml", "compose.yaml=services:\n  app:\n    image: app\n"),
    ("render.yaml", "package.json={\"dependencies\":{\"express\":\"5\"},\"scripts\":{\"start\":\"node a\"}}"),
    ("app.json", "package.json={\"dependencies\":{\"express\":\"5\"},\"scripts\":{\"start\":\"node a\"}}"),
];

/// A whole reading; its result does not matter.
fn tree(files: &[(&str, &str)]) {
    drop(analyze(&MemoryTree::new(files.iter().copied()), &Options::default(), &mut |_| {}));
}

/// Runs the parser of a name; whether there is one.
pub fn run(name: &str, text: &str) -> bool {
    let parser = PARSERS.iter().find(|(known, _)| *known == name);
    parser.is_some_and(|(_, parse)| {
        parse(text);
        true
    })
}
