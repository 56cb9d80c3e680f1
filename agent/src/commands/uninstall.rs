//! `hydron-agent uninstall`: what `install` put on this machine goes. Applications and their data stay.
//!
//! Rule: only a server that has left; safe to repeat; removes nothing that `install` did not make.

use std::path::Path;

use anyhow::Context as _;
use hydron_installer::UNITS;

use super::install::{ON_PATH, PROGRAMS};
use super::systemd::{self, LINK_USER, call, systemctl};
use super::{remove, say};
use crate::identity;
use crate::root::Root;
use crate::user;

/// Removes units, user and programs.
pub(super) fn run(root: &Root) -> anyhow::Result<()> {
    anyhow::ensure!(nix::unistd::geteuid().is_root(), "uninstalling needs root");
    anyhow::ensure!(root.path() == Path::new("/"), "units are installed for the root `/` only");
    anyhow::ensure!(!identity::exec_file(root).exists(), "run `hydron-agent leave` first");
    if systemd::is_installed(root) {
        systemd::stop_agent()?;
        let there: Vec<&str> =
            UNITS.iter().filter(|unit| systemd::file(unit).exists()).map(|unit| unit.name).collect();
        systemctl(&["disable", "--now", "--quiet"].into_iter().chain(there).collect::<Vec<_>>())?;
        for path in UNITS.iter().map(systemd::file) {
            remove(&path, std::fs::remove_file(&path))?;
        }
        systemctl(&["daemon-reload"])?;
    }
    if user::exists(LINK_USER) {
        call("userdel", &[LINK_USER]).context("remove the link's user")?;
    }
    if std::fs::read_link(ON_PATH).is_ok_and(|target| target.starts_with(PROGRAMS)) {
        remove(Path::new(ON_PATH), std::fs::remove_file(ON_PATH))?;
    }
    for path in [Path::new(PROGRAMS), &root.sockets()] {
        remove(path, std::fs::remove_dir_all(path))?;
    }
    say("Uninstalled. Containers and volumes keep running, but nothing serves their sites any more.")?;
    say("What is left of Hydron are /etc/hydron and /var/lib/hydron: remove them when you need them no more.")
}
