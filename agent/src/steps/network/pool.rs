//! Which /24 networks are free. Pure: everything that is taken is an argument.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// A /24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::steps) struct Subnet([u8; 3]);

impl Subnet {
    /// The address with this last number.
    pub(in crate::steps) fn host(self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.0;
        Ipv4Addr::new(a, b, c, last)
    }

    /// Whether an address belongs to it; its last number.
    pub(in crate::steps) fn last_of(self, address: Ipv4Addr) -> Option<u8> {
        let [a, b, c, last] = address.octets();
        (self.0 == [a, b, c]).then_some(last)
    }

    /// The half from which Docker assigns.
    pub(super) fn upper_half(self) -> String {
        format!("{}/25", self.host(128))
    }

    /// First and last address.
    pub(super) fn range(self) -> (u32, u32) {
        (self.host(0).into(), self.host(255).into())
    }
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/24", self.host(0))
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

impl TryFrom<String> for Subnet {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let base = text.strip_suffix("/24").and_then(|base| base.parse::<Ipv4Addr>().ok());
        let [a, b, c, _] = base.ok_or("not a /24 network")?.octets();
        Ok(Self([a, b, c]))
    }
}

/// Two free networks of the pool, e.g. `10.201`; `taken` are first and last addresses.
pub(super) fn free(pool: &str, taken: &[(u32, u32)]) -> Option<(Subnet, Subnet)> {
    let (a, b) = pool.split_once('.')?;
    let (a, b) = (a.parse().ok()?, b.parse().ok()?);
    let mut free = (0..=255).map(|c| Subnet([a, b, c])).filter(|subnet| {
        let (first, last) = subnet.range();
        !taken.iter().any(|(from, to)| *from <= last && first <= *to)
    });
    Some((free.next()?, free.next()?))
}

/// First and last address of `a.b.c.d/n`.
pub(super) fn range(subnet: &str) -> Option<(u32, u32)> {
    let (base, bits) = subnet.split_once('/')?;
    let base: u32 = base.parse::<Ipv4Addr>().ok()?.into();
    let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
    let hosts = u32::MAX.checked_shr(bits).unwrap_or(0);
    Some((base & !hosts, base | hosts))
}

/// Every network that the kernel routes (`/proc/net/route`), the default route aside.
pub(super) fn routed(table: &str) -> Vec<(u32, u32)> {
    rows(table).filter(|(_, _, mask)| *mask != 0).map(|(_, base, mask)| (base & mask, base | !mask)).collect()
}

/// The interface of the default route.
pub(super) fn default_interface(table: &str) -> Option<&str> {
    rows(table).find(|(_, base, mask)| *base == 0 && *mask == 0).map(|(interface, _, _)| interface)
}

/// Interface, destination, mask; the kernel prints words in its own byte order.
fn rows(table: &str) -> impl Iterator<Item = (&str, u32, u32)> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let word = |at: usize| {
            u32::from_str_radix(fields.get(at)?, 16).ok().map(|w| u32::from_be_bytes(w.to_ne_bytes()))
        };
        Some((*fields.first()?, word(1)?, word(7)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
br-1\t0000C90A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
";

    #[test]
    fn networks_that_somebody_has_are_left_out() {
        let mut taken = routed(TABLE);
        taken.push(range("10.201.1.0/25").unwrap());
        taken.push(range("10.201.4.0/22").unwrap());
        let (first, second) = free("10.201", &taken).unwrap();
        assert_eq!((first.to_string(), second.to_string()), ("10.201.2.0/24".into(), "10.201.3.0/24".into()));
        taken.push(range("10.200.0.0/14").unwrap());
        assert_eq!(free("10.201", &taken), None);
        assert_eq!(free("nonsense", &[]), None);
    }

    #[test]
    fn halves_and_the_way_out_are_known() {
        let subnet = Subnet::try_from("10.201.7.0/24".to_owned()).unwrap();
        assert_eq!(subnet.upper_half(), "10.201.7.128/25");
        assert_eq!(subnet.last_of("10.201.7.9".parse().unwrap()), Some(9));
        assert_eq!(default_interface(TABLE), Some("eth0"));
    }
}
