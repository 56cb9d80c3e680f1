//! `hydron-agent doctor`: looks at everything this server's agent needs, and says what to do about what is wrong.
//!
//! Rule: reads only; no coordinator needed; the exit status says whether something is wrong.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::say;
use crate::clock::Clock;
use crate::config::{AgentConfig, Policy};
use crate::identity::ExecIdentity;
use crate::link::identity::LinkFiles;
use crate::root::Root;
use crate::{exec, link};

type Finding = Result<String, String>;

/// Prints one line a check.
pub(super) fn run(root: &Root, runtime: &Runtime) -> anyhow::Result<ExitCode> {
    let checks: [(&str, Finding); 9] = [
        ("configuration", AgentConfig::load(root).map(|_| "reads".to_owned()).map_err(|e| e.to_string())),
        ("policy", Policy::load(root).map(|p| p.mode.word().to_owned()).map_err(|e| e.to_string())),
        ("identity", ExecIdentity::load(root).map(|i| i.server.to_string()).map_err(|e| e.to_string())),
        ("certificate", certificate(root)),
        ("key files", private(&[&root.exec().join("keys/sealing"), &root.link().join("tls.key")])),
        ("audit log", audit(root)),
        ("journals", journals(root)),
        ("docker", docker(root)),
        ("executor", runtime.block_on(executor(root))),
    ];
    let mut wrong = 0;
    for (name, finding) in checks {
        match finding {
            Ok(text) => say(&format!("ok     {name}: {text}"))?,
            Err(text) => {
                wrong += 1;
                say(&format!("WRONG  {name}: {text}"))?;
            }
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn certificate(root: &Root) -> Finding {
    let identity = LinkFiles::new(root.link()).load().map_err(|error| error.to_string())?;
    let left = identity.validity.not_after - Clock::system().unix_ms() / 1000;
    if left > 0 {
        Ok(format!("{} days left", left / 86_400))
    } else {
        Err("expired; the link renews it at its next connection, for 90 days".to_owned())
    }
}

fn private(paths: &[&Path]) -> Finding {
    for path in paths {
        let meta = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(format!("{} is open to others; chmod 600 it", path.display()));
        }
    }
    Ok("readable by their owners only".to_owned())
}

fn audit(root: &Root) -> Finding {
    let path = exec::audit_file(root);
    if !path.exists() {
        return Ok("empty".to_owned());
    }
    match exec::audit::check(&path) {
        Ok(Ok(lines)) => Ok(format!("{lines} lines, unbroken")),
        Ok(Err(line)) => Err(format!("{}: the chain breaks at line {line}", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn journals(root: &Root) -> Finding {
    let aside = std::fs::read_dir(root.quarantine()).into_iter().flatten().count();
    if aside == 0 {
        Ok("none set aside".to_owned())
    } else {
        Err(format!("{aside} runs were set aside in {}", root.quarantine().display()))
    }
}

fn docker(root: &Root) -> Finding {
    let config = AgentConfig::load(root).map_err(|error| error.to_string())?;
    let socket = config.steps.docker_socket;
    match std::os::unix::net::UnixStream::connect(&socket) {
        Ok(_) => Ok(format!("{} answers", socket.display())),
        Err(error) => Err(format!("{}: {error}", socket.display())),
    }
}

async fn executor(root: &Root) -> Finding {
    match link::ask_executor(root).await {
        Ok(status) => Ok(format!("running, {} runs held", status.runs.len())),
        Err(error) => Err(format!("does not answer ({error}); start the agent")),
    }
}
