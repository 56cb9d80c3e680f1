//! `hydron analyze SOURCE`: reads a directory, a local repository or a git URL, without a coordinator.
//!
//! Rule: nothing of the source is run. A URL is fetched by the same confined client that the coordinator uses; the eight
//! steps go to standard error, the result to standard output.

mod directory;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use hydron_analysis::{Caps, FileTree, Options};
use hydron_domain::analysis::{Analysis, AnalysisStep};
use hydron_proto::names::{CommitId, GitRef, GitUrl};

use super::say;
use crate::clients::git::{GitClient, GitTree, Request};
use crate::config::Sources;
use directory::DirectoryTree;

/// What to read and how to show it.
#[derive(Debug, clap::Args)]
pub struct Analyze {
    /// A directory, a local git repository, or the `https://` URL of a git repository
    #[arg(value_name = "PATH_OR_URL")]
    pub source: String,
    /// Branch, tag or full commit id; the files as they are for a directory, the default branch for a URL
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// Look for services only below this directory
    #[arg(long)]
    pub subdir: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Limits: services=500,files=300000 (also file_bytes, total_bytes, depth)
    #[arg(long, value_delimiter = ',')]
    pub caps: Vec<String>,
    /// Do not show the steps
    #[arg(long)]
    pub quiet: bool,
    /// Fetch from private and loopback addresses, too
    #[arg(long, env = "HYDRON_ALLOW_PRIVATE_SOURCES")]
    pub allow_private_sources: bool,
    /// A certificate authority (PEM) to trust beside the system's
    #[arg(long, env = "HYDRON_SOURCES_CA")]
    pub sources_ca: Option<PathBuf>,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How long a reading may take.
const PATIENCE: Duration = Duration::from_secs(hydron_analysis::PATIENCE_S);

/// Reads and prints.
pub async fn run(args: Analyze) -> anyhow::Result<()> {
    let format = args.format;
    let analysis = if args.source.contains("://") || args.source.starts_with("git@") {
        remote(args).await?
    } else {
        tokio::task::spawn_blocking(move || local(&args)).await??
    };
    match format {
        Format::Text => say(hydron_analysis::render::text(&analysis).trim_end()),
        Format::Json => say(&serde_json::to_string_pretty(&analysis)?),
    }
}

/// Fetches one commit into a directory of its own, which goes with the end of the command.
async fn remote(args: Analyze) -> anyhow::Result<Analysis> {
    let url: GitUrl =
        args.source.parse().map_err(|problem| anyhow::anyhow!("{problem}; got {}", args.source))?;
    let wanted = args.reference.as_deref().map(Wanted::parse).transpose()?;
    let place = tempfile::tempdir().context("no temporary directory could be made")?;
    let sources = Sources {
        allow_private: args.allow_private_sources,
        extra_ca: args.sources_ca.clone(),
        confiner: None,
    };
    let git = GitClient::new(sources, place.path()).context("the fetch's directory cannot be used")?;
    let (reference, commit) = match &wanted {
        Some(Wanted::Commit(commit)) => (None, Some(commit)),
        Some(Wanted::Reference(reference)) => (Some(reference), None),
        None => (None, None),
    };
    show(&args, AnalysisStep::Resolving);
    let resolved = git.resolve(&Request { url: &url, reference, commit }).await?;
    show(&args, AnalysisStep::Cloning);
    let checkout = git.fetch(&url, &resolved).await?;
    let name = url.repository_name().to_owned();
    tokio::task::spawn_blocking(move || {
        let tree = checkout.tree("")?.until(Instant::now() + PATIENCE);
        read(&tree, &args, Some(name))
    })
    .await?
}

/// A directory as it is, or a commit of a repository on this machine.
fn local(args: &Analyze) -> anyhow::Result<Analysis> {
    let given = Path::new(&args.source);
    let root = given.canonicalize().with_context(|| format!("{} cannot be opened", given.display()))?;
    if !root.is_dir() {
        bail!("{} is not a directory; give the directory of a repository, or a git URL", root.display());
    }
    let name = root.file_name().map(|name| name.to_string_lossy().trim_end_matches(".git").to_owned());
    let bare = root.join("HEAD").is_file() && root.join("objects").is_dir();
    show(args, AnalysisStep::Resolving);
    if args.reference.is_none() && !bare {
        show(args, AnalysisStep::Cloning);
        // More than are looked at, so that it is seen how many are not.
        let most = caps(args)?.files.saturating_mul(3) / 2;
        let tree = DirectoryTree::new(root, Instant::now() + PATIENCE, most)?;
        return read(&tree, args, name);
    }
    let wanted = args.reference.as_deref().map(Wanted::parse).transpose()?;
    let text = wanted.as_ref().map_or("HEAD", Wanted::as_str);
    let git_dir = if bare { root } else { root.join(".git") };
    if !git_dir.exists() {
        bail!("{} is not a git repository, so it has no {text}; leave out --ref", given.display());
    }
    show(args, AnalysisStep::Cloning);
    let tree = GitTree::of_local(&git_dir, text)?.until(Instant::now() + PATIENCE);
    read(&tree, args, name)
}

fn read(tree: &dyn FileTree, args: &Analyze, name: Option<String>) -> anyhow::Result<Analysis> {
    let subdir = args.subdir.clone();
    let options = Options { repository_name: name, subdir, caps: caps(args)?, ..Options::default() };
    Ok(hydron_analysis::analyze(tree, &options, &mut |step| show(args, step))?)
}

fn caps(args: &Analyze) -> anyhow::Result<Caps> {
    let caps = args.caps.iter().try_fold(Caps::default(), |caps, change| caps.with(change));
    caps.map_err(|problem| anyhow::anyhow!("--caps: {problem}"))
}

/// One of the eight steps, as it begins.
fn show(args: &Analyze, step: AnalysisStep) {
    if !args.quiet {
        let line = format!("[{}/{}] {}", step.number(), AnalysisStep::ALL.len(), step.title());
        // Nobody may be listening; the result is what counts.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// A branch, tag or commit, checked before git sees it.
enum Wanted {
    Reference(GitRef),
    Commit(CommitId),
}

impl Wanted {
    fn parse(text: &str) -> anyhow::Result<Self> {
        if let Ok(commit) = text.parse() {
            return Ok(Self::Commit(commit));
        }
        let reference = text.parse().map_err(|problem| anyhow::anyhow!("{problem}; got {text}"))?;
        Ok(Self::Reference(reference))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Reference(reference) => reference.as_str(),
            Self::Commit(commit) => commit.as_str(),
        }
    }
}
