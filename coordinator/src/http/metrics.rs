//! Counters that anybody may read: how many, never whose.

use std::sync::atomic::{AtomicU64, Ordering};

/// Process-wide counters.
#[derive(Debug, Default)]
pub struct Metrics {
    succeeded: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    streams: AtomicU64,
    reached: [AtomicU64; Reached::ALL.len()],
    surplus: AtomicU64,
    late: AtomicU64,
}

/// How far a connection to the agents' port came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// TCP.
    Accepted,
    /// Its TLS began with a name of ours.
    Named,
    /// It was its turn.
    Turn,
    /// Both sides have proved who they are.
    Secured,
    /// The hello was heard, and the connection is an agent's.
    Welcomed,
}

impl Reached {
    /// In their order.
    const ALL: [Self; 5] = [Self::Accepted, Self::Named, Self::Turn, Self::Secured, Self::Welcomed];

    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Named => "named",
            Self::Turn => "turn",
            Self::Secured => "secured",
            Self::Welcomed => "welcomed",
        }
    }
}

impl Metrics {
    /// Counts an answer by its status.
    pub fn answered(&self, status: u16) {
        let counter = match status {
            0..400 => &self.succeeded,
            400..500 => &self.refused,
            500.. => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// An event stream began.
    pub fn stream_opened(&self) {
        self.streams.fetch_add(1, Ordering::Relaxed);
    }

    /// An event stream ended.
    pub fn stream_closed(&self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection to the agents' port came so far.
    pub fn reached(&self, stage: Reached) {
        if let Some(counter) = self.reached.get(stage as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection to the agents' port was sent away unheard: too many came at once.
    pub fn surplus(&self) {
        self.surplus.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection to the agents' port did not pass a stage of its handshake in time.
    pub fn late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// OpenMetrics text; `agents` are connected now.
    pub fn render(&self, agents: usize) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let reached: Vec<String> = Reached::ALL
            .iter()
            .zip(&self.reached)
            .map(|(stage, counter)| {
                format!("hydron_agent_openings_total{{reached=\"{}\"}} {}\n", stage.name(), get(counter))
            })
            .collect();
        let reached = reached.concat();
        format!(
            "# TYPE hydron_http_requests counter\n\
             hydron_http_requests_total{{outcome=\"succeeded\"}} {}\n\
             hydron_http_requests_total{{outcome=\"refused\"}} {}\n\
             hydron_http_requests_total{{outcome=\"failed\"}} {}\n\
             # TYPE hydron_event_streams gauge\n\
             hydron_event_streams {}\n\
             # TYPE hydron_agents gauge\n\
             hydron_agents {agents}\n\
             # TYPE hydron_agent_openings counter\n\
             {reached}\
             # TYPE hydron_agent_openings_lost counter\n\
             hydron_agent_openings_lost_total{{why=\"surplus\"}} {}\n\
             hydron_agent_openings_lost_total{{why=\"late\"}} {}\n\
             # TYPE hydron_build info\n\
             hydron_build_info{{version=\"{}\"}} 1\n\
             # EOF\n",
            get(&self.succeeded),
            get(&self.refused),
            get(&self.failed),
            get(&self.streams),
            get(&self.surplus),
            get(&self.late),
            env!("CARGO_PKG_VERSION"),
        )
    }
}
