//! Whose request a proxy passes on.
//!
//! Rule: what a header says is believed only as far as trusted proxies wrote it: from the right, up to the first address
//! that is none of theirs. Everything left of it is the client's own claim.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client of a connection from `peer`.
pub(super) fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_proxy = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut client = peer;
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_proxy(client) {
        let Some(before) = hops.next().and_then(address) else { break };
        client = before;
    }
    client
}

/// An address, or an address with a port, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.trim_start_matches('[').trim_end_matches(']').parse();
    let address: Option<IpAddr> = plain.ok().or_else(|| text.parse::<SocketAddr>().ok().map(|at| at.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_of(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_header_says_nothing_unless_a_trusted_proxy_sends_it() {
        assert_eq!(client("198.51.100.7", &["192.0.2.1"], &[]), "198.51.100.7");
        assert_eq!(client("198.51.100.7", &["192.0.2.1"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(client("10.0.0.2", &["192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client("10.0.0.2", &[], &["10.0.0.0/8"]), "10.0.0.2");
    }

    #[test]
    fn what_the_client_claims_is_left_of_what_the_proxies_wrote() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client("10.0.0.2", &["1.1.1.1, 192.0.2.1, 10.0.0.9"], &trusted), "192.0.2.1");
        assert_eq!(client("10.0.0.2", &["1.1.1.1", "192.0.2.1"], &trusted), "192.0.2.1");
        assert_eq!(client("10.0.0.2", &["10.0.0.8, 10.0.0.9"], &trusted), "10.0.0.8", "only proxies");
        assert_eq!(client("10.0.0.2", &["1.1.1.1, nonsense"], &trusted), "10.0.0.2");
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        let trusted = ["::1/128", "10.0.0.0/8"];
        for (written, read) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(client("::1", &[written], &trusted), read);
        }
    }
}
