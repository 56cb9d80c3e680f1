//! Server-sent events that resume: an id a row, `Last-Event-ID` to go on, rows as the truth, wakeups as hints.
//!
//! Rule: a stream holds at most one batch; a slow reader slows only its own stream. A client that was away misses
//! nothing; one whose rights ended is cut off at once (or, if the hint was lost, at the next check).

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use hydron_store::{Topic, Wake};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

use super::extract::authenticate;
use super::problem::Problem;
use crate::app::AppState;
use crate::services::principal::Principal;

/// Proxies drop connections that are silent for longer.
const PING: Duration = Duration::from_secs(15);
/// A wakeup may be lost; the rows are read this often anyway.
const READ_ANYWAY: Duration = Duration::from_secs(5);
/// How often the reader's rights are checked again.
const CHECK_AGAIN: Duration = Duration::from_secs(30);
/// Messages on their way to one client: a piece of output has 32 KiB, and somebody who does not read shall not cost more
/// than a few of them.
const BUFFER: usize = 4;

/// One message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to go on after it; none for a message that is not a row (what a step is doing right now).
    pub id: Option<i64>,
    /// The event's name; none for plain messages.
    pub event: Option<String>,
    /// One line of JSON.
    pub data: String,
}

/// Reads what comes after a cursor. Called again after every wakeup that [`Source::wakes`] accepts.
pub trait Source: Send + 'static {
    /// The next messages after `cursor`, oldest first; empty when there are none now.
    fn after(&mut self, cursor: i64) -> impl Future<Output = Result<Vec<Message>, Problem>> + Send;

    /// Whether a wakeup is about these rows.
    fn wakes(&self, wake: &Wake) -> bool;

    /// A message straight from a wakeup, when its topic carries no rows.
    fn of_wake(&mut self, _wake: &Wake) -> Option<Message> {
        None
    }

    /// Whether nothing will ever come after what was read: the stream ends.
    fn is_over(&self) -> bool {
        false
    }
}

/// Where a client wants to go on: the header that browsers send by themselves, or `None` for the beginning.
pub fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    match headers.get("last-event-id") {
        None => Ok(None),
        Some(value) => {
            let id = value.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|id| *id >= 0);
            id.map(Some)
                .ok_or_else(|| Problem::invalid_field("Last-Event-ID", "must be the id of an earlier event"))
        }
    }
}

/// Streams `source` from `cursor` on, as long as `headers` authenticate the same principal.
pub fn stream(
    app: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
    cursor: i64,
    source: impl Source,
) -> Response {
    let (sender, receiver) = mpsc::channel(BUFFER);
    let reader = Reader {
        wakeups: app.store.wakeups(),
        app: app.clone(),
        principal: principal.clone(),
        headers: headers.clone(),
        sender,
    };
    tokio::spawn(reader.run(cursor, source));
    let messages = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let message: Message = receiver.recv().await?;
        Some((Ok::<_, Infallible>(to_event(message)), receiver))
    });
    let mut response = Sse::new(messages).keep_alive(KeepAlive::new().interval(PING)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold the stream back until its buffer is full.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// What a stream does next.
enum Next {
    Read,
    Check,
    End,
}

struct Reader {
    wakeups: broadcast::Receiver<Wake>,
    app: AppState,
    principal: Principal,
    headers: HeaderMap,
    sender: mpsc::Sender<Message>,
}

impl Reader {
    async fn run(mut self, cursor: i64, source: impl Source) {
        self.app.metrics.stream_opened();
        self.pump(cursor, source).await;
        self.app.metrics.stream_closed();
    }

    async fn pump(&mut self, mut cursor: i64, mut source: impl Source) {
        let mut check_at = Instant::now() + CHECK_AGAIN;
        loop {
            let batch = match source.after(cursor).await {
                Ok(batch) => batch,
                Err(problem) => {
                    self.refuse(&problem).await;
                    return;
                }
            };
            let idle = batch.is_empty();
            for message in batch {
                cursor = message.id.unwrap_or(cursor);
                if self.sender.send(message).await.is_err() {
                    return;
                }
            }
            let mut rights_ended = false;
            if idle {
                if source.is_over() {
                    return;
                }
                match self.wait(&mut source).await {
                    Next::Read => {}
                    Next::Check => rights_ended = true,
                    Next::End => return,
                }
            }
            if rights_ended || Instant::now() >= check_at {
                if let Err(problem) = self.check().await {
                    self.refuse(&problem).await;
                    return;
                }
                check_at = Instant::now() + CHECK_AGAIN;
            }
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, source: &mut impl Source) -> Next {
        let rights = Wake::new(Topic::Rights, self.principal.team);
        let deadline = Instant::now() + READ_ANYWAY;
        loop {
            let wake = tokio::select! {
                () = self.sender.closed() => return Next::End,
                () = self.app.stopping.cancelled() => return Next::End,
                () = tokio::time::sleep_until(deadline) => return Next::Read,
                wake = self.wakeups.recv() => wake,
            };
            match wake {
                Ok(wake) => {
                    if let Some(message) = source.of_wake(&wake)
                        && self.sender.send(message).await.is_err()
                    {
                        return Next::End;
                    }
                    if wake == rights {
                        return Next::Check;
                    }
                    if source.wakes(&wake) {
                        return Next::Read;
                    }
                }
                Err(RecvError::Lagged(_)) => return Next::Check,
                Err(RecvError::Closed) => return Next::End,
            }
        }
    }

    /// Whether the credential still stands for the same principal with the same rights.
    async fn check(&self) -> Result<(), Problem> {
        let now = authenticate(&self.app, &axum::http::Method::GET, &self.headers).await?;
        let same = now.team == self.principal.team && now.role == self.principal.role;
        if same { Ok(()) } else { Err(Problem::forbidden("Your rights have changed. Connect again.")) }
    }

    /// Tells the client why, as the stream's last message.
    async fn refuse(&self, problem: &Problem) {
        let data = serde_json::json!({ "code": problem.code, "detail": problem.detail }).to_string();
        let _ = self.sender.send(Message { id: None, event: Some("problem".to_owned()), data }).await;
    }
}

fn to_event(message: Message) -> Event {
    let mut event = Event::default().data(message.data);
    if let Some(id) = message.id {
        event = event.id(id.to_string());
    }
    if let Some(name) = message.event {
        event = event.event(name);
    }
    event
}
