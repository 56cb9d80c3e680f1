//! Whose turn it is to open a connection: so many at once, in the order in which they came, the rest waits or is sent away.
//!
//! Rule: what was begun is finished before more is begun. Without that, two thousand connections that come together all
//! shake hands, and then each of their welcomes, a transaction of the one writer, has everybody else's work between any two
//! of its statements; deadlines cut off what was nearly done, and it starts over (measured: 1,991 handshakes and 22 welcomes
//! after 11 s). Who is sent away was not heard, cost next to nothing, and comes back by its own jitter.
//! A stranger with one address can hold neither all turns nor all places of the queue: a turn ends after [`LONGEST_TURN`]
//! whatever the peer does, and one source has at most [`OF_ONE_SOURCE`] turns and [`HERE_OF_ONE_SOURCE`] places. Somebody with
//! addresses in several networks can fill it, and then keeps new connections out (not those that are open) while it lasts.
//! Neighbour: `accept`, which asks once the server name was read.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};

/// Connections that open at once. Over a round trip of 200 ms, three of them from TLS to welcome, that is a hundred a second.
const AT_ONCE: usize = 64;
/// Of them, those from one address (one /64): everybody else has what is left.
const OF_ONE_SOURCE: usize = AT_ONCE / 4 * 3;
/// Connections that wait at once: each holds a socket.
const MOST_WAITING: usize = 4096;
/// Connections from one address that wait or have a turn: a fleet of two thousand behind one address, and half of the queue.
const HERE_OF_ONE_SOURCE: usize = MOST_WAITING / 2;
/// Longest wait for a turn. An agent waits 10 s for TLS (`HANDSHAKE_STAGE_S`): the rest of it is for its handshake.
const PATIENCE: Duration = Duration::from_secs(6);
/// A turn that takes longer waits for its peer, and others need not wait with it.
const LONGEST_TURN: Duration = Duration::from_secs(3);

/// Gives turns.
#[derive(Debug)]
pub(super) struct Turnstile {
    all: Arc<Semaphore>,
    sources: Arc<Mutex<HashMap<IpAddr, Source>>>,
    waiting: Semaphore,
}

/// A turn; over when dropped, or after [`LONGEST_TURN`].
#[derive(Debug)]
pub(super) struct Pass {
    _held: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Source {
    turns: Arc<Semaphore>,
    /// Connections that wait or have a turn.
    here: usize,
}

impl Default for Turnstile {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            sources: Arc::default(),
            waiting: Semaphore::new(MOST_WAITING),
        }
    }
}

impl Turnstile {
    /// Waits for a turn; `None` when there are too many others, or no turns any more.
    pub(super) async fn turn(&self, peer: IpAddr) -> Option<Pass> {
        let waiting = self.waiting.try_acquire().ok()?;
        let place = Place::of(&self.sources, source_of(peer))?;
        let turns = place.turns.clone();
        let both =
            async { Some((turns.acquire_owned().await.ok()?, self.all.clone().acquire_owned().await.ok()?)) };
        let permits = timeout(PATIENCE, both).await.ok()??;
        drop(waiting);
        Some(Pass::begin(permits, place))
    }

    /// Nobody gets a turn any more, and nobody waits.
    pub(super) fn close(&self) {
        self.all.close();
    }
}

impl Pass {
    fn begin(permits: (OwnedSemaphorePermit, OwnedSemaphorePermit), place: Place) -> Self {
        let (held, over) = oneshot::channel::<()>();
        tokio::spawn(async move {
            tokio::select! {
                _dropped = over => {}
                () = sleep(LONGEST_TURN) => {}
            }
            drop((permits, place));
        });
        Self { _held: held }
    }
}

/// Counts a connection of a source, so that a source without any is forgotten.
#[derive(Debug)]
struct Place {
    sources: Arc<Mutex<HashMap<IpAddr, Source>>>,
    source: IpAddr,
    turns: Arc<Semaphore>,
}

impl Place {
    /// `None` when the source has its share already.
    fn of(sources: &Arc<Mutex<HashMap<IpAddr, Source>>>, source: IpAddr) -> Option<Self> {
        let mut all = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all
            .entry(source)
            .or_insert_with(|| Source { turns: Arc::new(Semaphore::new(OF_ONE_SOURCE)), here: 0 });
        if known.here >= HERE_OF_ONE_SOURCE {
            return None;
        }
        known.here += 1;
        Some(Self { sources: sources.clone(), source, turns: known.turns.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(&self.source) {
            known.here = known.here.saturating_sub(1);
            if known.here == 0 {
                all.remove(&self.source);
            }
        }
    }
}

/// Whoever has one address of a /64 has all of them.
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use tokio::time::Instant;

    const FLEET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

    async fn turns(turnstile: &Turnstile, peer: IpAddr, count: usize) -> Vec<Pass> {
        join_all((0..count).map(|_| turnstile.turn(peer))).await.into_iter().flatten().collect()
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_open_at_once_and_the_next_waits_until_one_has_ended() {
        let turnstile = Turnstile::default();
        let mut open = turns(&turnstile, FLEET, OF_ONE_SOURCE).await;
        open.extend(turns(&turnstile, STRANGER, AT_ONCE - OF_ONE_SOURCE).await);
        assert_eq!(open.len(), AT_ONCE);
        let began = Instant::now();
        let (next, ()) = tokio::join!(turnstile.turn(STRANGER), async {
            sleep(Duration::from_millis(500)).await;
            open.truncate(AT_ONCE - 1);
        });
        assert!(next.is_some());
        assert_eq!(began.elapsed().as_millis(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_its_turn_for_ever_does_not_keep_the_others_out() {
        let turnstile = Turnstile::default();
        let began = Instant::now();
        let held = turns(&turnstile, STRANGER, 2 * OF_ONE_SOURCE).await;
        assert_eq!(held.len(), 2 * OF_ONE_SOURCE, "the second half had theirs when the first were over");
        assert_eq!(began.elapsed(), LONGEST_TURN);
        let now = Instant::now();
        assert!(turnstile.turn(FLEET).await.is_some(), "one source does not have all of them");
        assert_eq!(now.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_surplus_is_sent_away_in_time_to_be_tried_again_and_leaves_nothing_behind() {
        let turnstile = Turnstile::default();
        let began = Instant::now();
        let asked = MOST_WAITING + 1;
        let served = turns(&turnstile, FLEET, asked).await;
        // Every one of them holds its turn to the end: as slow as it gets.
        // One group at once, one when its turns are over, and perhaps one in the very moment in which patience ends.
        assert!([2, 3].map(|groups| groups * OF_ONE_SOURCE).contains(&served.len()), "{}", served.len());
        assert_eq!(began.elapsed(), PATIENCE);
        drop(served);
        sleep(LONGEST_TURN).await;
        assert!(turnstile.sources.lock().unwrap().is_empty());
        assert_eq!(turns(&turnstile, FLEET, OF_ONE_SOURCE).await.len(), OF_ONE_SOURCE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_fills_its_share_of_the_queue_leaves_the_rest_to_the_others() {
        let turnstile = Turnstile::default();
        let crowd = turns(&turnstile, STRANGER, 2 * MOST_WAITING);
        let late = async {
            sleep(Duration::from_millis(1)).await;
            let now = Instant::now();
            assert_eq!(
                turns(&turnstile, FLEET, AT_ONCE - OF_ONE_SOURCE).await.len(),
                AT_ONCE - OF_ONE_SOURCE
            );
            assert_eq!(now.elapsed(), Duration::ZERO, "their turns were free all the time");
        };
        tokio::join!(crowd, late);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_coordinator_that_stops() {
        let turnstile = Turnstile::default();
        let _held = turns(&turnstile, FLEET, OF_ONE_SOURCE).await;
        let _rest = turns(&turnstile, STRANGER, AT_ONCE - OF_ONE_SOURCE).await;
        let (waited, ()) = tokio::join!(turnstile.turn(IpAddr::V6(Ipv6Addr::LOCALHOST)), async {
            turnstile.close();
        });
        assert!(waited.is_none());
    }

    #[test]
    fn a_source_is_an_address_or_a_network_of_one_household() {
        let of = |text: &str| source_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:192.0.2.1"), FLEET);
        assert_ne!(of("192.0.2.2"), FLEET);
    }
}
