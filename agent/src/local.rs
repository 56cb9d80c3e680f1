//! The local protocol's framing: u32 big-endian length and one protobuf message, over Unix sockets.
//!
//! Rule: [`Incoming::next`] may be dropped at any await without losing bytes. Neighbours: `exec`, `host`, `link`, `status`.

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, BytesMut};
use prost::Message;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// Largest message: a signed envelope of 4 MiB and its frame.
const MAX_MESSAGE: usize = 5 * 1024 * 1024;
/// `sun_path` holds 108 bytes with its end.
const MAX_SOCKET_PATH: usize = 100;

/// Reads messages from one side of a socket.
#[derive(Debug)]
pub struct Incoming<R> {
    reader: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Reads from `reader`.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: BytesMut::new() }
    }

    /// The next message; `None` when the peer is gone.
    pub async fn next<M: Message + Default>(&mut self) -> io::Result<Option<M>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take<M: Message + Default>(&mut self) -> io::Result<Option<M>> {
        let Some(head) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a local message is too long"));
        }
        if self.buffer.len() < 4 + length {
            self.buffer.reserve(4 + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(4);
        let message = M::decode(self.buffer.split_to(length));
        if self.buffer.is_empty() && self.buffer.capacity() > 64 * 1024 {
            self.buffer = BytesMut::new();
        }
        message.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// Writes one message.
pub async fn send<W: AsyncWrite + Unpin>(writer: &mut W, message: &impl Message) -> io::Result<()> {
    writer.write_all(&frame(message)?).await?;
    writer.flush().await
}

/// One message with its length in front.
pub fn frame(message: &impl Message) -> io::Result<Vec<u8>> {
    let length = message.encoded_len();
    let head = u32::try_from(length)
        .ok()
        .filter(|_| length <= MAX_MESSAGE)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a local message is too long"))?;
    let mut bytes = Vec::with_capacity(4 + length);
    bytes.extend(head.to_be_bytes());
    message.encode(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Listens on a socket file that only its owner may use; a stale file is replaced.
pub fn listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = with_short_path(path, |short| UnixListener::bind(short))?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    Ok(listener)
}

/// Connects to a socket file.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = with_short_path(path, std::os::unix::net::UnixStream::connect)?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// A socket's path must fit 108 bytes: a longer one is reached through its open directory.
fn with_short_path<T>(path: &Path, act: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket path"));
    };
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return act(path.to_path_buf());
    }
    let directory = std::fs::File::open(directory)?;
    act(PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydron_proto::wire;

    #[tokio::test]
    async fn a_message_survives_being_cut_anywhere() {
        let message = wire::EventAck { run_id: "run".into(), seq: 7 };
        let bytes = [frame(&message).unwrap(), frame(&message).unwrap()].concat();
        for cut in 0..bytes.len() {
            let (mut near, far) = tokio::io::duplex(1024);
            let mut incoming = Incoming::new(far);
            near.write_all(&bytes[..cut]).await.unwrap();
            let _ = tokio::time::timeout(std::time::Duration::ZERO, incoming.next::<wire::EventAck>()).await;
            near.write_all(&bytes[cut..]).await.unwrap();
            drop(near);
            let mut seen = usize::from(cut >= bytes.len() / 2);
            while let Some(back) = incoming.next::<wire::EventAck>().await.unwrap() {
                assert_eq!(back, message);
                seen += 1;
            }
            assert_eq!(seen, 2, "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn a_socket_below_a_very_long_path_can_be_reached() {
        let directory = tempfile::tempdir().unwrap();
        let long = directory.path().join("x".repeat(120));
        std::fs::create_dir(&long).unwrap();
        let _listener = listen(&long.join("s"), 0o600).unwrap();
        connect(&long.join("s")).unwrap();
    }
}
