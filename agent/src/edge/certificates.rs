//! Certificates of sites, from the server's own authority. The authority's key never leaves its file.
//!
//! Rule: a certificate is written whole into a directory of its own before anything points to it; time is an argument.
//! Neighbour: `steps/certificate`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hydron_proto::names::{Hostname, ResourceName};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SerialNumber,
};
use serde::{Deserialize, Serialize};

use super::{EdgeError, EdgePaths};
use crate::record;

const DAY: Duration = Duration::from_hours(24);
/// Life of the authority.
const AUTHORITY_LIFE: Duration = Duration::from_hours(3650 * 24);
/// Life of a site's certificate.
const LEAF_LIFE: Duration = Duration::from_hours(90 * 24);
/// A certificate with less than this left is replaced.
const RENEW_BEFORE: Duration = Duration::from_hours(30 * 24);

/// The files that the proxy reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificatePaths {
    /// Leaf and authority, PEM.
    pub chain: PathBuf,
    /// Private key, PEM, 0600.
    pub key: PathBuf,
}

/// A site's certificate as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCertificate {
    /// Names in it, sorted.
    pub hosts: Vec<Hostname>,
    /// Seconds since 1970.
    pub not_after: u64,
    /// Its files.
    pub paths: CertificatePaths,
}

impl SiteCertificate {
    /// The certificate that a site has now.
    pub fn of_site(paths: &EdgePaths, site: &ResourceName) -> Result<Option<Self>, EdgeError> {
        Ok(record::read_json(&record_path(paths, site))?)
    }

    /// Whether it may go on serving these names.
    pub fn serves(&self, hosts: &[Hostname], now: SystemTime) -> bool {
        let renew_at = self.not_after.saturating_sub(RENEW_BEFORE.as_secs());
        self.hosts == sorted(hosts)
            && unix(now) < renew_at
            && self.paths.chain.is_file()
            && self.paths.key.is_file()
    }
}

/// The server's own authority.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// The authority of this server; made when there is none yet.
    pub fn open(paths: &EdgePaths, now: SystemTime) -> Result<Self, EdgeError> {
        paths.prepare()?;
        let [pem_file, key_file, record_file] =
            ["ca.pem", "ca.key", "ca.json"].map(|name| paths.certs().join(name));
        let record: Option<AuthorityRecord> = record::read_json(&record_file)?;
        let files = (std::fs::read_to_string(&pem_file), std::fs::read_to_string(&key_file));
        if let (Some(record), (Ok(pem), Ok(key))) = (record, files) {
            let key = KeyPair::from_pem(&zeroize::Zeroizing::new(key)).map_err(made)?;
            return Ok(Self { pem, issuer: Issuer::new(authority_params(record.created), key) });
        }
        let key = KeyPair::generate().map_err(made)?;
        let key_pem = zeroize::Zeroizing::new(key.serialize_pem());
        let params = authority_params(unix(now));
        let pem = params.self_signed(&key).map_err(made)?.pem();
        // The certificate last: without its key it would be shown to users and sign nothing.
        record::replace(&key_file, key_pem.as_bytes(), 0o600)?;
        record::replace_json(&record_file, &AuthorityRecord { created: unix(now) })?;
        record::replace(&pem_file, pem.as_bytes(), 0o644)?;
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// Its certificate, public.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A fresh key and certificate for a site.
    pub fn issue(
        &self,
        paths: &EdgePaths,
        site: &ResourceName,
        hosts: &[Hostname],
        now: SystemTime,
    ) -> Result<SiteCertificate, EdgeError> {
        let hosts = sorted(hosts);
        let key = KeyPair::generate().map_err(made)?;
        let serial: [u8; 16] = rand::random();
        let leaf = leaf_params(&hosts, &serial, now)?.signed_by(&key, &self.issuer).map_err(made)?;
        let name: String = format!("{:032x}", u128::from_be_bytes(serial));
        let directory = paths.certs().join(site.as_str()).join(name);
        record::directory(&directory, 0o700)?;
        let files =
            CertificatePaths { chain: directory.join("fullchain.pem"), key: directory.join("privkey.pem") };
        let key_pem = zeroize::Zeroizing::new(key.serialize_pem());
        record::replace(&files.key, key_pem.as_bytes(), 0o600)?;
        record::replace(&files.chain, format!("{}{}", leaf.pem(), self.pem).as_bytes(), 0o644)?;
        let certificate = SiteCertificate { hosts, not_after: unix(now + LEAF_LIFE), paths: files };
        record::replace_json(&record_path(paths, site), &certificate)?;
        Ok(certificate)
    }
}

/// What the authority's certificate is rebuilt from.
#[derive(Serialize, Deserialize)]
struct AuthorityRecord {
    /// Seconds since 1970.
    created: u64,
}

fn authority_params(created: u64) -> CertificateParams {
    let created_at = UNIX_EPOCH + Duration::from_secs(created);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Hydron site authority {created}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (created_at - DAY).into();
    params.not_after = (created_at + AUTHORITY_LIFE).into();
    params
}

fn leaf_params(hosts: &[Hostname], serial: &[u8], now: SystemTime) -> Result<CertificateParams, EdgeError> {
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).map_err(made)?;
    params.distinguished_name = DistinguishedName::new();
    // A serial number is positive (RFC 5280 §4.1.2.2): clear the sign bit.
    let mut positive = serial.to_vec();
    if let Some(first) = positive.first_mut() {
        *first &= 0x7f;
    }
    params.serial_number = Some(SerialNumber::from_slice(&positive));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = (now - DAY).into();
    params.not_after = (now + LEAF_LIFE).into();
    Ok(params)
}

fn record_path(paths: &EdgePaths, site: &ResourceName) -> PathBuf {
    paths.certs().join(site.as_str()).join("current.json")
}

fn sorted(hosts: &[Hostname]) -> Vec<Hostname> {
    let mut hosts = hosts.to_vec();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn made(error: rcgen::Error) -> EdgeError {
    EdgeError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::root::Root;

    #[test]
    fn a_certificate_serves_its_names_until_thirty_days_before_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let paths = EdgePaths::of(&Root::new(directory.path()));
        let now = UNIX_EPOCH + Duration::from_hours(500_000);
        let authority = Authority::open(&paths, now).unwrap();
        let site: ResourceName = "shop".parse().unwrap();
        let hosts: Vec<Hostname> = vec!["b.localhost".parse().unwrap(), "a.localhost".parse().unwrap()];
        let certificate = authority.issue(&paths, &site, &hosts, now).unwrap();
        assert!(certificate.serves(&hosts, now));
        assert!(certificate.serves(&hosts, now + 59 * DAY));
        assert!(!certificate.serves(&hosts, now + 60 * DAY));
        assert!(!certificate.serves(&hosts[..1], now));
        assert_eq!(SiteCertificate::of_site(&paths, &site).unwrap(), Some(certificate.clone()));
        let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&certificate.paths.key), 0o600);
        assert_eq!(mode(&paths.certs().join("ca.key")), 0o600);
    }

    #[test]
    fn the_authority_stays_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let paths = EdgePaths::of(&Root::new(directory.path()));
        let first = Authority::open(&paths, UNIX_EPOCH + DAY).unwrap();
        let second = Authority::open(&paths, UNIX_EPOCH + 2 * DAY).unwrap();
        assert_eq!(first.pem(), second.pem());
    }
}
