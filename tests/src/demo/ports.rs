//! Ports of the demo: the same as last time, else the usual ones, else the next free.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;

use crate::stack::agent::Ports;

/// Pairs for the sites, in order of preference.
const SITE_PAIRS: [(u16, u16); 6] =
    [(80, 443), (8080, 9443), (8081, 9444), (8880, 9543), (18080, 18443), (28080, 28443)];

/// A pair for the sites: the remembered one, 80/443, or the next pair of which both are free.
pub fn sites(remembered: Option<(u16, u16)>) -> anyhow::Result<Ports> {
    let pair = match remembered {
        Some(pair) => pair,
        None => *SITE_PAIRS.iter().find(|(http, https)| is_free(*http) && is_free(*https)).context(
            "ports 80/443 and five other pairs are in use; stop what listens there (`ss -ltnp`) and try again",
        )?,
    };
    Ok(Ports { http: pair.0, https: pair.1 })
}

/// One port: the remembered one if it is free, else the first free one from `first` on.
pub fn one(remembered: Option<u16>, first: u16) -> anyhow::Result<u16> {
    remembered
        .filter(|port| is_free(*port))
        .or_else(|| (first..first.saturating_add(100)).find(|port| is_free(*port)))
        .with_context(|| format!("no free port from {first} on"))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}
