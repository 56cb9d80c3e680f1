//! What a child may do, asked of a real one: these tests start themselves again, and that process becomes `git`.

use std::process::Output;

use super::*;

/// The arguments of the process that a test starts.
const CHILD: &str = "HYDRON_TEST_FETCH_CHILD";
/// Nothing listens there.
const PORT: u16 = 1;

#[test]
fn limits_survive_the_command_line_and_nothing_else_parses() {
    let limits = Limits { dir: "/x y".into(), connect: 443, file_bytes: 1, memory_bytes: 2, cpu_s: 3 };
    let args = limits.to_args();
    assert_eq!(Limits::parse(&args[1..]), Some(limits));
    assert_eq!(Limits::parse(&args[2..]), None);
    assert!(become_git_if_asked(&["hydron".into(), "serve".into()]).is_ok());
    assert!(matches!(
        become_git_if_asked(&["hydron".into(), COMMAND.into(), "x".into()]),
        Err(ConfineError::Arguments)
    ));
}

#[test]
#[ignore = "the process that the tests below start"]
fn child() {
    let Ok(args) = std::env::var(CHILD) else { return };
    let args: Vec<OsString> = args.lines().map(OsString::from).collect();
    panic!("{:?}", become_git_if_asked(&args));
}

/// A directory for a child; removed when dropped.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("hydron-confine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// What `git` says to these arguments as a child that may connect to this port.
    fn git(&self, connect: u16, git: &[&str]) -> Output {
        let limits =
            Limits { dir: self.0.clone(), connect, file_bytes: 1 << 20, memory_bytes: 1 << 30, cpu_s: 10 };
        let mut args = vec![OsString::from("hydron")];
        args.extend(limits.to_args());
        args.push("--".into());
        args.extend(git.iter().map(OsString::from));
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "source::confine::tests::child", "--ignored", "--nocapture"])
            .env(CHILD, args.join(std::ffi::OsStr::new("\n")))
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C")])
            .current_dir("/")
            .output()
            .unwrap()
    }

    /// What a shell says to this line in the place of `git`, as if that had been taken over.
    fn shell(&self, line: &str) -> Output {
        self.git(0, &["-c", &format!("alias.x=!{line}"), "x"])
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_child_has_the_limits_that_it_was_given() {
    let output = Home::new("limits").shell("for of in c f v t n; do echo is $(ulimit -$of); done");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let limits: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("is ")).collect();
    // Blocks of 512 bytes, then KiB, then seconds, then files.
    assert_eq!(limits, ["0", "2048", "1048576", "10", "256"], "{output:?}");
}

#[test]
fn a_child_has_its_own_directory_and_its_own_port_and_nothing_else() {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if rules.handle_access(AccessNet::ConnectTcp).and_then(Ruleset::create).is_err() {
        println!("this kernel has no rules for files and ports: they were not tried");
        return;
    }
    let home = Home::new("rules");
    let own = home.0.join("own");
    let output = home.shell(&format!("echo mine > {} && cat {}", own.display(), own.display()));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "mine\n");
    let other = Home::new("other");
    let harm = [format!("echo > {}/x", other.0.display()), "cat /etc/passwd".into(), "ls /root".into()];
    for harm in harm {
        let output = home.shell(&harm);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("ermission denied"), "{harm}: {output:?}");
    }
    let url = format!("git://127.0.0.1:{PORT}/x");
    let said = |connect| {
        let output = home.git(connect, &["-c", "protocol.git.allow=always", "ls-remote", &url]);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(PORT).contains("Connection refused"), "{}", said(PORT));
    for other in [0, PORT + 1] {
        assert!(said(other).contains("ermission denied"), "{}", said(other));
    }
}
