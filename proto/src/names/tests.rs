//! Each grammar accepts what people write and refuses what would become an option, a path out, or a shell word.

use super::*;

fn refused<T: std::str::FromStr>(texts: &[&str]) {
    for text in texts {
        assert!(text.parse::<T>().is_err(), "{text:?} must be refused");
    }
}

fn accepted<T: std::str::FromStr>(texts: &[&str]) {
    for text in texts {
        assert!(text.parse::<T>().is_ok(), "{text:?} must be accepted");
    }
}

#[test]
fn repository_urls_are_plain_https() {
    accepted::<GitUrl>(&[
        "https://example.org/owner/name",
        "https://example.org/owner/name.git",
        "https://127.0.0.1:8443/a/b-c_d.git",
        "https://[::1]:8443/x",
    ]);
    refused::<GitUrl>(&[
        "",
        "--upload-pack=touch x",
        "http://example.org/a/b",
        "ext::sh -c touch",
        "file:///etc/passwd",
        "ssh://-oProxyCommand=x/y",
        "git@example.org:a/b",
        "https://user:password@example.org/a/b",
        "https://example.org",
        "https://example.org/",
        "https://example.org/a b",
        "https://example.org/a/$(id)",
        "https://example.org/a/../b",
        "https://example.org/a?x=1",
        "https://example.org:0/a",
        "https://example.org:99999/a",
        "https://-x/a",
        "https://example.org/--upload-pack=x",
    ]);
    let url: GitUrl = "https://example.org:8443/owner/my-app.git".parse().unwrap();
    assert_eq!(url.host_and_port(), ("example.org", 8443));
    assert_eq!(url.repository_name(), "my-app");
}

#[test]
fn refs_cannot_be_options() {
    accepted::<GitRef>(&["main", "feature/x-1", "v1.2.3", "refs/heads/main", "dependabot/npm+x"]);
    refused::<GitRef>(&[
        "",
        "-b",
        "--upload-pack=x",
        "a..b",
        "a b",
        "x;id",
        "a/",
        ".a",
        "x.lock",
        "$(id)",
        "a\nb",
        "a`b`",
    ]);
}

#[test]
fn names_are_labels_and_paths_stay_inside() {
    accepted::<ServiceName>(&["api", "web-2", "a"]);
    refused::<ServiceName>(&["", "Api", "a_b", "-a", "a-", "a;id", "a b", "ä", &"a".repeat(41)]);
    accepted::<RelPath>(&["", "a", "a/b.c", "Dockerfile", "apps/web app"]);
    refused::<RelPath>(&["/a", "a//b", "../a", "a/..", "a/./b", "a\\b", "a\0", "a/"]);
    accepted::<AbsolutePath>(&["/data", "/var/lib/x"]);
    refused::<AbsolutePath>(&["", "/", "data", "/a/../b", "//a"]);
    accepted::<Hostname>(&["a.localhost", "my-app.example.org"]);
    refused::<Hostname>(&["", "A.example", "a..b", "a.b.", "1.2.3.4", "*.a", "a;b", "a b", "-a.b"]);
    accepted::<ImageRef>(&[
        "nginx",
        "postgres:15",
        "localhost:5000/a/b:1",
        &format!("x@sha256:{}", "a".repeat(64)),
    ]);
    refused::<ImageRef>(&["", "-x", "a b", "a;b", "x@sha256:zz", "a//b", "a:", "../x"]);
    accepted::<EnvName>(&["DATABASE_URL", "_x", "a1"]);
    refused::<EnvName>(&["", "1a", "A-B", "PATH", "LD_PRELOAD", "NODE_OPTIONS", "A=B", "A\nB"]);
    accepted::<CommitId>(&[&"a".repeat(40)]);
    refused::<CommitId>(&["HEAD", &"A".repeat(40), &"a".repeat(39)]);
}

#[test]
fn serde_goes_through_the_same_gate() {
    assert!(serde_json::from_str::<ServiceName>("\"a;id\"").is_err());
    let name: ServiceName = serde_json::from_str("\"api\"").unwrap();
    assert_eq!(serde_json::to_string(&name).unwrap(), "\"api\"");
}

#[test]
fn names_may_be_as_long_as_they_say() {
    accepted::<ServiceName>(&[&"a".repeat(40)]);
    accepted::<Hostname>(&[&format!("{}.org", "a".repeat(63))]);
    refused::<Hostname>(&[&format!("{}.org", "a".repeat(64))]);
}

#[test]
fn a_host_may_neither_begin_with_a_dash_nor_hold_anything_but_letters() {
    refused::<GitUrl>(&[
        "https://.x/a",
        "https:///a",
        "https://a_b/c",
        "https://[::1]x/a",
        "https://[::g]/a",
        "https://a:/b",
    ]);
    let at = |text: &str| {
        text.parse::<GitUrl>().map(|url| {
            let (host, port) = url.host_and_port();
            (host.to_owned(), port)
        })
    };
    assert_eq!(at("https://[2001:db8::1]/a").unwrap(), ("2001:db8::1".to_owned(), 443));
    assert_eq!(at("https://[2001:db8::1]:8443/a").unwrap(), ("2001:db8::1".to_owned(), 8443));
}

#[test]
fn only_the_empty_path_is_the_root_of_a_repository() {
    assert!(RelPath::root().is_root());
    assert!("".parse::<RelPath>().unwrap().is_root());
    assert!(!"app".parse::<RelPath>().unwrap().is_root());
}
