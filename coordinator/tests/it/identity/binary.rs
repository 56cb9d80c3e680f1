//! The binary itself: first start, administration beside it, the end by a signal, and what it says when it cannot start.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::harness::Caller;

fn hydron(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydron"));
    command
        .env_clear()
        .env("HYDRON_DATA_DIR", data_dir)
        .env("HYDRON_LISTEN", "127.0.0.1:0")
        .env("HYDRON_AGENTS_LISTEN", "127.0.0.1:0")
        .env("HYDRON_PASSWORD_COST", "floor");
    command
}

/// A running coordinator; killed when dropped.
struct Serving {
    child: Child,
    base: String,
    setup_link: Option<String>,
}

impl Serving {
    fn start(data_dir: &Path, link_file: &Path) -> Self {
        let mut child = hydron(data_dir)
            .args(["serve", "--setup-link-file"])
            .arg(link_file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().expect("a first line");
        let base = first.strip_prefix("Hydron is at ").unwrap().to_owned();
        let needs_setup = link_file.exists();
        let setup_link = needs_setup.then(|| lines.nth(1).unwrap().trim().to_owned());
        Self { child, base, setup_link }
    }

    fn caller(&self, data_dir: &Path) -> Caller {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Caller::new(&self.base, &std::fs::read_to_string(data_dir.join("keys/ca.pem")).unwrap())
    }

    fn terminate(mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_prints_a_link_administration_works_beside_it_and_a_signal_ends_it() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let link_file = dir.path().join("link");
    let serving = Serving::start(&data, &link_file);
    let caller = serving.caller(&data);

    let link = serving.setup_link.clone().unwrap();
    assert_eq!(std::fs::read_to_string(&link_file).unwrap().trim(), link);
    assert_eq!(link_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let token = link.split_once("#token=").unwrap().1;
    let owner = json!({ "token": token, "email": "a@example.com", "name": "A", "password": "correct horse battery", "team_name": "Demo" });
    caller.post("/setup", owner).await.ok(201);

    let made =
        hydron(&data).args(["admin", "create-token", "--team", "Demo", "--role", "admin"]).output().unwrap();
    let (token, errors) = text(&made);
    assert!(made.status.success(), "{errors}");
    let me = caller.with_token(&token).get("/me").await.ok(200);
    assert_eq!((&me["team"]["name"], &me["team"]["role"]), (&json!("Demo"), &json!("admin")));
    let unknown = hydron(&data).args(["admin", "create-token", "--team", "Nowhere"]).output().unwrap();
    assert!(!unknown.status.success() && text(&unknown).1.contains("--create-team"), "{unknown:?}");

    let twin = hydron(&data).arg("serve").output().unwrap();
    assert!(!twin.status.success() && text(&twin).1.contains("another coordinator uses"), "{twin:?}");
    let (report, _) = text(&hydron(&data).arg("doctor").output().unwrap());
    assert!(report.contains("ok     database: SQLite, schema"), "{report}");
    assert_eq!(serving.terminate(), Some(0));

    std::fs::remove_file(&link_file).unwrap();
    let again = Serving::start(&data, &link_file);
    assert!(again.setup_link.is_none() && !link_file.exists(), "nobody needs a link any more");
    assert_eq!(again.caller(&data).with_token(&token).get("/me").await.status, 200);
}

#[test]
fn files_are_for_their_owner_only_and_an_open_key_stops_the_start() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    drop(Serving::start(&data, &dir.path().join("link")));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o700));
    for file in std::fs::read_dir(data.join("keys")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    let kek = data.join("keys/kek");
    std::fs::set_permissions(&kek, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = hydron(&data).arg("serve").output().unwrap();
    assert!(!refused.status.success() && text(&refused).1.contains("chmod 600"), "{refused:?}");
}

#[test]
fn a_wrong_setting_is_named() {
    let dir = TempDir::new().unwrap();
    let refused = |name: &str, value: &str| {
        let output = hydron(dir.path()).env(name, value).arg("serve").output().unwrap();
        assert!(!output.status.success());
        text(&output).1
    };
    assert!(refused("HYDRON_PUBLIC_URL", "hydron.example.com").contains("public_url"));
    assert!(refused("HYDRON_TLS_KEY", "/nowhere").contains("tls_certificate"));
    assert!(refused("HYDRON_DATABASE_URL", "mysql://x").contains("postgres://"));
    let config = dir.path().join("hydron.toml");
    std::fs::write(&config, "lisen = '127.0.0.1:1'\n").unwrap();
    assert!(refused("HYDRON_CONFIG", config.to_str().unwrap()).contains("lisen"));
}
