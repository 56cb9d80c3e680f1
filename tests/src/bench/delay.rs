//! A long way between two ends on one machine: bytes arrive half a round trip after they were sent, in order, and as many
//! as the ends can send meanwhile.
//!
//! Rule: the way is the same for ours and for the peers. This kernel has no `netem`, so it is a relay in user space.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Read at once.
const PIECE: usize = 64 * 1024;
/// Pieces under way in one direction: more than the ends send in a round trip.
const UNDER_WAY: usize = 1024;

/// A relay; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Delay {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Delay {
    /// A way to `target` on which a round trip takes `rtt`.
    pub(super) async fn to(target: SocketAddr, rtt: Duration) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, target, rtt / 2));
        Ok(Self { address, task })
    }

    /// Where it is dialled.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, half: Duration) {
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(target).await else { continue };
        let (Ok(()), Ok(())) = (near.set_nodelay(true), far.set_nodelay(true)) else { continue };
        let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
        tokio::spawn(pass(near_read, far_write, half));
        tokio::spawn(pass(far_read, near_write, half));
    }
}

/// Reading goes on while what was read is still under way.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, half: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let arriving = tokio::spawn(async move {
        while let Some((at, piece)) = receiver.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut buffer = vec![0; PIECE];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let piece = buffer.get(..count).unwrap_or_default().to_vec();
        if sender.send((Instant::now() + half, piece)).await.is_err() {
            break;
        }
    }
    drop(sender);
    let _ = arriving.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_echo_takes_a_round_trip_and_nothing_is_lost_or_overtaken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut echo, _) = listener.accept().await.unwrap();
            let (mut read, mut write) = echo.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        });
        let way = Delay::to(target, Duration::from_millis(40)).await.unwrap();
        let mut near = TcpStream::connect(way.address()).await.unwrap();
        let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        let began = Instant::now();
        near.write_all(sent.get(..8).unwrap()).await.unwrap();
        let mut first = [0; 8];
        near.read_exact(&mut first).await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(40));
        let (mut read, mut write) = near.split();
        let mut heard = vec![0; sent.len() - 8];
        let (written, read) =
            tokio::join!(write.write_all(sent.get(8..).unwrap()), read.read_exact(&mut heard));
        written.unwrap();
        read.unwrap();
        assert!(sent.get(8..) == Some(heard.as_slice()));
    }
}
