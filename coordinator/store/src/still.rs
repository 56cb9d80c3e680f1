//! Statements in a simulation: a paused clock stands still while one is on its way, and a coordinator may die before or after
//! any of them.
//!
//! Rule: without the feature `testing` nothing is here. The database works on threads of its own, for which a paused clock
//! would not wait: every deadline would pass at once. Neighbours: `db`, which passes by; `tests/simulation`, which decides.

#[cfg(feature = "testing")]
use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::mpsc,
    task::{Poll, Waker},
};

/// Whether the coordinator that runs right now is dead; asked at every statement (`true`), and while one is waited for.
#[cfg(feature = "testing")]
pub type Dead = Rc<dyn Fn(bool) -> bool>;

#[cfg(feature = "testing")]
thread_local! {
    static DEAD: RefCell<Option<Dead>> = const { RefCell::new(None) };
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// From now on the statements of this thread are in the hands of a simulation.
#[cfg(feature = "testing")]
pub fn simulate(dead: Option<Dead>) {
    DEAD.with(|known| *known.borrow_mut() = dead);
}

#[cfg(feature = "testing")]
pub(crate) async fn still<T>(statement: impl Future<Output = T>) -> T {
    if DEAD.with(|known| known.borrow().is_none()) {
        return statement.await;
    }
    live().await;
    let mut clock = Some(StoppedClock::new());
    let mut statement = pin!(statement);
    let answer = poll_fn(|cx| {
        if is_dead(false) {
            clock = None;
            return Poll::Pending;
        }
        WAITING.with(|waiting| waiting.borrow_mut().push(cx.waker().clone()));
        statement.as_mut().poll(cx)
    })
    .await;
    drop(clock);
    live().await;
    answer
}

#[cfg(not(feature = "testing"))]
pub(crate) async fn still<T>(statement: impl Future<Output = T>) -> T {
    statement.await
}

/// Who is dead does nothing any more.
#[cfg(feature = "testing")]
async fn live() {
    if is_dead(true) {
        std::future::pending::<()>().await;
    }
}

/// Who waits for something that a dead one holds is woken: the clock must not stand still for it.
#[cfg(feature = "testing")]
fn is_dead(statement: bool) -> bool {
    let dead = DEAD.with(|known| known.borrow().clone()).is_some_and(|dead| dead(statement));
    let waiting = WAITING.with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        if dead { std::mem::take(&mut *waiting) } else { Vec::new() }
    });
    waiting.into_iter().for_each(Waker::wake);
    dead
}

/// tokio lets no paused clock run while blocking work goes on.
#[cfg(feature = "testing")]
struct StoppedClock {
    _ended: mpsc::Sender<()>,
}

#[cfg(feature = "testing")]
impl StoppedClock {
    fn new() -> Self {
        let (ended, end) = mpsc::channel::<()>();
        drop(tokio::task::spawn_blocking(move || end.recv()));
        Self { _ended: ended }
    }
}
