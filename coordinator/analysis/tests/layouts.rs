//! Layouts and habits of larger repositories, each on a small fixture.

use hydron_domain::analysis::DockerfileVerdict;

use crate::{only, read, summary};

const MAIN: &str = "@SpringBootApplication class App {}";

#[test]
fn a_gradle_module_is_what_its_local_modules_make_it() {
    let analysis = read(&[
        ("settings.gradle", "include 'shop:shop-main', 'shop:shop-rest'\n"),
        (
            "shop/shop-main/build.gradle",
            "dependencies {\n  implementation project(':shop:shop-rest')\n  implementation 'org.springframework.boot:spring-boot-starter'\n}\n",
        ),
        ("shop/shop-main/src/main/java/App.java", MAIN),
        (
            "shop/shop-rest/build.gradle",
            "dependencies {\n  implementation 'org.springframework.boot:spring-boot-starter-web'\n  implementation 'org.springframework.boot:spring-boot-starter-data-mongodb'\n}\n",
        ),
        ("shop/shop-rest/src/main/java/C.java", "class C { String x = System.getenv(\"SHOP_TOKEN\"); }"),
    ]);
    assert_eq!(summary(&analysis), ["shop/shop-main shop-main web spring-boot"]);
    let service = &analysis.services[0];
    assert!(service.dependencies.iter().any(|d| d.kind == "mongodb" && d.required));
    assert!(service.env.iter().any(|e| e.name == "SHOP_TOKEN" && e.secret));
}

#[test]
fn a_maven_module_has_the_dependencies_of_its_local_modules() {
    let pom = |name: &str, more: &str| {
        format!(
            "<project><artifactId>{name}</artifactId><version>1</version><dependencies>{more}</dependencies></project>"
        )
    };
    let dependency = |group: &str, name: &str| {
        format!("<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId></dependency>")
    };
    let app = pom(
        "app",
        &format!(
            "{}{}",
            dependency("com.example", "db"),
            dependency("org.springframework.boot", "spring-boot-starter-web")
        ),
    );
    let db = pom("db", &dependency("org.postgresql", "postgresql"));
    let analysis = read(&[
        ("app/pom.xml", &app),
        ("app/src/main/java/App.java", MAIN),
        ("db/pom.xml", &db),
        ("db/src/main/java/D.java", "class D {}"),
    ]);
    assert_eq!(summary(&analysis), ["app app web spring-boot"]);
    assert!(analysis.services[0].dependencies.iter().any(|d| d.kind == "postgres" && d.required));
}

#[test]
fn a_dockerfile_that_takes_an_archive_from_the_host_is_replaced() {
    let pom = "<project><artifactId>a</artifactId><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>";
    for copy in [
        "COPY target/*.jar app.jar",
        "ARG JAR=target/a.jar\nCOPY ${JAR} app.jar",
        "ARG V\nCOPY target/a-$V.jar app.jar",
    ] {
        let dockerfile =
            format!("FROM eclipse-temurin:21-jre\n{copy}\nENTRYPOINT [\"java\", \"-jar\", \"app.jar\"]\n");
        let service =
            only(&[("pom.xml", pom), ("src/main/java/App.java", MAIN), ("Dockerfile", &dockerfile)]);
        assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Replace, "{copy}");
    }
}

#[test]
fn a_front_end_inside_a_java_module_is_packed_with_it() {
    let pom = "<project><artifactId>ui</artifactId><dependencies><dependency><groupId>io.quarkus</groupId><artifactId>quarkus-rest</artifactId></dependency></dependencies></project>";
    let analysis = read(&[
        ("ui/pom.xml", pom),
        ("ui/src/main/java/R.java", "class R {}"),
        (
            "ui/src/main/webui/package.json",
            r#"{"name":"webui","scripts":{"build":"vite build"},"devDependencies":{"react":"19","vite":"7"}}"#,
        ),
        ("ui/src/main/webui/index.html", "<p>"),
    ]);
    assert_eq!(summary(&analysis), ["ui ui web quarkus"]);
}

#[test]
fn a_page_that_a_go_package_embeds_is_no_site() {
    let analysis = read(&[
        ("go.mod", "module example.test/notes\n\ngo 1.24\n"),
        (
            "cmd/notes/main.go",
            "package main\nimport (\"net/http\"\n\"example.test/notes/server\")\nfunc main() { http.ListenAndServe(\":80\", server.H()) }\n",
        ),
        ("server/embed.go", "package server\nimport \"embed\"\n//go:embed dist/*\nvar files embed.FS\n"),
        ("server/dist/index.html", "<p>"),
        (
            "web/package.json",
            r#"{"name":"web","scripts":{"build":"vite build","release":"vite build --outDir=../server/dist"},"devDependencies":{"react":"19","vite":"7"}}"#,
        ),
        ("web/index.html", "<p>"),
    ]);
    assert_eq!(summary(&analysis), [". notes web net/http"]);
}

#[test]
fn an_image_that_takes_the_front_end_from_a_stage_is_the_servers() {
    let dockerfile = "FROM node:22-slim AS build\nWORKDIR /app\nCOPY . .\nRUN npm run build\nFROM node:22-slim\nCOPY --from=build /app/apps/server/dist /app/apps/server/dist\nCOPY --from=build /app/apps/client/dist /app/apps/client/dist\nCMD [\"node\", \"apps/server/dist/main.js\"]\n";
    let analysis = read(&[
        ("package.json", r#"{"private":true,"workspaces":["apps/*"]}"#),
        ("Dockerfile", dockerfile),
        (
            "apps/server/package.json",
            r#"{"name":"server","scripts":{"start":"node dist/main.js","build":"tsc"},"dependencies":{"express":"5"}}"#,
        ),
        ("apps/server/src/main.ts", "import express from 'express';\nexpress().listen(3000);"),
        (
            "apps/client/package.json",
            r#"{"name":"client","scripts":{"build":"vite build"},"devDependencies":{"react":"19","vite":"7"}}"#,
        ),
        ("apps/client/index.html", "<p>"),
    ]);
    let paths: Vec<&str> = analysis.services.iter().map(|s| s.path.as_str()).collect();
    assert_eq!(paths, ["apps/server"]);
}

#[test]
fn what_seeds_a_database_in_a_profile_is_no_service() {
    let analysis = read(&[
        (
            "compose.yaml",
            "services:\n  api:\n    build: api\n    ports: ['80:8080']\n  seed:\n    build: seed-data\n    profiles: [seed]\n",
        ),
        ("api/Dockerfile", "FROM node:22\nCOPY . .\nEXPOSE 8080\nUSER node\nCMD [\"node\", \"s.js\"]\n"),
        ("api/s.js", ""),
        ("seed-data/Dockerfile", "FROM python:3.13-slim\nCOPY . .\nCMD [\"python\", \"fill.py\"]\n"),
        ("seed-data/fill.py", ""),
    ]);
    assert_eq!(summary(&analysis), ["api api web -"]);
}

#[test]
fn a_recipe_for_developers_is_not_built() {
    let service = only(&[
        ("composer.json", r#"{"require":{"laravel/framework":"12"}}"#),
        ("artisan", "x"),
        ("public/index.php", "<?php"),
        ("dev/docker/Dockerfile", "FROM php:8.3-apache\nRUN true\n"),
        (
            "compose.yaml",
            "services:\n  app:\n    build: {context: ., dockerfile: ./dev/docker/Dockerfile}\n    volumes: ['./:/app']\n",
        ),
    ]);
    assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Generate);
}

#[test]
fn a_read_below_a_condition_is_optional() {
    let code = "import os\nfrom flask import Flask\napp = Flask(__name__)\nif os.environ.get('USE_S3'):\n    BUCKET = os.environ['S3_BUCKET']\nif 'PRIMARY_HOST' in os.environ:\n    HOST = os.environ['PRIMARY_HOST']\nKEY = os.environ['SIGNING_KEY']\n";
    let env = only(&[("requirements.txt", "flask"), ("app.py", code)]).env;
    let required: Vec<&str> = env.iter().filter(|e| e.required).map(|e| e.name.as_str()).collect();
    assert_eq!(required, ["SIGNING_KEY"]);
}

#[test]
fn a_decorator_can_make_a_variable_optional() {
    let schema = "import { IsOptional, IsString } from 'class-validator';\nexport class EnvironmentVariables {\n  @IsString()\n  APP_SECRET: string;\n\n  @IsOptional()\n  @IsString()\n  DRIVER: string;\n}\n";
    let manifest = r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#;
    let env = only(&[
        ("package.json", manifest),
        ("index.js", "require('express')().listen(1)"),
        ("env.ts", schema),
    ])
    .env;
    let required: Vec<(&str, bool)> = env.iter().map(|e| (e.name.as_str(), e.required)).collect();
    assert_eq!(required, [("APP_SECRET", true), ("DRIVER", false)]);
}

#[test]
fn flags_behind_a_prefix_are_variables() {
    let code = "package main\nimport (\"net/http\"\n\"github.com/spf13/viper\")\nfunc main() {\n\tviper.SetEnvPrefix(\"notes\")\n\tviper.AutomaticEnv()\n\tviper.SetDefault(\"port\", 8081)\n\tcmd.PersistentFlags().String(\"instance-url\", \"\", \"\")\n\thttp.ListenAndServe(\":8081\", nil)\n}\n";
    let env = only(&[("go.mod", "module n\n"), ("main.go", code)]).env;
    let names: Vec<&str> = env.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["NOTES_INSTANCE_URL", "NOTES_PORT"]);
}

#[test]
fn a_stack_that_runs_without_a_driver_does_not_need_it() {
    let analysis = read(&[
        (
            "compose.yaml",
            "services:\n  web:\n    build: .\n    depends_on: [db]\n  db:\n    image: postgres:17\n",
        ),
        ("Dockerfile", "FROM node:22\nCOPY . .\nEXPOSE 3000\nUSER node\nCMD [\"node\", \"index.js\"]\n"),
        (
            "package.json",
            r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5","pg":"8","kafkajs":"2"}}"#,
        ),
        ("index.js", "require('express')().listen(3000)"),
    ]);
    let needs: Vec<(&str, bool)> =
        analysis.services[0].dependencies.iter().map(|d| (d.kind.as_str(), d.required)).collect();
    assert_eq!(needs, [("kafka", false), ("postgres", true)]);
}

const ROOT: &str = r#"{"name":"root","private":true,"workspaces":["packages/*","services/*"]}"#;

#[test]
fn a_published_package_that_others_are_made_of_is_a_library_even_if_it_can_start() {
    let library = r#"{"name":"@x/api","main":"dist/index.js","scripts":{"start":"node dist/bin.js"},"dependencies":{"express":"5"}}"#;
    let starter = r#"{"name":"api-service","private":true,"dependencies":{"@x/api":"workspace:^"}}"#;
    let service = only(&[
        ("package.json", ROOT),
        ("packages/api/package.json", library),
        ("packages/api/src/index.js", "require('express')().listen(4000)"),
        ("services/api/package.json", starter),
        ("services/api/index.js", "require('@x/api').run()"),
        (
            "services/api/Dockerfile",
            "FROM node:22\nCOPY . .\nENTRYPOINT [\"dumb-init\", \"--\"]\nCMD [\"node\", \"index.js\"]\n",
        ),
    ]);
    assert_eq!((service.path.as_str(), service.framework.as_deref()), ("services/api", Some("express")));
    assert_eq!(service.start.as_deref(), Some("node index.js"));
}

#[test]
fn a_page_that_the_servers_package_depends_on_is_carried_by_the_server() {
    let server = r#"{"name":"@x/core","private":true,"scripts":{"start":"node ."},"main":"s.js","dependencies":{"koa":"2","@x/console":"workspace:*"}}"#;
    let page = r#"{"name":"@x/console","private":true,"scripts":{"build":"vite build"},"devDependencies":{"react":"19","vite":"7"}}"#;
    let service = only(&[
        ("package.json", ROOT),
        ("packages/core/package.json", server),
        ("packages/core/s.js", "const K = require('koa'); new K().listen(3001)"),
        ("packages/console/package.json", page),
        ("packages/console/index.html", "<html>"),
    ]);
    assert_eq!(service.path, "packages/core");
}

#[test]
fn a_dockerfile_at_the_root_builds_the_member_that_the_root_starts() {
    let root = r#"{"name":"root","private":true,"workspaces":["packages/*"],"scripts":{"start":"cd packages/core && npm start"}}"#;
    let server = |name: &str| {
        format!(
            r#"{{"name":"{name}","private":true,"scripts":{{"start":"node s.js"}},"dependencies":{{"koa":"2"}}}}"#
        )
    };
    let analysis = read(&[
        ("package.json", root),
        ("Dockerfile", "FROM node:22\nCOPY . .\nRUN npm ci\nEXPOSE 3001\nCMD [\"npm\", \"start\"]\n"),
        ("packages/core/package.json", &server("core")),
        ("packages/core/s.js", "const K = require('koa'); new K().listen(9)"),
        ("packages/hooks/package.json", &server("hooks")),
        ("packages/hooks/s.js", "const K = require('koa'); new K().listen(9)"),
    ]);
    let file =
        |path: &str| analysis.services.iter().find(|s| s.path == path).unwrap().dockerfile.path.clone();
    assert_eq!(file("packages/core").as_deref(), Some("Dockerfile"));
    assert_eq!(file("packages/hooks"), None);
}

#[test]
fn a_desktop_app_is_not_deployed_and_a_page_that_also_runs_in_one_is() {
    let shell = r#"{"name":"desk","private":true,"scripts":{"build":"vite build"},"dependencies":{"@tauri-apps/api":"2"},"devDependencies":{"vue":"3","vite":"7","@tauri-apps/cli":"2"}}"#;
    let page = r#"{"name":"page","private":true,"scripts":{"build":"vite build"},"dependencies":{"@tauri-apps/api":"2","vue":"3"},"devDependencies":{"vite":"7"}}"#;
    let service = only(&[
        ("desk/package.json", shell),
        ("desk/index.html", "<html>"),
        (
            "desk/src-tauri/Cargo.toml",
            "[package]\nname = \"desk\"\n[dependencies]\ntauri = \"2\"\naxum = \"0.8\"\n",
        ),
        ("desk/src-tauri/src/main.rs", "fn main() {}"),
        ("page/package.json", page),
        ("page/index.html", "<html>"),
    ]);
    assert_eq!(service.path, "page");
}

#[test]
fn templates_and_test_pages_are_nobodys_service() {
    let manage = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')\n";
    let template = read(&[
        ("{{cookiecutter.slug}}/manage.py", manage),
        ("{{cookiecutter.slug}}/requirements.txt", "django\n"),
        ("pyproject.toml", "[project]\nname = \"t\"\nversion = \"1\"\n"),
    ]);
    assert!(template.services.is_empty(), "{:?}", crate::summary(&template));
    assert!(template.findings.iter().any(|f| f.message.contains("template")), "{:?}", template.findings);
    let library = read(&[
        ("package.json", r#"{"name":"lib","main":"index.js"}"#),
        ("index.js", "module.exports = 1"),
        ("runtime-tests/bun/static/hello/index.html", "<html>"),
    ]);
    assert!(library.services.is_empty(), "{:?}", crate::summary(&library));
}

const GO_MOD: &str = "module example.org/a\n\ngo 1.23\n";
const GO_MAIN: &str =
    "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\":8000\", nil) }\n";
const SPA: &str = r#"{"name":"ui","private":true,"scripts":{"build":"vite build"},"devDependencies":{"react":"19","vite":"7"}}"#;

#[test]
fn a_front_end_that_go_generate_builds_or_packs_is_a_part_of_the_program() {
    for line in [
        "//go:generate npm --prefix ui run build",
        "//go:generate statik -src=./ui/dist -dest=internal",
        "//go:generate go-bindata -o assets.go ui/dist/...",
        "//go:generate sh -c \"cd ui && npm ci && npm run build\"",
    ] {
        let assets = format!("package main\n\n{line}\n");
        let service = only(&[
            ("go.mod", GO_MOD),
            ("main.go", GO_MAIN),
            ("assets.go", &assets),
            ("ui/package.json", SPA),
            ("ui/index.html", "<html>"),
        ]);
        assert_eq!(service.path, ".", "{line}");
    }
    let apart = read(&[
        ("go.mod", GO_MOD),
        ("main.go", GO_MAIN),
        ("assets.go", "package main\n\n//go:generate stringer -type=Kind\n"),
        ("ui/package.json", SPA),
        ("ui/index.html", "<html>"),
    ]);
    assert_eq!(apart.services.len(), 2, "{:?}", summary(&apart));
}

#[test]
fn a_library_with_an_embedded_page_and_a_generator_is_no_service() {
    let analysis = read(&[
        ("go.mod", GO_MOD),
        (
            "server.go",
            "package a\n\nimport \"net/http\"\n\nfunc Run() { http.ListenAndServe(\":80\", nil) }\n",
        ),
        (
            "plugins/vm/internal/types/types.go",
            "package main\n\nimport \"example.org/a\"\n\nfunc main() { a.Run() }\n",
        ),
        ("ui/embed.go", "package ui\n\nimport \"embed\"\n\n//go:embed dist\nvar Dist embed.FS\n"),
        ("ui/package.json", SPA),
        ("ui/index.html", "<html>"),
    ]);
    assert!(analysis.services.is_empty(), "{:?}", summary(&analysis));
}

#[test]
fn a_front_end_that_a_stage_of_the_servers_dockerfile_builds_is_in_its_image() {
    let dockerfile = "FROM node:22 AS pages\nCOPY ./web /src\nRUN npm ci && npm run build\nFROM python:3.12\nCOPY api /app\nCOPY --from=pages /src/dist /app/static\nCMD [\"uvicorn\", \"api.main:app\"]\n";
    let nuxt = r#"{"name":"web","private":true,"scripts":{"build":"nuxt build","start":"nuxt start"},"dependencies":{"nuxt":"3"}}"#;
    let service = only(&[
        ("docker/Dockerfile", dockerfile),
        ("requirements.txt", "fastapi\nuvicorn\n"),
        ("api/main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
        ("web/package.json", nuxt),
        ("web/nuxt.config.ts", "export default {}"),
    ]);
    assert_eq!(service.framework.as_deref(), Some("fastapi"));
}

#[test]
fn what_a_dockerfile_only_describes_must_be_in_the_repository_and_run_on_a_server() {
    let service = only(&[
        ("package.json", r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"}}"#),
        ("s.js", "require('express')().listen(1)"),
        ("phone/package.json", r#"{"name":"phone","dependencies":{"react-native":"0.8"}}"#),
        ("phone/android.Dockerfile", "FROM android:1\nCOPY . .\nENTRYPOINT [\"/app.apk\"]\n"),
        (
            "hand/sh/Dockerfile",
            "FROM openjdk:8\nADD shop-1.0.jar /shop.jar\nEXPOSE 8080\nENTRYPOINT [\"java\", \"-jar\", \"/shop.jar\"]\n",
        ),
    ]);
    assert_eq!(service.path, ".");
}

#[test]
fn a_cloud_function_is_not_a_service() {
    let function = "dependencies {\n  implementation 'org.springframework.boot:spring-boot-starter'\n  implementation 'com.amazonaws:aws-lambda-java-core:1.2'\n}\n";
    let analysis = read(&[("build.gradle", function), ("src/main/java/App.java", MAIN)]);
    assert!(analysis.services.is_empty(), "{:?}", summary(&analysis));
}
