//! Runs `git http-backend` for one request: CGI in, HTTP out.
//!
//! Rule: bodies are streamed both ways; the child dies with its request. Reading only: pushing is never offered.

use std::path::Path;
use std::process::Stdio;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_util::io::ReaderStream;

use super::publish::safe_settings;

/// Answers one request for `path` below `root`.
pub(super) async fn run(root: &Path, path: &str, request: Request) -> Response {
    match spawn(root, path, &request) {
        Ok((child, stdin, stdout)) => {
            tokio::task::spawn(feed(stdin, request.into_body()));
            reply(child, BufReader::new(stdout)).await
        }
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("git http-backend: {error}\n")).into_response()
        }
    }
}

fn spawn(root: &Path, path: &str, request: &Request) -> std::io::Result<(Child, ChildStdin, ChildStdout)> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(safe_settings())
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", path)
        .env("QUERY_STRING", request.uri().query().unwrap_or(""))
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let length = header("content-length");
    if !length.is_empty() {
        command.env("CONTENT_LENGTH", length);
    }
    let mut child = command.spawn()?;
    let missing = || std::io::Error::other("no pipe to the child");
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    Ok((child, stdin, stdout))
}

async fn feed(mut stdin: ChildStdin, body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        // A child that has read enough closes its end.
        if stdin.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

/// Headers up to the empty line, `Status:` among them; the rest is the body.
async fn reply(child: Child, mut stdout: BufReader<ChildStdout>) -> Response {
    let mut response = Response::new(Body::empty());
    let mut line = String::new();
    loop {
        line.clear();
        match stdout.read_line(&mut line).await {
            Ok(0) | Err(_) => {
                return (StatusCode::BAD_GATEWAY, "git http-backend gave no answer\n").into_response();
            }
            Ok(_) => {}
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("status") {
            *response.status_mut() = status(value);
        } else if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let bytes = ReaderStream::new(stdout).map_ok(move |bytes| {
        // The child lives as long as its output is wanted.
        let _alive = &child;
        bytes
    });
    *response.body_mut() = Body::from_stream(bytes);
    response
}

fn status(value: &str) -> StatusCode {
    value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(StatusCode::BAD_GATEWAY)
}
