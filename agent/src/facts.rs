//! What any process may read of its machine. Rule: files under /proc, /sys and /etc only; what is missing stays empty.

use std::path::Path;

use hydron_proto::wire::Facts;

/// The machine's facts; disk figures are those of the file system under `state`.
pub fn of_machine(state: &Path) -> Facts {
    let (disk_bytes, disk_free_bytes) = disk(state).unwrap_or_default();
    Facts {
        hostname: first_line("/proc/sys/kernel/hostname"),
        os: os_name(&read("/etc/os-release")),
        kernel: first_line("/proc/sys/kernel/osrelease"),
        arch: std::env::consts::ARCH.to_owned(),
        cpu_count: std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1)),
        memory_bytes: memory(&read("/proc/meminfo")).unwrap_or_default(),
        disk_bytes,
        disk_free_bytes,
        addresses: addresses(&read("/proc/net/fib_trie"), &read("/proc/net/if_inet6")),
        systemd: Path::new("/run/systemd/system").is_dir(),
        ..Facts::default()
    }
}

/// An id that changes with every boot.
pub fn boot_id() -> String {
    first_line("/proc/sys/kernel/random/boot_id")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn first_line(path: &str) -> String {
    read(path).lines().next().unwrap_or_default().to_owned()
}

fn os_name(os_release: &str) -> String {
    let pretty = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    pretty.unwrap_or_default().trim_matches('"').to_owned()
}

fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Size and free bytes. Free space is coarse on purpose: facts are sent again when they change.
fn disk(path: &Path) -> Option<(u64, u64)> {
    const STEP: u64 = 1 << 30;
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    let unit = stat.fragment_size();
    let free = unit.saturating_mul(stat.blocks_available());
    Some((unit.saturating_mul(stat.blocks()), free / STEP * STEP))
}

/// Addresses of this machine that others could use: no loopback, no link-local, none of Docker's bridges' usual ones.
fn addresses(fib_trie: &str, if_inet6: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut last = "";
    for line in fib_trie.lines() {
        let text = line.trim_start_matches([' ', '|', '+', '-']);
        if text.starts_with("/32 host LOCAL") {
            found.push(last.to_owned());
        } else {
            last = text;
        }
    }
    let parsed = |text: &String| text.parse::<std::net::Ipv4Addr>();
    found.retain(|text| parsed(text).is_ok_and(|ip| !ip.is_loopback() && !ip.is_link_local()));
    found.extend(if_inet6.lines().filter_map(global_v6));
    found.sort();
    found.dedup();
    found
}

/// `address index prefix scope flags name`; scope 00 is global.
fn global_v6(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace();
    let address = u128::from_str_radix(fields.next()?, 16).ok()?;
    (fields.nth(2)? == "00").then(|| std::net::Ipv6Addr::from(address).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_machines_own_and_reachable_ones() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.7\n        /32 host LOCAL\n     |-- 10.0.0.255\n        \
                    /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\nLocal:\n     |-- 10.0.0.7\n        /32 host LOCAL\n";
        let inet6 = "00000000000000000000000000000001 01 80 10 80 lo\nfe80000000000000000000fffe000001 02 40 20 80 eth0\n\
                     20010db8000000000000000000000001 02 40 00 80 eth0\n";
        assert_eq!(addresses(trie, inet6), ["10.0.0.7", "2001:db8::1"]);
    }

    #[test]
    fn this_machine_has_a_name_a_kernel_and_memory() {
        let facts = of_machine(Path::new("/"));
        assert!(!facts.hostname.is_empty() && !facts.kernel.is_empty());
        assert!(facts.memory_bytes > 0 && facts.disk_bytes > 0 && !boot_id().is_empty());
    }
}
