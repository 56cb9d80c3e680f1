//! Joining a coordinator: keys are made here, the token pins whom we believe, and what comes back is stored.
//!
//! Rule: safe to repeat after a lost reply, because the same keys are offered again; the token is never stored.
//! Neighbours: `identity` and `link/identity` (what is stored), `link/post`.

use std::io;
use std::path::Path;

use hydron_proto::envelope::PinnedSigner;
use hydron_proto::ids::{ServerId, TeamId};
use hydron_proto::token::{EnrollmentToken, InvalidToken};
use hydron_proto::{PROTOCOL_VERSION, sni, wire};

use crate::config::AgentConfig;
use crate::identity::{self, ExecIdentity, IdentityError};
use crate::link::dial::{Address, DialError, Proxy};
use crate::link::identity::{LinkFiles, certificate_request};
use crate::link::post::PostError;
use crate::link::tls::{self, TlsError};
use crate::link::{dial, post};
use crate::root::Root;
use crate::{durable, facts, user};

/// Why this server did not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The text is no token.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// No answer, or a refusal.
    #[error(transparent)]
    Post(#[from] PostError),
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Keys or certificates cannot be stored.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A directory or file cannot be prepared.
    #[error("{}", .0)]
    Files(&'static str, #[source] io::Error),
    /// The answer does not fit together.
    #[error("the coordinator's answer cannot be used: {0}")]
    Answer(&'static str),
    /// It belongs to somebody already.
    #[error("this server is {0} already; run `hydron-agent leave` before it joins as another one")]
    OtherServer(ServerId),
    /// The configuration says something else.
    #[error("agent.toml names the coordinator {0}; change or remove that line, then join again")]
    OtherCoordinator(String),
}

/// Joins, and stores who this server is now.
pub async fn join(
    root: &Root,
    config: &AgentConfig,
    coordinator: &str,
    token: &str,
) -> Result<ExecIdentity, JoinError> {
    let parsed = EnrollmentToken::parse(token)?;
    let address = Address::parse(coordinator)?;
    if let Some(other) = config.coordinator.as_deref().filter(|other| *other != coordinator) {
        return Err(JoinError::OtherCoordinator(other.to_owned()));
    }
    prepare(root)?;
    let files = LinkFiles::new(root.link());
    let request = request(root, &files, token)?;
    let proxy = config.link.proxy.as_deref().map(Proxy::parse).transpose()?;
    let tls = tls::by_token(parsed.ca_key_sha256)?;
    let stream = dial::dial(&address, proxy.as_ref(), sni::ENROLL, tls).await?;
    let reply: wire::EnrollReply = post::post(stream, (sni::ENROLL, "/v1/enroll"), &request).await?;
    let identity = read(&reply, &parsed)?;
    if let Ok(known) = ExecIdentity::load(root)
        && known.server != identity.server
    {
        return Err(JoinError::OtherServer(known.server));
    }
    files.store_ca(&reply.ca_der)?;
    files.store_chain(&reply.certificate_chain_der)?;
    write_configuration(root, config, coordinator)?;
    hand_over(root, config)?;
    // Last: from here on this server has joined.
    identity.store(root)?;
    Ok(identity)
}

fn prepare(root: &Root) -> Result<(), JoinError> {
    let make = |path: &Path, mode| durable::create_directory(path, mode);
    make(&root.state(), 0o755)
        .and_then(|()| make(&root.link(), 0o700))
        .and_then(|()| make(&root.exec(), 0o700))
        .and_then(|()| make(&root.etc(), 0o755))
        .map_err(|error| JoinError::Files("the agent's directories cannot be made", error))
}

fn request(root: &Root, files: &LinkFiles, token: &str) -> Result<wire::EnrollRequest, JoinError> {
    let csr_der = certificate_request(&files.key()?).ok_or(JoinError::Answer("no certificate request"))?;
    Ok(wire::EnrollRequest {
        token: token.trim().to_owned(),
        csr_der,
        sealing_public_key: identity::sealing_key(root)?.public_bytes(),
        facts: Some(facts::of_machine(root.path())),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL_VERSION,
    })
}

fn read(reply: &wire::EnrollReply, token: &EnrollmentToken) -> Result<ExecIdentity, JoinError> {
    if !tls::has_key(&reply.ca_der, &token.ca_key_sha256) {
        return Err(JoinError::Answer("its CA is not the one that the token pins"));
    }
    if reply.certificate_chain_der.is_empty() {
        return Err(JoinError::Answer("it carries no certificate"));
    }
    let server = reply.server_id.parse().map_err(|_| JoinError::Answer("it names no server"))?;
    let team: TeamId = reply.team_id.parse().map_err(|_| JoinError::Answer("it names no team"))?;
    let signers: Option<Vec<PinnedSigner>> =
        reply.signer_keys.iter().map(|key| PinnedSigner::from_bytes(&key.key_id, &key.public_key)).collect();
    let signers = signers.filter(|signers| !signers.is_empty());
    Ok(ExecIdentity { team, server, signers: signers.ok_or(JoinError::Answer("it carries no signer key"))? })
}

/// Adds the coordinator to `agent.toml`, and a policy to fill in; what people wrote stays.
fn write_configuration(root: &Root, config: &AgentConfig, coordinator: &str) -> Result<(), JoinError> {
    let failed = |error| JoinError::Files("the configuration cannot be written", error);
    if config.coordinator.is_none() {
        let rest = std::fs::read_to_string(root.agent_toml()).unwrap_or_default();
        // `Address::parse` accepted it: no quotes, no line ends.
        let text = format!("coordinator = \"{coordinator}\"\n{rest}");
        durable::write(&root.agent_toml(), text.as_bytes(), 0o644).map_err(failed)?;
    }
    if !root.policy_toml().exists() {
        durable::write(&root.policy_toml(), POLICY.as_bytes(), 0o600).map_err(failed)?;
    }
    Ok(())
}

/// The link's files belong to the link's user.
pub fn hand_over(root: &Root, config: &AgentConfig) -> Result<(), JoinError> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    if root.path() == Path::new("/") {
        user::ensure(&config.link.user)
            .map_err(|error| JoinError::Files("the link's user cannot be made", error))?;
    }
    let account = user::link_account(&config.link.user);
    let give = |path: &Path| std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid));
    let all = || {
        give(&root.link())?;
        std::fs::read_dir(root.link())?.try_for_each(|entry| give(&entry?.path()))
    };
    all().map_err(|error| JoinError::Files("the link's files cannot be handed to its user", error))
}

const POLICY: &str = "\
# What this server allows at all. The coordinator can only stay below it. Read again before every decision.
# observe: only what reads · manage: everything that was approved · locked: nothing
mode = \"manage\"
# Step kinds that may run; all when unset.
# kinds = [\"git_checkout\", \"image_build\", \"release\"]
# Whether approved raw shell steps may run.
shell = true
";
