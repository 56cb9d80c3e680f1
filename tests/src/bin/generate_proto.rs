//! Regenerates `proto/src/gen/hydron.v1.rs` from `proto/proto/`. Run by `make generate`; the result is committed.

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let include = root.join("proto");
    let files = ["link", "work", "executor"].map(|name| include.join(format!("hydron/v1/{name}.proto")));
    let descriptors = protox::compile(files, [&include])?;
    let out = root.join("src/gen");
    std::fs::create_dir_all(&out)?;
    let mut config = prost_build::Config::new();
    config.out_dir(&out).bytes(["StreamData.data", "LogData.data"]);
    // These carry secret values or what opens them: no Debug may print them.
    config.skip_debug(["ClearSecret", "EnrollRequest"]);
    config.compile_fds(descriptors)?;
    Ok(())
}
