//! What a server says of itself: its engine, its proxy, its policy, as they are and as they become.

use std::os::unix::fs::PermissionsExt as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use crate::world::{World, permit};

/// Answers every question for a version.
async fn engine(listener: UnixListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            assert!(String::from_utf8_lossy(&asked[..length]).contains("/version HTTP/1.1"));
            let body = r#"{"Version":"27.9.1","ApiVersion":"1.47"}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
    }
}

/// A server with an engine and a proxy that say which version they are.
fn equipped() -> World {
    let world = World::joined();
    let socket = world.path("docker.sock");
    tokio::spawn(engine(UnixListener::bind(&socket).unwrap()));
    let config =
        format!("[steps]\ndocker_socket = '{}'\nhttp_port = 8081\nhttps_port = 8444\n", socket.display());
    std::fs::write(world.root().agent_toml(), config).unwrap();
    std::fs::create_dir(world.path("bin")).unwrap();
    let nginx = world.path("bin/nginx");
    std::fs::write(&nginx, "#!/bin/sh\necho 'nginx version: nginx/1.99.1 (Ubuntu)' >&2\n").unwrap();
    std::fs::set_permissions(&nginx, std::fs::Permissions::from_mode(0o755)).unwrap();
    world
}

fn programs(world: &World) -> String {
    format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap())
}

#[tokio::test]
async fn a_server_says_which_engine_and_proxy_it_has_and_what_it_allows() {
    let mut world = equipped();
    world.policy("mode = 'observe'");
    world.start_executor_finding(&programs(&world));
    let facts = world.link().await.status().await.facts.unwrap();
    assert_eq!((facts.docker_version.as_str(), facts.proxy_version.as_str()), ("27.9.1", "1.99.1 (Ubuntu)"));
    assert_eq!((facts.http_port, facts.https_port), (8081, 8444));
    assert_eq!(facts.policy_mode, "observe");
    assert!(facts.site_ca_pem.starts_with("-----BEGIN CERTIFICATE-----"), "{}", facts.site_ca_pem);
}

#[tokio::test]
async fn what_a_run_has_changed_is_said_when_its_range_has_ended() {
    let mut world = World::running();
    let policy = world.root().policy_toml();
    let run = world.shell_run(&[&format!("echo \"mode = 'observe'\" > {}", policy.display())]);
    let mut link = world.link().await;
    assert_eq!(link.status().await.facts.unwrap().policy_mode, "manage");
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    while link.status().await.facts.unwrap().policy_mode != "observe" {}
}
