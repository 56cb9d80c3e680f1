//! Bugs that were read in the sources of other analysers, each on a small fixture of our own.
//!
//! Those that stand elsewhere: development dependencies beside others, a name that contains another, the entry module's file,
//! the first directory of `cmd`, an output path as an object (`traps.rs`); frameworks under their meta framework (`services.rs`);
//! build-time names (`environment.rs`); a module's local modules (`layouts.rs`). The rest is here, one function a bug.

use crate::{only, read, summary};

const RAILS: (&str, &str) =
    ("config/application.rb", "module Shop\n  class Application < Rails::Application\n  end\nend\n");

#[test]
fn a_gem_whose_name_begins_like_a_driver_is_no_driver() {
    let service = only(&[
        ("Gemfile", "source 'https://rubygems.org'\ngem 'rails', '8.0'\ngem 'pghero_client'\n# gem 'pg'\n"),
        RAILS,
        ("config.ru", "run Rails.application\n"),
    ]);
    assert!(service.dependencies.iter().all(|d| d.kind != "postgres"), "{:?}", service.dependencies);
}

#[test]
fn the_version_in_a_gemfile_counts() {
    let service = only(&[
        ("Gemfile", "source 'https://rubygems.org'\nruby \"3.2.4\"\ngem 'rails', '8.0'\n"),
        RAILS,
        ("config.ru", "run Rails.application\n"),
    ]);
    assert_eq!(service.language_version.as_deref(), Some("3.2.4"));
}

#[test]
fn rails_starts_the_same_way_beside_a_rackup_file() {
    let files: &[(&str, &str)] = &[
        ("Gemfile", "source 'https://rubygems.org'\ngem 'rails', '8.0'\n"),
        RAILS,
        ("config.ru", "run Rails.application\n"),
        ("bin/rails", "#!/usr/bin/env ruby\n"),
    ];
    let starts: std::collections::BTreeSet<_> = (0..5).map(|_| only(files).start).collect();
    assert_eq!(starts.len(), 1);
    assert!(starts.iter().flatten().all(|s| s.contains("rails server")), "{starts:?}");
}

#[test]
fn a_python_version_written_as_a_table_is_read() {
    let service = only(&[
        (
            "pyproject.toml",
            "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\npython = { version = \"^3.11\" }\nflask = \"3\"\n",
        ),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    assert!(service.language_version.is_some_and(|v| v.contains("3.11")));
}

#[test]
fn no_recipe_holds_a_development_server_or_a_secret() {
    let flask = only(&[
        ("requirements.txt", "flask\n"),
        (
            "app.py",
            "import os\nfrom flask import Flask\napp = Flask(__name__)\napp.secret_key = os.environ['SECRET_KEY']\n",
        ),
    ]);
    let recipe = flask.dockerfile.content.unwrap();
    assert!(recipe.contains("gunicorn") && !recipe.contains("flask run"), "{recipe}");
    assert!(!recipe.contains("SECRET_KEY"), "{recipe}");
    let django = only(&[
        ("requirements.txt", "django\n"),
        ("manage.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"),
        (
            "shop/settings.py",
            "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nROOT_URLCONF = 'shop.urls'\n",
        ),
        ("shop/wsgi.py", "application = get_wsgi_application()\n"),
    ]);
    let recipe = django.dockerfile.content.unwrap();
    assert!(recipe.lines().all(|l| !(l.starts_with("ENV") && l.contains("SECRET_KEY"))), "{recipe}");
}

#[test]
fn what_a_static_site_must_not_publish_stays_out_of_its_image() {
    let service = only(&[("index.html", "<p>"), (".env", "A=1\n")]);
    let ignored = service.dockerfile.ignore.unwrap();
    for name in [".git", ".env"] {
        assert!(ignored.lines().any(|l| l == name), "{ignored}");
    }
}

#[test]
fn of_several_angular_projects_the_choice_is_always_the_same() {
    let angular = r#"{"projects":{
        "zebra":{"projectType":"library","root":"projects/zebra"},
        "shop":{"projectType":"application","root":"","architect":{"build":{"builder":"@angular/build:application","options":{}}}},
        "admin":{"projectType":"application","root":"projects/admin","architect":{"build":{"builder":"@angular/build:application","options":{}}}}},
        "defaultProject":"shop"}"#;
    let files: &[(&str, &str)] = &[
        (
            "package.json",
            r#"{"name":"shop","scripts":{"build":"ng build"},"dependencies":{"@angular/core":"20"}}"#,
        ),
        ("angular.json", angular),
    ];
    let outputs: std::collections::BTreeSet<_> = (0..5)
        .map(|_| read(files).services.into_iter().map(|s| s.dockerfile.content).collect::<Vec<_>>())
        .collect();
    assert_eq!(outputs.len(), 1);
    let recipe = format!("{outputs:?}");
    assert!(recipe.contains("dist/shop") && !recipe.contains("dist/zebra"), "{recipe}");
}

#[test]
fn a_module_of_gradle_starts_its_own_archive() {
    let analysis = read(&[
        ("settings.gradle", "include 'api', 'core'\n"),
        ("build.gradle", "subprojects { }\n"),
        ("core/build.gradle", "plugins { id 'java-library' }\n"),
        ("core/src/main/java/C.java", "class C {}"),
        (
            "api/build.gradle",
            "plugins { id 'org.springframework.boot' version '3.3.0' }\ndependencies {\n  implementation 'org.springframework.boot:spring-boot-starter-web'\n  implementation project(':core')\n}\n",
        ),
        (
            "api/src/main/java/A.java",
            "@SpringBootApplication class A { public static void main(String[] a) { SpringApplication.run(A.class); } }",
        ),
    ]);
    assert_eq!(summary(&analysis), ["api api web spring-boot"]);
    let api = analysis.services.first().unwrap();
    assert_eq!(api.start.as_deref(), Some("java -jar api/build/libs/*.jar"));
    assert!(api.build.as_deref().is_some_and(|b| b.contains(":api:")), "{:?}", api.build);
}

#[test]
fn a_compose_file_has_several_names_and_an_image_may_name_a_registry_with_a_port() {
    let node =
        r#"{"name":"shop","scripts":{"start":"node index.js"},"dependencies":{"express":"5","pg":"8"}}"#;
    let service = only(&[
        (
            "compose.yaml",
            "services:\n  shop:\n    build: .\n    depends_on: [db]\n  db:\n    image: registry.test:5000/mirror/postgres:16.2\n",
        ),
        ("package.json", node),
        ("index.js", "require('express')().listen(3000)"),
    ]);
    let database = service.dependencies.iter().find(|d| d.kind == "postgres").unwrap();
    assert!(database.required);
    assert_eq!(database.version.as_deref(), Some("16.2"));
}

#[test]
fn every_compose_file_is_read_and_not_only_the_first() {
    let node = r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#;
    let analysis = read(&[
        ("a/docker-compose.yml", "services:\n  one:\n    build: .\n    ports: [\"8000:4001\"]\n"),
        ("a/package.json", node),
        ("a/index.js", "require('express')().listen(process.env.PORT)"),
        ("b/docker-compose.yml", "services:\n  two:\n    build: .\n    ports: [\"8000:4002\"]\n"),
        ("b/package.json", node),
        ("b/index.js", "require('express')().listen(process.env.PORT)"),
    ]);
    let ports: Vec<_> = analysis.services.iter().map(|s| (s.name.as_str(), s.port)).collect();
    assert_eq!(ports, [("one", Some(4001)), ("two", Some(4002))]);
}

#[test]
fn hugo_is_known_by_its_own_name_and_not_by_any_configuration() {
    let site = only(&[("hugo.yaml", "title: Notes\n"), ("content/_index.md", "# Notes\n")]);
    assert_eq!(site.framework.as_deref(), Some("hugo"));
    let analysis = read(&[("config.toml", "title = 'settings'\n"), ("main.c", "int main() {}\n")]);
    assert!(analysis.services.is_empty(), "{:?}", summary(&analysis));
}

#[test]
fn a_named_release_of_node_is_a_version() {
    let manifest = r#"{"name":"x","engines":{"node":">=16"},"scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#;
    let service = only(&[
        (".nvmrc", "lts/iron\n"),
        ("package.json", manifest),
        ("index.js", "require('express')().listen(3000)"),
    ]);
    assert!(service.dockerfile.content.is_some_and(|c| c.contains("FROM node:20")), "lts/iron is 20");
}

#[test]
fn a_member_of_a_pnpm_workspace_is_built_by_filter() {
    let analysis = read(&[
        ("package.json", r#"{"name":"root","private":true,"packageManager":"pnpm@9.1.0"}"#),
        ("pnpm-workspace.yaml", "packages:\n  - apps/*\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
        (
            "apps/api/package.json",
            r#"{"name":"api","scripts":{"start":"node index.js","build":"tsc"},"dependencies":{"express":"5"}}"#,
        ),
        ("apps/api/index.js", "require('express')().listen(3000)"),
    ]);
    let recipe = analysis.services.first().and_then(|s| s.dockerfile.content.clone()).unwrap();
    assert!(recipe.contains("--filter") && !recipe.contains("--workspace"), "{recipe}");
}

#[test]
fn a_cargo_workspace_without_a_package_at_its_root_is_built_by_package_and_binary() {
    let service = only(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"server\", \"kit\"]\n"),
        ("Cargo.lock", "version = 4\n"),
        ("kit/Cargo.toml", "[package]\nname = \"kit\"\nversion = \"1.0.0\"\n"),
        ("kit/src/lib.rs", ""),
        (
            "server/Cargo.toml",
            "[package]\nname = \"server\"\nversion = \"1.0.0\"\n[dependencies]\naxum = \"0.8\"\nkit = { path = \"../kit\" }\n",
        ),
        ("server/src/main.rs", "fn main() {}"),
        ("server/src/bin/import.rs", "fn main() {}"),
    ]);
    let recipe = service.dockerfile.content.unwrap();
    assert!(recipe.contains("--package server --bin server"), "{recipe}");
    // The dependencies are a layer of their own: built before the code is there.
    let (manifests, rest) = recipe.split_once("COPY . .").unwrap();
    assert!(
        manifests.contains("COPY kit/Cargo.toml ./kit/") && manifests.contains("cargo build"),
        "{recipe}"
    );
    assert!(rest.contains("cargo build"), "{recipe}");
}

#[test]
fn nothing_of_laravel_is_cached_or_migrated_before_the_variables_are_there() {
    let service = only(&[
        ("composer.json", r#"{"require":{"php":"8.3","laravel/framework":"12"}}"#),
        ("artisan", "#!/usr/bin/env php"),
        (".env.example", "DB_CONNECTION=mysql\n"),
    ]);
    let recipe = service.dockerfile.content.unwrap();
    let built = recipe.lines().filter(|l| l.starts_with("RUN")).collect::<Vec<_>>().join("\n");
    assert!(!built.contains("config:cache") && !built.contains("migrate"), "{recipe}");
    assert!(service.release.is_some_and(|r| r.contains("migrate")));
}

#[test]
fn a_dockerfile_without_expose_has_the_port_of_its_code() {
    let service = only(&[
        ("Dockerfile", "FROM node:22\nCOPY . .\nRUN npm install\nUSER node\nCMD [\"node\", \"index.js\"]\n"),
        (
            "package.json",
            r#"{"name":"shop","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#,
        ),
        ("index.js", "require('express')().listen(process.env.PORT || 4321)"),
    ]);
    assert_eq!(service.port, Some(4321));
}
