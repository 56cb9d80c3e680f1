//! One HTTPS POST of one protobuf message: enrollment and renewal, where there is no link yet.
//!
//! Rule: small answers only, one request a connection. Neighbours: `dial`, `join`, `renew`.

use std::io;
use std::time::Duration;

use prost::Message;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

const LONGEST: Duration = Duration::from_secs(30);
const MAX_ANSWER: usize = 1024 * 1024;

/// A request without a usable answer.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The connection broke.
    #[error("the coordinator did not answer")]
    Io(#[from] io::Error),
    /// It says no, with its reason.
    #[error("the coordinator refused: {detail} ({code})")]
    Refused {
        /// Stable code.
        code: String,
        /// For a person.
        detail: String,
    },
    /// It answered something else.
    #[error("the coordinator's answer makes no sense: {0}")]
    Nonsense(&'static str),
}

#[derive(Deserialize)]
struct Problem {
    code: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

/// Sends `request` to `path` and reads the answer.
pub async fn post<R: Message + Default>(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    (host, path): (&str, &str),
    request: &impl Message,
) -> Result<R, PostError> {
    let body = request.encode_to_vec();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let exchange = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.flush().await?;
        read_answer(&mut stream).await
    };
    let answer = timeout(LONGEST, exchange)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it took longer than 30 s"))??;
    let (status, body) = split(&answer)?;
    if status == 200 {
        return R::decode(body).map_err(|_| PostError::Nonsense("the message does not decode"));
    }
    Err(refusal(status, body))
}

/// Until the announced length is here, or the peer closes; a peer may forget TLS's own goodbye.
async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    while answer.len() < MAX_ANSWER && split(&answer).is_err() {
        match stream.read_buf(&mut answer).await {
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(answer)
}

fn split(answer: &[u8]) -> Result<(u16, &[u8]), PostError> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = end
        .and_then(|end| Some((answer.get(..end)?, answer.get(end + 4..)?)))
        .ok_or(PostError::Nonsense("no HTTP answer"))?;
    let head = String::from_utf8_lossy(head);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(PostError::Nonsense("no HTTP status"))?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    match length {
        Some(length) => Ok((status, body.get(..length).ok_or(PostError::Nonsense("it was cut short"))?)),
        None => Err(PostError::Nonsense("it has no length")),
    }
}

fn refusal(status: u16, body: &[u8]) -> PostError {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => PostError::Refused {
            code: problem.code.unwrap_or_else(|| status.to_string()),
            detail: problem.detail.or(problem.title).unwrap_or_else(|| "no reason given".to_owned()),
        },
        Err(_) => PostError::Refused { code: status.to_string(), detail: "no reason given".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydron_proto::wire::RenewReply;

    async fn exchange(answer: &'static [u8]) -> Result<RenewReply, PostError> {
        let (near, mut far) = tokio::io::duplex(4096);
        tokio::spawn(async move {
            let _ = far.read(&mut [0; 1024]).await;
            let _ = far.write_all(answer).await;
        });
        post(near, ("h", "/p"), &RenewReply::default()).await
    }

    #[tokio::test]
    async fn a_refusal_says_the_coordinators_own_reason() {
        let answer =
            b"HTTP/1.1 409 Conflict\r\ncontent-length: 40\r\n\r\n{\"code\":\"token_used\",\"detail\":\"used up\"}";
        match exchange(answer).await {
            Err(PostError::Refused { code, detail }) => {
                assert_eq!((code.as_str(), detail.as_str()), ("token_used", "used up"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn nonsense_is_an_error_and_not_a_panic() {
        for answer in [
            &b"hello\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx",
        ] {
            assert!(matches!(exchange(answer).await, Err(PostError::Nonsense(_))));
        }
    }
}
