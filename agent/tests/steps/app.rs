//! The application that tests deploy: a small HTTP server that says its version and misbehaves on request.

use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::plan::{
    Action, Dockerfile, EnvVar, Health, HealthKind, ImageBuild, Limits, ReleaseImage, ReleaseOrder,
    ReleaseSpec, VolumeMount,
};

use crate::world::World;

/// `MODE`: `well`, `sick` (health answers 500), `crash` (ends at once), `proxied` (well only for its own address).
const SERVER: &str = r#"
import os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode, version = os.environ.get("MODE", "well"), os.environ.get("VERSION", "?")
print("version", version, "starts in mode", mode, flush=True)
if mode == "crash":
    print("cannot go on: " + os.environ.get("WHY", "no reason"), flush=True); sys.exit(3)
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/slow"): time.sleep(0.3)
        sick = mode == "sick" or (mode == "proxied" and "localhost" in self.headers.get("host", ""))
        body = (version + " " + os.environ.get("WORD", "") + "\n").encode()
        if self.path == "/data":
            path = "/data/count"; n = int(open(path).read()) + 1 if os.path.exists(path) else 1
            open(path, "w").write(str(n)); body = (version + " " + str(n) + "\n").encode()
        self.send_response(500 if sick else 404 if self.path == "/nowhere" else 200)
        self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = (version + " " + str(len(body)) + "\n").encode()
        self.send_response(200); self.send_header("content-length", str(len(answer))); self.end_headers(); self.wfile.write(answer)
    def log_message(self, *args): pass
class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
server = Server(("0.0.0.0", 8000), Handler)
signal.signal(signal.SIGTERM, lambda *a: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"#;

/// A service of a test.
#[derive(Clone, Copy)]
pub(crate) struct App {
    pub(crate) service: ServiceId,
}

impl App {
    pub(crate) fn new() -> Self {
        Self { service: ServiceId::new(1, rand::random()) }
    }

    /// Builds the image; every world has its own tag.
    pub(crate) async fn build(world: &World) -> String {
        let tag = format!("hydron/{}-app:1", world.name);
        let command = serde_json::json!(["python3", "-u", "-c", SERVER]);
        let content = format!("FROM python:3.11-slim\nEXPOSE 8000\nCMD {command}\n");
        world
            .apply(Action::ImageBuild(ImageBuild {
                service: "app".parse().unwrap(),
                checkout: None,
                context: hydron_proto::names::RelPath::root(),
                dockerfile: Dockerfile::Inline { content },
                args: vec![],
                tag: tag.parse().unwrap(),
                memory_mb: 512,
            }))
            .await
            .unwrap();
        tag
    }

    /// A release with variables.
    pub(crate) fn release(&self, world: &World, env: &[(&str, &str)]) -> ReleaseSpec {
        let tag = format!("hydron/{}-app:1", world.name);
        ReleaseSpec {
            service: self.service,
            name: "app".parse().unwrap(),
            release: ReleaseId::new(1, rand::random()),
            image: ReleaseImage::Built { tag: tag.parse().unwrap() },
            command: None,
            env: env.iter().map(|(name, value)| EnvVar::literal(name.parse().unwrap(), *value)).collect(),
            port: Some(8000),
            network: world.name.parse().unwrap(),
            volumes: vec![],
            limits: Limits { memory_mb: 128, cpu_milli: 1000, pids: 200 },
            health: Health {
                check: HealthKind::Http { path: "/health".into() },
                successes: 2,
                interval_ms: 100,
                deadline_s: 15,
            },
            order: ReleaseOrder::StartFirst,
            pre_deploy: None,
            bake_s: 0,
            drain_s: 10,
            stop_grace_s: 5,
        }
    }

    /// The same with a volume, so stop-first.
    pub(crate) fn release_with_volume(&self, world: &World, env: &[(&str, &str)]) -> ReleaseSpec {
        let volume = format!("{}-data", world.name).parse().unwrap();
        ReleaseSpec {
            order: ReleaseOrder::StopFirst,
            volumes: vec![VolumeMount { volume, path: "/data".parse().unwrap() }],
            ..self.release(world, env)
        }
    }
}
