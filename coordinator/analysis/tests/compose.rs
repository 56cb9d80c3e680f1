//! Compose files: what is read of them, and that nothing of them is dropped in silence.

use hydron_analysis::COMPOSE_KEYS;
use hydron_domain::analysis::{FindingCode, Severity};

use crate::{has_finding, read, summary};

const DOCKERFILE: &str = "FROM node:22\nCOPY . .\nEXPOSE 8080\nUSER node\nCMD [\"node\", \"server.js\"]\n";
const MATRIX: &str = include_str!("../../../docs/compose.md");

#[test]
fn the_published_matrix_is_the_one_that_the_code_has() {
    let rows = MATRIX.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, COMPOSE_KEYS.len());
    for (_, key, support, note) in COMPOSE_KEYS {
        let row = format!("| `{key}` | {} | {note} |", support.as_str());
        assert!(MATRIX.contains(&row), "docs/compose.md lacks: {row}");
    }
}

#[test]
fn what_is_not_taken_over_is_said() {
    let compose = "services:\n  api:\n    build: .\n    privileged: true\n    tmpfs: /run\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n      - ./nginx.conf:/etc/nginx/nginx.conf\n    frobnicate: 1\n";
    let analysis = read(&[("compose.yaml", compose), ("Dockerfile", DOCKERFILE), ("server.js", "")]);
    let said: Vec<_> =
        analysis.findings.iter().filter(|f| f.code == FindingCode::ComposeUnsupported).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0].severity, Severity::Warning);
    assert!(said[0].message.contains("privileged") && said[0].message.contains("socket"), "{said:?}");
    assert!(said[1].message.contains("tmpfs") && said[1].message.contains("frobnicate"), "{said:?}");
    assert_eq!((said[1].file.as_deref(), said[1].line), (Some("compose.yaml"), Some(2)));
}

#[test]
fn ordinary_keys_are_not_complained_about() {
    let compose = "services:\n  api:\n    build: {context: ., args: {A: b}}\n    restart: always\n    networks: [inner]\n    healthcheck: {test: curl -f http://localhost:8080/up}\n    volumes: ['data:/data']\nvolumes: {data: {}}\nnetworks: {inner: {}}\n";
    let analysis = read(&[("compose.yaml", compose), ("Dockerfile", DOCKERFILE), ("server.js", "")]);
    assert!(!has_finding(&analysis, FindingCode::ComposeUnsupported), "{:?}", analysis.findings);
    assert_eq!(analysis.services[0].volumes[0].path, "/data");
    assert_eq!(analysis.services[0].health.as_deref(), Some("/up"));
}

#[test]
fn a_service_has_what_it_extends() {
    let compose = "services:\n  base:\n    build: .\n    environment: {LEVEL: info, REGION: eu}\n  api:\n    extends: base\n    environment: {REGION: us}\n    ports: ['80:9000']\n  jobs:\n    extends: {file: common.yml, service: jobs}\n    build: .\n";
    let common = "services:\n  jobs:\n    command: node worker.js\n    environment: ['QUEUE=mail']\n";
    let analysis = read(&[
        ("compose.yaml", compose),
        ("common.yml", common),
        ("Dockerfile", DOCKERFILE),
        ("server.js", ""),
        ("worker.js", ""),
    ]);
    let values = |name: &str| -> Vec<(String, Option<String>)> {
        let all = analysis.services.iter().flat_map(|s| &s.env);
        all.filter(|e| e.name == name).map(|e| (e.name.clone(), e.default.clone())).collect()
    };
    assert!(!values("LEVEL").is_empty(), "{:?}", summary(&analysis));
    assert!(!values("QUEUE").is_empty(), "{:?}", summary(&analysis));
    assert!(summary(&analysis).iter().any(|s| s.contains("jobs worker")), "{:?}", summary(&analysis));
}

#[test]
fn a_circle_of_extends_ends() {
    let compose = "services:\n  a:\n    extends: b\n    build: .\n  b:\n    extends: a\n    build: .\n";
    let analysis = read(&[("compose.yaml", compose), ("Dockerfile", DOCKERFILE), ("server.js", "")]);
    assert_eq!(analysis.services.len(), 1, "{:?}", summary(&analysis));
}

#[test]
fn files_of_variables_are_read_and_their_secrets_are_not_kept() {
    let compose = "services:\n  api:\n    build: .\n    env_file:\n      - settings/api.env\n      - path: settings/more.env\n        required: false\n";
    let analysis = read(&[
        ("compose.yaml", compose),
        ("Dockerfile", DOCKERFILE),
        ("server.js", ""),
        ("settings/api.env", "PAGE_SIZE=20\nAPI_TOKEN=k3jh45k3jh45kjh345\n"),
        ("settings/more.env", "REGION=eu\n"),
    ]);
    let env = &analysis.services[0].env;
    let names: Vec<&str> = env.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["API_TOKEN", "PAGE_SIZE", "REGION"]);
    assert!(env[0].secret && env[0].default.is_none());
    assert_eq!(env[1].default.as_deref(), Some("20"));
    assert!(!serde_json::to_string(&analysis).unwrap().contains("k3jh45k3jh45kjh345"));
}

const EXPRESS: &str =
    r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5","pg":"8","mysql2":"3"}}"#;
const SERVER: &str = "require('express')().listen(3000)";

#[test]
fn a_name_in_one_compose_file_says_nothing_about_another_file() {
    let shop = "services:\n  web:\n    build: .\n    depends_on: [db]\n  db:\n    image: postgres:16\n";
    let blog = "services:\n  web:\n    build: .\n    depends_on: [db]\n  db:\n    image: mysql:8\n";
    let analysis = read(&[
        ("shop/compose.yaml", shop),
        ("shop/package.json", EXPRESS),
        ("shop/s.js", SERVER),
        ("blog/compose.yaml", blog),
        ("blog/package.json", EXPRESS),
        ("blog/s.js", SERVER),
    ]);
    let required = |path: &str| {
        let service = analysis.services.iter().find(|s| s.path == path).unwrap();
        let kinds = service.dependencies.iter().filter(|d| d.required).map(|d| d.kind.clone());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(required("shop"), ["postgres"]);
    assert_eq!(required("blog"), ["mysql"]);
}

#[test]
fn edges_stay_inside_of_their_compose_file() {
    let stack = "services:\n  front:\n    build: front\n    depends_on: [api]\n  api:\n    build: api\n";
    let files: Vec<(String, &str)> = ["a", "b"]
        .iter()
        .flat_map(|dir| {
            [("compose.yaml", stack), ("front/package.json", EXPRESS), ("front/s.js", SERVER)]
                .into_iter()
                .chain([("api/package.json", EXPRESS), ("api/s.js", SERVER)])
                .map(move |(name, text)| (format!("{dir}/{name}"), text))
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let analysis = read(&files);
    for dir in ["a", "b"] {
        let at = |path: &str| analysis.services.iter().find(|s| s.path == format!("{dir}/{path}")).unwrap();
        assert_eq!(at("front").depends_on, [at("api").name.clone()]);
    }
}

#[test]
fn variables_of_a_compose_file_come_from_the_env_file_beside_it() {
    let compose = "services:\n  cart:\n    image: ${REGISTRY}/cart\n    build:\n      context: .\n      dockerfile: ${CART_FILE}\n    ports:\n      - \"${CART_PORT}\"\n";
    let service = crate::only(&[
        ("compose.yaml", compose),
        (".env", "REGISTRY=example.org\nCART_PORT=7070\nCART_FILE=cart/Dockerfile\n"),
        ("cart/Dockerfile", "FROM node:22\nCOPY cart .\nCMD [\"node\", \"s.js\"]\n"),
        ("cart/package.json", EXPRESS),
        ("cart/s.js", "require('express')().listen(process.env.CART_PORT)"),
    ]);
    assert_eq!(service.port, Some(7070));
    assert_eq!(service.dockerfile.path.as_deref(), Some("cart/Dockerfile"));
}

#[test]
fn files_that_say_the_stack_with_other_databases_offer_a_choice() {
    let with = |database: &str| {
        format!(
            "services:\n  web:\n    build: .\n    depends_on: [db, cache]\n  cache:\n    image: redis:7\n  db:\n    image: {database}\n"
        )
    };
    let service = crate::only(&[
        ("docker-compose.mariadb.yml", with("mariadb:11").as_str()),
        ("docker-compose.postgres.yml", with("postgres:16").as_str()),
        ("package.json", EXPRESS),
        ("s.js", SERVER),
    ]);
    let required: Vec<&str> =
        service.dependencies.iter().filter(|d| d.required).map(|d| d.kind.as_str()).collect();
    assert_eq!(required, ["redis"]);
}

#[test]
fn a_command_of_one_word_is_an_argument_of_the_images_entrypoint() {
    let compose = "services:\n  server:\n    build: .\n    ports: ['5000:5000']\n  worker:\n    build: .\n    command: worker\n";
    let analysis = read(&[
        ("compose.yaml", compose),
        ("Dockerfile", "FROM python:3.12\nCOPY . .\nENTRYPOINT [\"/app/bin/run\"]\nCMD [\"server\"]\n"),
        ("requirements.txt", "flask\nrq\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    let start = |name: &str| analysis.services.iter().find(|s| s.name == name).unwrap().start.clone();
    assert_eq!(start("server").as_deref(), Some("/app/bin/run server"));
    assert_eq!(start("worker").as_deref(), Some("/app/bin/run worker"));
}

#[test]
fn a_developers_workspace_and_ci_are_not_the_product() {
    let forge = "services:\n  forge:\n    image: forge/forge:1\n    ports: ['9000:9000']\n";
    let service = crate::only(&[
        ("docker-compose.gitpod.yaml", forge),
        (".ci/compose.yaml", "services:\n  cypress:\n    build: ..\n    command: cypress run\n"),
        ("package.json", EXPRESS),
        ("s.js", SERVER),
    ]);
    assert_eq!((service.name.as_str(), service.port), ("x", Some(3000)));
}

#[test]
fn an_image_that_every_product_could_have_is_matched_to_the_only_server() {
    let compose = "services:\n  app:\n    image: acme/product:1\n    ports: ['3001:3001']\n";
    let page = r#"{"name":"demo","private":true,"scripts":{"build":"vite build"},"devDependencies":{"react":"19","vite":"7"}}"#;
    let analysis = read(&[
        ("docker-compose.yml", compose),
        ("one-app/package.json", page),
        ("one-app/index.html", "<html>"),
        ("two-app/package.json", page),
        ("two-app/index.html", "<html>"),
    ]);
    assert!(analysis.services.iter().all(|s| s.name != "app"), "{:?}", crate::summary(&analysis));
}

#[test]
fn a_database_and_a_chore_that_are_built_here_are_not_services() {
    let compose = "services:\n  web:\n    build: web\n    ports: ['80:3000']\n    depends_on: [mysql]\n  mysql:\n    build: ./mysql\n    ports: ['3306:3306']\n  tables-init:\n    build: ./tables\n";
    let service = crate::only(&[
        ("compose.yaml", compose),
        ("web/package.json", EXPRESS),
        ("web/s.js", SERVER),
        (
            "mysql/Dockerfile",
            "FROM vendor/eventbase:1\nCOPY schema.sql /docker-entrypoint-initdb.d/\nEXPOSE 3306\n",
        ),
        ("mysql/schema.sql", ""),
        ("tables/Dockerfile", "FROM python:3.12\nCOPY . .\nCMD [\"./create.sh\"]\n"),
        ("tables/create.sh", ""),
    ]);
    assert!(
        service.dependencies.iter().any(|d| d.kind == "mysql" && d.required),
        "{:?}",
        service.dependencies
    );
}

#[test]
fn a_service_without_variables_has_those_of_the_override_file() {
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>";
    let analysis = read(&[
        (
            "docker-compose.yml",
            "services:\n  shop.web:\n    build: {context: ., dockerfile: Web/Dockerfile}\n  shop.api:\n    build: {context: ., dockerfile: Api/Dockerfile}\n",
        ),
        (
            "docker-compose.override.yml",
            "services:\n  shop.web:\n    environment:\n      - ApiUrl=http://shop.api:8080\n    ports: ['6000:8080']\n",
        ),
        ("Web/Web.csproj", project),
        ("Web/Program.cs", "app.Run();"),
        (
            "Web/Dockerfile",
            "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY . .\nENTRYPOINT [\"dotnet\", \"Web.dll\"]\n",
        ),
        ("Api/Api.csproj", project),
        ("Api/Program.cs", "app.Run();"),
        (
            "Api/Dockerfile",
            "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY . .\nENTRYPOINT [\"dotnet\", \"Api.dll\"]\n",
        ),
    ]);
    let at = |path: &str| analysis.services.iter().find(|s| s.path == path).unwrap();
    assert_eq!(at("Web").depends_on, [at("Api").name.clone()]);
}

#[test]
fn a_host_is_found_behind_a_scheme_and_a_user_of_the_same_name() {
    let compose = "services:\n  web:\n    build: .\n    environment:\n      DATABASE_URL: postgresql://postgres@postgres/postgres\n  postgres:\n    image: postgres:18\n";
    let service = crate::only(&[("compose.yaml", compose), ("package.json", EXPRESS), ("s.js", SERVER)]);
    assert!(
        service.dependencies.iter().any(|d| d.kind == "postgres" && d.required),
        "{:?}",
        service.dependencies
    );
}
