//! The files of a fetched commit as the analysis wants them, read through one `git cat-file --batch`.
//!
//! Rule: blobs only, by hash, up to a size; a link's content is its target text, and it is never followed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hydron_analysis::{Entry, EntryKind, FileTree, TreeError};
use hydron_proto::source::{self, CAPS};

use super::FetchError;
use super::child::Confined;
use super::listing::{File, Listing};

/// Most entries of a local repository's commit.
const LOCAL_ENTRIES: usize = 300_000;

/// Files of a commit. Reads block.
#[derive(Debug)]
pub struct GitTree {
    files: BTreeMap<String, File>,
    largest: u64,
    until: Option<Instant>,
    pipes: Mutex<Pipes>,
    child: Child,
}

#[derive(Debug)]
struct Pipes {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl GitTree {
    pub(super) fn start(
        confined: &Confined,
        args: Vec<OsString>,
        files: BTreeMap<String, File>,
        largest: u64,
    ) -> Result<Self, FetchError> {
        Self::over(confined.start_blocking(args)?, files, largest)
    }

    /// A commit of a repository on this machine, which is the person's own and is read in place.
    pub fn of_local(git_dir: &Path, reference: &str) -> Result<Self, FetchError> {
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.env_clear().envs(source::environment(git_dir)).args(source::local(git_dir, arguments));
            command.stderr(Stdio::null());
            command
        };
        let commit = format!("{reference}^{{commit}}");
        let list = ["ls-tree", "-r", "-t", "-z", "--full-tree", "--long", "--end-of-options", &commit];
        let listed = git(&list).output().map_err(FetchError::Start)?;
        if !listed.status.success() {
            return Err(FetchError::NoSuchRef);
        }
        let files = Listing::parse(&listed.stdout, LOCAL_ENTRIES)?.under("");
        let mut batch = git(&["cat-file", "--batch"]);
        let child = batch.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(FetchError::Start)?;
        Self::over(child, files, CAPS.blob_bytes)
    }

    /// The same tree, which stops giving files at a moment.
    pub fn until(mut self, moment: Instant) -> Self {
        self.until = Some(moment);
        self
    }

    fn over(mut child: Child, files: BTreeMap<String, File>, largest: u64) -> Result<Self, FetchError> {
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or(FetchError::Git(None))?;
        let pipes = Mutex::new(Pipes { input, output: BufReader::new(output) });
        Ok(Self { files, largest, until: None, pipes, child })
    }

    fn blob(&self, object: &str, cap: usize) -> std::io::Result<Vec<u8>> {
        let broken = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.input, "{object}")?;
        pipes.input.flush()?;
        let mut header = String::new();
        pipes.output.read_line(&mut header)?;
        let mut parts = header.split_ascii_whitespace();
        let (Some(_), Some("blob"), Some(size)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken("the object is not there"));
        };
        let size: u64 = size.parse().map_err(|_| broken("git answered without a size"))?;
        if size > self.largest {
            return Err(broken("the object is larger than was listed"));
        }
        let mut content = Vec::new();
        (&mut pipes.output).take(size).read_to_end(&mut content)?;
        let mut newline = [0];
        pipes.output.read_exact(&mut newline)?;
        content.truncate(cap);
        Ok(content)
    }
}

impl FileTree for GitTree {
    fn in_time(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        Ok(self.files.iter().map(|(path, file)| file.entry(path)).collect())
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        let fail = |reason: String| TreeError::Read { path: path.to_owned(), reason };
        let file = self.files.get(path).ok_or_else(|| fail("no such file".to_owned()))?;
        if file.kind == EntryKind::Submodule {
            return Err(fail("it is a submodule, which is not fetched".to_owned()));
        }
        if file.size.is_none_or(|size| size > self.largest) {
            return Err(fail("it is larger than 1 MiB and was not fetched".to_owned()));
        }
        self.blob(&file.object, cap).map_err(|error| fail(error.to_string()))
    }
}

impl Drop for GitTree {
    fn drop(&mut self) {
        // It ends by itself when its input closes; killing only makes that sooner.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
