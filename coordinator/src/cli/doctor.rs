//! `hydron doctor`: checks the installation from the outside in, and says what to do about what is wrong.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::bail;
use hydron_store::Store;

use super::say;
use crate::config::Config;
use crate::http::problem::chain;

/// Prints one line a check; fails if one failed.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let checks = [
        ("data directory", data_dir(&config)),
        ("keys", keys(&config)),
        ("database", database(&config).await),
        ("web address", address(config.listen)),
        ("agents' address", address(config.agents_listen)),
    ];
    let mut wrong = 0;
    for (name, found) in checks {
        match found {
            Ok(text) => say(&format!("ok     {name}: {text}"))?,
            Err(text) => {
                wrong += 1;
                say(&format!("WRONG  {name}: {text}"))?;
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} of the checks failed");
    }
    Ok(())
}

fn data_dir(config: &Config) -> Result<String, String> {
    let path = config.data_dir.display();
    match config.data_dir.metadata() {
        Ok(meta) if meta.is_dir() => Ok(format!("{path}")),
        Ok(_) => Err(format!("{path} is not a directory")),
        Err(error) => Err(format!("{path}: {error}; `hydron serve` makes it")),
    }
}

fn keys(config: &Config) -> Result<String, String> {
    let dir = config.keys_dir();
    let files = std::fs::read_dir(&dir)
        .map_err(|error| format!("{}: {error}; the first start makes it", dir.display()))?;
    for file in files.flatten() {
        let mode = file.metadata().map_err(|error| error.to_string())?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!(
                "{0} can be read by others (mode {mode:o}); run: chmod 600 {0}",
                file.path().display()
            ));
        }
    }
    Ok(format!("{}, for its owner only", dir.display()))
}

async fn database(config: &Config) -> Result<String, String> {
    let engine = config.database.engine();
    let store = Store::open_beside(&config.database).await.map_err(|error| chain(&error))?;
    let state = store.migration_state().await.map_err(|error| chain(&error));
    store.close().await;
    let state = state?;
    if state.is_behind() {
        return Err(format!(
            "{engine} is at schema {}, this binary knows {}; run: hydron migrate",
            state.applied, state.known
        ));
    }
    if state.applied > state.known {
        return Err(format!(
            "{engine} is at schema {}, newer than this binary's {}; run the newer one",
            state.applied, state.known
        ));
    }
    Ok(format!("{engine}, schema {}", state.applied))
}

fn address(address: std::net::SocketAddr) -> Result<String, String> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Ok(format!("{address} is in use (a running coordinator?)"))
        }
        Err(error) => Err(format!("{address}: {error}")),
    }
}
