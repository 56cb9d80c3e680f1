//! Counters that anybody may read: how many, never whose.

use std::sync::atomic::{AtomicU64, Ordering};

/// Process-wide counters.
#[derive(Debug, Default)]
pub struct Metrics {
    succeeded: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    streams: AtomicU64,
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

    /// OpenMetrics text.
    pub fn render(&self) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "# TYPE hydron_http_requests counter\n\
             hydron_http_requests_total{{outcome=\"succeeded\"}} {}\n\
             hydron_http_requests_total{{outcome=\"refused\"}} {}\n\
             hydron_http_requests_total{{outcome=\"failed\"}} {}\n\
             # TYPE hydron_event_streams gauge\n\
             hydron_event_streams {}\n\
             # TYPE hydron_build info\n\
             hydron_build_info{{version=\"{}\"}} 1\n\
             # EOF\n",
            get(&self.succeeded),
            get(&self.refused),
            get(&self.failed),
            get(&self.streams),
            env!("CARGO_PKG_VERSION"),
        )
    }
}
