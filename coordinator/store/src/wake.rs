//! Wakeups: a hint that rows have changed, so that nobody polls. Between processes by PostgreSQL's NOTIFY.
//!
//! Rule: a wakeup carries no truth. Whoever gets one (or misses one: the channel is bounded) reads the rows.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgListener;
use tokio::sync::broadcast;

use crate::db::Db;

/// PostgreSQL's channel.
const CHANNEL: &str = "hydron_wake";
/// A listener that falls further behind is told so and reads the rows.
const BUFFER: usize = 1024;

/// Which kind of rows has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Events of a team; the key is the team's id.
    Events,
    /// Work for a job; the key is the job's name or its object's id.
    Work,
    /// Output of a step; the key is the run's id.
    Log,
    /// What a running step is doing right now; the key is the run's id.
    Doing,
    /// Somebody's rights ended; the key is the team's id. Streams check whom they talk to.
    Rights,
}

/// A hint that rows have changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wake {
    /// Which kind of rows.
    pub topic: Topic,
    /// Whose rows.
    pub key: String,
}

impl Wake {
    /// A hint about `key`.
    pub fn new(topic: Topic, key: impl fmt::Display) -> Self {
        Self { topic, key: key.to_string() }
    }
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Work => "work",
            Self::Log => "log",
            Self::Doing => "doing",
            Self::Rights => "rights",
        }
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.topic.name(), self.key)
    }
}

impl FromStr for Wake {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (topic, key) = text.split_once(':').ok_or(())?;
        let topic = [Topic::Events, Topic::Work, Topic::Log, Topic::Doing, Topic::Rights]
            .into_iter()
            .find(|known| known.name() == topic)
            .ok_or(())?;
        Ok(Self { topic, key: key.to_owned() })
    }
}

/// Sends to and hands out listeners of one process.
#[derive(Debug, Clone)]
pub(crate) struct Waker {
    sender: broadcast::Sender<Wake>,
}

impl Waker {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::channel(BUFFER).0 }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.sender.subscribe()
    }

    /// Wakes listeners of this process. Nobody listening is fine.
    pub(crate) fn wake(&self, wake: Wake) {
        let _ = self.sender.send(wake);
    }

    /// Wakes listeners everywhere, outside a transaction.
    pub(crate) async fn wake_all(&self, db: &Db, wakes: Vec<Wake>) {
        match db {
            Db::Sqlite { .. } => wakes.into_iter().for_each(|wake| self.wake(wake)),
            Db::Postgres(_) => {
                for wake in wakes {
                    if let Err(error) = notify(db, &wake).await {
                        tracing::warn!(%error, "a wakeup could not be sent to other coordinators");
                        self.wake(wake);
                    }
                }
            }
        }
    }

    /// Relays PostgreSQL's notifications to this process until the pool closes; reconnects by itself.
    pub(crate) async fn relay(&self, db: &Db) -> crate::Result<()> {
        let Db::Postgres(pool) = db else {
            return Ok(());
        };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        let sender = self.sender.clone();
        let relay = async move {
            loop {
                match listener.recv().await {
                    Ok(notification) => {
                        if let Ok(wake) = notification.payload().parse() {
                            let _ = sender.send(wake);
                        }
                    }
                    Err(sqlx::Error::PoolClosed) => break,
                    Err(error) => {
                        tracing::warn!(%error, "listening for wakeups failed; trying again in a second");
                        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    }
                }
            }
        };
        tokio::spawn(relay);
        Ok(())
    }
}

/// Says it to every process, this one too.
async fn notify(db: &Db, wake: &Wake) -> crate::Result<()> {
    db.q("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(wake.to_string()).exec().await.map(drop)
}

/// Adds notifications to a transaction of PostgreSQL: delivered with its commit, or never.
pub(crate) async fn notify_with(tx: &mut crate::db::Tx, wakes: &[Wake]) -> crate::Result<()> {
    if matches!(tx, crate::db::Tx::Postgres(_)) && !wakes.is_empty() {
        let say = tx.q("SELECT pg_notify(said.column1, said.column2) FROM (VALUES ");
        let say = say.rows(wakes, |row, wake| {
            row.bind(CHANNEL).bind(wake.to_string());
        });
        say.sql(") AS said").exec().await?;
    }
    Ok(())
}
