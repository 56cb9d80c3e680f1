//! The line a person runs on a server to adopt it. Rule: typed data; only a host and a port stand in it.

use std::fmt;
use std::net::SocketAddr;

/// Install, join and start, for one coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptLine {
    coordinator: String,
}

/// Not `host:port`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an address of the form host:port: a host has letters, digits, `.`, `-`, or is an IPv6 address in `[]`"
)]
pub struct InvalidAddress;

impl AdoptLine {
    /// A line for the coordinator at `host:port`.
    pub fn new(coordinator: &str) -> Result<Self, InvalidAddress> {
        let (host, port) = coordinator.rsplit_once(':').ok_or(InvalidAddress)?;
        port.parse::<u16>().map_err(|_| InvalidAddress)?;
        let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        let right = match v6 {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.starts_with('-') && host.bytes().all(plain),
        };
        if right { Ok(Self { coordinator: coordinator.to_owned() }) } else { Err(InvalidAddress) }
    }

    /// A line for a coordinator of which only its own socket is known; a person fills in the host where that is every address.
    pub fn of_socket(address: SocketAddr) -> Self {
        let coordinator = if address.ip().is_unspecified() {
            format!("THIS-COORDINATOR:{}", address.port())
        } else {
            address.to_string()
        };
        Self { coordinator }
    }
}

impl fmt::Display for AdoptLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A shell takes brackets for a pattern.
        let quote = if self.coordinator.contains('[') { "'" } else { "" };
        let join = format!("hydron-agent join --coordinator {quote}{}{quote}", self.coordinator);
        write!(f, "hydron-agent install && {join} && systemctl start hydron-exec hydron-link")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_can_stand_in_the_line() {
        let line = AdoptLine::new("hydron.example:7443").unwrap().to_string();
        assert_eq!(
            line,
            "hydron-agent install && hydron-agent join --coordinator hydron.example:7443 \
             && systemctl start hydron-exec hydron-link"
        );
        assert!(AdoptLine::new("[2001:db8::1]:7443").unwrap().to_string().contains("'[2001:db8::1]:7443'"));
        for bad in ["", "host", ":1", "a;b:1", "a'b:1", "$(x):1", "[x]:1", "-x:1", "h:99999"] {
            assert_eq!(AdoptLine::new(bad), Err(InvalidAddress), "{bad}");
        }
    }

    #[test]
    fn a_socket_on_every_address_leaves_the_host_to_the_person() {
        let line = |address: &str| AdoptLine::of_socket(address.parse().unwrap()).to_string();
        assert!(line("0.0.0.0:8444").contains(" THIS-COORDINATOR:8444 "));
        assert!(line("192.0.2.7:8444").contains(" 192.0.2.7:8444 "));
    }

    #[test]
    fn the_readme_says_the_same_in_the_same_order() {
        let line = AdoptLine::new("coordinator.example.org:8444").unwrap().to_string();
        let mut rest = include_str!("../../README.md");
        for command in line.split(" && ") {
            let at =
                rest.find(command).unwrap_or_else(|| panic!("README.md has no `{command}` where it belongs"));
            rest = &rest[at..];
        }
    }
}
