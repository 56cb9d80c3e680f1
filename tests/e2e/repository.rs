//! Small repositories made for a test, published to the test's git host.

use std::collections::BTreeMap;
use std::path::Path;

use hydron_tests::git_host::publish_folder;
use tempfile::TempDir;

/// Files on a branch.
#[derive(Debug, Clone)]
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

    /// The same for visitors of every kind: kept connections, posts, `/events` as a stream, `/socket` as a WebSocket that
    /// says back what it hears.
    pub(crate) fn busy(name: &str, text: &str) -> Self {
        let mut repository = Self::new(name, "main");
        repository.write("Dockerfile", DOCKERFILE);
        repository.write("app.py", &BUSY_APP.replace("TEXT", text));
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

const BUSY_APP: &str = r#"import base64
import hashlib
import http.server
import signal
import sys
import time

ANSWER = b"TEXT"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/events":
            return self.events()
        if self.path == "/socket":
            return self.socket()
        if self.path == "/slow":
            time.sleep(14)
        self.answer(ANSWER)

    def do_POST(self):
        self.answer(str(len(self.rfile.read(int(self.headers["Content-Length"])))).encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("X-Accel-Buffering", "no")
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(b"data: tick\n\n")
            self.wfile.flush()
            time.sleep(0.25)

    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 15 == 8:
                return
            mask = self.rfile.read(4)
            body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(head[1] & 127)))
            self.wfile.write(bytes([0x81, len(body)]) + body)
            self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("listening", flush=True)
Server(("", 9123), Handler).serve_forever()
"#;
