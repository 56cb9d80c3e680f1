//! What people try in a URL, and what must never reach `git` as an option.

use super::*;

#[test]
fn only_public_addresses_may_be_asked() {
    let refused = [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "4000::1",
    ];
    for text in refused {
        assert!(refusal(text.parse().unwrap()).is_some(), "{text} must be refused");
    }
    for text in [
        "8.8.8.8",
        "1.1.1.1",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "140.82.121.4",
        "2606:4700::1111",
        "2a00:1450::1",
    ] {
        assert_eq!(refusal(text.parse().unwrap()), None, "{text} must be allowed");
    }
}

#[test]
fn numbers_in_disguise_are_no_hosts() {
    for host in [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "017700000001",
        "010.0.0.1",
        "1.2.3.4.5",
        "example.0x10",
        "host.",
    ] {
        assert!(host_kind(host).is_err(), "{host}");
    }
    assert_eq!(host_kind("git.example.org"), Ok(HostKind::Name));
    assert_eq!(host_kind("127.0.0.1"), Ok(HostKind::Address("127.0.0.1".parse().unwrap())));
}

#[test]
fn one_refused_address_among_public_ones_refuses_the_name() {
    let url: GitUrl = "https://git.example.org/a/b".parse().unwrap();
    let mixed = ["8.8.8.8".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    assert!(matches!(Pin::check(&url, &mixed, false), Err(AddressRefused::Private { .. })));
    assert!(Pin::check(&url, &mixed, true).is_ok());
    assert_eq!(Pin::check(&url, &[], true), Err(AddressRefused::Unresolved));
}

#[test]
fn a_fetch_pins_the_address_and_puts_every_outside_value_after_the_dashes() {
    let url: GitUrl = "https://git.example.org:8443/a/b.git".parse().unwrap();
    let pin =
        Pin::check(&url, &["8.8.8.8".parse().unwrap(), "2606:4700::1111".parse().unwrap()], false).unwrap();
    let reference: GitRef = "refs/heads/main".parse().unwrap();
    let args = fetch(
        Path::new("/x/git"),
        &url,
        Wanted::Reference(&reference),
        Some(1024),
        &pin,
        Some(Path::new("/x/ca")),
    );
    let texts: Vec<&str> = args.iter().filter_map(|a| a.to_str()).collect();
    assert!(texts.contains(&"http.curloptResolve=git.example.org:8443:8.8.8.8,[2606:4700::1111]"));
    assert!(texts.contains(&"http.sslCAInfo=/x/ca"));
    let dashes = texts.iter().position(|t| *t == "--").unwrap();
    assert_eq!(&texts[dashes..], ["--", url.as_str(), "+refs/heads/main:refs/hydron/source"]);
    for setting in [
        "protocol.allow=never",
        "http.followRedirects=false",
        "core.hooksPath=/dev/null",
        "transfer.fsckObjects=true",
    ] {
        assert!(texts.contains(&setting), "{setting}");
    }
}

#[test]
fn a_short_name_means_a_branch_first_and_a_tag_second() {
    assert_eq!(candidates(&"v1".parse().unwrap()), ["refs/heads/v1", "refs/tags/v1"]);
    assert_eq!(candidates(&"refs/heads/x".parse().unwrap()), ["refs/heads/x"]);
}
