//! The systemd unit under which the proxy runs where systemd does; installed by `installer`, started by the driver.

use std::path::Path;

use super::EdgePaths;

/// Name of the unit.
pub const UNIT_NAME: &str = "hydron-edge.service";

const UNIT_DIRECTORY: &str = "/etc/systemd/system";

/// The unit. It knows nothing of the agent: the site stays up when the agent is stopped, updated or removed.
pub fn unit_text(paths: &EdgePaths) -> String {
    let nginx =
        format!("/usr/sbin/nginx -c {} -p {}", paths.configuration().display(), paths.prefix().display());
    format!(
        "[Unit]
Description=Hydron reverse proxy
After=network.target
ConditionPathExists={configuration}

[Service]
Type=simple
ExecStartPre=-/bin/rm -f {control}
ExecStartPre={nginx} -t -q
ExecStart={nginx} -g 'daemon off;'
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
KillSignal=SIGQUIT
TimeoutStopSec=30
Restart=always
RestartSec=1
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
",
        configuration = paths.configuration().display(),
        control = paths.control_socket().display(),
    )
}

/// Whether systemd runs this machine and the unit is the one for these paths.
pub(super) fn is_installed(paths: &EdgePaths) -> bool {
    Path::new("/run/systemd/system").is_dir()
        && std::fs::read_to_string(Path::new(UNIT_DIRECTORY).join(UNIT_NAME))
            .is_ok_and(|text| text.contains(&*paths.configuration().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::Root;

    #[test]
    fn the_unit_of_a_server() {
        insta::assert_snapshot!(unit_text(&EdgePaths::of(&Root::new("/"))));
    }
}
