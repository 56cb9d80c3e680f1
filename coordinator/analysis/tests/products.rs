//! Layouts of whole products, each reduced to what once misled the analysis.

use hydron_domain::analysis::ServiceKind;

use crate::{only, read, summary};

#[test]
fn a_go_service_may_listen_in_a_module_that_it_shares_with_others() {
    let main = "package main\nimport \"example.test/shop/common/server\"\nfunc main() { server.Run() }\n";
    let analysis = read(&[
        ("go.work", "go 1.22\nuse (\n\t./common\n\t./orders\n\t./users\n)\n"),
        ("common/go.mod", "module example.test/shop/common\n\ngo 1.22\n"),
        (
            "common/server/http.go",
            "package server\nimport \"net/http\"\nfunc Run() { http.ListenAndServe(\":8080\", nil) }\n",
        ),
        (
            "orders/go.mod",
            "module example.test/shop/orders\n\ngo 1.22\n\nreplace example.test/shop/common => ../common\n",
        ),
        ("orders/main.go", main),
        ("users/go.mod", "module example.test/shop/users\n\ngo 1.22\n"),
        ("users/main.go", main),
    ]);
    assert_eq!(summary(&analysis), ["orders orders web net/http", "users users web net/http"]);
}

#[test]
fn the_program_of_a_module_s_root_is_no_client_of_its_plugins() {
    let analysis = read(&[
        ("go.mod", "module example.test/fleet\n\ngo 1.22\n"),
        ("main.go", "package main\nimport \"example.test/fleet/agent\"\nfunc main() { agent.Run() }\n"),
        (
            "agent/agent.go",
            "package agent\nimport \"net/http\"\nfunc Run() { http.ListenAndServe(\":4000\", nil) }\n",
        ),
        (
            "drivers/disk/cmd/main.go",
            "package main\nimport \"example.test/fleet/agent\"\nfunc main() { agent.Run() }\n",
        ),
    ]);
    let builds: Vec<_> = analysis.services.iter().filter_map(|s| s.build.as_deref()).collect();
    assert_eq!(builds, ["go build -o fleet ."], "{:?}", summary(&analysis));
}

#[test]
fn a_variable_is_read_by_a_helper_whatever_place_its_name_has() {
    let service = only(&[
        ("go.mod", "module example.test/shop\n\ngo 1.22\n"),
        (
            "main.go",
            "package main\nimport \"net/http\"\nfunc main() {\n\tmustMapEnv(&cfg.catalogue, \"CATALOGUE_ADDR\")\n\thttp.ListenAndServe(\":8080\", nil)\n}\n",
        ),
    ]);
    assert!(service.env.iter().any(|e| e.name == "CATALOGUE_ADDR"), "{:?}", service.env);
    let service = only(&[
        (
            "package.json",
            r#"{"name":"cms","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#,
        ),
        (
            "index.js",
            "const port = env.int('CMS_PORT', 1337);\nconst key = env('CMS_KEY');\nrequire('express')().listen(port)",
        ),
    ]);
    let names: Vec<_> =
        service.env.iter().map(|e| e.name.as_str()).filter(|n| n.starts_with("CMS")).collect();
    assert_eq!(names, ["CMS_KEY", "CMS_PORT"]);
}

#[test]
fn a_member_of_a_uv_workspace_is_installed_from_the_lock_at_its_root() {
    let service = only(&[
        ("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"api\", \"kit\"]\n"),
        ("uv.lock", "version = 1\n"),
        (
            "api/pyproject.toml",
            "[project]\nname = \"api\"\nrequires-python = \">=3.12\"\ndependencies = [\"fastapi\", \"uvicorn\", \"kit\"]\n",
        ),
        ("api/main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
        ("kit/pyproject.toml", "[project]\nname = \"kit\"\n"),
        ("kit/kit.py", "x = 1\n"),
    ]);
    assert_eq!((service.path.as_str(), service.package_manager.as_deref()), ("api", Some("uv")));
    assert_eq!(service.dockerfile.context, ".");
    let recipe = service.dockerfile.content.unwrap();
    assert!(recipe.contains("COPY kit/pyproject.toml ./kit/pyproject.toml"), "{recipe}");
    assert!(recipe.contains("--package api"), "{recipe}");
    assert!(recipe.contains("WORKDIR /app/api"), "{recipe}");
}

#[test]
fn a_number_in_an_application_of_rails_is_not_its_port() {
    let service = only(&[
        ("Gemfile", "source 'https://rubygems.org'\ngem 'rails', '8.0'\ngem 'puma'\n"),
        ("config/application.rb", "module Mail\n  class Application < Rails::Application\n  end\nend\n"),
        ("config.ru", "run Rails.application\n"),
        ("app/models/chat.rb", "class Chat\n  def port\n    options['port'] || 5222\n  end\nend\n"),
    ]);
    assert_eq!(service.port, Some(3000));
}

#[test]
fn the_workers_of_a_procfile_are_all_there_are() {
    let analysis = read(&[
        ("Gemfile", "source 'https://rubygems.org'\ngem 'rails', '8.0'\ngem 'delayed_job'\n"),
        ("config/application.rb", "module Mail\n  class Application < Rails::Application\n  end\nend\n"),
        ("config.ru", "run Rails.application\n"),
        ("Procfile", "web: bundle exec puma\njobs: bundle exec rails runner bin/threaded.rb\n"),
    ]);
    let starts: Vec<_> = analysis.services.iter().map(|s| (s.kind, s.start.as_deref().unwrap())).collect();
    assert_eq!(
        starts,
        [
            (ServiceKind::Web, "bundle exec puma"),
            (ServiceKind::Worker, "bundle exec rails runner bin/threaded.rb"),
        ]
    );
}

#[test]
fn an_image_named_by_a_compose_file_is_built_where_its_override_says() {
    let analysis = read(&[
        (
            "compose.yaml",
            "services:\n  shop:\n    image: ${PREFIX:-}app-shop\n    ports:\n      - \"8088:4000\"\n",
        ),
        (
            "compose.override.yaml",
            "services:\n  shop:\n    build:\n      context: ./src\n      target: dev\n",
        ),
        (
            "src/Dockerfile",
            "FROM node:22 AS dev\nCMD [\"npx\", \"nodemon\"]\nFROM node:22\nCOPY . .\nCMD [\"node\", \"index.js\"]\n",
        ),
        (
            "src/package.json",
            r#"{"name":"shop","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#,
        ),
        ("src/index.js", "require('express')().listen(4000)"),
    ]);
    assert_eq!(summary(&analysis), ["src shop web express"]);
    assert_eq!(analysis.services.first().unwrap().port, Some(4000));
    assert!(
        analysis.findings.iter().all(|f| !f.message.contains("published image")),
        "{:?}",
        analysis.findings
    );
}

#[test]
fn a_check_of_an_administration_port_is_not_the_program_s_health() {
    let service = only(&[
        ("composer.json", r#"{"require":{"php":">=8.3","symfony/framework-bundle":"7"}}"#),
        ("public/index.php", "<?php"),
        (
            "Dockerfile",
            "FROM dunglas/frankenphp:1-php8.3\nCOPY . .\nHEALTHCHECK CMD curl -f http://localhost:2019/metrics || exit 1\nCMD [\"frankenphp\", \"run\"]\n",
        ),
    ]);
    assert_ne!(service.health.as_deref(), Some("/metrics"));
}

#[test]
fn a_search_engine_that_the_configuration_does_not_choose_is_optional() {
    let service = only(&[
        (
            "composer.json",
            r#"{"require":{"php":"8.3","laravel/framework":"12","meilisearch/meilisearch-php":"1"}}"#,
        ),
        ("artisan", "#!/usr/bin/env php"),
        (".env.example", "DB_CONNECTION=mysql\nSCOUT_DRIVER=tntsearch\nMEILISEARCH_HOST=\n"),
    ]);
    let search = service.dependencies.iter().find(|d| d.kind == "meilisearch");
    assert!(search.is_none_or(|d| !d.required), "{:?}", service.dependencies);
    assert!(service.dependencies.iter().any(|d| d.kind == "mysql" && d.required));
}

#[test]
fn a_queue_s_client_in_a_referenced_project_is_a_dependency_of_the_program() {
    let analysis = read(&[
        (
            "Api/Api.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup><ItemGroup><ProjectReference Include=\"..\\Bus\\Bus.csproj\" /></ItemGroup></Project>",
        ),
        ("Api/Program.cs", "var app = builder.Build(); app.Run();"),
        (
            "Bus/Bus.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk\"><ItemGroup><PackageReference Include=\"Aspire.RabbitMQ.Client\" Version=\"9\" /></ItemGroup></Project>",
        ),
    ]);
    let api = analysis.services.first().unwrap();
    assert!(api.dependencies.iter().any(|d| d.kind == "rabbitmq"), "{:?}", api.dependencies);
}

#[test]
fn a_program_that_only_its_dockerfile_starts_still_names_its_tool_and_version() {
    let service = only(&[
        ("rates/Dockerfile", "FROM node:22.3-alpine\nCOPY . .\nEXPOSE 7000\nCMD [\"node\", \"server.js\"]\n"),
        ("rates/package.json", r#"{"name":"rates","dependencies":{"@grpc/grpc-js":"1","pg":"8"}}"#),
        ("rates/package-lock.json", "{}"),
        ("rates/server.js", "const grpc = require('@grpc/grpc-js');\nnew grpc.Server();"),
    ]);
    assert_eq!(service.framework.as_deref(), Some("grpc"));
    assert_eq!(service.package_manager.as_deref(), Some("npm"));
    assert_eq!(service.language_version.as_deref(), Some("22.3"));
    assert!(service.dependencies.iter().any(|d| d.kind == "postgres"), "{:?}", service.dependencies);
}

#[test]
fn a_kubernetes_manifest_tells_port_health_variables_and_whom_a_service_calls() {
    let deployment = |name: &str, port: u16, env: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: server\n          image: registry.test:5000/team/{name}:1\n          ports:\n            - containerPort: {port}\n          readinessProbe:\n            httpGet:\n              path: /ready-now\n              port: {port}\n          env:\n{env}"
        )
    };
    let front = deployment(
        "front",
        8081,
        "            - name: CATALOGUE_ADDR\n              value: \"catalogue:3550\"\n",
    );
    let catalogue =
        deployment("catalogue", 3550, "            - name: MODE_OF_SORT\n              value: \"name\"\n");
    let main =
        "package main\nimport \"net/http\"\nfunc main() { http.ListenAndServe(os.Getenv(\"ADDR\"), nil) }\n";
    let analysis = read(&[
        ("kubernetes/front.yaml", front.as_str()),
        ("kubernetes/catalogue.yaml", catalogue.as_str()),
        ("front/go.mod", "module example.test/front\n\ngo 1.22\n"),
        ("front/main.go", main),
        ("catalogue/go.mod", "module example.test/catalogue\n\ngo 1.22\n"),
        ("catalogue/main.go", main),
    ]);
    let front = analysis.services.iter().find(|s| s.name == "front").unwrap();
    assert_eq!((front.port, front.health.as_deref()), (Some(8081), Some("/ready-now")));
    assert!(front.env.iter().any(|e| e.name == "CATALOGUE_ADDR"));
    assert_eq!(front.depends_on, ["catalogue"]);
}

#[test]
fn ci_and_the_readme_are_hints_where_nothing_else_speaks() {
    let analysis = read(&[
        ("requirements.txt", "flask\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        (
            ".github/workflows/test.yml",
            "jobs:\n  test:\n    steps:\n      - uses: actions/setup-python@v5\n        with:\n          python-version: '3.12'\n",
        ),
        ("README.md", "# A page\n\n```sh\npython app.py\n```\n\nThen open http://localhost:5055.\n"),
    ]);
    let service = analysis.services.first().unwrap();
    assert_eq!(service.language_version.as_deref(), Some("3.12"));
    assert_eq!(service.port, Some(5000), "the framework's own port is surer than a README");
    assert!(service.evidence.iter().any(|e| e.rule == "hint.readme.port" && e.value == "5055" && !e.chosen));
    assert!(
        service
            .evidence
            .iter()
            .any(|e| e.rule == "hint.readme.start" && e.file.as_deref() == Some("README.md"))
    );
}
