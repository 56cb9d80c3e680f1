//! Settings: flags over `HYDRON_*` over `hydron.toml` over defaults, read once and checked once.
//!
//! Rule: what is wrong is said with the setting's name and what to do; nothing else reads the environment.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use hydron_analysis::Caps;
use hydron_installer::AdoptLine;
use hydron_proto::names::Hostname;
use hydron_store::Location;
use ipnet::IpNet;
use serde::Deserialize;

/// Settings as they are written; every one may be left out.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Directory of the database and the keys
    #[arg(long, env = "HYDRON_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// postgres://… to share the data between several coordinators; SQLite in the data directory when left out
    #[arg(long, env = "HYDRON_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Address of the web interface and the API [default: 127.0.0.1:8443]
    #[arg(long, env = "HYDRON_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Address that agents dial [default: 127.0.0.1:8444]
    #[arg(long, env = "HYDRON_AGENTS_LISTEN")]
    pub agents_listen: Option<SocketAddr>,
    /// Where people reach the web interface, e.g. https://hydron.example.com
    #[arg(long, env = "HYDRON_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// host:port where agents reach this coordinator
    #[arg(long, env = "HYDRON_AGENTS_ADDRESS")]
    pub agents_address: Option<String>,
    /// Certificate chain (PEM) of the web interface, in place of one by the coordinator's own authority
    #[arg(long, env = "HYDRON_TLS_CERTIFICATE")]
    pub tls_certificate: Option<PathBuf>,
    /// Private key (PEM) that belongs to --tls-certificate
    #[arg(long, env = "HYDRON_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Serve plain http; only on a loopback address
    #[arg(long, env = "HYDRON_PLAIN_HTTP", num_args = 0..=1, default_missing_value = "true")]
    pub plain_http: Option<bool>,
    /// File with the key-encryption key [default: keys/kek in the data directory]
    #[arg(long, env = "HYDRON_KEK_FILE")]
    pub kek_file: Option<PathBuf>,
    /// Also write the one-time set-up link to this file (owner-only)
    #[arg(long, env = "HYDRON_SETUP_LINK_FILE")]
    pub setup_link_file: Option<PathBuf>,
    /// Proxies in front of the web interface, whose X-Forwarded-For says who asks: 10.0.0.5,192.168.0.0/24 [default: none]
    #[arg(long, env = "HYDRON_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<String>>,
    /// DNS zone of deployments [default: localhost]
    #[arg(long, env = "HYDRON_ZONE")]
    pub zone: Option<String>,
    /// Let repositories come from private addresses (for demos and tests)
    #[arg(long, env = "HYDRON_ALLOW_PRIVATE_SOURCES", num_args = 0..=1, default_missing_value = "true")]
    pub allow_private_sources: Option<bool>,
    /// Extra certificate authority (PEM) that git hosts are checked against
    #[arg(long, env = "HYDRON_SOURCES_CA")]
    pub sources_ca: Option<PathBuf>,
    /// Versions for generated images where a repository names none: python=3.12,node=22 [default: current ones]
    #[arg(long, env = "HYDRON_BASE_VERSIONS", value_delimiter = ',')]
    pub base_versions: Option<Vec<String>>,
    /// Limits of a reading: services=500,files=300000 (also file_bytes, total_bytes, depth) [default: 200 services, 200000 files]
    #[arg(long, env = "HYDRON_ANALYSIS_CAPS", value_delimiter = ',')]
    pub analysis_caps: Option<Vec<String>>,
    /// Cost of password hashes: "full" or "floor" [default: full]
    #[arg(long, env = "HYDRON_PASSWORD_COST", value_enum)]
    pub password_cost: Option<PasswordCost>,
}

/// How expensive a password hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PasswordCost {
    /// argon2id with 64 MiB, 3 passes.
    Full,
    /// argon2id with 19 MiB, 2 passes: the least OWASP allows, for small machines and tests.
    Floor,
}

/// How the web interface is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsChoice {
    /// A leaf by the coordinator's own authority.
    OwnAuthority,
    /// A certificate that the operator brings.
    Files {
        /// Chain, PEM.
        certificate: PathBuf,
        /// Key, PEM.
        key: PathBuf,
    },
    /// Plain http on loopback.
    Off,
}

/// Where repositories may come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// Private and loopback addresses too; never outside demos and tests.
    pub allow_private: bool,
    /// An authority beside the system's.
    pub extra_ca: Option<PathBuf>,
    /// The `hydron` binary that confines fetches; this very program when not set (tests are another program).
    pub confiner: Option<PathBuf>,
}

/// Checked settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of the database and the keys.
    pub data_dir: PathBuf,
    /// Where the rows are.
    pub database: Location,
    /// The web interface and the API.
    pub listen: SocketAddr,
    /// The agents' port.
    pub agents_listen: SocketAddr,
    /// Where people reach the web interface, without a slash at the end, when the operator said so.
    pub public_url: Option<String>,
    /// What adopts a server, when the operator said where agents reach this coordinator.
    pub adopt: Option<AdoptLine>,
    /// How the web interface is served.
    pub tls: TlsChoice,
    /// The key-encryption key's file, when the operator named one.
    pub kek_file: Option<PathBuf>,
    /// systemd's directory of credentials, when there is one.
    pub credentials_dir: Option<PathBuf>,
    /// Where the set-up link is also written.
    pub setup_link_file: Option<PathBuf>,
    /// Proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// DNS zone of deployments.
    pub zone: Hostname,
    /// Where repositories may come from.
    pub sources: Sources,
    /// Versions for generated images where a repository names none.
    pub base_versions: BTreeMap<String, String>,
    /// Limits of a reading.
    pub analysis_caps: Caps,
    /// How expensive a password hash is.
    pub password_cost: PasswordCost,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what we expect.
    #[error("the configuration file {path} does not parse")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// One setting is wrong.
    #[error("{setting}: {problem}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The database setting is wrong.
    #[error("database_url")]
    Database(#[from] hydron_store::StoreError),
}

impl Settings {
    /// What a file says.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
    }

    /// These settings, and `other` where these are silent.
    pub fn or(self, other: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(other.data_dir),
            database_url: self.database_url.or(other.database_url),
            listen: self.listen.or(other.listen),
            agents_listen: self.agents_listen.or(other.agents_listen),
            public_url: self.public_url.or(other.public_url),
            agents_address: self.agents_address.or(other.agents_address),
            tls_certificate: self.tls_certificate.or(other.tls_certificate),
            tls_key: self.tls_key.or(other.tls_key),
            plain_http: self.plain_http.or(other.plain_http),
            kek_file: self.kek_file.or(other.kek_file),
            setup_link_file: self.setup_link_file.or(other.setup_link_file),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            zone: self.zone.or(other.zone),
            allow_private_sources: self.allow_private_sources.or(other.allow_private_sources),
            sources_ca: self.sources_ca.or(other.sources_ca),
            base_versions: self.base_versions.or(other.base_versions),
            analysis_caps: self.analysis_caps.or(other.analysis_caps),
            password_cost: self.password_cost.or(other.password_cost),
        }
    }

    /// Checks them. `credentials_dir` is systemd's `$CREDENTIALS_DIRECTORY`.
    pub fn check(self, credentials_dir: Option<PathBuf>) -> Result<Config, ConfigError> {
        let data_dir = self.data_dir.unwrap_or_else(|| PathBuf::from("/var/lib/hydron-coordinator"));
        let listen = self.listen.unwrap_or(loopback(8443));
        let zone = self.zone.unwrap_or_else(|| "localhost".to_owned());
        Ok(Config {
            database: Location::new(&data_dir, self.database_url.as_deref())?,
            tls: tls(self.plain_http, listen.ip(), self.tls_certificate, self.tls_key)?,
            public_url: self.public_url.as_deref().map(public_url).transpose()?,
            trusted_proxies: trusted_proxies(&self.trusted_proxies.unwrap_or_default())?,
            zone: zone.parse().map_err(|error| setting("zone", error))?,
            data_dir,
            listen,
            agents_listen: self.agents_listen.unwrap_or(loopback(8444)),
            adopt: self.agents_address.as_deref().map(adopt_line).transpose()?,
            kek_file: self.kek_file,
            credentials_dir,
            setup_link_file: self.setup_link_file,
            sources: Sources {
                allow_private: self.allow_private_sources.unwrap_or(false),
                extra_ca: self.sources_ca,
                confiner: None,
            },
            base_versions: base_versions(self.base_versions.unwrap_or_default())?,
            analysis_caps: analysis_caps(&self.analysis_caps.unwrap_or_default())?,
            password_cost: self.password_cost.unwrap_or(PasswordCost::Full),
        })
    }
}

impl Config {
    /// Where the keys are.
    pub fn keys_dir(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// Where people reach the web interface, given the address it really listens on.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        let scheme = if self.tls == TlsChoice::Off { "http" } else { "https" };
        self.public_url.clone().unwrap_or_else(|| match bound.ip() {
            ip if ip.is_unspecified() || ip.is_loopback() => format!("{scheme}://localhost:{}", bound.port()),
            _ => format!("{scheme}://{bound}"),
        })
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn setting(setting: &'static str, problem: impl std::fmt::Display) -> ConfigError {
    ConfigError::Setting { setting, problem: problem.to_string() }
}

fn tls(
    plain: Option<bool>,
    listen: IpAddr,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<TlsChoice, ConfigError> {
    match (plain.unwrap_or(false), certificate, key) {
        (true, None, None) if listen.is_loopback() => Ok(TlsChoice::Off),
        (true, None, None) => Err(setting(
            "plain_http",
            format!(
                "is allowed on a loopback address only, and listen is {listen}; leave it out to serve https"
            ),
        )),
        (true, _, _) => Err(setting("plain_http", "cannot be combined with tls_certificate and tls_key")),
        (false, Some(certificate), Some(key)) => Ok(TlsChoice::Files { certificate, key }),
        (false, None, None) => Ok(TlsChoice::OwnAuthority),
        (false, Some(_), None) => Err(setting("tls_key", "is missing; name the key of tls_certificate")),
        (false, None, Some(_)) => Err(setting("tls_certificate", "is missing; name the chain of tls_key")),
    }
}

fn base_versions(pairs: Vec<String>) -> Result<BTreeMap<String, String>, ConfigError> {
    let pair = |text: String| {
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        };
        match text.split_once('=') {
            Some((tool, version)) if plain(tool) && plain(version) => {
                Ok((tool.to_owned(), version.to_owned()))
            }
            Some(_) | None => Err(setting("base_versions", format!("{text:?} must look like python=3.12"))),
        }
    };
    pairs.into_iter().map(pair).collect()
}

fn trusted_proxies(written: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let one = |text: &String| {
        let text = text.trim();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map_err(|_| {
            setting("trusted_proxies", format!("{text:?} must be an address or a network like 10.0.0.0/8"))
        })
    };
    written.iter().map(one).collect()
}

fn analysis_caps(changes: &[String]) -> Result<Caps, ConfigError> {
    let changed = changes.iter().try_fold(Caps::default(), |caps, change| caps.with(change));
    changed.map_err(|problem| setting("analysis_caps", problem))
}

fn adopt_line(agents_address: &str) -> Result<AdoptLine, ConfigError> {
    AdoptLine::new(agents_address).map_err(|error| setting("agents_address", error))
}

fn public_url(url: &str) -> Result<String, ConfigError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        Some(_) | None => {
            Err(setting("public_url", "must look like https://hydron.example.com, without a path"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let flags = Settings { listen: Some("127.0.0.1:1".parse().unwrap()), ..Settings::default() };
        let file: Settings = toml::from_str("listen = '127.0.0.1:2'\nzone = 'example.com'").unwrap();
        let config = flags.or(file).check(None).unwrap();
        assert_eq!((config.listen.port(), config.agents_listen.port()), (1, 8444));
        assert_eq!(config.zone.as_str(), "example.com");
        assert!(!config.sources.allow_private);
    }

    #[test]
    fn plain_http_is_refused_off_loopback_and_half_a_certificate_is_named() {
        let open = Settings {
            plain_http: Some(true),
            listen: Some("0.0.0.0:80".parse().unwrap()),
            ..Settings::default()
        };
        assert!(open.check(None).unwrap_err().to_string().starts_with("plain_http:"));
        let half = Settings { tls_certificate: Some("x".into()), ..Settings::default() };
        assert!(half.check(None).unwrap_err().to_string().starts_with("tls_key:"));
    }

    #[test]
    fn trusted_proxies_are_addresses_and_networks_and_nobody_unless_named() {
        let proxies = |written: &[&str]| {
            let written = written.iter().map(|&text| text.to_owned()).collect();
            let settings = Settings { trusted_proxies: Some(written), ..Settings::default() };
            settings.check(None).map(|config| config.trusted_proxies)
        };
        assert_eq!(Settings::default().check(None).unwrap().trusted_proxies, []);
        let nets = ["10.0.0.5/32", "192.168.0.0/24"].map(|net| net.parse::<IpNet>().unwrap());
        assert_eq!(proxies(&["10.0.0.5", " 192.168.0.0/24"]).unwrap(), nets);
        let refused = proxies(&["proxy.example.org"]).unwrap_err().to_string();
        assert!(refused.starts_with("trusted_proxies: \"proxy.example.org\" must be"), "{refused}");
    }

    #[test]
    fn an_unknown_setting_and_a_foreign_database_are_refused() {
        assert!(toml::from_str::<Settings>("lisen = '127.0.0.1:1'").is_err());
        let settings = Settings { database_url: Some("mysql://x".into()), ..Settings::default() };
        assert!(settings.check(None).is_err());
    }
}
