//! The whole agent as its processes: joined by the binary, run by its supervisor.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use hydron_agent::root::Root;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::coordinator::Coordinator;
use crate::world::{BINARY, pids_with};

pub(crate) struct Agent {
    directory: tempfile::TempDir,
    supervisor: Option<Child>,
}

impl Agent {
    /// A root with a configuration for tests; nothing joined, nothing running.
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        // Deliberately closed to the link's user, as a home directory is.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let agent = Self { directory, supervisor: None };
        std::fs::create_dir_all(agent.root().etc()).unwrap();
        std::fs::write(
            agent.root().agent_toml(),
            "[link]\nretry_min_ms = 20\nretry_max_ms = 200\nrefused_min_ms = 50\nrefused_max_ms = 100\nsettle_ms = 50\n\
             [steps]\ndocker_socket = '/nonexistent'\n",
        )
        .unwrap();
        agent
    }

    /// The agent's root lies one level deeper than the closed directory.
    pub(crate) fn root(&self) -> Root {
        Root::new(self.directory.path().join("root"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY)
            .arg("--root")
            .arg(self.root().path())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    pub(crate) fn join(&self, coordinator: &Coordinator) -> Output {
        self.join_with(coordinator, &coordinator.token)
    }

    pub(crate) fn join_with(&self, coordinator: &Coordinator, token: &str) -> Output {
        std::fs::write(self.path("token"), token).unwrap();
        let file = self.path("token");
        self.call(&["join", "--coordinator", &coordinator.address, "--token-file", file.to_str().unwrap()])
    }

    pub(crate) fn start(&mut self) {
        self.start_by(Command::new(BINARY));
    }

    /// Starts it and writes down every program that it and its children execute, one a line of `executed`.
    pub(crate) fn start_traced(&mut self) {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "--seccomp-bpf", "-s", "300", "-e", "trace=execve,execveat", "-o"]);
        strace.arg(self.path("executed")).arg(BINARY);
        self.start_by(strace);
    }

    /// What was executed since [`Self::start_traced`]. Of two that overlap, strace says one in two lines: `execve(` stands
    /// in the first.
    pub(crate) fn executed(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("executed")).expect("strace writes");
        let begins = |line: &&str| line.contains(" execve(") || line.contains(" execveat(");
        text.lines().filter(begins).map(str::to_owned).collect()
    }

    fn start_by(&mut self, mut program: Command) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("agent.log")).unwrap();
        let child = program
            .arg("--root")
            .arg(self.root().path())
            .arg("run")
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.supervisor = Some(child);
    }

    pub(crate) fn pids(&self, role: &str) -> Vec<i32> {
        pids_with(&[self.root().path().to_str().unwrap(), role])
    }

    pub(crate) fn kill(&self, role: &str) {
        for pid in self.pids(role) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    pub(crate) fn kill_supervisor(&mut self) {
        let mut child = self.supervisor.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("agent.log")).unwrap_or_default()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.log());
        }
        if let Some(mut child) = self.supervisor.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for role in ["run", "exec", "link", "step-host"] {
            self.kill(role);
        }
    }
}
