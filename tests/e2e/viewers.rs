//! Many people watch the output of one run: all see all of it once, whoever stops reading harms nobody, and whoever is cut
//! off goes on where it was.
//!
//! Rule: the output comes from a real step at 1 MB/s; the coordinator's memory is read from the kernel while they watch. The
//! short form has ten viewers, `HYDRON_SOAK` a hundred and twenty seconds of output.

#![expect(clippy::cast_precision_loss, reason = "figures, far below 2^52")]

use std::time::Duration;

use hydron_tests::bench::footprint;
use hydron_tests::stack::client::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::counting_runs;
use crate::world::World;

/// What a watcher may cost, KiB, and what all of it may cost besides: far less than a copy of the output for each.
const MOST_EACH_KIB: f64 = 1024.0;
const MOST_BESIDES_KIB: f64 = 24.0 * 1024.0;

struct Form {
    viewers: usize,
    /// Who opens the stream and does not read.
    still: usize,
    seconds: usize,
    cuts: usize,
}

impl Form {
    fn chosen() -> Self {
        if std::env::var_os("HYDRON_SOAK").is_some() {
            Self { viewers: 100, still: 20, seconds: 20, cuts: 100 }
        } else {
            Self { viewers: 10, still: 10, seconds: 4, cuts: 25 }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_every_byte_once_also_whoever_is_slow_or_is_cut_off_again_and_again() {
    let form = Form::chosen();
    let mut world = World::start().await;
    // A hundred kilobytes of numbered lines, ten times a second.
    let script = format!(
        "i=0; while [ $i -lt {} ]; do seq -f \"$i of a line that is about as long as a line %06.0f\" 1 2000; i=$((i+1)); sleep 0.1; done",
        form.seconds * 10
    );
    let run = counting_runs::waiting_to_say(&mut world, &script).await.to_string();
    let pid = [world.coordinator.process_mut().pid()];
    let before = footprint::memory(&pid).unwrap();
    world.client.post(&format!("/runs/{run}/resume"), json!({})).await.unwrap();
    let running = |run: &Value| Ok(run["servers"][0]["steps"][0]["state"] == "running");
    world.client.until(&format!("/runs/{run}"), Duration::from_secs(30), running).await.unwrap();

    let path = format!("/runs/{run}/logs/stream?step=0&attempt=1");
    let mut stand_still = Vec::new();
    for _ in 0..form.still {
        stand_still.push(world.client.stream(&path, None).await.unwrap());
    }
    let mut viewers = JoinSet::new();
    for _ in 0..form.viewers {
        viewers.spawn(watch(world.client.clone(), path.clone(), Viewer::default(), 0));
    }
    viewers.spawn(watch(world.client.clone(), path.clone(), Viewer::default(), form.cuts));
    let (mut most, mut seen) = (before.pss_kib, Vec::new());
    while seen.len() <= form.viewers {
        tokio::select! {
            Some(viewer) = viewers.join_next() => seen.push(viewer.unwrap()),
            () = tokio::time::sleep(Duration::from_millis(250)) => {
                most = most.max(footprint::memory(&pid).unwrap().pss_kib);
            }
        }
    }
    for response in stand_still {
        let stood_still = Viewer::default().read(response, usize::MAX).await;
        seen.push(watch(world.client.clone(), path.clone(), stood_still, 0).await);
    }
    let all = world.log(&run, 0, 1).await;
    let cost = most - before.pss_kib;
    eprintln!("{} bytes, {} viewers, at most {cost:.0} KiB more", all.len(), seen.len());
    assert!(all.len() > form.seconds * 900_000, "only {} bytes", all.len());
    let cuts: Vec<usize> = seen.iter().map(|viewer| viewer.cuts).collect();
    assert!(cuts.contains(&form.cuts), "nobody was cut off so often: {cuts:?}");
    for viewer in &seen {
        assert!(viewer.text == all, "a viewer saw {} of {} bytes", viewer.text.len(), all.len());
    }
    let most = MOST_BESIDES_KIB + MOST_EACH_KIB * seen.len() as f64;
    assert!(cost < most, "{cost} KiB for {} viewers", seen.len());
}

/// What somebody saw.
#[derive(Default)]
struct Viewer {
    text: String,
    cuts: usize,
    ended: bool,
}

/// Watches to the end. The first `cuts` connections are dropped in the middle of a message, after a few of them.
async fn watch(client: Client, path: String, mut viewer: Viewer, cuts: usize) -> Viewer {
    while !viewer.ended {
        let after = (!viewer.text.is_empty()).then_some(viewer.text.len() as u64);
        let response = client.stream(&path, after).await.unwrap();
        let chunks = if viewer.cuts < cuts { 1 + viewer.cuts % 5 } else { usize::MAX };
        viewer.cuts += usize::from(viewer.cuts < cuts);
        viewer = viewer.read(response, chunks).await;
    }
    viewer
}

impl Viewer {
    /// Reads so many chunks; what is not a whole message by then is thrown away, as a cut does. A time limit of the client
    /// is a cut, too.
    async fn read(mut self, mut response: reqwest::Response, chunks: usize) -> Self {
        assert_eq!(response.status(), 200);
        let mut buffer = String::new();
        for _ in 0..chunks {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => {
                    self.ended = true;
                    return self;
                }
                Err(_) => return self,
            };
            buffer.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((message, rest)) = buffer.split_once("\n\n") {
                self.hear(message);
                buffer = rest.to_owned();
            }
        }
        self
    }

    /// A piece must go on exactly where the last one ended, and say so.
    fn hear(&mut self, message: &str) {
        let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let Some(data) = field("data:") else { return };
        let piece: Value = serde_json::from_str(data).unwrap();
        assert_eq!(piece["offset"].as_u64(), Some(self.text.len() as u64), "a gap or a piece twice");
        self.text.push_str(piece["text"].as_str().unwrap());
        assert_eq!(field("id:").unwrap().parse::<usize>().unwrap(), self.text.len());
    }
}
