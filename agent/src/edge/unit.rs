//! The systemd unit under which the proxy runs where systemd does: installed by `hydron-agent install`, started by the driver.
//!
//! Rule: it serves one root; a proxy of another root runs in a transient unit of its own name. Neighbour: `installer`.

use std::path::Path;

use super::EdgePaths;

/// Name of the unit.
pub(super) const UNIT_NAME: &str = "hydron-edge.service";

const UNIT_DIRECTORY: &str = "/etc/systemd/system";

/// Whether systemd runs this machine and the unit is the one for these paths.
pub fn has_unit(paths: &EdgePaths) -> bool {
    Path::new("/run/systemd/system").is_dir()
        && std::fs::read_to_string(Path::new(UNIT_DIRECTORY).join(UNIT_NAME))
            .is_ok_and(|text| serves(&text, paths))
}

/// Name of the proxy as a daemon where the unit does not serve it: two roots on one machine have two names.
pub(super) fn daemon_name(paths: &EdgePaths) -> String {
    let of_root = crc32c::crc32c(paths.prefix().as_os_str().as_encoded_bytes());
    format!("edge-{of_root:08x}")
}

fn serves(unit: &str, paths: &EdgePaths) -> bool {
    let start = format!(" -c {} -p {} -g ", paths.configuration().display(), paths.prefix().display());
    unit.lines().any(|line| line.starts_with("ExecStart=") && line.contains(&start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::Root;

    #[test]
    fn the_installed_unit_serves_the_root_directory_and_no_other() {
        let unit = hydron_installer::UNITS.iter().find(|unit| unit.name == UNIT_NAME).unwrap();
        assert!(serves(unit.text, &EdgePaths::of(&Root::new("/"))));
        assert!(!serves(unit.text, &EdgePaths::of(&Root::new("/srv/other"))));
    }

    #[test]
    fn proxies_of_two_roots_have_two_names() {
        let name = |root: &str| daemon_name(&EdgePaths::of(&Root::new(root)));
        assert_ne!(name("/srv/one"), name("/srv/other"));
    }
}
