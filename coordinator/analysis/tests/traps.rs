//! Mistakes that other analysers make, each on a small fixture.

use hydron_domain::analysis::FindingCode;

use crate::{has_finding, only, read, summary};

#[test]
fn development_dependencies_count_even_beside_others() {
    let manifest = r#"{"name":"x","scripts":{"dev":"vite dev","build":"vite build"},"dependencies":{"marked":"1"},"devDependencies":{"@sveltejs/kit":"2","svelte":"5","vite":"7"}}"#;
    let service = only(&[
        ("package.json", manifest),
        ("svelte.config.js", "import adapter from '@sveltejs/adapter-node'"),
    ]);
    assert_eq!(service.framework.as_deref(), Some("sveltekit"));
}

#[test]
fn a_longer_package_name_is_another_package() {
    let analysis = read(&[("requirements.txt", "flask-cors\nfakeredis\n# flask\n"), ("tool.py", "print(1)")]);
    assert!(analysis.services.is_empty(), "{:?}", summary(&analysis));
    assert!(!analysis.not_services.is_empty());
}

#[test]
fn the_entry_module_is_the_file_that_holds_the_object() {
    let service = only(&[
        ("requirements.txt", "fastapi"),
        ("server/web.py", "from fastapi import FastAPI\napi = FastAPI()\n"),
        ("main.py", "print('a script')"),
    ]);
    assert_eq!(service.start.as_deref(), Some("uvicorn server.web:api --host 0.0.0.0 --port 8000"));
}

#[test]
fn the_first_directory_of_cmd_is_not_the_server_by_itself() {
    let analysis = read(&[
        ("go.mod", "module example.test/tool\n\ngo 1.22\n"),
        ("cmd/admin/main.go", "package main\nimport \"fmt\"\nfunc main() { fmt.Println(1) }\n"),
        (
            "cmd/serverd/main.go",
            "package main\nimport \"example.test/tool/http\"\nfunc main() { http.Open() }\n",
        ),
        (
            "http/server.go",
            "package http\nimport \"net/http\"\nfunc Open() { http.ListenAndServe(\":8080\", nil) }\n",
        ),
    ]);
    assert_eq!(summary(&analysis), ["cmd/serverd serverd web net/http"]);
    assert!(analysis.not_services.iter().any(|n| n.path == "cmd/admin"));
}

#[test]
fn an_output_path_may_be_an_object() {
    let angular = r#"{"projects":{"shop":{"projectType":"application","architect":{"build":{"builder":"@angular/build:application","options":{"outputPath":{"base":"dist/shop"}}}}}}}"#;
    let service = only(&[
        (
            "package.json",
            r#"{"name":"shop","scripts":{"start":"ng serve","build":"ng build"},"dependencies":{"@angular/core":"20"}}"#,
        ),
        ("angular.json", angular),
    ]);
    assert_eq!(service.output_dir.as_deref(), Some("dist/shop/browser"));
    assert_eq!(service.start, None);
}

#[test]
fn a_start_script_that_is_a_development_server_is_not_used() {
    let manifest = r#"{"name":"x","main":"index.js","scripts":{"start":"nodemon index.js"},"dependencies":{"express":"5"},"devDependencies":{"nodemon":"3"}}"#;
    let service = only(&[("package.json", manifest), ("index.js", "require('express')().listen(3000)")]);
    assert_eq!(service.start.as_deref(), Some("node index.js"));
    assert!(service.evidence.iter().any(|e| e.field == "start" && !e.chosen && e.value.contains("start")));
}

#[test]
fn a_main_that_does_not_exist_is_not_started() {
    let manifest = r#"{"name":"x","main":"app.js","scripts":{"start":"npm run build && node dist/server.js","build":"tsc"},"dependencies":{"fastify":"5"}}"#;
    let service = only(&[
        ("package.json", manifest),
        ("src/server.ts", "import Fastify from 'fastify';\nf.listen({ port: 3000 });"),
    ]);
    assert_eq!(service.start.as_deref(), Some("node dist/server.js"));
}

#[test]
fn a_gemfile_range_gives_way_to_the_lock() {
    let lock = "GEM\n  specs:\n    rails (8.0.1)\n\nRUBY VERSION\n   ruby 3.4.5p51\n";
    let service = only(&[
        ("Gemfile", "ruby \">= 3.2\"\ngem \"rails\"\n"),
        ("Gemfile.lock", lock),
        ("config/application.rb", "Rails::Application"),
    ]);
    assert_eq!(service.language_version.as_deref(), Some("3.4.5"));
}

#[test]
fn helper_manifests_are_not_services() {
    let analysis = read(&[
        (
            "package.json",
            r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"@hapi/hapi":"21"}}"#,
        ),
        ("index.js", "const Hapi = require('@hapi/hapi');"),
        ("lib/modules/users/package.json", r#"{"name":"users","main":"index.js"}"#),
        ("lib/modules/users/index.js", "exports.x = 1"),
    ]);
    assert_eq!(summary(&analysis), [". x web hapi"]);
    assert!(
        analysis.not_services.iter().any(|n| n.path == "lib/modules/users" && n.rule == "node.descriptor")
    );
}

#[test]
fn apps_for_phones_and_browsers_are_not_deployed() {
    let analysis = read(&[
        (
            "apps/mobile/package.json",
            r#"{"name":"m","scripts":{"start":"expo start"},"dependencies":{"expo":"53","react-native":"0.80"}}"#,
        ),
        (
            "apps/extension/package.json",
            r#"{"name":"e","scripts":{"dev":"vite"},"devDependencies":{"vite":"7","react":"19"}}"#,
        ),
        ("apps/extension/manifest.json", r#"{"manifest_version":3}"#),
        ("apps/extension/index.html", "<p>"),
        ("apps/cli/package.json", r#"{"name":"c","bin":{"c":"x.js"},"dependencies":{"commander":"1"}}"#),
    ]);
    assert!(analysis.services.is_empty(), "{:?}", summary(&analysis));
}

#[test]
fn a_front_end_that_builds_into_the_server_is_part_of_it() {
    let analysis = read(&[
        ("go.mod", "module example.test/app\n"),
        (
            "main.go",
            "package main\nimport (\"embed\"\n\"net/http\")\n//go:embed ui/dist\nvar f embed.FS\nfunc main() { http.ListenAndServe(\":80\", nil) }\n",
        ),
        (
            "ui/package.json",
            r#"{"name":"ui","scripts":{"build":"vite build"},"devDependencies":{"vue":"3","vite":"7"}}"#,
        ),
        ("ui/index.html", "<p>"),
    ]);
    assert_eq!(summary(&analysis), [". app web net/http"]);
    assert!(analysis.not_services.iter().any(|n| n.path == "ui" && n.rule == "embed.front_end"));
}

#[test]
fn a_database_image_with_seed_data_is_a_dependency() {
    let analysis = read(&[
        (
            "compose.yaml",
            "services:\n  api:\n    build: api\n    environment:\n      MONGO_URL: mongodb://store:27017/x\n  store:\n    build: store\n",
        ),
        ("api/Dockerfile", "FROM node:22\nCOPY . .\nEXPOSE 8080\nCMD [\"node\", \"server.js\"]\n"),
        (
            "api/package.json",
            r#"{"name":"api","dependencies":{"express":"5","mongodb":"6"},"scripts":{"start":"node server.js"}}"#,
        ),
        ("api/server.js", "require('express')().listen(8080)"),
        ("store/Dockerfile", "FROM mongo:7\nCOPY seed.js /docker-entrypoint-initdb.d/\n"),
        ("store/seed.js", "db.x.insert({})"),
    ]);
    assert_eq!(summary(&analysis), ["api api web express"]);
    assert!(analysis.services[0].dependencies.iter().any(|d| d.kind == "mongodb" && d.required));
}

#[test]
fn symfony_libraries_do_not_make_a_symfony_application() {
    let service = only(&[
        ("composer.json", r#"{"require":{"mezzio/mezzio":"3","symfony/console":"7"}}"#),
        ("public/index.php", "<?php"),
    ]);
    assert_eq!(service.framework.as_deref(), Some("mezzio"));
}

#[test]
fn a_server_on_the_loopback_address_is_pointed_out() {
    let analysis = read(&[
        ("go.mod", "module x\nrequire github.com/labstack/echo v1.0.0\n"),
        (
            "main.go",
            "package main\nimport \"github.com/labstack/echo\"\nfunc main() {\n\te.Start(\"127.0.0.1:8585\")\n}\n",
        ),
    ]);
    assert!(has_finding(&analysis, FindingCode::LoopbackBind));
    assert_eq!(analysis.services[0].port, Some(8585));
}

#[test]
fn of_two_lock_files_the_one_that_ci_uses_counts() {
    let manifest = r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"}}"#;
    let mut files = vec![
        ("package.json", manifest),
        ("s.js", "require('express')().listen(1)"),
        ("yarn.lock", ""),
        ("package-lock.json", "{}"),
        ("README.md", "Run `yarn install`."),
    ];
    assert_eq!(only(&files).package_manager.as_deref(), Some("yarn"));
    files.push((".github/workflows/ci.yml", "jobs:\n  test:\n    steps:\n      - run: npm ci\n"));
    let service = only(&files);
    assert_eq!(service.package_manager.as_deref(), Some("npm"));
    let hint = service.evidence.iter().find(|e| e.rule == "node.manager.hint" && e.chosen).unwrap();
    assert_eq!((hint.file.as_deref(), hint.line), (Some(".github/workflows/ci.yml"), Some(4)));
}

#[test]
fn with_several_python_locks_the_author_is_asked_to_choose() {
    let analysis = read(&[
        ("pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\ndependencies = [\"flask\"]\n"),
        ("uv.lock", "version = 1\n"),
        ("poetry.lock", ""),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    assert_eq!(analysis.services[0].package_manager.as_deref(), Some("uv"));
    assert!(has_finding(&analysis, FindingCode::ConflictingLockfiles), "{:?}", analysis.findings);
}
