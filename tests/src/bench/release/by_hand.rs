//! The peers of a release: what somebody writes who deploys by hand, on the same engine and behind an nginx of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::{IMAGE, PORT};

const COMPOSE: &str = "/usr/bin/docker-compose";
const BUSYBOX: &str = "/bin/busybox";
/// Published ports of the two services, and ports of the nginx in front of them.
const PUBLISHED: [u16; 2] = [18_181, 18_182];
const SITES: [u16; 2] = [18_281, 18_282];
const PATIENCE: Duration = Duration::from_secs(30);

/// By which tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `docker-compose up -d`.
    Compose,
    /// `docker rm --force` and `docker run`.
    Client,
}

/// An engine with the image, and an nginx in front of both services.
pub(super) struct ByHand {
    place: PathBuf,
    compose: bool,
}

impl ByHand {
    /// Makes the image and starts nginx; none where the tools are absent.
    pub(super) async fn prepare(place: &Path) -> anyhow::Result<Option<Self>> {
        if !Path::new(BUSYBOX).exists() || !done("docker", &["version"]).await? {
            return Ok(None);
        }
        let root = place.join("image");
        std::fs::create_dir_all(root.join("bin"))?;
        std::fs::create_dir_all(root.join("www"))?;
        std::fs::copy(BUSYBOX, root.join("bin/busybox"))?;
        std::fs::write(root.join("www/index.html"), "it works\n")?;
        // As the first process of a container it would not hear TERM.
        let dockerfile = format!(
            "FROM scratch\nCOPY . /\nSTOPSIGNAL SIGKILL\nCMD [\"/bin/busybox\",\"httpd\",\"-f\",\"-p\",\"{PORT}\",\"-h\",\"/www\"]\n"
        );
        std::fs::write(root.join("Dockerfile"), dockerfile)?;
        must("docker", &["build", "--quiet", "--tag", IMAGE, text(&root)?]).await?;
        let by_hand = Self { place: place.to_owned(), compose: Path::new(COMPOSE).exists() };
        std::fs::write(place.join("nginx.conf"), by_hand.nginx_conf())?;
        must("nginx", &["-c", text(&place.join("nginx.conf"))?]).await?;
        for way in [Way::Compose, Way::Client] {
            if way == Way::Client || by_hand.compose {
                by_hand.swap(way, "0").await.context("the first time")?;
            }
        }
        Ok(Some(by_hand))
    }

    /// Whether there is a docker-compose.
    pub(super) fn has_compose(&self) -> bool {
        self.compose
    }

    /// Replaces the container by one with another variable; until the site answers.
    pub(super) async fn swap(&self, way: Way, version: &str) -> anyhow::Result<Duration> {
        let began = Instant::now();
        match way {
            Way::Compose => {
                let file = self.place.join("docker-compose.yml");
                std::fs::write(&file, compose_file(version))?;
                must(COMPOSE, &["--project-name", "hydronbench", "--file", text(&file)?, "up", "-d"]).await?;
            }
            Way::Client => {
                let (publish, variable) =
                    (format!("127.0.0.1:{}:{PORT}", way.published()), format!("VERSION={version}"));
                let _first_time = done("docker", &["rm", "--force", "hydron-bench-client"]).await?;
                let run = ["run", "--detach", "--name", "hydron-bench-client", "--publish", &publish];
                must("docker", &[run.as_slice(), &["--env", &variable, IMAGE]].concat()).await?;
            }
        }
        must("nginx", &["-c", text(&self.place.join("nginx.conf"))?, "-s", "reload"]).await?;
        while !answers(way.site()).await {
            anyhow::ensure!(began.elapsed() < PATIENCE, "the site of {way:?} does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(began.elapsed())
    }

    /// Removes what was made.
    pub(super) async fn remove(self) -> anyhow::Result<()> {
        must("nginx", &["-c", text(&self.place.join("nginx.conf"))?, "-s", "stop"]).await?;
        if self.compose {
            let file = self.place.join("docker-compose.yml");
            must(COMPOSE, &["--project-name", "hydronbench", "--file", text(&file)?, "down"]).await?;
        }
        must("docker", &["rm", "--force", "hydron-bench-client"]).await
    }

    fn nginx_conf(&self) -> String {
        let server = |way: Way| {
            format!(
                "server {{ listen 127.0.0.1:{}; location / {{ proxy_pass http://127.0.0.1:{}; }} }}\n",
                way.site(),
                way.published()
            )
        };
        let place = self.place.display();
        format!(
            "pid {place}/nginx.pid;\nerror_log {place}/nginx.log;\nevents {{}}\nhttp {{\naccess_log off;\n{}{}}}\n",
            server(Way::Compose),
            server(Way::Client)
        )
    }
}

impl Way {
    fn published(self) -> u16 {
        let [compose, client] = PUBLISHED;
        if self == Self::Compose { compose } else { client }
    }

    fn site(self) -> u16 {
        let [compose, client] = SITES;
        if self == Self::Compose { compose } else { client }
    }
}

fn compose_file(version: &str) -> String {
    let published = Way::Compose.published();
    format!(
        "version: \"3\"\nservices:\n  app:\n    image: {IMAGE}\n    environment:\n      VERSION: \"{version}\"\n    \
         ports:\n      - \"127.0.0.1:{published}:{PORT}\"\n"
    )
}

async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET / HTTP/1.0\r\nHost: bench.localhost\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}

async fn done(program: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.status().await.with_context(|| format!("start {program}"))?.success())
}

async fn must(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is text")
}
