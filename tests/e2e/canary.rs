//! A secret that the coordinator made is searched wherever it must not be: files, logs, every answer and every stream of
//! the interface, processes, images. In clear it stands only in the environment of the containers that need it.
//!
//! Rule: a search that cannot find anything proves nothing, so each place first has to show something that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hydron_tests::stack::pipeline::{steps, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::docker::docker;
use crate::world::World;

/// How long a stream is listened to; what happened is sent at once.
const LISTEN: Duration = Duration::from_secs(2);

/// The secret, and the forms in which it might hide.
pub(crate) struct Canary {
    needles: Vec<String>,
}

impl Canary {
    pub(crate) fn new(secret: &str) -> Self {
        assert!(secret.len() >= 20, "a generated password");
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let reversed = secret.chars().rev().collect();
        // The end of base64 text depends on what follows.
        let base64 = STANDARD.encode(secret).chars().take(secret.len()).collect();
        Self { needles: vec![secret.to_owned(), hex, reversed, base64] }
    }

    fn sings(&self, bytes: &[u8]) -> bool {
        self.needles.iter().any(|needle| contains(bytes, needle.as_bytes()))
    }

    /// Database, keys, logs, journals, spools, sources: every file of coordinator, agent and git host.
    pub(crate) fn is_in_no_file_of(&self, world: &World) {
        let files = files(&world.dir);
        for expected in ["c/hydron.db", "c/coordinator.log", "a/agent.log"] {
            let path = world.dir.join(expected);
            assert!(files.contains(&path), "{expected} was not looked at");
        }
        let found: Vec<_> =
            files.iter().filter(|path| self.sings(&std::fs::read(path).unwrap_or_default())).collect();
        assert!(found.is_empty(), "the password stands in {found:?}");
    }

    /// No command line has it; an environment only inside the containers that need it.
    pub(crate) fn is_in_no_process_but_of(&self, containers: &[&str]) {
        let mut inside = BTreeSet::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
            let line = read("cmdline");
            assert!(!self.sings(&line), "in argv: {}", String::from_utf8_lossy(&line));
            if self.sings(&read("environ")) {
                let group = String::from_utf8_lossy(&read("cgroup")).into_owned();
                let home = containers.iter().find(|id| group.contains(**id));
                let line = String::from_utf8_lossy(&line);
                inside.insert(*home.unwrap_or_else(|| panic!("in the environment of {line}: {group}")));
            }
        }
        assert_eq!(inside.len(), containers.len(), "the search does not even see the containers");
    }

    /// Images carry no secret, and of the containers only those that need it.
    pub(crate) fn is_in_no_image_of(&self, project: &str, needed_by: &[&str]) {
        let of_project = format!("label=hydron.project={project}");
        let containers = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &of_project]);
        let mut images = BTreeSet::new();
        for container in containers.lines() {
            images.insert(docker(&["inspect", "--format", "{{.Image}}", container]));
            let inspected = docker(&["inspect", container]);
            assert_eq!(
                self.sings(inspected.as_bytes()),
                needed_by.contains(&container),
                "container {container}"
            );
            assert!(!self.sings(&container_log(container)), "in the output of container {container}");
        }
        images.extend(
            docker(&["images", "--quiet", "--no-trunc", "--filter", &of_project]).lines().map(str::to_owned),
        );
        assert!(images.len() >= 3, "{images:?}");
        for image in images {
            assert!(
                !self.sings(docker(&["history", "--no-trunc", &image]).as_bytes()),
                "in the history of {image}"
            );
            assert!(!self.sings(docker(&["inspect", &image]).as_bytes()), "in the configuration of {image}");
        }
    }

    /// Every GET of the interface, with every id that its answers name, and every stream from its beginning.
    pub(crate) async fn is_in_no_answer(&self, world: &World, project: &str, run: &Value) {
        talk(world, project).await;
        let mut answers = crawl(world).await;
        let id = text(run, "id").unwrap();
        for step in steps(run) {
            let (index, attempt) = (step["index"].as_u64().unwrap(), step["attempt"].as_u64().unwrap());
            let log = world.log(&id, index, attempt).await;
            let query = format!("server={}&step={index}&attempt={attempt}&offset=0", world.server);
            let path = format!("/runs/{id}/logs/stream?{query}");
            let stream = world.client.listen(&path, LISTEN).await.unwrap();
            answers.insert(format!("log of {}", step["title"]), log);
            answers.insert(path, stream);
        }
        for (shown, at_least) in [("postgres", 6), ("data:", 4), ("POSTGRES_PASSWORD", 1), (project, 8)] {
            let seen = answers.values().filter(|body| body.contains(shown)).count();
            assert!(seen >= at_least, "only {seen} answers show {shown}: {:?}", answers.keys());
        }
        for (path, body) in answers {
            assert!(!self.sings(body.as_bytes()), "the password stands in the answer of {path}");
        }
    }
}

/// A chat in which somebody asks for it.
async fn talk(world: &World, project: &str) {
    let chat = world.client.post(&format!("/projects/{project}/chats"), json!({})).await.unwrap();
    let id = text(&chat, "id").unwrap();
    for sentence in
        ["status", "show the plan", "show the variables of postgres", "what is POSTGRES_PASSWORD?"]
    {
        let path = format!("/chats/{id}/messages");
        world.client.post(&path, json!({ "text": sentence })).await.unwrap();
    }
}

/// What every GET answers: first those without ids, then all that take an id which was seen, until nothing is new.
async fn crawl(world: &World) -> BTreeMap<String, String> {
    let document = world.client.get("/openapi.json").await.unwrap();
    let mut answers = BTreeMap::new();
    let mut ids = BTreeSet::from([world.server.clone()]);
    loop {
        let before = answers.len();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let Some(get) = operations.get("get") else { continue };
            let Some(template) = path.strip_prefix("/api/v1") else { continue };
            for target in targets(&document, template, get, &ids) {
                if answers.contains_key(&target) {
                    continue;
                }
                let body = if get.pointer("/responses/200/content/text~1event-stream").is_some() {
                    let resumes =
                        get["parameters"].as_array().unwrap().iter().any(|one| one["name"] == "after");
                    let from_the_beginning = if resumes { "?after=0" } else { "" };
                    world.client.listen(&format!("{target}{from_the_beginning}"), LISTEN).await.unwrap()
                } else {
                    let answer = world.client.call(Method::GET, &target, &Value::Null).await.unwrap();
                    assert!(answer.status.as_u16() < 500, "{target}: {}", answer.body);
                    answer.body.to_string()
                };
                ids.extend(ids_in(&body));
                answers.insert(target, body);
            }
        }
        if answers.len() == before {
            return answers;
        }
    }
}

/// A path with every id that fits its parameter.
fn targets(document: &Value, template: &str, operation: &Value, ids: &BTreeSet<String>) -> Vec<String> {
    if !template.contains('{') {
        return vec![template.to_owned()];
    }
    let parameters = operation["parameters"].as_array().unwrap();
    let id = parameters.iter().find(|parameter| parameter["in"] == "path").unwrap();
    let schema = id["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
    let pattern = document.pointer(schema).unwrap()["pattern"].as_str().unwrap();
    let prefix = pattern.trim_start_matches('^').split('[').next().unwrap();
    let fitting = ids.iter().filter(|id| id.starts_with(prefix));
    let found: Vec<String> = fitting.map(|id| template.replace("{id}", id)).collect();
    assert!(found.iter().all(|target| !target.contains('{')), "{template} takes more than one id");
    found
}

/// Everything in a text that looks like an id: a prefix, `_`, 32 digits.
fn ids_in(body: &str) -> BTreeSet<String> {
    let words = body.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_id = |word: &&str| {
        word.split_once('_').is_some_and(|(prefix, digits)| {
            prefix.len() == 3 && digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    words.filter(is_id).map(str::to_owned).collect()
}

fn container_log(container: &str) -> Vec<u8> {
    let output = std::process::Command::new("/usr/bin/docker").args(["logs", container]).output().unwrap();
    [output.stdout, output.stderr].concat()
}

fn files(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.insert(entry.path());
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
