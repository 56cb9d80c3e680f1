//! How the git host misbehaves when a URL asks for it: `/~silent/repo.git` and its like.
//!
//! Rule: each kind ends by itself, so that a test that forgets it does not leave work behind.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

/// The longest any misbehaviour lasts.
const PATIENCE: Duration = Duration::from_mins(10);
const DRIP: Duration = Duration::from_millis(500);

/// One way to treat a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// As a good host does.
    Good,
    /// Takes the request and says nothing.
    Silent,
    /// The right answer, a byte at a time.
    Trickle,
    /// The right answer's beginning, then nothing more and a broken connection.
    Truncate,
    /// An answer that never ends.
    Endless,
    /// A page of HTML where git was asked for.
    Garbage,
    /// Sends the client to an address inside the network.
    Redirect,
}

impl Manners {
    /// Splits `/~silent/repo.git/info/refs` into the manners and the path that git sees.
    pub(super) fn of(path: &str) -> (Self, &str) {
        let named = path.strip_prefix("/~").and_then(|rest| rest.split_once('/'));
        let Some((name, rest)) = named else { return (Self::Good, path) };
        let manners = match name {
            "silent" => Self::Silent,
            "trickle" => Self::Trickle,
            "truncate" => Self::Truncate,
            "endless" => Self::Endless,
            "garbage" => Self::Garbage,
            "redirect" => Self::Redirect,
            _unknown => return (Self::Good, path),
        };
        (manners, path.get(path.len() - rest.len() - 1..).unwrap_or(path))
    }

    /// The answer that is given instead of git's, if any.
    pub(super) fn before(self) -> Option<Pin<Box<dyn Future<Output = Response> + Send>>> {
        match self {
            Self::Silent => Some(Box::pin(async {
                tokio::time::sleep(PATIENCE).await;
                StatusCode::GATEWAY_TIMEOUT.into_response()
            })),
            Self::Endless => Some(Box::pin(async { endless() })),
            Self::Garbage => Some(Box::pin(async {
                ([(header::CONTENT_TYPE, "text/html")], "<!doctype html><p>Please sign in</p>\n")
                    .into_response()
            })),
            Self::Redirect => Some(Box::pin(async {
                let place = [(header::LOCATION, "http://169.254.169.254/latest/meta-data/")];
                (StatusCode::FOUND, place).into_response()
            })),
            Self::Good | Self::Trickle | Self::Truncate => None,
        }
    }

    /// Git's answer, spoilt where these manners say so.
    pub(super) fn after(self, response: Response) -> Response {
        match self {
            Self::Trickle => response.map(trickle),
            Self::Truncate => response.map(truncate),
            Self::Good | Self::Silent | Self::Endless | Self::Garbage | Self::Redirect => response,
        }
    }
}

/// An endless list of references: valid packet lines, one after the other, as fast as the client takes them.
fn endless() -> Response {
    let head = Bytes::from_static(b"001e# service=git-upload-pack\n0000");
    let line = Bytes::from_static(b"003f0123456789012345678901234567890123456789 refs/heads/endless\n");
    let ends = tokio::time::Instant::now() + PATIENCE;
    let lines = stream::once(async { head })
        .chain(stream::repeat(line))
        .take_while(move |_| std::future::ready(tokio::time::Instant::now() < ends));
    let kind = [(header::CONTENT_TYPE, "application/x-git-upload-pack-advertisement")];
    (kind, Body::from_stream(lines.map(Ok::<_, std::io::Error>))).into_response()
}

fn trickle(body: Body) -> Body {
    let drops = body
        .into_data_stream()
        .flat_map(|chunk| {
            let bytes: Vec<_> = match chunk {
                Ok(chunk) => chunk.iter().map(|byte| Ok(Bytes::copy_from_slice(&[*byte]))).collect(),
                Err(error) => vec![Err(error)],
            };
            stream::iter(bytes)
        })
        .then(|drop| async {
            tokio::time::sleep(DRIP).await;
            drop
        });
    Body::from_stream(drops.take_until(tokio::time::sleep(PATIENCE)))
}

fn truncate(body: Body) -> Body {
    let broken = stream::once(async { Err(axum::Error::new("the lab breaks off here")) });
    let head = body.into_data_stream().take(1).map(|chunk| chunk.map(|bytes| bytes.slice(..bytes.len() / 2)));
    Body::from_stream(head.chain(broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_manners_and_git_never_sees_them() {
        assert_eq!(Manners::of("/~silent/a.git/info/refs"), (Manners::Silent, "/a.git/info/refs"));
        assert_eq!(Manners::of("/a.git/info/refs"), (Manners::Good, "/a.git/info/refs"));
        assert_eq!(Manners::of("/~other/a.git"), (Manners::Good, "/~other/a.git"));
    }
}
