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
