//! A server of the lab as the tests use it: systemd, sshd and an engine of its own; commands go in, it comes back after a reboot.
//!
//! Rule: it is removed when the test is over, however that ends: a guardian process waits for the test's end and takes it
//! down. Neighbour: `tests/lab/server`, which does the work.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use anyhow::Context as _;

/// A running server.
#[derive(Debug)]
pub struct Server {
    name: String,
    guardian: Child,
}

impl Server {
    /// Starts one; `name` must be free.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        let server = Self { name: name.to_owned(), guardian: guardian(name)? };
        answer(name, &lab().args(["up", name]).output()?)?;
        Ok(server)
    }

    /// Its address. It may be another one after a reboot.
    pub fn address(&self) -> anyhow::Result<Ipv4Addr> {
        Ok(self.lab(&["address"])?.parse()?)
    }

    /// The address under which it reaches this machine.
    pub fn host(&self) -> anyhow::Result<Ipv4Addr> {
        Ok(self.lab(&["host"])?.parse()?)
    }

    /// Runs a command as root; gives what it writes to standard output.
    pub fn run(&self, argv: &[&str]) -> anyhow::Result<String> {
        self.run_with_input(argv, b"")
    }

    /// The same, with standard input.
    pub fn run_with_input(&self, argv: &[&str], input: &[u8]) -> anyhow::Result<String> {
        let mut child = lab()
            .args(["exec", &self.name])
            .args(argv)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("start tests/lab/server")?;
        let mut stdin = child.stdin.take().context("standard input of the command")?;
        // The command may end without reading all of it; its exit status says whether that is well.
        let _ = stdin.write_all(input);
        drop(stdin);
        answer(&argv.join(" "), &child.wait_with_output()?)
    }

    /// Whether a command succeeds.
    pub fn succeeds(&self, argv: &[&str]) -> bool {
        self.run(argv).is_ok()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: &[u8], mode: &str) -> anyhow::Result<()> {
        self.run_with_input(&["install", "-D", "-m", mode, "/dev/stdin", path], content).map(|_| ())
    }

    /// Copies a file of this machine.
    pub fn copy_in(&self, file: &Path, path: &str, mode: &str) -> anyhow::Result<()> {
        let content = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        self.write(path, &content, mode)
    }

    /// `systemctl reboot`; up again when this returns.
    pub fn reboot(&self) -> anyhow::Result<()> {
        self.lab(&["reboot"]).map(|_| ())
    }

    /// A property of a unit.
    pub fn unit(&self, unit: &str, property: &str) -> anyhow::Result<String> {
        self.run(&["systemctl", "show", "--value", "--property", property, unit])
    }

    /// The journal of a unit.
    pub fn journal(&self, unit: &str) -> String {
        self.run(&["journalctl", "--no-pager", "--output=cat", "--unit", unit])
            .unwrap_or_else(|error| format!("{error:#}"))
    }

    fn lab(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let (command, rest) = arguments.split_first().context("a command of tests/lab/server")?;
        answer(command, &lab().arg(command).arg(&self.name).args(rest).output()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// Waits until its standard input is closed, which the end of this process does too; a group of its own keeps signals
/// meant for the test from it.
fn guardian(name: &str) -> anyhow::Result<Child> {
    Command::new("sh")
        .args(["-c", "cat >/dev/null; exec \"$@\"", "guardian"])
        .arg(program())
        .args(["down", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("start the server's guardian")
}

fn program() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/lab/server"))
}

fn lab() -> Command {
    let mut command = Command::new(program());
    command.stdin(Stdio::null());
    command
}

fn answer(what: &str, output: &Output) -> anyhow::Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    anyhow::ensure!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}
