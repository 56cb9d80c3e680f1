//! The Dockerfile of every framework, as it is written today: a change of a recipe is a change that somebody reads.
//!
//! One rule: the fixtures are the smallest repositories that show the framework; `HYDRON_DOCKERFILES=DIR` writes all of
//! them into a directory, where `make dockerfiles` lets hadolint read them.

use std::path::Path;

use hydron_analysis::{BuilderCaps, MemoryTree, Options, analyze};
use hydron_domain::analysis::{AnalyzedService, ServiceKind};

/// `##### NAME`, then its files: `=== PATH`, then the text.
const FIXTURES: &str = include_str!("golden_fixtures.txt");

type Files = Vec<(&'static str, &'static str)>;

fn fixtures() -> Vec<(&'static str, Files)> {
    let split = |part: &'static str| part.split_once('\n').unwrap_or((part, ""));
    let one = |text: &'static str| {
        let (name, files) = split(text);
        (name, files.split("=== ").skip(1).map(split).collect())
    };
    FIXTURES.split("##### ").skip(1).map(one).collect()
}

fn services(files: &[(&str, &str)], cache_mounts: bool) -> Vec<AnalyzedService> {
    let options = Options {
        repository_name: Some("sample".to_owned()),
        builder: BuilderCaps { cache_mounts },
        ..Options::default()
    };
    analyze(&MemoryTree::new(files.iter().copied()), &options, &mut |_| {}).unwrap().services
}

#[test]
fn every_framework_has_its_dockerfile() {
    for (name, files) in fixtures() {
        let mut text = String::new();
        for service in services(&files, false) {
            let head = [
                service.name.as_str(),
                service.kind.as_str(),
                service.framework.as_deref().unwrap_or("-"),
                service.dockerfile.context.as_str(),
            ];
            let content = service.dockerfile.content.as_deref().unwrap_or("(none)");
            text.extend(["# ", &head.join(" "), "\n", content, "\n"]);
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "golden" }, {
            insta::assert_snapshot!(name, text);
        });
    }
}

#[test]
fn every_recipe_keeps_the_rules() {
    for (name, files) in fixtures() {
        for (cached, service) in
            [false, true].into_iter().flat_map(|c| services(&files, c).into_iter().map(move |s| (c, s)))
        {
            let who = format!("{name}/{}", service.name);
            let content = service
                .dockerfile
                .content
                .as_deref()
                .unwrap_or_else(|| panic!("{who}: {:?}", service.dockerfile));
            let has = |start: &str| content.lines().any(|line| line.starts_with(start));
            assert!(!content.contains("# syntax"), "{who}");
            assert!(has("CMD [") || has("ENTRYPOINT ["), "{who} is not in exec form\n{content}");
            let user = content
                .lines()
                .rfind(|line| line.starts_with("USER "))
                .unwrap_or_else(|| panic!("{who} has no user"));
            assert!(!user.contains("root") && !user.starts_with("USER 0"), "{who}");
            if service.kind != ServiceKind::Worker {
                assert!(has("HEALTHCHECK"), "{who} has no health check");
                assert!(!content.contains("curl ") && !content.contains("wget "), "{who} needs a tool");
            }
            let pinned = |line: &str| {
                line.split_whitespace().nth(1).is_some_and(|image| {
                    image.contains(':') && !image.ends_with(":latest")
                        || content.contains(&format!(" AS {image}\n"))
                })
            };
            for from in content.lines().filter(|line| line.starts_with("FROM ")) {
                assert!(pinned(from), "{who}: {from}");
            }
            let builds = !matches!(service.framework.as_deref(), Some("static"));
            assert!(!builds || content.matches("FROM ").count() > 1, "{who} has one stage\n{content}");
            let ignore = service.dockerfile.ignore.as_deref().unwrap();
            assert!([".git", ".env"].iter().all(|one| ignore.lines().any(|line| line == *one)), "{who}");
            let installs = content.contains("RUN --mount=type=cache");
            assert!(
                !cached || !builds || installs || content.contains("hugo") || content.contains("jekyll"),
                "{who} caches nothing\n{content}"
            );
            if let Ok(dir) = std::env::var("HYDRON_DOCKERFILES") {
                let file =
                    format!("{name}-{}{}.Dockerfile", service.name, if cached { "-cached" } else { "" });
                std::fs::write(Path::new(&dir).join(file), content).unwrap();
            }
        }
    }
}
