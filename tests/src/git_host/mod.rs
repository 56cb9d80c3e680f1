//! A git host for tests and the demo: bare repositories below one folder, served by smart HTTP over TLS.
//!
//! Rule: it serves what `git http-backend` serves and misbehaves only where a URL asks for it (`/~trickle/repo.git`).
//! Neighbours: `certificates` (the test CA), `tls` (accepting), `backend` (CGI), `manners` (misbehaving), `publish` (commits).

mod backend;
mod certificates;
mod manners;
mod publish;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;

pub use publish::{Published, publish_blob, publish_folder, publish_many};

use manners::Manners;

/// What can go wrong while the host starts or a repository is published.
#[derive(Debug, thiserror::Error)]
pub enum GitHostError {
    /// A file or socket could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system answered.
        source: std::io::Error,
    },
    /// The address is not loopback and not on a private network.
    #[error("{0} could be reached by strangers: listen on loopback or on one of the lab's bridges")]
    Exposed(IpAddr),
    /// The test CA or the host's certificate could not be made.
    #[error("making the test certificate: {0}")]
    Certificate(String),
    /// A git command failed.
    #[error("git {command}: {stderr}")]
    Git {
        /// The subcommand.
        command: String,
        /// What git said.
        stderr: String,
    },
}

impl GitHostError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Who may read.
#[derive(Debug, Clone)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever sends this token, as a bearer token or as the password of any user.
    Token(Arc<SecretString>),
}

/// Where the host listens and what it serves.
#[derive(Debug)]
pub struct Options {
    /// The folder with `name.git` repositories; the test CA is kept beside them in `ca.pem` and `ca.key`.
    pub root: PathBuf,
    /// The address to listen on; port 0 takes a free one. Only loopback and the lab's own bridges make sense.
    pub listen: SocketAddr,
    /// Who may read.
    pub access: Access,
}

/// A running host; dropping it stops it.
#[derive(Debug)]
pub struct GitHost {
    address: SocketAddr,
    ca: PathBuf,
    server: JoinHandle<()>,
}

impl GitHost {
    /// Binds, makes certificates where needed, and serves until dropped.
    pub async fn start(options: Options) -> Result<Self, GitHostError> {
        refuse_exposed(options.listen.ip())?;
        std::fs::create_dir_all(&options.root)
            .map_err(GitHostError::io("making the repositories' folder"))?;
        let ca = options.root.join("ca.pem");
        let config = certificates::server_config(&options.root, options.listen.ip())?;
        let listener = tls::TlsListener::bind(options.listen, config)
            .await
            .map_err(GitHostError::io(format!("listening on {}", options.listen)))?;
        let address = listener.address();
        let host = Arc::new(Host { root: options.root, access: options.access });
        let app = Router::new().fallback(answer).with_state(host);
        let server = tokio::task::spawn(async move {
            // Serving ends only with the task; there is nobody to tell.
            let _ended = axum::serve(listener, app).await;
        });
        Ok(Self { address, ca, server })
    }

    /// The address it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority that clients must trust.
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// The clone URL of a repository, for example of `corkboard.git`.
    pub fn url(&self, repository: &str) -> String {
        let host = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => "localhost".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        format!("https://{host}:{}/{repository}", self.address.port())
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn refuse_exposed(ip: IpAddr) -> Result<(), GitHostError> {
    let sheltered = match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    if sheltered { Ok(()) } else { Err(GitHostError::Exposed(ip)) }
}

struct Host {
    root: PathBuf,
    access: Access,
}

async fn answer(State(host): State<Arc<Host>>, request: Request) -> Response {
    if !host.admits(request.headers()) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")];
        return (StatusCode::UNAUTHORIZED, challenge, "a token is needed\n").into_response();
    }
    let (manners, path) = Manners::of(request.uri().path());
    let path = path.to_owned();
    match manners.before() {
        Some(instead) => instead.await,
        None => manners.after(backend::run(&host.root, &path, request).await),
    }
}

impl Host {
    fn admits(&self, headers: &HeaderMap) -> bool {
        match &self.access {
            Access::Public => true,
            Access::Token(token) => sent_token(headers).is_some_and(|sent| sent == token.expose_secret()),
        }
    }
}

/// The token a client sent: `Bearer TOKEN`, or the password of `Basic`, as the forges take it.
fn sent_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = value.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Output;

    use tempfile::TempDir;
    use tokio::process::Command;

    use super::*;

    #[tokio::test]
    async fn a_published_folder_can_be_cloned_by_who_trusts_the_test_ca() {
        let lab = Lab::start(Access::Public).await;
        let first = lab.publish("hello");
        assert!(first.changed);
        assert!(!lab.publish("hello").changed, "publishing the same files makes no commit");

        let clone =
            lab.git(&["clone", "--depth=1", "--filter=blob:none", &lab.host.url("app.git"), "clone"]).await;
        assert!(clone.status.success(), "{clone:?}");
        assert_eq!(std::fs::read_to_string(lab.place.path().join("clone/file")).unwrap(), "hello");
    }

    #[tokio::test]
    async fn any_commit_can_be_fetched_by_its_hash() {
        let lab = Lab::start(Access::Public).await;
        let first = lab.publish("one");
        lab.publish("two");
        lab.git(&["init", "bare"]).await;
        let fetch =
            lab.git(&["-C", "bare", "fetch", "--depth=1", &lab.host.url("app.git"), &first.commit]).await;
        assert!(fetch.status.success(), "{fetch:?}");
    }

    #[tokio::test]
    async fn a_host_with_a_token_admits_only_who_sends_it() {
        let lab = Lab::start(Access::Token(Arc::new("t0ken".to_owned().into()))).await;
        lab.publish("hello");
        let url = lab.host.url("app.git");
        assert!(!lab.git(&["ls-remote", &url]).await.status.success());
        let header = "http.extraHeader=Authorization: Bearer t0ken";
        assert!(lab.git(&["-c", header, "ls-remote", &url]).await.status.success());
        let with_password = url.replace("https://", "https://anybody:t0ken@");
        assert!(lab.git(&["ls-remote", &with_password]).await.status.success());
    }

    #[tokio::test]
    async fn a_client_sees_bad_manners_only_where_the_url_asks_for_them() {
        let lab = Lab::start(Access::Public).await;
        lab.publish("hello");
        for manners in ["garbage", "truncate", "redirect"] {
            let url = lab.host.url(&format!("~{manners}/app.git"));
            assert!(
                !lab.git(&["-c", "http.followRedirects=false", "ls-remote", &url]).await.status.success(),
                "{manners}"
            );
        }
        assert!(lab.git(&["ls-remote", &lab.host.url("app.git")]).await.status.success());
    }

    #[tokio::test]
    async fn an_address_that_strangers_could_reach_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let listen = "0.0.0.0:0".parse().unwrap();
        let options = Options { root: root.path().into(), listen, access: Access::Public };
        assert!(matches!(GitHost::start(options).await, Err(GitHostError::Exposed(_))));
    }

    struct Lab {
        place: TempDir,
        host: GitHost,
    }

    impl Lab {
        async fn start(access: Access) -> Self {
            let place = tempfile::tempdir().unwrap();
            let listen = "127.0.0.1:0".parse().unwrap();
            let host =
                GitHost::start(Options { root: place.path().join("repos"), listen, access }).await.unwrap();
            Self { place, host }
        }

        fn publish(&self, content: &str) -> Published {
            let folder = self.place.path().join("source");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("file"), content).unwrap();
            publish_folder(&self.place.path().join("repos/app.git"), "main", &folder, "Test").unwrap()
        }

        async fn git(&self, arguments: &[&str]) -> Output {
            let mut command = Command::new("git");
            command.args(arguments).current_dir(self.place.path()).envs(publish::safe_settings());
            command.env("GIT_SSL_CAINFO", self.host.ca()).env("HOME", self.place.path());
            command.output().await.unwrap()
        }
    }
}
