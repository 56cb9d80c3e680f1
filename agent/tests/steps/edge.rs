//! The public side: ports in use, hosts taken, certificates, restarts of the proxy, large bodies, probes.

use std::time::SystemTime;

use hydron_agent::edge::{Authority, EdgePaths, ensure_running};
use hydron_proto::plan::{Action, Certificate, CertificateIssuer, Probe, Route, RoutePath, StepResult};

use crate::app::App;
use crate::client::{get, version};
use crate::world::{World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named_with_who_uses_it_and_nothing_changes() {
    let world = World::with_network().await;
    let app = App::new();
    let taken = std::net::TcpListener::bind(("0.0.0.0", world.config.https_port)).unwrap();
    let failure = world.publish(&[("/", app.service)]).await.unwrap_err();
    assert_eq!(failure.code, "PORT_IN_USE");
    let process = format!("(process {})", std::process::id());
    assert!(
        failure.message.contains(&world.config.https_port.to_string()) && failure.message.contains(&process)
    );
    drop(taken);
    world.publish(&[("/", app.service)]).await.unwrap();
    assert_eq!(get(&world, "/").await.unwrap().status, 503);
}

/// Both the check and the signal of a reload succeed here; only asking the proxy itself tells that nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_is_not_carried_out_is_noticed_and_the_old_routes_serve() {
    let mut world = World::with_network().await;
    let app = App::new();
    world.publish(&[("/", app.service)]).await.unwrap();
    let before = generation(&world);
    let taken = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let good = std::mem::replace(&mut world.config.https_port, taken.local_addr().unwrap().port());
    let failure = world.publish(&[("/", app.service), ("/other", app.service)]).await.unwrap_err();
    world.config.https_port = good;
    assert_eq!(failure.code, "PROXY_NOT_CONFIRMED", "{failure:?}");
    assert_eq!(generation(&world), before);
    assert_eq!(get(&world, "/").await.unwrap().status, 503, "nobody serves yet, and the proxy says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_needs_its_certificate_and_hosts_and_paths_of_its_own() {
    let world = World::new().await;
    let app = App::new();
    let route = |site: &str, prefix: &str| Route {
        site: site.parse().unwrap(),
        hosts: vec![world.host().parse().unwrap()],
        paths: vec![RoutePath { prefix: prefix.into(), service: app.service, streaming: false }],
        max_body_mb: 1,
    };
    let failure = world.apply(Action::Route(route("early", "/"))).await.unwrap_err();
    assert_eq!(failure.code, "CERTIFICATE_MISSING");
    world.publish(&[("/", app.service)]).await.unwrap();
    world
        .apply(Action::Certificate(Certificate {
            site: "other".parse().unwrap(),
            hosts: vec![world.host().parse().unwrap()],
            issuer: CertificateIssuer::ServerAuthority,
        }))
        .await
        .unwrap();
    assert_eq!(world.apply(Action::Route(route("other", "/"))).await.unwrap_err().code, "HOST_TAKEN");
    let evil = "/; } server { listen 1; }";
    assert_eq!(world.apply(Action::Route(route(&world.name, evil))).await.unwrap_err().code, "ROUTE_INVALID");
    assert_eq!(get(&world, "/").await.unwrap().status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_whose_master_was_killed_comes_back_with_the_recorded_routes() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let pid = std::fs::read_to_string(world.root.edge().join("run/nginx.pid")).unwrap();
    std::process::Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap();
    let name = format!("/proc/{}", pid.trim());
    eventually("the master is gone", async || {
        !std::fs::read_to_string(format!("{name}/cmdline")).is_ok_and(|c| !c.is_empty())
    })
    .await;
    assert_eq!(version(&world).await, "200 one", "workers without a master still serve");
    ensure_running(&world.root, &world.config, &world.spawner, SystemTime::now()).await.unwrap();
    assert_eq!(version(&world).await, "200 one");
    let new_pid = std::fs::read_to_string(world.root.edge().join("run/nginx.pid")).unwrap();
    assert_ne!(new_pid, pid);
    // A log that visitors made large is put aside, and the proxy writes a new one.
    let log = world.root.edge().join("logs/access.log");
    std::fs::File::options().append(true).open(&log).unwrap().set_len(65 << 20).unwrap();
    ensure_running(&world.root, &world.config, &world.spawner, SystemTime::now()).await.unwrap();
    assert_eq!(std::fs::metadata(log.with_extension("log.1")).unwrap().len(), 65 << 20);
    eventually("the new log has a line", async || {
        version(&world).await;
        std::fs::metadata(&log).is_ok_and(|data| data.len() > 0)
    })
    .await;
    let far = SystemTime::now() + std::time::Duration::from_hours(80 * 24);
    let before = generation(&world);
    ensure_running(&world.root, &world.config, &world.spawner, far).await.unwrap();
    assert_eq!(generation(&world), before + 1, "a certificate that is due is renewed and served");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_go_to_their_services_and_plain_http_is_redirected() {
    let world = World::with_network().await;
    App::build(&world).await;
    let (web, api) = (App::new(), App::new());
    world.apply(Action::Release(web.release(&world, &[("VERSION", "web")]))).await.unwrap();
    let mut api_release = api.release(&world, &[("VERSION", "api")]);
    api_release.name = "api".parse().unwrap();
    world.apply(Action::Release(api_release)).await.unwrap();
    let routed = world.publish(&[("/", web.service), ("/api", api.service)]).await.unwrap();
    let StepResult::Routed { url, .. } = routed.result else { panic!() };
    assert_eq!(url, format!("https://{}:{}/", world.host(), world.config.https_port));
    for (path, service) in [("/", "web"), ("/api", "api"), ("/api/x", "api"), ("/apix", "web")] {
        assert!(get(&world, path).await.unwrap().text().starts_with(service), "{path}");
    }
    let plain = std::net::SocketAddr::from(([127, 0, 0, 1], world.config.http_port));
    let within = std::time::Duration::from_secs(5);
    let answer = hydron_agent::edge::ask_tcp(plain, &world.host(), "/a?b", within).await.unwrap();
    assert_eq!(answer.status, 308);
    let answer = hydron_agent::edge::ask_tcp(plain, "stranger.example", "/", within).await.unwrap();
    assert_eq!(answer.status, 404);
    upload(&world, 3 << 20, "200").await;
    upload(&world, 21 << 20, "413").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_asks_as_a_visitor_does() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let probe = |status| Probe {
        host: world.host().parse().unwrap(),
        path: "/health?x=1".into(),
        status_from: status,
        status_to: status,
        tries: 2,
    };
    let applied = world.apply(Action::Probe(probe(200))).await.unwrap();
    assert!(matches!(applied.result, StepResult::Probed { status: 200, .. }));
    let failure = world.apply(Action::Probe(probe(204))).await.unwrap_err();
    assert_eq!(failure.code, "PROBE_FAILED");
    assert!(failure.message.contains("status 200"), "{}", failure.message);
    let stranger = Probe { host: "stranger.localhost".parse().unwrap(), ..probe(200) };
    assert_eq!(world.apply(Action::Probe(stranger)).await.unwrap_err().code, "PROBE_FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_kept_while_it_serves_and_its_key_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    let wanted = |hosts: &[&str]| {
        Action::Certificate(Certificate {
            site: "shop".parse().unwrap(),
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            issuer: CertificateIssuer::ServerAuthority,
        })
    };
    assert!(!world.apply(wanted(&["a.localhost"])).await.unwrap().already_done);
    assert!(world.apply(wanted(&["a.localhost"])).await.unwrap().already_done);
    assert!(!world.apply(wanted(&["a.localhost", "b.localhost"])).await.unwrap().already_done);
    let pem = std::fs::read_to_string(world.root.site_ca_pem()).unwrap();
    assert_eq!(Authority::open(&EdgePaths::of(&world.root), SystemTime::now()).unwrap().pem(), pem);
    let mode = std::fs::metadata(world.root.certs().join("ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// curl: the visitor with a body that does not fit into memory buffers.
async fn upload(world: &World, bytes: usize, status: &str) {
    let body = world.path().join("body");
    std::fs::write(&body, vec![b'x'; bytes]).unwrap();
    let url = format!("https://{}:{}/", world.host(), world.config.https_port);
    let resolve = format!("{}:{}:127.0.0.1", world.host(), world.config.https_port);
    let output = tokio::process::Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", &resolve, "--cacert"])
        .arg(world.root.site_ca_pem())
        .args(["--data-binary", &format!("@{}", body.display()), &url])
        .output()
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), status);
}

fn generation(world: &World) -> u64 {
    let link = std::fs::read_link(world.root.edge().join("current")).unwrap();
    link.file_name().unwrap().to_str().unwrap().parse().unwrap()
}
