//! A release without the web interface in it is a mistake, unless somebody says otherwise.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-env-changed=HYDRON_ALLOW_PLACEHOLDER_UI");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let allowed = std::env::var_os("HYDRON_ALLOW_PLACEHOLDER_UI").is_some();
    if release && !allowed && !Path::new("web/dist/index.html").exists() {
        println!(
            "cargo:error=the web interface is not built: run `npm ci && npm run build` in coordinator/web, \
             or set HYDRON_ALLOW_PLACEHOLDER_UI=1 to release without it"
        );
    }
}
