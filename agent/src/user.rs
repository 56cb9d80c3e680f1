//! The account under which the link runs. Rule: never root, when there is a choice.

use std::io;
use std::process::Command;

use nix::unistd::User;

/// `nobody` on every Linux: used where the configured user does not exist (an agent beside another, in a directory).
const NOBODY: u32 = 65_534;

/// User and group ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// The account of the configured user; `nobody` when it does not exist.
pub fn link_account(name: &str) -> Account {
    match User::from_name(name) {
        Ok(Some(user)) => Account { uid: user.uid.as_raw(), gid: user.gid.as_raw() },
        Ok(None) | Err(_) => Account { uid: NOBODY, gid: NOBODY },
    }
}

/// Makes the link's user where it is missing: no home, no shell.
pub fn ensure(name: &str) -> io::Result<()> {
    if exists(name) {
        return Ok(());
    }
    let output = Command::new("useradd")
        .args(["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name])
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("useradd {name}: {said}")))
}

/// Whether there is such a user.
pub fn exists(name: &str) -> bool {
    User::from_name(name).is_ok_and(|user| user.is_some())
}
