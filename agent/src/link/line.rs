//! Whether the kernel is through with what it was given, so that nothing piles up where it cannot be overtaken.
//!
//! Rule: a write that the kernel accepts says nothing: it joins small writes into one of 64 KiB before it looks at its limit of
//! unsent bytes (`dial`). Asked by poll(2) it looks. Neighbour: `outgoing`, whose bulk waits for this.

use std::io;
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The way out of a connection: the same socket a second time, which is only asked.
#[derive(Debug)]
pub struct Line(Option<TcpStream>);

impl Line {
    /// That of a socket.
    pub fn of(socket: &TcpStream) -> io::Result<Self> {
        let again = socket2::SockRef::from(socket).try_clone()?;
        Ok(Self(Some(TcpStream::from_std(again.into())?)))
    }

    /// One that always has room.
    pub fn without_limit() -> Self {
        Self(None)
    }

    /// Waits until less is unsent than the socket's limit. A line that cannot be asked has room: writing will say why.
    pub(super) async fn room(&self) {
        let Some(socket) = &self.0 else { return };
        let ask = || {
            let mut asked = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
            match poll(&mut asked, PollTimeout::ZERO) {
                Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
                Ok(_) | Err(_) => Ok(()),
            }
        };
        while socket.writable().await.is_ok() && socket.try_io(Interest::WRITABLE, ask).is_err() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    #[tokio::test]
    async fn there_is_room_until_more_is_unsent_than_the_limit_and_again_when_the_other_side_has_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        socket2::SockRef::from(&near).set_tcp_notsent_lowat(8 * 1024).unwrap();
        let line = Line::of(&near).unwrap();
        let is_free = async || timeout(Duration::from_millis(200), line.room()).await.is_ok();
        assert!(is_free().await);
        // Until the other side's window and ours are full.
        let piece = [7; 16 * 1024];
        let mut written = 0;
        while timeout(Duration::from_millis(200), near.write_all(&piece)).await.is_ok() {
            written += piece.len();
            assert!(written < 1 << 30, "it takes everything");
        }
        assert!(!is_free().await && !is_free().await);
        let reading = tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while far.read(&mut buffer).await.unwrap() > 0 {}
        });
        timeout(Duration::from_secs(10), line.room()).await.unwrap();
        drop((near, line));
        reading.await.unwrap();
    }
}
