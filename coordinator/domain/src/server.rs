//! A server: a machine with an agent, owned by a team.
//!
//! Rule: its identity is the public key that was pinned at enrollment; everything that the agent reports is display data.

mod facts;

pub use facts::AgentFacts;

use hydron_proto::ids::{ServerId, TeamId};

use crate::named::named;

named! {
    /// Where a server stands, in the words of the product documents.
    ServerState, "state of a server" {
        /// Nothing of ours runs there yet.
        Available = "available",
        /// A deployment is under way.
        Provisioning = "provisioning",
        /// Something of ours runs there.
        Running = "running",
        /// Everything of ours is stopped.
        Stopped = "stopped",
        /// The last deployment failed.
        Error = "error",
    }
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerChange {
    /// A deployment began.
    DeployBegan,
    /// It completed.
    DeployCompleted,
    /// It failed or was stopped.
    DeployEnded,
}

impl ServerState {
    /// The state after a change. `live` says whether releases of ours serve there.
    pub fn after(self, change: ServerChange, live: bool) -> Self {
        match change {
            ServerChange::DeployBegan if self == Self::Running => Self::Running,
            ServerChange::DeployBegan => Self::Provisioning,
            ServerChange::DeployCompleted => Self::Running,
            ServerChange::DeployEnded if live => Self::Running,
            ServerChange::DeployEnded => Self::Error,
        }
    }
}

/// The URI that a server's certificate carries.
pub fn certificate_uri(team: TeamId, server: ServerId) -> String {
    format!("hydron://{team}/server/{server}")
}

/// Reads [`certificate_uri`] back.
pub fn parse_certificate_uri(uri: &str) -> Option<(TeamId, ServerId)> {
    let (team, server) = uri.strip_prefix("hydron://")?.split_once("/server/")?;
    Some((team.parse().ok()?, server.parse().ok()?))
}

/// What a connecting agent says about the order of its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaim {
    /// Grows with every connection of one installation.
    pub counter: u64,
    /// The machine's boot.
    pub boot_id: String,
}

/// What to do with a connection, judged by the claim of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionVerdict {
    /// The newest; an older one is superseded.
    Admit,
    /// Not newer than one from another boot: a copy of the disk may be running somewhere.
    Clone,
    /// A late arrival of the same installation.
    Late,
}

/// Judges a connection against the last one that was admitted.
pub fn judge_session(last: Option<&SessionClaim>, claim: &SessionClaim) -> SessionVerdict {
    match last {
        Some(last) if claim.counter <= last.counter && claim.boot_id != last.boot_id => SessionVerdict::Clone,
        Some(last) if claim.counter <= last.counter => SessionVerdict::Late,
        Some(_) | None => SessionVerdict::Admit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_of_a_certificate_survives_and_nothing_else_parses() {
        let (team, server) = (TeamId::new(1, [1; 10]), ServerId::new(2, [2; 10]));
        assert_eq!(parse_certificate_uri(&certificate_uri(team, server)), Some((team, server)));
        assert_eq!(parse_certificate_uri(&format!("hydron://{team}/user/{server}")), None);
        assert_eq!(parse_certificate_uri(&format!("hydron://{team}/server/{server}/x")), None);
    }

    #[test]
    fn only_a_higher_counter_is_admitted() {
        let claim = |counter, boot: &str| SessionClaim { counter, boot_id: boot.to_owned() };
        assert_eq!(judge_session(None, &claim(1, "a")), SessionVerdict::Admit);
        assert_eq!(judge_session(Some(&claim(1, "a")), &claim(2, "b")), SessionVerdict::Admit);
        assert_eq!(judge_session(Some(&claim(2, "a")), &claim(2, "a")), SessionVerdict::Late);
        assert_eq!(judge_session(Some(&claim(2, "a")), &claim(1, "b")), SessionVerdict::Clone);
    }

    #[test]
    fn a_failed_redeploy_leaves_a_serving_server_running() {
        let began = ServerState::Available.after(ServerChange::DeployBegan, false);
        assert_eq!(began, ServerState::Provisioning);
        assert_eq!(began.after(ServerChange::DeployEnded, false), ServerState::Error);
        assert_eq!(began.after(ServerChange::DeployCompleted, true), ServerState::Running);
        assert_eq!(ServerState::Running.after(ServerChange::DeployEnded, true), ServerState::Running);
        assert_eq!(ServerState::Running.after(ServerChange::DeployBegan, true), ServerState::Running);
    }
}
