//! The test certificate authority and the git host's own certificate.
//!
//! Rule: the CA is made once a folder and kept, so that a second demo run is trusted like the first; the leaf is made anew.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::GitHostError;

/// TLS settings with a fresh leaf for `localhost`, loopback and the address that is listened on.
pub(super) fn server_config(root: &Path, listen: IpAddr) -> Result<Arc<ServerConfig>, GitHostError> {
    let issuer = authority(root)?;
    let key = KeyPair::generate().map_err(certificate)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(certificate)?;
    for ip in [listen, IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        params.subject_alt_names.push(SanType::IpAddress(ip));
    }
    let leaf = params.signed_by(&key, &issuer).map_err(certificate)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(certificate)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .map_err(certificate)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn authority(root: &Path) -> Result<Issuer<'static, KeyPair>, GitHostError> {
    let (certificate_file, key_file) = (root.join("ca.pem"), root.join("ca.key"));
    if let (true, Ok(pem)) = (certificate_file.exists(), fs::read_to_string(&key_file)) {
        let key = KeyPair::from_pem(&pem).map_err(certificate)?;
        return Ok(Issuer::new(authority_params(), key));
    }
    let key = KeyPair::generate().map_err(certificate)?;
    let authority = authority_params().self_signed(&key).map_err(certificate)?;
    let mut private = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&key_file)
        .map_err(GitHostError::io("writing ca.key"))?;
    private.write_all(key.serialize_pem().as_bytes()).map_err(GitHostError::io("writing ca.key"))?;
    fs::write(&certificate_file, authority.pem()).map_err(GitHostError::io("writing ca.pem"))?;
    Ok(Issuer::new(authority_params(), key))
}

/// The same every time: with the kept key they name the kept certificate as issuer.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Hydron lab git host CA (tests only)");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn certificate(error: impl std::fmt::Display) -> GitHostError {
    GitHostError::Certificate(error.to_string())
}
