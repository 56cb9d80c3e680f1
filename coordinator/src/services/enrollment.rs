//! Becoming a server: adoption, tokens, certificates.
//!
//! Rule: a token is single use, bound to one server row, and judged by `domain::enrollment`; of a certificate request
//! only the public key is taken, everything else in the certificate is said here.

use hydron_domain::enrollment::{Admission, BACKDATED_MS, CERTIFICATE_LIFE_MS, Refusal, TOKEN_LIFETIME_MS};
use hydron_domain::identity::Actor;
use hydron_domain::server::{AgentFacts, certificate_uri};
use hydron_proto::PROTOCOL_VERSION;
use hydron_proto::ids::{EnrollmentTokenId, ServerId};
use hydron_proto::token::EnrollmentToken;
use hydron_proto::wire;
use hydron_store::StoreError;
use hydron_store::audit::AuditDraft;
use hydron_store::enrollment::EnrollmentTokenRow;
use hydron_store::events::EventDraft;
use hydron_store::servers::Server;
use prost::Message as _;
use rcgen::CertificateSigningRequestParams;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::agents::key_fingerprint;
use crate::app::AppState;
use crate::http::problem::Problem;
use crate::keys::ca::{CaError, Validity};
use crate::keys::kek::hex;
use crate::services::input::{InvalidField, ReadError, display_name};
use crate::services::principal::{Denied, Permission, Principal};

/// Why nobody was enrolled, adopted or renewed.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A field cannot be used.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// No such server or token.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Not a token of this coordinator.
    #[error("the token is not one of this coordinator; copy the whole token from the server's page")]
    UnknownToken,
    /// Its rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request itself is wrong.
    #[error("the request cannot be used: {0}")]
    Malformed(&'static str),
    /// The agent is from another time.
    #[error("this coordinator speaks protocol {PROTOCOL_VERSION}, the agent {0}; install the matching agent")]
    Protocol(u32),
    /// The server was taken out.
    #[error("this server was removed; adopt it again")]
    Revoked,
    /// The authority could not sign.
    #[error(transparent)]
    Certificate(#[from] CaError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EnrollError {
    /// What the agent or the person is told.
    pub fn problem(self) -> Problem {
        use axum::http::StatusCode as Status;
        let told = |status, code| Problem::new(status, code, format!("{self}."));
        match &self {
            Self::Denied(denied) => (*denied).into(),
            Self::Invalid(invalid) => invalid.clone().into(),
            Self::NotFound(what) => Problem::not_found(what),
            Self::UnknownToken => told(Status::FORBIDDEN, "token_unknown"),
            Self::Refused(refusal) => told(Status::FORBIDDEN, refusal.code()),
            Self::Malformed(_) => told(Status::UNPROCESSABLE_ENTITY, "invalid_request"),
            Self::Protocol(_) => told(Status::UPGRADE_REQUIRED, "protocol"),
            Self::Revoked => told(Status::FORBIDDEN, "revoked"),
            Self::Certificate(_) | Self::Store(_) => Problem::internal(&self),
        }
    }
}

/// A token that was just made, with its text, which is shown this once.
#[derive(Debug)]
pub struct NewToken {
    /// Its row.
    pub id: EnrollmentTokenId,
    /// The server it makes.
    pub server: ServerId,
    /// Milliseconds since 1970.
    pub expires_at: i64,
    /// What the agent wants to read on its standard input.
    pub text: Zeroizing<String>,
}

/// Makes a server row and the token that turns a machine into it.
pub async fn adopt(app: &AppState, principal: &Principal, name: &str) -> Result<NewToken, EnrollError> {
    let access = principal.authorize(&app.store, Permission::ServersManage)?;
    let name = display_name("name", name)?;
    let server = app.ids.next(ServerId::new);
    let mut tx = access.begin(app.now()).await?;
    tx.insert_server(server, &name).await.map_err(|error| {
        if error.is_exists() {
            EnrollError::Invalid(InvalidField::taken("name", "is taken by another server of this team"))
        } else {
            error.into()
        }
    })?;
    let token = insert_token(app, &mut tx, server).await?;
    tx.event(EventDraft::new("server.adopted", server, json!({ "name": name })));
    tx.audit(AuditDraft::new("server.adopted", server, json!({ "name": name, "token": token.id })));
    tx.commit().await?;
    Ok(token)
}

/// A new token for a server whose first one was lost, or whose machine was installed again.
pub async fn create_token(
    app: &AppState,
    principal: &Principal,
    server: ServerId,
) -> Result<NewToken, EnrollError> {
    let access = principal.authorize(&app.store, Permission::ServersManage)?;
    let mut tx = access.begin(app.now()).await?;
    let row = tx.server(server).await?.ok_or(EnrollError::NotFound("server"))?;
    if row.revoked_at.is_some() {
        return Err(EnrollError::Revoked);
    }
    tx.revoke_enrollment_tokens(server).await?;
    let token = insert_token(app, &mut tx, server).await?;
    tx.audit(AuditDraft::new("enrollment_token.created", token.id, json!({ "server": server })));
    tx.commit().await?;
    Ok(token)
}

/// The team's tokens, newest first.
pub async fn list_tokens(
    app: &AppState,
    principal: &Principal,
) -> Result<Vec<EnrollmentTokenRow>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ServersManage)?;
    Ok(access.team.enrollment_tokens().await?)
}

/// Takes an unused token back.
pub async fn revoke_token(
    app: &AppState,
    principal: &Principal,
    id: EnrollmentTokenId,
) -> Result<(), EnrollError> {
    let access = principal.authorize(&app.store, Permission::ServersManage)?;
    let mut tx = access.begin(app.now()).await?;
    if !tx.revoke_enrollment_token(id).await? {
        return Err(EnrollError::NotFound("unused token"));
    }
    tx.audit(AuditDraft::new("enrollment_token.revoked", id, json!({})));
    tx.commit().await?;
    Ok(())
}

/// A machine brings a token and two public keys. What it may do here is decided by the token alone.
pub async fn enroll(app: &AppState, request: wire::EnrollRequest) -> Result<wire::EnrollReply, EnrollError> {
    if request.protocol != PROTOCOL_VERSION {
        return Err(EnrollError::Protocol(request.protocol));
    }
    let token = EnrollmentToken::parse(&request.token).map_err(|_| EnrollError::UnknownToken)?;
    let row = known_token(app, &token).await?;
    if request.sealing_public_key.len() != 32 {
        return Err(EnrollError::Malformed("the sealing key is not 32 bytes of X25519"));
    }
    let key = public_key_of(&request.csr_der)?;
    match row.record.admit(&key, app.now()) {
        Ok(Admission::Repeat) => repeat(&row),
        Ok(Admission::Issue) => issue(app, &row, &key, &request).await,
        Err(refusal) => {
            if refusal == Refusal::OtherKey {
                alarm(app, &row).await?;
            }
            Err(refusal.into())
        }
    }
}

/// A fresh certificate for the key that is pinned.
pub fn renew(app: &AppState, server: &Server, csr_der: &[u8]) -> Result<wire::RenewReply, EnrollError> {
    if server.public_key.as_deref() != Some(public_key_of(csr_der)?.as_str()) {
        return Err(EnrollError::Malformed("the request is for another key than the one that is pinned"));
    }
    let chain = certificate(app, server, csr_der)?;
    Ok(wire::RenewReply { certificate_chain_der: chain })
}

async fn insert_token(
    app: &AppState,
    tx: &mut hydron_store::TeamTx,
    server: ServerId,
) -> Result<NewToken, EnrollError> {
    let secret = app.ids.secret::<32>();
    let id = app.ids.next(EnrollmentTokenId::new);
    let expires_at = tx.now() + TOKEN_LIFETIME_MS;
    tx.insert_enrollment_token(id, server, &secret_hash(secret.as_slice()), expires_at).await?;
    let token = EnrollmentToken { ca_key_sha256: app.ca.key_sha256(), id, secret };
    Ok(NewToken { id, server, expires_at, text: token.encode() })
}

async fn known_token(app: &AppState, token: &EnrollmentToken) -> Result<EnrollmentTokenRow, EnrollError> {
    let row = app.store.system().enrollment_token(token.id).await?.ok_or(EnrollError::UnknownToken)?;
    let hash = secret_hash(token.secret.as_slice());
    let same_secret = bool::from(hash.as_bytes().ct_eq(row.secret_hash.as_bytes()));
    if same_secret && token.ca_key_sha256 == app.ca.key_sha256() {
        Ok(row)
    } else {
        Err(EnrollError::UnknownToken)
    }
}

async fn issue(
    app: &AppState,
    row: &EnrollmentTokenRow,
    key: &str,
    request: &wire::EnrollRequest,
) -> Result<wire::EnrollReply, EnrollError> {
    let actor = Actor::Agent { id: row.server };
    let mut tx = app.store.team(row.team).begin(&actor, app.now()).await?;
    let server = tx.server(row.server).await?.filter(|server| server.revoked_at.is_none());
    let server = server.ok_or(EnrollError::Revoked)?;
    let reply = wire::EnrollReply {
        server_id: server.id.to_string(),
        team_id: server.team.to_string(),
        certificate_chain_der: certificate(app, &server, &request.csr_der)?,
        ca_der: app.ca.der().to_vec(),
        signer_keys: vec![app.signer.public()],
    };
    match tx.bind_enrollment_token(row.id, key, &reply.encode_to_vec()).await {
        Ok(()) => {}
        // Somebody was faster with the same token: the rules decide again, on what is stored now.
        Err(StoreError::Stale { .. }) => {
            drop(tx);
            return decided_by_another(app, row, key).await;
        }
        Err(other) => return Err(other.into()),
    }
    let facts = AgentFacts::from(request.facts.clone().unwrap_or_default());
    let version: String = request.agent_version.chars().filter(|c| !c.is_control()).take(100).collect();
    tx.enroll_server(server.id, key, &request.sealing_public_key, &facts, &version).await?;
    let replaced = server.public_key.is_some();
    let detail = json!({ "token": row.id, "key": key, "replaced": replaced });
    tx.audit(AuditDraft::new("server.enrolled", server.id, detail));
    tx.event(EventDraft::new("server.enrolled", server.id, json!({ "name": server.name })));
    tx.commit().await?;
    if replaced {
        app.agents.close(server.id, 4003, "another installation took its place");
    }
    tracing::info!(server = %server.id, "server {} has enrolled", server.id);
    Ok(reply)
}

async fn decided_by_another(
    app: &AppState,
    row: &EnrollmentTokenRow,
    key: &str,
) -> Result<wire::EnrollReply, EnrollError> {
    let row = app.store.system().enrollment_token(row.id).await?.ok_or(EnrollError::UnknownToken)?;
    match row.record.admit(key, app.now()) {
        Ok(Admission::Repeat) => repeat(&row),
        Ok(Admission::Issue) => Err(Refusal::Used.into()),
        Err(refusal) => {
            if refusal == Refusal::OtherKey {
                alarm(app, &row).await?;
            }
            Err(refusal.into())
        }
    }
}

fn repeat(row: &EnrollmentTokenRow) -> Result<wire::EnrollReply, EnrollError> {
    let bytes = row.reply.as_deref().ok_or(EnrollError::Refused(Refusal::Used))?;
    wire::EnrollReply::decode(bytes).map_err(|_| EnrollError::Malformed("the stored answer does not decode"))
}

/// Somebody holds a token that has served another key: said in the audit log, to the team, and in the process's log.
async fn alarm(app: &AppState, row: &EnrollmentTokenRow) -> Result<(), EnrollError> {
    let mut tx = app.store.team(row.team).begin(&Actor::System { name: "enrollment" }, app.now()).await?;
    let detail = json!({ "token": row.id });
    tx.audit(AuditDraft::new("enrollment.second_key_refused", row.server, detail.clone()));
    tx.event(EventDraft::new("enrollment.second_key_refused", row.server, detail));
    tx.commit().await?;
    tracing::warn!(server = %row.server, "a second key tried to enroll as server {}", row.server);
    Ok(())
}

fn certificate(app: &AppState, server: &Server, csr_der: &[u8]) -> Result<Vec<Vec<u8>>, EnrollError> {
    let request = parse_request(csr_der)?;
    let now = app.now();
    let validity = Validity { not_before: now - BACKDATED_MS, not_after: now + CERTIFICATE_LIFE_MS };
    let uri = certificate_uri(server.team, server.id);
    let serial = *app.ids.secret::<16>();
    let leaf = app.ca.client_certificate(&request.public_key, &uri, serial, validity)?;
    Ok(vec![leaf.to_vec(), app.ca.der().to_vec()])
}

/// The request's signature proves that whoever asks holds the private key.
fn parse_request(csr_der: &[u8]) -> Result<CertificateSigningRequestParams, EnrollError> {
    CertificateSigningRequestParams::from_der(&csr_der.into()).map_err(|_| {
        EnrollError::Malformed("the certificate request does not parse or is not signed by its key")
    })
}

fn public_key_of(csr_der: &[u8]) -> Result<String, EnrollError> {
    use x509_parser::prelude::{FromDer as _, X509CertificationRequest};
    parse_request(csr_der)?;
    let (_, request) = X509CertificationRequest::from_der(csr_der)
        .map_err(|_| EnrollError::Malformed("the certificate request does not parse"))?;
    Ok(key_fingerprint(request.certification_request_info.subject_pki.raw))
}

fn secret_hash(secret: &[u8]) -> String {
    hex(Sha256::digest(secret).as_slice())
}
