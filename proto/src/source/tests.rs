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

fn texts(args: &[std::ffi::OsString]) -> Vec<&str> {
    args.iter().filter_map(|arg| arg.to_str()).collect()
}

#[test]
fn nothing_of_the_machine_s_own_git_configuration_reaches_the_child() {
    let environment = environment(Path::new("/x/home"));
    let of = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.to_str())
    };
    assert_eq!(of("HOME"), Some("/x/home"));
    assert_eq!((of("GIT_CONFIG_NOSYSTEM"), of("GIT_CONFIG_GLOBAL")), (Some("1"), Some("/dev/null")));
    assert_eq!((of("GIT_ALLOW_PROTOCOL"), of("GIT_TERMINAL_PROMPT")), (Some("https"), Some("0")));
}

#[test]
fn a_new_repository_has_no_hooks() {
    let args = init(Path::new("/x/git"));
    let texts = texts(&args);
    let verb = texts.iter().position(|text| *text == "init").unwrap();
    assert_eq!(&texts[verb..], ["init", "--bare", "--quiet", "--template=", "--", "/x/git"]);
    assert!(texts[..verb].contains(&"core.hooksPath=/dev/null"));
}

#[test]
fn a_listing_asks_for_the_wanted_names_behind_the_dashes() {
    let url: GitUrl = "https://git.example.org/a/b".parse().unwrap();
    let pin = Pin::check(&url, &["8.8.8.8".parse().unwrap()], false).unwrap();
    let args = list_refs(&url, Some(&"v1".parse().unwrap()), &pin, None);
    let texts = texts(&args);
    assert!(texts.contains(&"http.curloptResolve=git.example.org:443:8.8.8.8"));
    let dashes = texts.iter().position(|text| *text == "--").unwrap();
    let wanted = ["--", url.as_str(), "HEAD", "refs/heads/v1", "refs/tags/v1", "refs/tags/v1^{}"];
    assert_eq!(&texts[dashes..], wanted);
}

#[test]
fn a_local_command_works_on_the_named_repository_alone() {
    let args = local(Path::new("/x/git"), &["cat-file", "--batch"]);
    let texts = texts(&args);
    assert_eq!(&texts[texts.len() - 3..], ["--git-dir=/x/git", "cat-file", "--batch"]);
    assert!(texts.contains(&"protocol.allow=never"));
}

#[test]
fn a_url_that_names_an_address_itself_needs_no_pin_but_the_same_permission() {
    let url: GitUrl = "https://8.8.8.8/a/b".parse().unwrap();
    let pin = Pin::check(&url, &["8.8.8.8".parse().unwrap()], false).unwrap();
    assert!(!texts(&list_refs(&url, None, &pin, None)).iter().any(|text| text.contains("curloptResolve")));
}

#[test]
fn the_caps_are_what_a_server_can_spare() {
    let caps = (CAPS.disk_bytes, CAPS.memory_bytes, CAPS.blob_bytes, CAPS.listing_bytes);
    assert_eq!(caps, (536_870_912, 2_147_483_648, 1_048_576, 8_388_608));
}
