//! What the agent's processes may do on a server, tried out: under systemd's rules for a unit, a stranger's program runs.
//!
//! Rule: what is refused is refused by the unit as it is installed, not by the good manners of our program; and the real
//! processes must show the same marks. Neighbour: `systemd`.

use hydron_tests::stack::server::Server;

/// The link: no root, no capability, no Docker, no file of the executor, nothing to write but its own directory.
pub(crate) fn the_link_is_nobody(server: &Server) {
    let unit = "hydron-link.service";
    let groups = server.run(&["id", "--name", "--groups", "hydron"]).unwrap();
    assert_eq!(groups, "hydron", "the link's groups");
    let uid = server.run(&["id", "--user", "hydron"]).unwrap();
    let process = Process::of(server, unit);
    assert_eq!(process.line("Uid"), format!("{uid} {uid} {uid} {uid}"));
    assert_eq!(process.line("CapEff"), "0000000000000000");
    assert_eq!(process.line("CapBnd"), "0000000000000000");
    process.is_sealed();
    let journal = server.journal(unit);
    assert!(!journal.contains("not confined"), "the link's own confinement: {journal}");

    everything_is_refused(
        server,
        unit,
        &[
            "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
            "socket.socket(socket.AF_UNIX).connect('/run/systemd/private')",
            "socket.socket(socket.AF_NETLINK)",
            "os.listdir('/var/lib/hydron/exec')",
            "open('/etc/hydron/policy.toml')",
            "open('/var/lib/hydron/x', 'w')",
            "open('/etc/x', 'w')",
            "os.kill(1, 0)",
            "os.setuid(0)",
        ],
    );
    everything_is_done(
        server,
        unit,
        &[
            "socket.socket(socket.AF_INET).close()",
            "open('/var/lib/hydron/link/x', 'w').close(); os.unlink('/var/lib/hydron/link/x')",
            "socket.socket(socket.AF_UNIX).connect('/run/hydron/exec.sock')",
        ],
    );
}

/// The executor: root, because it starts steps; but without a network, and the machine is not its to write.
pub(crate) fn the_executor_has_no_network(server: &Server) {
    let unit = "hydron-exec.service";
    let process = Process::of(server, unit);
    assert_eq!(process.line("Uid"), "0 0 0 0");
    process.is_sealed();
    let sockets =
        server.run(&["ss", "--no-header", "--tcp", "--udp", "--raw", "--all", "--processes"]).unwrap();
    let own = format!("pid={},", process.pid);
    assert!(!sockets.contains(&own), "{sockets}");

    everything_is_refused(
        server,
        unit,
        &[
            "socket.socket(socket.AF_INET)",
            "socket.socket(socket.AF_INET6)",
            "socket.socket(socket.AF_NETLINK)",
            "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
            "open('/etc/x', 'w')",
            "open('/usr/x', 'w')",
            "os.mknod('/var/lib/hydron/x', 0o60600, os.makedev(8, 0))",
        ],
    );
    everything_is_done(
        server,
        unit,
        &[
            "socket.socket(socket.AF_UNIX).connect('/run/systemd/private')",
            "open('/var/lib/hydron/exec/x', 'w').close(); os.unlink('/var/lib/hydron/exec/x')",
        ],
    );
}

fn everything_is_refused(server: &Server, unit: &str, statements: &[&str]) {
    for (statement, end) in statements.iter().zip(attempts(server, unit, statements)) {
        assert_ne!(end, "done", "{unit} may {statement}");
    }
}

fn everything_is_done(server: &Server, unit: &str, statements: &[&str]) {
    for (statement, end) in statements.iter().zip(attempts(server, unit, statements)) {
        assert_eq!(end, "done", "{unit} may not {statement}");
    }
}

/// `done` or the error, one a statement.
fn attempts(server: &Server, unit: &str, statements: &[&str]) -> Vec<String> {
    let attempt = |statement: &&str| {
        format!("try:\n  {statement}\n  print('done')\nexcept OSError as error:\n  print(error.strerror)\n")
    };
    let said = under(server, unit, &statements.iter().map(attempt).collect::<String>());
    let ends: Vec<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(ends.len(), statements.len(), "{said}");
    ends
}

/// What a program prints that runs under everything a unit's `[Service]` says, but for how it is started.
fn under(server: &Server, unit: &str, python: &str) -> String {
    let text = server.run(&["cat", &format!("/etc/systemd/system/{unit}")]).unwrap();
    let service = text.split_once("[Service]").and_then(|(_, rest)| rest.split_once("[Install]")).unwrap().0;
    let how = ["Exec", "Restart", "Runtime", "State", "#"];
    let rules =
        service.lines().filter(|line| !line.is_empty() && !how.iter().any(|word| line.starts_with(word)));
    let mut argv = vec![
        "systemd-run".to_owned(),
        "--quiet".into(),
        "--wait".into(),
        "--pipe".into(),
        "--collect".into(),
    ];
    argv.extend(rules.map(|rule| format!("--property={rule}")));
    argv.extend(["/usr/bin/python3".to_owned(), "-c".into(), format!("import os, socket\n{python}")]);
    server.run(&argv.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
}

/// A unit's main process, as the kernel describes it.
struct Process {
    pid: String,
    status: String,
}

impl Process {
    fn of(server: &Server, unit: &str) -> Self {
        let pid = server.unit(unit, "MainPID").unwrap();
        let status = server.run(&["cat", &format!("/proc/{pid}/status")]).unwrap();
        Self { pid, status }
    }

    fn line(&self, name: &str) -> String {
        let found = self.status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let words = found.unwrap_or_else(|| panic!("no {name} in {}", self.status)).split_whitespace();
        words.collect::<Vec<_>>().join(" ")
    }

    /// No new privileges, and a filter of system calls.
    fn is_sealed(&self) {
        assert_eq!((self.line("NoNewPrivs"), self.line("Seccomp")), ("1".to_owned(), "2".to_owned()));
    }
}
