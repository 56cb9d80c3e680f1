//! An edge state as nginx configuration. Pure, golden-tested.
//!
//! Rule: upstreams are addresses, never names (an unresolvable name keeps nginx from starting); every directive here
//! answers a measured failure: default-server handshakes, buffered event streams, idle WebSockets, large uploads, and the
//! 1,024 open files of a unit of systemd, fewer than the connections.

use std::fmt::Write as _;
use std::net::SocketAddrV4;

use hydron_proto::ids::ServiceId;

use super::version::NginxVersion;
use crate::edge::state::{EdgeState, Site, SitePath};
use crate::edge::{EdgePaths, FileSet};

/// What rendering depends on besides the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RenderSettings {
    /// Directives differ by version.
    pub(super) version: NginxVersion,
    /// User and group of the workers; none when the master is not root.
    pub(super) worker: Option<(String, String)>,
    /// Listen on IPv6 too.
    pub(super) ipv6: bool,
    /// Control socket, logs and so on.
    pub(super) paths: EdgePaths,
}

/// All files of a generation.
pub(super) fn render(settings: &RenderSettings, state: &EdgeState) -> FileSet {
    let mut files = FileSet::new();
    files.insert("nginx.conf".to_owned(), main_file(settings, state));
    for (name, site) in &state.sites {
        files.insert(format!("sites/{name}.conf"), site_file(settings, state, site));
    }
    files
}

/// The part that does not depend on sites.
fn main_file(settings: &RenderSettings, state: &EdgeState) -> String {
    let paths = &settings.paths;
    let prefix = paths.prefix().display();
    let user =
        settings.worker.as_ref().map_or_else(String::new, |(user, group)| format!("user {user} {group};\n"));
    let http = listen(settings, state.http_port, " default_server");
    let https = listen(settings, state.https_port, &format!("{} default_server", tls_flag(settings)));
    let http2 = http2_directive(settings);
    let sites = if state.sites.is_empty() { "" } else { "    include sites/*.conf;\n" };
    format!(
        r#"# Written by Hydron, generation {generation}. Changes made here are lost; the routes belong to the plan.
{user}worker_processes auto;
worker_shutdown_timeout 1h;
worker_rlimit_nofile 16384;
pid {pid};
error_log {error_log} warn;
events {{
    worker_connections 4096;
}}
http {{
    default_type application/octet-stream;
    server_tokens off;
    server_names_hash_bucket_size 256;
    server_names_hash_max_size 8192;
    map_hash_bucket_size 256;
    variables_hash_max_size 2048;
    proxy_headers_hash_max_size 1024;
    proxy_headers_hash_bucket_size 128;
    client_body_temp_path {prefix}/tmp/body;
    proxy_temp_path {prefix}/tmp/proxy;
    fastcgi_temp_path {prefix}/tmp/fastcgi;
    uwsgi_temp_path {prefix}/tmp/uwsgi;
    scgi_temp_path {prefix}/tmp/scgi;
    map $http_upgrade $hydron_connection {{ default upgrade; '' ''; }}
    map $http_x_hydron_probe $hydron_answered_by {{ default ''; '{token}' $upstream_addr; }}
    log_format hydron escape=json '{{"time":"$time_iso8601","host":"$host","client":"$remote_addr","method":"$request_method","path":"$uri","status":$status,"bytes":$bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr","upstream_status":"$upstream_status","upstream_seconds":"$upstream_response_time","id":"$request_id"}}';
    access_log {access_log} hydron;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers off;
    ssl_session_cache shared:hydron:10m;
    ssl_session_timeout 1d;
    ssl_session_tickets off;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    server {{
        listen unix:{control};
        access_log off;
        location = /generation {{ return 200 "{generation}"; }}
        location / {{ return 404; }}
    }}
    server {{
{http}        server_name _;
        access_log off;
        location / {{ return 404; }}
    }}
    server {{
{https}{http2}        server_name _;
        access_log off;
        ssl_reject_handshake on;
    }}
{sites}}}
"#,
        generation = state.generation,
        pid = paths.pid().display(),
        error_log = paths.error_log().display(),
        access_log = paths.access_log().display(),
        control = paths.control_socket().display(),
        token = state.probe_token,
    )
}

fn site_file(settings: &RenderSettings, state: &EdgeState, site: &Site) -> String {
    let hosts = site.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (service, address) in served(state, site) {
        push(&mut out, &upstream_block(service, address));
    }
    push(
        &mut out,
        &format!(
            "server {{\n{listen}    server_name {hosts};\n    location / {{ return 308 https://$host{port}$request_uri; }}\n}}\n",
            listen = outdent(&listen(settings, state.http_port, "")),
            port = port_suffix(state.https_port),
        ),
    );
    push(
        &mut out,
        &format!(
            "server {{\n{listen}{http2}    server_name {hosts};\n    ssl_certificate {chain};\n    ssl_certificate_key {key};\n    \
             client_max_body_size {body}m;\n    add_header X-Hydron-Answered-By $hydron_answered_by always;\n",
            listen = outdent(&listen(settings, state.https_port, tls_flag(settings))),
            http2 = outdent(http2_directive(settings)),
            chain = site.certificate.chain.display(),
            key = site.certificate.key.display(),
            body = site.max_body_mb,
        ),
    );
    for path in &site.paths {
        push(&mut out, &locations(state, path));
    }
    if !site.paths.iter().any(|path| path.prefix == "/") {
        push(&mut out, "    location / { return 404; }\n");
    }
    push(&mut out, UNAVAILABLE);
    out
}

/// Shown while nobody serves a path.
const UNAVAILABLE: &str = r#"    error_page 502 503 504 =503 @unavailable;
    location @unavailable {
        internal;
        default_type text/html;
        add_header Retry-After 5 always;
        add_header Cache-Control no-store always;
        return 503 "<!doctype html><title>Back in a moment</title><h1>Back in a moment</h1><p>This site is being started. Please try again in a few seconds.</p>";
    }
}
"#;

fn locations(state: &EdgeState, path: &SitePath) -> String {
    let body = if state.upstreams.contains_key(&path.service) {
        proxied(path)
    } else {
        "        return 503;\n".to_owned()
    };
    if path.prefix == "/" {
        return format!("    location / {{\n{body}    }}\n");
    }
    let prefix = &path.prefix;
    format!("    location = {prefix} {{\n{body}    }}\n    location ^~ {prefix}/ {{\n{body}    }}\n")
}

/// With its own body each: an `add_header` in a block hides those of the outer one, so there is none in here.
fn proxied(path: &SitePath) -> String {
    let buffering = if path.streaming { "off" } else { "on" };
    format!(
        "        proxy_pass http://{upstream};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection $hydron_connection;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Request-Id $request_id;
        proxy_set_header X-Hydron-Probe '';
        proxy_connect_timeout 5s;
        proxy_read_timeout 3600s;
        proxy_send_timeout 3600s;
        proxy_next_upstream error timeout;
        proxy_next_upstream_tries 2;
        proxy_buffering {buffering};
",
        upstream = upstream_name(path.service),
    )
}

/// Idle connections are kept for a second only: applications close theirs after two to five, and a request that meets
/// a closing connection is lost.
fn upstream_block(service: ServiceId, address: SocketAddrV4) -> String {
    let name = upstream_name(service);
    format!(
        "upstream {name} {{\n    server {address} max_fails=0;\n    keepalive 32;\n    keepalive_timeout 1s;\n}}\n"
    )
}

/// The same service may stand in several sites, so the name carries no more than the id; see [`served`].
fn upstream_name(service: ServiceId) -> String {
    service.to_string()
}

/// Services for which this site's file declares the upstream: those that no earlier site names.
fn served(state: &EdgeState, site: &Site) -> Vec<(ServiceId, SocketAddrV4)> {
    let earlier: Vec<&Site> = state.sites.values().take_while(|other| *other != site).collect();
    let mut services: Vec<ServiceId> = site.paths.iter().map(|path| path.service).collect();
    services.sort_unstable();
    services.dedup();
    services.retain(|service| !earlier.iter().any(|s| s.paths.iter().any(|path| path.service == *service)));
    services.into_iter().filter_map(|service| Some((service, *state.upstreams.get(&service)?))).collect()
}

fn listen(settings: &RenderSettings, port: u16, flags: &str) -> String {
    let mut out = format!("        listen {port}{flags};\n");
    if settings.ipv6 {
        push(&mut out, &format!("        listen [::]:{port}{flags};\n"));
    }
    out
}

/// nginx 1.25.1 made `http2` a directive and warns about the old flag.
fn tls_flag(settings: &RenderSettings) -> &'static str {
    if settings.version >= NginxVersion::HTTP2_DIRECTIVE { " ssl" } else { " ssl http2" }
}

fn http2_directive(settings: &RenderSettings) -> &'static str {
    if settings.version >= NginxVersion::HTTP2_DIRECTIVE { "        http2 on;\n" } else { "" }
}

fn port_suffix(port: u16) -> String {
    if port == 443 { String::new() } else { format!(":{port}") }
}

fn outdent(text: &str) -> String {
    text.split_inclusive('\n').map(|line| line.strip_prefix("    ").unwrap_or(line)).collect()
}

fn push(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = out.write_str(text);
}

/// Where the files of certificates may lie; anything else would need quoting.
pub(super) fn path_is_plain(path: &std::path::Path) -> bool {
    path.to_str().is_some_and(|text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'+' | b'@'))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use hydron_proto::plan::{Route, RoutePath};

    use super::*;
    use crate::edge::CertificatePaths;
    use crate::root::Root;

    fn settings(version: NginxVersion) -> RenderSettings {
        RenderSettings {
            version,
            worker: Some(("www-data".into(), "www-data".into())),
            ipv6: false,
            paths: EdgePaths::of(&Root::new("/")),
        }
    }

    fn state() -> EdgeState {
        let web = ServiceId::new(1, [1; 10]);
        let api = ServiceId::new(2, [2; 10]);
        let mut state = EdgeState::empty(80, 443, "0123abcd".into());
        state.generation = 42;
        let route = Route {
            site: "corkboard".parse().unwrap(),
            hosts: vec!["corkboard-1.localhost".parse().unwrap()],
            paths: vec![
                RoutePath { prefix: "/".into(), service: web, streaming: false },
                RoutePath { prefix: "/api".into(), service: api, streaming: true },
            ],
            max_body_mb: 100,
        };
        let certificate = CertificatePaths {
            chain: PathBuf::from("/var/lib/hydron/certs/corkboard/1/fullchain.pem"),
            key: PathBuf::from("/var/lib/hydron/certs/corkboard/1/privkey.pem"),
        };
        state.set_site(&route, certificate).unwrap();
        state.set_upstream(api, Some("10.201.0.3:8000".parse().unwrap()));
        state
    }

    #[test]
    fn the_main_file_of_nginx_1_22() {
        insta::assert_snapshot!(main_file(&settings(NginxVersion::new(1, 22, 1)), &state()));
    }

    #[test]
    fn a_site_with_a_served_and_an_unserved_path() {
        let files = render(&settings(NginxVersion::new(1, 22, 1)), &state());
        insta::assert_snapshot!(files["sites/corkboard.conf"]);
    }

    #[test]
    fn newer_versions_get_http2_as_a_directive_and_other_ports_stand_in_redirects() {
        let mut state = state();
        state.https_port = 8443;
        let files = render(&settings(NginxVersion::new(1, 28, 0)), &state);
        assert!(files["sites/corkboard.conf"].contains("listen 8443 ssl;\n    http2 on;\n"));
        assert!(files["sites/corkboard.conf"].contains("308 https://$host:8443$request_uri"));
        assert!(!files["nginx.conf"].contains("ssl http2"));
    }

    #[test]
    fn a_service_of_two_sites_has_one_upstream() {
        let mut state = state();
        let site = state.sites.values().next().unwrap().clone();
        state
            .sites
            .insert("second".parse().unwrap(), Site { hosts: vec!["b.localhost".parse().unwrap()], ..site });
        let files = render(&settings(NginxVersion::new(1, 22, 1)), &state);
        let all: String = files.values().cloned().collect();
        assert_eq!(all.matches("upstream svc_").count(), 1);
    }
}
