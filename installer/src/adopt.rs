//! The line a person runs on a server to adopt it. Rule: typed data; only a host and a port stand in it.

use std::fmt;

/// `hydron-agent join` and `install`, for one coordinator.
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
}

impl fmt::Display for AdoptLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coordinator = &self.coordinator;
        write!(f, "sudo hydron-agent join --coordinator '{coordinator}' && sudo hydron-agent install")
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
            "sudo hydron-agent join --coordinator 'hydron.example:7443' && sudo hydron-agent install"
        );
        assert!(AdoptLine::new("[2001:db8::1]:7443").is_ok());
        for bad in ["", "host", ":1", "a;b:1", "a'b:1", "$(x):1", "[x]:1", "-x:1", "h:99999"] {
            assert_eq!(AdoptLine::new(bad), Err(InvalidAddress), "{bad}");
        }
    }
}
