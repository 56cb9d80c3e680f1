//! The account under which the link runs. Rule: never root, when there is a choice.

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
