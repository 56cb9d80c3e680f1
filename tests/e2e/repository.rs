//! Small repositories made for a test, published to the test's git host.

use std::collections::BTreeMap;
use std::path::Path;

use hydron_tests::git_host::publish_folder;
use tempfile::TempDir;

/// Files on a branch.
#[derive(Debug)]
pub(crate) struct Repository {
    name: String,
    branch: String,
    files: BTreeMap<String, String>,
}

impl Repository {
    /// An empty one; `name` without `.git`.
    pub(crate) fn new(name: &str, branch: &str) -> Self {
        Self { name: name.to_owned(), branch: branch.to_owned(), files: BTreeMap::new() }
    }

    /// All files of a folder.
    pub(crate) fn of_folder(name: &str, branch: &str, folder: &Path) -> Self {
        let mut repository = Self::new(name, branch);
        repository.add_folder(folder, folder);
        repository
    }

    /// A web service of the standard library with its own Dockerfile: answers `text` on every path, port 9123.
    pub(crate) fn answering(name: &str, text: &str) -> Self {
        let mut repository = Self::new(name, "main");
        repository.write("Dockerfile", DOCKERFILE);
        repository.write("app.py", &APP.replace("TEXT", text));
        repository
    }

    /// Writes or replaces a file.
    pub(crate) fn write(&mut self, path: &str, content: &str) {
        self.files.insert(path.to_owned(), content.to_owned());
    }

    /// Changes a file that is there.
    pub(crate) fn edit(&mut self, path: &str, from: &str, to: &str) {
        let content = self.files.get_mut(path).expect("a file to edit");
        assert!(content.contains(from), "{path} has no {from:?}");
        *content = content.replace(from, to);
    }

    /// Publishes the files as the branch's newest commit; gives the commit.
    pub(crate) fn publish(&self, root: &Path) -> String {
        let folder = TempDir::new().unwrap();
        for (path, content) in &self.files {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        let repository = root.join(self.file_name());
        publish_folder(&repository, &self.branch, folder.path(), "Change").unwrap().commit
    }

    /// `name.git`.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.git", self.name)
    }

    fn add_folder(&mut self, top: &Path, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.add_folder(top, &path);
            } else {
                let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                self.write(&name, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

const DOCKERFILE: &str = "FROM python:3.11-slim\nWORKDIR /app\nCOPY app.py .\nUSER 10001\nEXPOSE 9123\nCMD [\"python\", \"app.py\"]\n";

const APP: &str = r#"import http.server
import signal
import sys

ANSWER = b"TEXT"
STATUS = 200


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(STATUS)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("listening", flush=True)
http.server.ThreadingHTTPServer(("", 9123), Handler).serve_forever()
"#;
