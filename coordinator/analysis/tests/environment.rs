//! Environment variables: where they are seen, which are secret, which are needed.

use hydron_domain::analysis::{EnvGenerate, EnvNeed, FindingCode};

use crate::{has_finding, only, read};

fn flask(code: &str, more: &[(&str, &str)]) -> Vec<EnvNeed> {
    let code = format!("from flask import Flask\nimport os\napp = Flask(__name__)\n{code}\n");
    let mut files = vec![("requirements.txt", "flask"), ("app.py", code.as_str())];
    files.extend_from_slice(more);
    only(&files).env
}

fn node(code: &str, more: &[(&str, &str)]) -> Vec<EnvNeed> {
    let manifest = r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#;
    let code = format!("require('express')().listen(3000);\n{code}");
    let mut files = vec![("package.json", manifest), ("index.js", code.as_str())];
    files.extend_from_slice(more);
    only(&files).env
}

fn names(env: &[EnvNeed]) -> Vec<&str> {
    env.iter().map(|e| e.name.as_str()).collect()
}

#[test]
fn python_reads_tell_required_from_optional() {
    let env = flask("os.environ['TOKEN']\nos.environ.get('LIMIT', '5')\nos.getenv('MODE')\n", &[]);
    assert_eq!(names(&env), ["LIMIT", "MODE", "TOKEN"]);
    assert_eq!(env[0].default.as_deref(), Some("5"));
    assert!(env[2].required && env[2].secret && env[2].default.is_none());
    assert!(!env[1].required);
}

#[test]
fn a_projects_own_reader_is_followed() {
    let env = flask(
        "def envbool(name, default):\n    return os.getenv(name, default) == 'True'\n\nX = envbool('USE_CACHE', 'False')\n",
        &[],
    );
    assert!(names(&env).contains(&"USE_CACHE"));
}

#[test]
fn destructured_reads_are_seen() {
    let env = node("const { MYSQL_HOST: HOST, MYSQL_USER, LEVEL = 'info' } = process.env;", &[]);
    assert_eq!(names(&env), ["LEVEL", "MYSQL_HOST", "MYSQL_USER"]);
}

#[test]
fn schemas_are_read_where_they_describe_the_environment() {
    let schema = "import { z } from 'zod';\nexport const env = z.object({\n  API_TOKEN: z.string(),\n  REGION: z.string().default('eu'),\n  NOTE: z.string().optional(),\n}).parse(process.env);\n";
    let env = node("", &[("env.js", schema)]);
    assert_eq!(names(&env), ["API_TOKEN", "NOTE", "REGION"]);
    assert!(env[0].required && env[0].secret);
    assert_eq!(env[2].default.as_deref(), Some("eu"));
    let settings = "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    secret_key: str\n    page_size: int = 20\n";
    let env = flask("", &[("settings.py", settings)]);
    assert_eq!(names(&env), ["PAGE_SIZE", "SECRET_KEY"]);
    assert!(env[1].required);
    assert_eq!(env[1].generate, Some(EnvGenerate::Hex32));
}

#[test]
fn build_time_names_need_a_rebuild() {
    let manifest =
        r#"{"name":"x","scripts":{"build":"vite build"},"devDependencies":{"vite":"7","react":"19"}}"#;
    let env = only(&[
        ("package.json", manifest),
        ("index.html", "<p>"),
        ("src/main.jsx", "fetch(import.meta.env.VITE_API_URL); import.meta.env.MODE"),
    ])
    .env;
    assert_eq!(names(&env), ["VITE_API_URL"]);
    assert!(env[0].build_time && !env[0].secret);
}

#[test]
fn a_committed_secret_is_flagged_and_never_kept() {
    let files = [
        ("requirements.txt", "flask"),
        ("app.py", "from flask import Flask\nimport os\napp = Flask(__name__)\nos.environ['SECRET_KEY']"),
        (".env", "SECRET_KEY=q8Zr71kLmW0\nPORT=9000\n"),
    ];
    let analysis = read(&files);
    assert!(has_finding(&analysis, FindingCode::CommittedSecret));
    assert!(!serde_json::to_string(&analysis).unwrap().contains("q8Zr71kLmW0"));
}

#[test]
fn configuration_files_interpolate() {
    let pom = "<project><artifactId>a</artifactId><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>";
    let env = only(&[
        ("pom.xml", pom),
        ("src/main/java/A.java", "@SpringBootApplication class A {}"),
        ("src/main/resources/application.yml", "db:\n  password: ${DB_PASSWORD}\n  name: ${DB_NAME:shop}\n"),
    ])
    .env;
    assert_eq!(names(&env), ["DB_NAME", "DB_PASSWORD"]);
    assert_eq!(env[0].default.as_deref(), Some("shop"));
    assert!(env[1].secret);
}

#[test]
fn lower_case_names_and_constants_are_names_too() {
    let rust = only(&[
        ("Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\nactix-web = \"4\"\n"),
        (
            "src/main.rs",
            "pub mod env_key {\n    pub const DATABASE_URL: &str = \"DATABASE_URL\";\n}\nfn main() { std::env::var(env_key::DATABASE_URL).expect(\"set\"); }\n",
        ),
    ]);
    assert_eq!(names(&rust.env), ["DATABASE_URL"]);
    let ruby = only(&[
        ("Gemfile", "gem 'sinatra'"),
        ("config.ru", "run App"),
        ("app.rb", "require 'sinatra'\nENV.fetch('idp_sp_key')\n"),
    ]);
    assert_eq!(names(&ruby.env), ["idp_sp_key"]);
}
