//! The files of a fetched commit as the analysis wants them, read through one `git cat-file --batch`.
//!
//! Rule: blobs only, by hash, up to a size; a link's content is its target text, and it is never followed.

use std::collections::{BTreeMap, HashMap};
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
    /// Contents that were asked for together and not read yet, by path.
    ready: Mutex<HashMap<String, Vec<u8>>>,
    child: Child,
}

/// As many objects are asked for at once: their names (65 bytes each at most) fit into the smallest pipe that Linux gives,
/// a page, so that neither side waits for the other to read.
const TOGETHER: usize = 60;

#[derive(Debug)]
struct Pipes {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// An answer could not be read to its end: what follows belongs to nobody.
    lost: bool,
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
        let pipes = Mutex::new(Pipes { input, output: BufReader::new(output), lost: false });
        Ok(Self { files, largest, until: None, pipes, ready: Mutex::default(), child })
    }

    fn blob(&self, object: &str, cap: usize) -> std::io::Result<Vec<u8>> {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        pipes.ask(&[object])?;
        let mut content =
            pipes.answer(object, self.largest)?.ok_or_else(|| broken("the object is not there"))?;
        content.truncate(cap);
        Ok(content)
    }

    /// The object of a file that was fetched.
    fn object(&self, path: &str) -> Result<&str, String> {
        let file = self.files.get(path).ok_or("no such file")?;
        if file.kind == EntryKind::Submodule {
            return Err("it is a submodule, which is not fetched".to_owned());
        }
        if file.size.is_none_or(|size| size > self.largest) {
            return Err("it is larger than 1 MiB and was not fetched".to_owned());
        }
        Ok(&file.object)
    }
}

impl Pipes {
    /// Asks for objects; their answers come in the same order.
    fn ask(&mut self, objects: &[&str]) -> std::io::Result<()> {
        if self.lost {
            return Err(broken("git's answers were lost"));
        }
        let mut names = objects.join("\n");
        names.push('\n');
        self.input.write_all(names.as_bytes())?;
        self.input.flush()
    }

    /// The next answer; none when there is no such blob.
    fn answer(&mut self, object: &str, largest: u64) -> std::io::Result<Option<Vec<u8>>> {
        self.lost = true;
        let answer = self.next(object, largest)?;
        self.lost = false;
        Ok(answer)
    }

    fn next(&mut self, object: &str, largest: u64) -> std::io::Result<Option<Vec<u8>>> {
        let mut header = String::new();
        self.output.read_line(&mut header)?;
        let mut parts = header.split_ascii_whitespace();
        if parts.next() != Some(object) {
            return Err(broken("git answered about another object"));
        }
        let kind = parts.next();
        if kind == Some("missing") {
            return Ok(None);
        }
        let size: Option<u64> = parts.next().and_then(|size| size.parse().ok());
        let size = size.ok_or_else(|| broken("git answered without a size"))?;
        if size > largest {
            return Err(broken("the object is larger than was listed"));
        }
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        (&mut self.output).take(size).read_to_end(&mut content)?;
        let mut newline = [0];
        self.output.read_exact(&mut newline)?;
        Ok((kind == Some("blob")).then_some(content))
    }
}

fn broken(what: &'static str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
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
        let object = self.object(path).map_err(fail)?;
        if let Some(mut content) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).remove(path) {
            content.truncate(cap);
            return Ok(content);
        }
        self.blob(object, cap).map_err(|error| fail(error.to_string()))
    }

    /// What cannot be had is asked for again when it is read, and fails there.
    fn prefetch(&self, paths: &[&str]) {
        let objects = paths.iter().filter_map(|path| Some((*path, self.object(path).ok()?)));
        for together in objects.collect::<Vec<_>>().chunks(TOGETHER) {
            let names: Vec<&str> = together.iter().map(|(_, object)| *object).collect();
            let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
            if pipes.ask(&names).is_err() {
                return;
            }
            for (path, object) in together {
                let Ok(content) = pipes.answer(object, self.largest) else { return };
                if let Some(content) = content {
                    self.ready
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert((*path).to_owned(), content);
                }
            }
        }
    }
}

impl Drop for GitTree {
    fn drop(&mut self) {
        // It ends by itself when its input closes; killing only makes that sooner.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(dir: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
        let done = Command::new("git").current_dir(dir).args(identity).args(arguments).output().unwrap();
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn files_that_are_asked_for_together_are_the_same_as_one_by_one() {
        let place = tempfile::tempdir().unwrap();
        git(place.path(), &["init", "-q"]);
        for file in 0..200 {
            // Some alike, some long, one empty, one without an end of line.
            let text = "line\n".repeat(file % 7 * 300) + if file == 5 { "end" } else { "" };
            std::fs::write(place.path().join(format!("{file}.txt")), text).unwrap();
        }
        git(place.path(), &["add", "-A"]);
        git(place.path(), &["commit", "-q", "-m", "Files"]);
        let open = || GitTree::of_local(&place.path().join(".git"), "HEAD").unwrap();
        let (single, together) = (open(), open());
        let entries = together.entries().unwrap();
        let mut paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        paths.insert(3, "not-there.txt");
        together.prefetch(&paths);
        for entry in &entries {
            for cap in [10, 1 << 20] {
                assert_eq!(single.read(&entry.path, cap).unwrap(), together.read(&entry.path, cap).unwrap());
            }
        }
        assert!(together.read("not-there.txt", 10).is_err());
    }

    #[test]
    fn an_object_that_is_gone_fails_alone() {
        let place = tempfile::tempdir().unwrap();
        git(place.path(), &["init", "-q"]);
        for name in ["a", "b", "c"] {
            std::fs::write(place.path().join(name), name).unwrap();
        }
        git(place.path(), &["add", "-A"]);
        git(place.path(), &["commit", "-q", "-m", "Files"]);
        let tree = GitTree::of_local(&place.path().join(".git"), "HEAD").unwrap();
        let gone = tree.object("b").unwrap().to_owned();
        let (dir, file) = gone.split_at(2);
        std::fs::remove_file(place.path().join(format!(".git/objects/{dir}/{file}"))).unwrap();
        tree.prefetch(&["a", "b", "c"]);
        assert!(tree.read("b", 10).is_err());
        assert_eq!(
            (tree.read("a", 10).unwrap(), tree.read("c", 10).unwrap()),
            (b"a".to_vec(), b"c".to_vec())
        );
    }
}
