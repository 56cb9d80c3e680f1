//! What puts an agent on a server: its systemd units, and the line a person runs to adopt a server.
//!
//! Rule: units are files under `installer/systemd`, embedded here; `hydron-agent install` writes them. The adopt line
//! carries no secret: the token is pasted into standard input.

mod adopt;

pub use adopt::{AdoptLine, InvalidAddress};

/// A systemd unit: its name and its whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// File name under `/etc/systemd/system`.
    pub name: &'static str,
    /// Its content.
    pub text: &'static str,
}

/// The units of an agent. Steps run in transient units of their own.
pub const UNITS: [Unit; 5] = [
    Unit { name: "hydron-exec.service", text: include_str!("../systemd/hydron-exec.service") },
    Unit { name: "hydron-link.service", text: include_str!("../systemd/hydron-link.service") },
    Unit { name: "hydron-edge.service", text: include_str!("../systemd/hydron-edge.service") },
    Unit { name: "hydron-renew.service", text: include_str!("../systemd/hydron-renew.service") },
    Unit { name: "hydron-renew.timer", text: include_str!("../systemd/hydron-renew.timer") },
];

impl Unit {
    /// Whether it is started at boot.
    pub fn starts_at_boot(&self) -> bool {
        self.text.contains("\n[Install]\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> &'static str {
        UNITS.iter().find(|unit| unit.name == name).unwrap().text
    }

    fn has(unit: &str, line: &str) -> bool {
        text(unit).lines().any(|found| found == line)
    }

    #[test]
    fn the_link_is_not_root_and_writes_only_its_own_directory() {
        let link = "hydron-link.service";
        assert!(
            has(link, "User=hydron")
                && has(link, "CapabilityBoundingSet=")
                && has(link, "NoNewPrivileges=yes")
        );
        assert!(has(link, "ProtectSystem=strict") && has(link, "ReadWritePaths=/var/lib/hydron/link"));
    }

    #[test]
    fn the_executor_has_no_network_and_its_end_is_not_the_end_of_steps() {
        let exec = "hydron-exec.service";
        assert!(has(exec, "RestrictAddressFamilies=AF_UNIX"));
        assert!(!text(exec).contains("Delegate="), "steps live in units of their own");
    }

    #[test]
    fn what_runs_all_the_time_is_started_at_boot_and_never_given_up() {
        for unit in UNITS.iter().filter(|unit| unit.starts_at_boot() && unit.name.ends_with(".service")) {
            assert!(
                has(unit.name, "Restart=always") && has(unit.name, "StartLimitIntervalSec=0"),
                "{}",
                unit.name
            );
        }
        let at_boot = UNITS.iter().filter(|unit| unit.starts_at_boot()).map(|unit| unit.name);
        assert_eq!(
            at_boot.collect::<Vec<_>>(),
            ["hydron-exec.service", "hydron-link.service", "hydron-edge.service", "hydron-renew.timer"]
        );
    }
}
