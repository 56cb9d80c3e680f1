//! What is a service, in which framework, and how it is started.

use crate::{only, read, summary};

#[test]
fn every_backend_framework_is_named_by_what_the_code_imports() {
    for (package, framework) in [
        ("express", "express"),
        ("fastify", "fastify"),
        ("koa", "koa"),
        ("@hapi/hapi", "hapi"),
        ("hono", "hono"),
    ] {
        let manifest = format!(
            r#"{{"name":"x","scripts":{{"start":"node server.js"}},"dependencies":{{"{package}":"1"}}}}"#
        );
        let code = format!("const f = require('{package}');\napp.listen(process.env.PORT || 4100);\n");
        let service = only(&[("package.json", &manifest), ("server.js", &code)]);
        assert_eq!(service.framework.as_deref(), Some(framework));
        assert_eq!(service.port, Some(4100));
        assert_eq!(service.start.as_deref(), Some("node server.js"));
    }
}

#[test]
fn python_frameworks_need_the_package_and_the_object() {
    for (package, code, framework, start) in [
        (
            "Flask==3",
            "from flask import Flask\napp = Flask(__name__)\n",
            "flask",
            "gunicorn --bind 0.0.0.0:5000 main:app",
        ),
        (
            "fastapi",
            "from fastapi import FastAPI\napp = FastAPI()\n",
            "fastapi",
            "uvicorn main:app --host 0.0.0.0 --port 8000",
        ),
        (
            "sanic",
            "from sanic import Sanic\napp = Sanic('x')\n",
            "sanic",
            "sanic main:app --host 0.0.0.0 --port 8000",
        ),
    ] {
        let service = only(&[("requirements.txt", package), ("main.py", code)]);
        assert_eq!(service.framework.as_deref(), Some(framework));
        assert_eq!(service.start.as_deref(), Some(start));
    }
}

#[test]
fn an_application_factory_becomes_a_call() {
    let code =
        "from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n";
    let service = only(&[("requirements.txt", "flask\ngunicorn"), ("shop/app.py", code)]);
    assert_eq!(service.start.as_deref(), Some("gunicorn --bind 0.0.0.0:5000 shop.app:create_app()"));
}

#[test]
fn django_is_found_below_its_manifest() {
    let manage =
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\nfrom django.core import x\n";
    let service = only(&[
        ("requirements.txt", "Django>=5\nuwsgi"),
        ("src/manage.py", manage),
        ("src/shop/wsgi.py", "application = 1"),
        ("src/shop/settings.py", "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}"),
    ]);
    assert_eq!(service.framework.as_deref(), Some("django"));
    assert_eq!(
        service.start.as_deref(),
        Some("gunicorn --bind 0.0.0.0:8000 --chdir src shop.wsgi:application")
    );
    assert_eq!(service.release.as_deref(), Some("python src/manage.py migrate --noinput"));
}

#[test]
fn celery_beside_a_web_application_is_a_worker() {
    let analysis = read(&[
        ("requirements.txt", "fastapi\ncelery[redis]\n"),
        ("main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
        ("worker.py", "from celery import Celery\ncelery = Celery('jobs')\n"),
    ]);
    assert_eq!(summary(&analysis), [". sample web fastapi", ". worker worker celery"]);
    assert_eq!(analysis.services[1].start.as_deref(), Some("celery -A worker.celery worker --loglevel=info"));
    assert!(analysis.services[1].dependencies.iter().any(|d| d.kind == "redis" && d.required));
}

#[test]
fn meta_frameworks_hide_the_libraries_below_them() {
    for (deps, file, framework, kind) in [
        (r#""next":"15","react":"19""#, "app/page.tsx", "nextjs", "web"),
        (r#""nuxt":"4","vue":"3""#, "nuxt.config.ts", "nuxt", "web"),
        (r#""astro":"5""#, "astro.config.mjs", "astro", "static"),
        (r#""gatsby":"5","react":"18""#, "gatsby-config.js", "gatsby", "static"),
        (r#""@11ty/eleventy":"3""#, "index.md", "eleventy", "static"),
        (r#""@remix-run/node":"2","@remix-run/dev":"2","express":"4""#, "app/root.tsx", "remix", "web"),
    ] {
        let manifest = format!(
            r#"{{"name":"x","scripts":{{"build":"x build","dev":"{} dev"}},"dependencies":{{{deps}}}}}"#,
            framework.trim_end_matches("js")
        );
        let service = only(&[("package.json", &manifest), (file, "export default {}")]);
        assert_eq!((service.framework.as_deref(), service.kind.as_str()), (Some(framework), kind));
    }
}

#[test]
fn compiled_languages_name_their_binary() {
    let go = only(&[
        ("go.mod", "module example.test/shop\n\ngo 1.22\n"),
        (
            "main.go",
            "package main\nimport \"net/http\"\nfunc main() {\n\thttp.ListenAndServe(\":9090\", nil)\n}\n",
        ),
    ]);
    assert_eq!(
        (go.framework.as_deref(), go.port, go.start.as_deref()),
        (Some("net/http"), Some(9090), Some("./shop"))
    );
    let rust = only(&[
        ("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\naxum = \"0.8\"\n"),
        ("src/main.rs", "fn main() { let l = TcpListener::bind(\"0.0.0.0:7000\"); }"),
    ]);
    assert_eq!(
        (rust.framework.as_deref(), rust.port, rust.start.as_deref()),
        (Some("axum"), Some(7000), Some("./shop"))
    );
}

#[test]
fn jvm_php_ruby_and_dotnet_frameworks_are_named() {
    let pom = "<project><artifactId>shop</artifactId><version>1.0</version><properties><java.version>21</java.version></properties><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>";
    let spring = only(&[
        ("pom.xml", pom),
        ("src/main/java/App.java", "@SpringBootApplication class App {}"),
        ("src/main/resources/application.properties", "server.port=8082\n"),
    ]);
    assert_eq!(
        (spring.framework.as_deref(), spring.port, spring.language_version.as_deref()),
        (Some("spring-boot"), Some(8082), Some("21"))
    );
    let laravel = only(&[
        ("composer.json", r#"{"require":{"php":"^8.2","laravel/framework":"^12"}}"#),
        ("artisan", "#!/usr/bin/env php"),
        ("public/index.php", "<?php"),
    ]);
    assert_eq!(laravel.framework.as_deref(), Some("laravel"));
    let rails = only(&[
        ("Gemfile", "gem \"rails\"\ngem \"pg\"\n"),
        ("config/application.rb", "class A < Rails::Application"),
        ("config/database.yml", "default:\n  adapter: postgresql\n"),
    ]);
    assert_eq!(rails.framework.as_deref(), Some("rails"));
    assert!(rails.dependencies.iter().any(|d| d.kind == "postgres" && d.required));
    let dotnet = only(&[
        (
            "Shop/Shop.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>",
        ),
        ("Shop/Program.cs", "app.Run();"),
    ]);
    assert_eq!(
        (dotnet.framework.as_deref(), dotnet.start.as_deref()),
        (Some("aspnetcore"), Some("dotnet Shop.dll"))
    );
}

#[test]
fn sites_need_no_program() {
    assert_eq!(only(&[("index.html", "<p>")]).framework.as_deref(), Some("static"));
    let hugo = only(&[
        ("hugo.toml", "baseURL = 'x'"),
        ("content/_index.md", "#"),
        ("go.mod", "module x\n"),
        ("package.json", r#"{"devDependencies":{"postcss":"8"}}"#),
    ]);
    assert_eq!(hugo.framework.as_deref(), Some("hugo"));
    let jekyll = only(&[("_config.yml", "theme: minima"), ("Gemfile", "gem 'jekyll'"), ("index.md", "#")]);
    assert_eq!(jekyll.framework.as_deref(), Some("jekyll"));
}

#[test]
fn a_workspace_takes_framework_from_the_member_and_lock_from_the_root() {
    let analysis = read(&[
        ("package.json", r#"{"private":true}"#),
        ("pnpm-workspace.yaml", "packages:\n  - apps/*\n  - packages/*\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
        (
            "apps/api/package.json",
            r#"{"name":"@x/api","scripts":{"start":"node index.js"},"dependencies":{"express":"5","@x/db":"workspace:*"}}"#,
        ),
        ("apps/api/index.js", "require('express')().listen(4000)"),
        ("packages/db/package.json", r#"{"name":"@x/db","main":"index.js","dependencies":{"pg":"8"}}"#),
        ("packages/db/index.js", "module.exports = process.env.DATABASE_URL;"),
    ]);
    assert_eq!(summary(&analysis), ["apps/api api web express"]);
    let api = &analysis.services[0];
    assert_eq!(api.package_manager.as_deref(), Some("pnpm"));
    assert!(api.env.iter().any(|e| e.name == "DATABASE_URL" && e.secret));
    assert!(api.dependencies.iter().any(|d| d.kind == "postgres" && d.required));
}

#[test]
fn compose_names_services_and_a_second_command_is_a_second_process() {
    let compose = "services:\n  web:\n    build: .\n    command: gunicorn app:app\n    ports: ['80:8100']\n    depends_on: [db]\n  jobs:\n    build: .\n    command: rq worker\n  db:\n    image: postgres:16\n  admin:\n    image: adminer\n";
    let analysis = read(&[
        ("compose.yaml", compose),
        ("Dockerfile", "FROM python:3.12-slim\nCOPY . .\nCMD [\"gunicorn\", \"app:app\"]\n"),
        ("requirements.txt", "flask\nrq\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    assert_eq!(summary(&analysis), [". web web flask", ". jobs worker rq"]);
    assert_eq!(analysis.services[0].port, Some(8100));
    let database = analysis.services[0].dependencies.iter().find(|d| d.kind == "postgres").unwrap();
    assert!(database.required);
    assert_eq!(database.version.as_deref(), Some("16"));
}

#[test]
fn routes_under_one_prefix_are_told_to_the_planner() {
    let code = "from flask import Flask\napp = Flask(__name__)\n@app.get('/api/entries')\ndef a(): pass\n@app.post('/api/entries')\ndef b(): pass\n@app.get('/healthz')\ndef c(): pass\n";
    let service = only(&[("requirements.txt", "flask"), ("app.py", code)]);
    assert_eq!(service.route_prefix.as_deref(), Some("/api"));
    assert_eq!(service.health.as_deref(), Some("/healthz"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let files = [
        ("requirements.txt", "flask\nredis\npsycopg2\n"),
        (
            "app.py",
            "from flask import Flask\nimport os\napp = Flask(__name__)\nos.environ['B']; os.environ['A']\n",
        ),
        (".env.example", "A=1\nB=2\n"),
    ];
    let first = serde_json::to_string(&read(&files)).unwrap();
    assert_eq!(first, serde_json::to_string(&read(&files)).unwrap());
}

#[test]
fn a_wsgi_file_is_for_the_server_and_a_celery_file_is_not() {
    let analysis = read(&[
        ("requirements.txt", "flask\ncelery\n"),
        (
            "shop/app.py",
            "from flask import Flask\ndef create_app(config=None):\n    return Flask(__name__)\n",
        ),
        ("wsgi.py", "from shop import create_app\n\nshop = create_app(config='x')\n"),
        (
            "celery_worker.py",
            "from shop.app import create_app\nfrom shop import celery\napp = create_app()\n",
        ),
    ]);
    assert_eq!(analysis.services[0].start.as_deref(), Some("gunicorn --bind 0.0.0.0:5000 wsgi:shop"));
}

#[test]
fn an_address_that_is_parsed_on_the_spot_is_the_port_and_a_clap_field_without_a_default_is_required() {
    let main = "use clap::Parser;\n#[derive(clap::Parser)]\nstruct C {\n  #[clap(long, env)]\n  pub hmac_key: String,\n  #[clap(long, env)]\n  pub note: Option<String>,\n}\nfn main() { axum::Server::bind(&\"0.0.0.0:8181\".parse()?).serve(app) }\n";
    let service = only(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\naxum = \"0.8\"\nclap = \"4\"\n"),
        ("src/main.rs", main),
        (".env.sample", "HMAC_KEY={random-string}\n"),
    ]);
    assert_eq!(service.port, Some(8181));
    let required: Vec<&str> = service.env.iter().filter(|e| e.required).map(|e| e.name.as_str()).collect();
    assert_eq!(required, ["HMAC_KEY"]);
}
