//! Databases and other things that a service talks to, and how it is told where they are.

use crate::{only, read};

fn python(requirements: &str, code: &str) -> hydron_domain::analysis::AnalyzedService {
    let code = format!("from flask import Flask\nimport os\napp = Flask(__name__)\n{code}\n");
    only(&[("requirements.txt", requirements), ("app.py", &code)])
}

#[test]
fn a_driver_and_its_url_bind_a_database() {
    let service = python("flask\npsycopg2-binary\n", "os.environ['DATABASE_URL']");
    let database = &service.dependencies[0];
    assert_eq!((database.kind.as_str(), database.required), ("postgres", true));
    assert_eq!(database.binding.url[0].name, "DATABASE_URL");
    assert_eq!(database.binding.url[0].scheme, "postgresql");
}

#[test]
fn a_scheme_with_a_driver_is_for_the_orm_that_understands_it() {
    let bare = python("flask\nasyncpg\n", "os.environ['DATABASE_URL']");
    assert_eq!(bare.dependencies[0].binding.url[0].scheme, "postgresql");
    let orm = python("flask\nasyncpg\nsqlalchemy\n", "os.environ['DATABASE_URL']");
    assert_eq!(orm.dependencies[0].binding.url[0].scheme, "postgresql+asyncpg");
}

#[test]
fn parts_are_bound_by_their_role() {
    let service = python(
        "flask\nmysqlclient\n",
        "[os.environ[x] for x in ()]\nos.environ['MYSQL_HOST']; os.environ['MYSQL_USER']; os.environ['MYSQL_PASSWORD']; os.environ['MYSQL_DATABASE']",
    );
    let binding = &service.dependencies[0].binding;
    assert_eq!(binding.host.as_deref(), Some("MYSQL_HOST"));
    assert_eq!(binding.user.as_deref(), Some("MYSQL_USER"));
    assert_eq!(binding.password.as_deref(), Some("MYSQL_PASSWORD"));
    assert_eq!(binding.database.as_deref(), Some("MYSQL_DATABASE"));
}

#[test]
fn several_drivers_without_a_decision_are_alternatives() {
    let service = python("flask\npsycopg2\nmysqlclient\n", "");
    assert!(service.dependencies.iter().all(|d| !d.required), "{:?}", service.dependencies);
}

#[test]
fn configuration_decides_between_drivers() {
    let service = only(&[
        (
            "package.json",
            r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5","pg":"8","sqlite3":"5","knex":"3"}}"#,
        ),
        ("index.js", "require('express')().listen(1234)"),
        ("config/default.yml", "db:\n  client: sqlite3\n"),
    ]);
    let required: Vec<&str> =
        service.dependencies.iter().filter(|d| d.required).map(|d| d.kind.as_str()).collect();
    assert_eq!(required, ["sqlite"]);
}

#[test]
fn a_comment_gives_no_dependency() {
    let service = only(&[
        (
            "go.mod",
            "module x\n\nrequire (\n\tgithub.com/gofiber/fiber/v2 v2.0.0\n\t// github.com/lib/pq v1.0.0\n)\n",
        ),
        (
            "main.go",
            "package main\nimport (\n\t\"github.com/gofiber/fiber/v2\"\n\t// \"github.com/lib/pq\"\n)\nfunc main() { app.Listen(\":8585\") }\n",
        ),
    ]);
    assert!(service.dependencies.is_empty(), "{:?}", service.dependencies);
    assert_eq!(service.port, Some(8585));
}

#[test]
fn services_that_name_each_other_are_joined() {
    let analysis = read(&[
        ("compose.yaml", "services:\n  cart:\n    build: cart\n  catalogue:\n    build: catalogue\n"),
        ("cart/Dockerfile", "FROM node:22\nCOPY . .\nEXPOSE 8080\nCMD [\"node\", \"server.js\"]\n"),
        (
            "cart/package.json",
            r#"{"name":"cart","dependencies":{"express":"5"},"scripts":{"start":"node server.js"}}"#,
        ),
        (
            "cart/server.js",
            "const host = process.env.CATALOGUE_HOST || 'catalogue';\nrequire('express')().listen(8080)",
        ),
        ("catalogue/Dockerfile", "FROM node:22\nCOPY . .\nEXPOSE 8080\nCMD [\"node\", \"server.js\"]\n"),
        (
            "catalogue/package.json",
            r#"{"name":"catalogue","dependencies":{"express":"5"},"scripts":{"start":"node server.js"}}"#,
        ),
        ("catalogue/server.js", "require('express')().listen(8080)"),
    ]);
    let cart = analysis.services.iter().find(|s| s.name == "cart").unwrap();
    assert_eq!(cart.depends_on, ["catalogue"]);
}

#[test]
fn a_session_store_and_a_document_store_name_the_server_behind_them() {
    let service = only(&[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nactix-web = \"4\"\nactix-session = { version = \"1\", features = [\"redis-session-rustls\"] }\n",
        ),
        ("src/main.rs", "fn main() {}"),
    ]);
    assert!(service.dependencies.iter().any(|d| d.kind == "redis" && d.required));
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup><PackageReference Include=\"Marten\" Version=\"7\" /></ItemGroup></Project>";
    let service = only(&[("Shop.csproj", project), ("Program.cs", "app.Run();")]);
    assert!(service.dependencies.iter().any(|d| d.kind == "postgres" && d.required));
}

#[test]
fn keys_of_many_providers_are_integrations_and_a_static_page_needs_no_database() {
    let code = "require('express')().listen(1); process.env.BREVO_API_KEY; process.env.PYLON_API_KEY; process.env.ATTIO_API_KEY;";
    let service = only(&[
        ("package.json", r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"}}"#),
        ("s.js", code),
    ]);
    assert!(service.dependencies.iter().all(|d| !d.required), "{:?}", service.dependencies);
    let page = only(&[
        ("compose.yaml", "services:\n  page:\n    build: .\n    env_file: .env.example\n"),
        (".env.example", "DATABASE_URL=postgres://a:b@db:5432/x\n"),
        ("Dockerfile", "FROM nginx:1.27\nCOPY . /usr/share/nginx/html\n"),
        ("index.html", "<html>"),
    ]);
    assert!(page.dependencies.is_empty(), "{:?}", page.dependencies);
}

#[test]
fn an_optional_package_is_not_a_driver() {
    let manifest = "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\npython = \"^3.12\"\nfastapi = \"*\"\npsycopg2-binary = { version = \"*\", optional = true }\n";
    let service =
        only(&[("pyproject.toml", manifest), ("main.py", "from fastapi import FastAPI\napp = FastAPI()\n")]);
    assert!(service.dependencies.is_empty(), "{:?}", service.dependencies);
}
