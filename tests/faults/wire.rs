//! A wire to a network namespace of the test's own, and what nftables and a token bucket can do to it there.
//!
//! Rule: rules are set only inside the namespace; it is removed with the value, and its wire with it.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// The far end's interface.
const FAR: &str = "far0";

/// A namespace whose only way out is a wire to this machine.
#[derive(Debug, Clone)]
pub(super) struct Wire(Arc<Namespace>);

#[derive(Debug)]
struct Namespace {
    name: String,
    near_name: String,
    coordinator: SocketAddr,
}

impl Wire {
    /// Makes the namespace and the wire.
    pub(super) fn start() -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        let pid = std::process::id();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hyd{pid}-{number}");
        // Two addresses of a network that is meant for such tests (RFC 2544).
        let [_, _, high, low] = pid.to_be_bytes();
        let net = u8::from(high % 2 == 1) + 18;
        let (third, fourth) = (low, number.wrapping_mul(4));
        let near = Ipv4Addr::new(198, net, third, fourth + 1);
        let far = Ipv4Addr::new(198, net, third, fourth + 2);
        let near_name = format!("hyd{}{number}", pid % 100_000);
        run("ip", &["netns", "add", &name]);
        run("ip", &["link", "add", &near_name, "type", "veth", "peer", "name", FAR, "netns", &name]);
        run("ip", &["address", "add", &format!("{near}/30"), "dev", &near_name]);
        run("ip", &["link", "set", &near_name, "up"]);
        run("ip", &["-n", &name, "address", "add", &format!("{far}/30"), "dev", FAR]);
        run("ip", &["-n", &name, "link", "set", FAR, "up"]);
        run("ip", &["-n", &name, "link", "set", "lo", "up"]);
        let coordinator = TcpListener::bind((near, 0)).unwrap().local_addr().unwrap();
        Self(Arc::new(Namespace { name, near_name, coordinator }))
    }

    /// Where a coordinator can listen for what is at the far end.
    pub(super) fn coordinator(&self) -> SocketAddr {
        self.0.coordinator
    }

    /// Shell words that take a program to the far end.
    pub(super) fn inside(&self) -> String {
        format!("nsenter --net=/run/netns/{} --", self.0.name)
    }

    /// So many packets of a hundred are lost, in each direction.
    pub(super) fn lose(&self, percent: u32) {
        self.rules(&format!("numgen random mod 100 < {percent} drop"));
    }

    /// Nothing goes through.
    pub(super) fn drop_everything(&self) {
        self.rules("drop");
    }

    /// Connections that are open now get a reset when they speak; later ones work.
    pub(super) fn reset(&self) {
        let ports = self.open_ports();
        self.table(&format!("tcp sport {{ {ports} }} reject with tcp reset"), "accept");
    }

    /// Connections that are open now hear nothing more and say nothing more; later ones work.
    pub(super) fn silence_open_connections(&self) {
        let ports = self.open_ports();
        self.table(&format!("tcp sport {{ {ports} }} drop"), &format!("tcp dport {{ {ports} }} drop"));
    }

    /// So much goes through in each direction, with the queue of an ordinary router before it.
    pub(super) fn slow_down(&self, rate: &str) {
        let bucket = ["root", "tbf", "rate", rate, "burst", "4kb", "latency", "100ms"];
        run("tc", &[&["qdisc", "add", "dev", &self.0.near_name], &bucket[..]].concat());
        run("tc", &[&["-n", &self.0.name, "qdisc", "add", "dev", FAR], &bucket[..]].concat());
    }

    /// Everything works again.
    pub(super) fn heal(&self) {
        self.nft("add table inet fault; delete table inet fault\n");
    }

    fn rules(&self, rule: &str) {
        self.table(rule, rule);
    }

    fn table(&self, out: &str, back: &str) {
        self.heal();
        self.nft(&format!(
            "table inet fault {{\n\
             chain out {{ type filter hook output priority 0; oifname {FAR} {out}; }}\n\
             chain back {{ type filter hook input priority 0; iifname {FAR} {back}; }}\n}}\n"
        ));
    }

    /// Local ports of connections to the coordinator, comma between them.
    fn open_ports(&self) -> String {
        let filter = format!("dport = {}", self.0.coordinator.port());
        let text = self.output("ss", &["-Htn", "state", "established", &filter]);
        let port = |line: &str| Some(line.split_whitespace().nth(2)?.rsplit_once(':')?.1.to_owned());
        let ports: Vec<String> = text.lines().filter_map(port).collect();
        assert!(!ports.is_empty(), "no connection is open: {text}");
        ports.join(", ")
    }

    fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.0.name)).arg("--").arg(program);
        command
    }

    fn output(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.enter(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn nft(&self, rules: &str) {
        let mut child = self.enter("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "nftables refused:\n{rules}");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}
