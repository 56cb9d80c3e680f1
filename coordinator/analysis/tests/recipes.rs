//! Dockerfiles: judged, repaired, written.

use hydron_analysis::{BuilderCaps, MemoryTree, Options, analyze};
use hydron_domain::analysis::DockerfileVerdict;

use crate::only;

const FLASK: [(&str, &str); 2] = [
    ("requirements.txt", "flask==3.1.2\n"),
    ("app.py", "from flask import Flask\napp = Flask(__name__)\n@app.get('/health')\ndef h(): return ''\n"),
];

#[test]
fn a_python_recipe_is_multi_stage_and_unprivileged() {
    let content = only(&FLASK).dockerfile.content.unwrap();
    insta::assert_snapshot!(content, @r#"
    FROM python:3.13-slim AS build
    ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
    WORKDIR /app
    RUN python -m venv /venv
    ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv
    COPY requirements.txt ./
    RUN pip install --requirement requirements.txt gunicorn

    FROM python:3.13-slim
    ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=5000
    WORKDIR /app
    RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --home-dir /app --no-create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
    COPY --from=build /venv /venv
    COPY --chown=10001:10001 . .
    USER 10001:10001
    EXPOSE 5000
    HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 CMD ["python", "-c", "import os,urllib.request as u;u.urlopen('http://127.0.0.1:'+os.environ.get('PORT','5000')+'/health',timeout=4)"]
    STOPSIGNAL SIGTERM
    CMD ["gunicorn", "--bind", "0.0.0.0:5000", "app:app"]
    "#);
}

#[test]
fn caller_settings_choose_version_and_cache() {
    let mut options = Options { builder: BuilderCaps { cache_mounts: true }, ..Options::default() };
    options.default_versions.insert("python".to_owned(), "3.11".to_owned());
    let analysis = analyze(&MemoryTree::new(FLASK), &options, &mut |_| {}).unwrap();
    let content = analysis.services[0].dockerfile.content.clone().unwrap();
    assert!(content.contains("FROM python:3.11-slim AS build"), "{content}");
    assert!(content.contains("--mount=type=cache"), "{content}");
    assert!(!content.contains("# syntax"));
}

#[test]
fn no_recipe_runs_as_root_or_needs_a_tool() {
    let cases: [&[(&str, &str)]; 6] = [
        &FLASK,
        &[
            (
                "package.json",
                r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"}}"#,
            ),
            ("s.js", "require('express')().listen(3000)"),
        ],
        &[("index.html", "<p>")],
        &[
            ("go.mod", "module x\n"),
            (
                "main.go",
                "package main\nimport \"net/http\"\nfunc main() { http.ListenAndServe(\":80\", nil) }\n",
            ),
        ],
        &[
            ("Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\naxum = \"0.8\"\n"),
            ("src/main.rs", "fn main() {}"),
        ],
        &[
            ("composer.json", r#"{"require":{"laravel/framework":"12"}}"#),
            ("artisan", "x"),
            ("public/index.php", "<?php"),
        ],
    ];
    for files in cases {
        let service = only(files);
        let content = service.dockerfile.content.unwrap();
        let user = content.lines().rfind(|l| l.starts_with("USER ")).unwrap();
        assert!(!user.contains("root"), "{content}");
        assert!(
            content.contains("HEALTHCHECK") && !content.contains("curl") && !content.contains("wget"),
            "{content}"
        );
        assert!(content.lines().any(|l| l.starts_with("CMD [")), "{content}");
        assert!(service.dockerfile.ignore.unwrap().contains(".git"));
    }
}

#[test]
fn a_fit_dockerfile_is_left_alone() {
    let mut files = FLASK.to_vec();
    files.push(("Dockerfile", "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nUSER 1000\nEXPOSE 7000\nCMD [\"gunicorn\", \"app:app\"]\n"));
    let service = only(&files);
    assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Accept);
    assert_eq!(service.port, Some(7000));
    assert!(service.dockerfile.content.is_none());
}

#[test]
fn a_dockerfile_that_wants_a_build_on_the_host_is_replaced_with_the_reason() {
    let service = only(&[
        ("go.mod", "module example.test/app\n"),
        (
            "main.go",
            "package main\nimport \"net/http\"\nfunc main() { http.ListenAndServe(\":9000\", nil) }\n",
        ),
        ("Dockerfile", "FROM alpine:3.20\nCOPY app .\nCMD [\"./app\"]\n"),
    ]);
    assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Replace);
    assert!(service.dockerfile.reasons[0].contains("copies app"), "{:?}", service.dockerfile.reasons);
    assert!(service.dockerfile.content.unwrap().contains("go build"));
}

#[test]
fn a_missing_command_is_added_from_the_compose_file() {
    let mut files = FLASK.to_vec();
    files.push(("Dockerfile", "FROM python:3.12-slim\nCOPY . .\n"));
    files.push(("compose.yaml", "services:\n  web:\n    build: .\n    command: gunicorn app:app\n"));
    let service = only(&files);
    assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Repair);
    assert!(service.dockerfile.content.unwrap().ends_with("CMD [\"gunicorn\", \"app:app\"]\n"));
}

#[test]
fn cache_mounts_are_taken_out_for_a_builder_without_them() {
    let mut files = FLASK.to_vec();
    files.push(("Dockerfile", "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache pip install flask\nCMD [\"gunicorn\", \"app:app\"]\n"));
    let service = only(&files);
    assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Repair);
    let content = service.dockerfile.content.unwrap();
    assert!(content.contains("RUN pip install flask") && !content.contains("# syntax"), "{content}");
}

#[test]
fn names_from_the_repository_never_reach_a_shell() {
    let service = only(&[
        (
            "package.json",
            r#"{"name":"x","scripts":{"build":"vite build"},"devDependencies":{"vite":"7","react":"19"}}"#,
        ),
        ("index.html", ""),
        ("vite.config.js", "export default { build: { outDir: 'out; rm -rf /' } }"),
    ]);
    assert_eq!(service.dockerfile.verdict, DockerfileVerdict::Missing);
    assert!(service.dockerfile.content.is_none());
}

#[test]
fn flags_before_an_exec_form_are_not_files() {
    let service = only(&[
        (
            "Dockerfile",
            "FROM python:3.12\nCOPY --chown=1:1 [\"requirements.txt\", \"app.py\", \"/app/\"]\nCMD [\"gunicorn\", \"app:app\"]\n",
        ),
        ("requirements.txt", "flask\ngunicorn\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    assert!(
        !service.dockerfile.reasons.iter().any(|r| r.contains("not in the repository")),
        "{:?}",
        service.dockerfile
    );
}
