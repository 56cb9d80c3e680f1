//! Which addresses a fetch may reach: the public internet, nothing else, unless the configuration says so.
//!
//! Rule: an address is refused by its bits, never by the text of its name (B12: decimal, octal, mapped, tunnelled forms).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A source whose address may not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// No address at all.
    #[error("the host name does not resolve; check the spelling")]
    Unresolved,
    /// An address that belongs to this machine or its networks.
    #[error("the host resolves to {address}, {why}; sources must be on the public internet")]
    Private {
        /// Which.
        address: IpAddr,
        /// What kind of address it is.
        why: &'static str,
    },
    /// A host that is a number in disguise or has no plain form.
    #[error("the host is neither a plain name nor a plain address; write it like `git.example.org`")]
    Host,
}

/// What the host part of a URL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// An address in its usual form.
    Address(IpAddr),
    /// A name to resolve.
    Name,
}

/// Tells addresses from names; refuses numbers in disguise (`2130706433`, `0x7f.1`, `127.1`, `010.0.0.1`).
pub fn host_kind(host: &str) -> Result<HostKind, AddressRefused> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(HostKind::Address(address));
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let number = last.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if number { Err(AddressRefused::Host) } else { Ok(HostKind::Name) }
}

/// Why an address must not be asked; none when it is public (IANA special-purpose registries, RFC 6890 and later).
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refusal_v4(v4),
        IpAddr::V6(v6) => refusal_v6(v6),
    }
}

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, _, _) => Some("which means this machine"),
        (127, _, _) => Some("a loopback address"),
        (10, _, _) | (172, 16..=31, _) | (192, 168, _) => Some("a private address"),
        (169, 254, _) => Some("a link-local address"),
        (100, 64..=127, _) => Some("a carrier-grade NAT address"),
        (192, 0, 0) | (192, 88, 99) => Some("a protocol assignment"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("a documentation address"),
        (198, 18..=19, _) => Some("a benchmarking address"),
        (224..=239, _, _) => Some("a multicast address"),
        (240..=255, _, _) => Some("a reserved address"),
        (_, _, _) => None,
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(v4) = address.to_ipv4_mapped() {
        return refusal_v4(v4).or(Some("an IPv4 address in disguise"));
    }
    let [s0, s1, s2, ..] = address.segments();
    match (s0, s1, s2) {
        (0, 0, 0) => Some("a loopback or unspecified address"),
        (0x0064, 0xff9b, _) => Some("a NAT64 address"),
        (0xfc00..=0xfdff, _, _) => Some("a private address"),
        (0xfe80..=0xfebf, _, _) => Some("a link-local address"),
        (0xfec0..=0xfeff, _, _) => Some("a site-local address"),
        (0xff00..=0xffff, _, _) => Some("a multicast address"),
        (0x2002, _, _) => Some("a 6to4 address"),
        (0x2001, 0..=0x01ff, _) => Some("a protocol assignment"),
        (0x2001, 0x0db8, _) | (0x3fff, 0..=0x0fff, _) => Some("a documentation address"),
        (0x2000..=0x3fff, _, _) => None,
        (_, _, _) => Some("not a public address"),
    }
}
