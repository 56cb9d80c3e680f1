//! Who is connected to whom, from `/proc/net/tcp`: exact, and the same for every proxy.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Drained;

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// `TCP_ESTABLISHED` and `TCP_LISTEN` (Linux include/net/tcp_states.h).
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";

/// Connections of this host to an address.
pub fn established_to(address: SocketAddrV4) -> usize {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|file| rows(Path::new(file)))
        .filter(|row| row.state == ESTABLISHED && row.remote == Some(address))
        .count()
}

/// Connections into a port as a process (of a container) sees them; its own loopback aside.
pub fn established_in(pid: i64, port: u16) -> usize {
    ["tcp", "tcp6"]
        .iter()
        .flat_map(|file| rows(Path::new(&format!("/proc/{pid}/net/{file}"))))
        .filter(|row| row.state == ESTABLISHED && row.local_port == port)
        .filter(|row| row.remote.is_some_and(|remote| !remote.ip().is_loopback()))
        .count()
}

/// Waits until this host has no connection to these addresses, at most `within`.
pub async fn drained(addresses: &[SocketAddrV4], within: Duration) -> Drained {
    let began = Instant::now();
    loop {
        let left = addresses.iter().map(|address| established_to(*address)).sum();
        if left == 0 || began.elapsed() >= within {
            return Drained { left, took: began.elapsed() };
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Who listens on a port of this host: ` by <program> (process <id>)`, empty when unknown; `None` when it is free.
pub(super) fn taken_by(port: u16) -> Option<String> {
    let listeners: Vec<Row> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|file| rows(Path::new(file)))
        .filter(|row| row.state == LISTEN && row.local_port == port)
        .collect();
    let inode = listeners.first()?.inode.clone();
    Some(owner(&inode).map_or_else(String::new, |(pid, name)| format!(" by {name} (process {pid})")))
}

struct Row {
    local_port: u16,
    remote: Option<SocketAddrV4>,
    state: String,
    inode: String,
}

fn rows(file: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().skip(1).filter_map(row).collect()
}

/// `sl local rem st tx:rx tr:when retrnsmt uid timeout inode …`
fn row(line: &str) -> Option<Row> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (_, local_port) = fields.next()?.split_once(':')?;
    let (remote, remote_port) = fields.next()?.split_once(':')?;
    let state = fields.next()?.to_owned();
    let inode = fields.nth(5)?.to_owned();
    let port = |hex: &str| u16::from_str_radix(hex, 16).ok();
    let remote = address(remote).zip(port(remote_port)).map(|(ip, port)| SocketAddrV4::new(ip, port));
    Some(Row { local_port: port(local_port)?, remote, state, inode })
}

/// The kernel prints 32-bit words in its own byte order; IPv4 inside IPv6 has `FFFF` in the third word.
fn address(hex: &str) -> Option<Ipv4Addr> {
    let word = match hex.len() {
        8 => hex,
        32 if hex.starts_with("0000000000000000FFFF0000") => hex.get(24..)?,
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from_str_radix(word, 16).ok()?.to_ne_bytes()))
}

fn owner(inode: &str) -> Option<(u32, String)> {
    let wanted = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = files
            .flatten()
            .any(|file| std::fs::read_link(file.path()).is_ok_and(|link| link.to_str() == Some(&wanted)));
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_kernel_is_read() {
        let line = "   3: 0100007F:1F90 0300C90A:1F40 01 00000000:00000000 02:000000AE 00000000  0 0 4242 2 0 20 4 0 10 -1";
        let row = row(line).unwrap();
        assert_eq!(row.local_port, 8080);
        assert_eq!(row.remote, Some("10.201.0.3:8000".parse().unwrap()));
        assert_eq!((&*row.state, &*row.inode), (ESTABLISHED, "4242"));
        assert_eq!(address("0000000000000000FFFF00000300C90A"), Some("10.201.0.3".parse().unwrap()));
        assert_eq!(address("00000000000000000000000001000000"), None);
    }

    #[tokio::test]
    async fn draining_waits_for_the_last_connection_and_not_for_ever() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
        let client = std::net::TcpStream::connect(address).unwrap();
        let addresses = [address];
        let given_up = drained(&addresses, Duration::from_millis(60)).await;
        assert_eq!(given_up.left, 1, "{given_up:?}");
        let (waited, ()) = tokio::join!(drained(&addresses, Duration::from_mins(1)), async {
            tokio::time::sleep(LOOK_AGAIN * 4).await;
            drop(client);
        });
        assert_eq!(waited.left, 0, "{waited:?}");
    }

    #[test]
    fn connections_and_listeners_of_this_host_are_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
        assert_eq!(established_to(address), 0);
        let client = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(established_to(address), 1);
        drop(client);
        assert!(taken_by(address.port()).unwrap().contains(&format!("(process {})", std::process::id())));
        drop(listener);
    }
}
