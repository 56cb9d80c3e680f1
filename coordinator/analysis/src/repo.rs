//! The tree as the rules see it: sorted, capped, with a role for each file and content read by need.
//!
//! One rule: every read goes through here, so the caps hold and the counters are true.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use hydron_domain::analysis::{Finding, FindingCode, ReadStats, Severity};

use crate::draft::Draft;
use crate::options::Caps;
use crate::path;
pub(crate) use crate::role::Role;
use crate::role::{dir_role, file_role, role};
use crate::spread::spread;
use crate::tree::{Entry, EntryKind, FileTree, TreeError, Unlisted};

/// As many directories that cannot be listed are named one by one.
const MOST_UNLISTED: usize = 5;

/// One file with its role.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    size: Option<u64>,
    pub(crate) role: Role,
    /// Where name and extension begin: rules ask for them far more often than there are files.
    name_at: usize,
    extension_at: usize,
    text: OnceLock<Option<String>>,
}

impl File {
    /// The last component of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.get(self.name_at..).unwrap_or_default()
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &str {
        self.path.get(..self.name_at.saturating_sub(1)).unwrap_or_default()
    }

    /// The extension without a dot, empty if none.
    pub(crate) fn extension(&self) -> &str {
        self.path.get(self.extension_at..).unwrap_or_default()
    }
}

/// A walked tree.
pub(crate) struct Repo<'t> {
    tree: &'t dyn FileTree,
    files: Vec<File>,
    /// The directory that was asked for: what lies above it says nothing about what it is for.
    subdir: Option<String>,
    caps: Caps,
    total: u64,
    read: AtomicU64,
    bytes: AtomicU64,
    late: AtomicBool,
    findings: Mutex<Vec<Finding>>,
}

impl<'t> Repo<'t> {
    /// Lists and sorts the tree and gives every file its role.
    pub(crate) fn walk(tree: &'t dyn FileTree, caps: Caps, subdir: Option<&str>) -> Result<Self, TreeError> {
        let subdir = subdir.map(|s| s.trim_matches('/').trim_start_matches("./").to_owned());
        let mut entries = tree.entries()?;
        let total = entries.len() as u64;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        let listed = entries.len();
        entries.retain(|e| path::depth(&e.path) <= caps.depth);
        let too_deep = listed - entries.len();
        let too_many = entries.len().saturating_sub(caps.files);
        entries.truncate(caps.files);
        let repo = Self {
            tree,
            files: files(entries, subdir.as_deref()),
            subdir,
            caps,
            total,
            read: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            late: AtomicBool::new(false),
            findings: Mutex::new(Vec::new()),
        };
        for Unlisted { path, reason } in tree.unlisted().into_iter().take(MOST_UNLISTED) {
            repo.note_unlisted(&path, &reason);
        }
        if too_many + too_deep > 0 {
            repo.note_cap(&format!(
                "{too_many} files above the limit of {} and {too_deep} files deeper than {} directories were not looked at",
                caps.files, caps.depth
            ));
        }
        Ok(repo)
    }

    /// The limits of this reading.
    pub(crate) fn caps(&self) -> Caps {
        self.caps
    }

    /// The directory that was asked for.
    pub(crate) fn subdir(&self) -> Option<&str> {
        self.subdir.as_deref()
    }

    /// Whether a directory or name says that this supports a product (`cart-e2e`, `tools/gen`).
    pub(crate) fn is_support(&self, path: &str) -> bool {
        crate::stacks::is_support(asked(path, self.subdir.as_deref()))
    }

    /// All files, sorted by path.
    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// Files below a directory, sorted.
    pub(crate) fn under<'r>(&'r self, dir: &'r str) -> impl Iterator<Item = &'r File> + 'r {
        let start = if dir.is_empty() { 0 } else { self.files.partition_point(|f| f.path.as_str() < dir) };
        self.files
            .iter()
            .skip(start)
            .take_while(move |f| dir.is_empty() || f.path.starts_with(dir))
            .filter(move |f| path::within(&f.path, dir))
    }

    /// Files directly in a directory.
    pub(crate) fn in_dir<'r>(&'r self, dir: &'r str) -> impl Iterator<Item = &'r File> + 'r {
        self.under(dir).filter(move |f| f.dir() == dir)
    }

    /// The files of a draft's code, sorted: those below its sources that belong to nobody else.
    pub(crate) fn owned<'r>(&'r self, draft: &Draft) -> impl Iterator<Item = &'r File> + use<'r, 't> {
        self.owned_at(draft).into_iter().filter_map(|at| self.files.get(at))
    }

    /// The same as places in `files`.
    pub(crate) fn owned_at(&self, draft: &Draft) -> Vec<usize> {
        let nested: Vec<_> = draft.nested.iter().flat_map(|dir| self.span(dir)).collect();
        let mut all: Vec<usize> = draft.sources.iter().flat_map(|dir| self.span(dir)).flatten().collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|at| !nested.iter().any(|span| span.contains(at)));
        all
    }

    /// Where the files below a directory stand, and the file of that name if it is one.
    fn span(&self, dir: &str) -> [std::ops::Range<usize>; 2] {
        if dir.is_empty() {
            return [0..self.files.len(), 0..0];
        }
        let at = |limit: &str| self.files.partition_point(|f| f.path.as_str() < limit);
        // '0' follows '/': everything between the two begins with the directory's name and a slash.
        let itself = self.files.binary_search_by(|f| f.path.as_str().cmp(dir)).map_or(0..0, |at| at..at + 1);
        [at(&format!("{dir}/"))..at(&format!("{dir}0")), itself]
    }

    /// One file.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        let at = self.files.binary_search_by(|f| f.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Whether a file exists.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.file(path).is_some()
    }

    /// Whether a directory has files.
    pub(crate) fn has_dir(&self, dir: &str) -> bool {
        self.under(dir).next().is_some()
    }

    /// The first of several names that exists in a directory, as a path.
    pub(crate) fn first_of(&self, dir: &str, names: &[&str]) -> Option<String> {
        names.iter().map(|n| path::join(dir, n)).find(|p| self.has(p))
    }

    /// Text of a file by path, following links inside the tree.
    pub(crate) fn read(&self, path: &str) -> Option<&str> {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let file = self.file(&path)?;
            match file.kind {
                EntryKind::File | EntryKind::Executable => return self.text(file),
                EntryKind::Submodule => return None,
                EntryKind::Link => path = self.link_target(file)?,
            }
        }
        None
    }

    /// Text of a file; `None` for binaries, links out of the tree, and what lies beyond the caps.
    pub(crate) fn text<'r>(&'r self, file: &'r File) -> Option<&'r str> {
        if file.kind == EntryKind::Link {
            let target = self.link_target(file)?;
            return if target == file.path { None } else { self.plain(self.file(&target)?) };
        }
        self.plain(file)
    }

    /// Looks at the texts of many files side by side; the answers come in the order of the files.
    pub(crate) fn each_text<T: Sync, R: Send>(
        &self,
        items: &[T],
        file: impl Fn(&T) -> &File + Sync,
        look: impl Fn(&T, &str) -> R + Sync,
    ) -> Vec<Option<R>> {
        let one = |item: &T| self.text(file(item)).map(|text| look(item, text));
        let mut answers = Vec::with_capacity(items.len());
        let mut rest = items;
        while !rest.is_empty() {
            let room = self.caps.total_bytes.saturating_sub(self.bytes.load(Ordering::Relaxed));
            let together = self.fitting(rest.iter().map(&file), room);
            let (now, later) = rest.split_at(together.max(1).min(rest.len()));
            self.announce(now.iter().map(&file));
            answers.extend(spread(now, one));
            rest = later;
        }
        answers
    }

    /// Tells the tree which files are read next.
    fn announce<'f>(&self, files: impl Iterator<Item = &'f File>) {
        let wanted = |file: &&File| {
            let plain = matches!(file.kind, EntryKind::File | EntryKind::Executable);
            plain
                && file.text.get().is_none()
                && file.size.is_some_and(|size| size <= self.caps.file_bytes as u64)
        };
        let paths: Vec<&str> = files.filter(wanted).map(|file| file.path.as_str()).collect();
        if paths.len() > 1 {
            self.tree.prefetch(&paths);
        }
    }

    /// How many files fit into the limit of bytes however large they turn out to be: near it, it matters who comes first.
    fn fitting<'f>(&self, files: impl Iterator<Item = &'f File>, room: u64) -> usize {
        let mut most = 0;
        let fits = |file: &&File| {
            let unread = file.text.get().is_none();
            most += if unread { file.size.unwrap_or(self.caps.file_bytes as u64) } else { 0 };
            most < room
        };
        files.take_while(fits).count()
    }

    /// The size of a file.
    pub(crate) fn size(&self, file: &File) -> Option<u64> {
        file.size.or_else(|| self.tree.size(&file.path))
    }

    /// Text of a file if its name is one of several.
    pub(crate) fn text_if<'r>(&'r self, file: &'r File, names: &[&str]) -> Option<&'r str> {
        if names.contains(&file.name()) { self.text(file) } else { None }
    }

    /// Adds a finding.
    pub(crate) fn note(&self, finding: Finding) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }

    /// Says that a manifest does not parse.
    pub(crate) fn note_unreadable(&self, path: &str, problem: &str) {
        let problem = problem.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let problem: String = problem.chars().take(160).collect();
        self.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::UnreadableManifest,
            service: None,
            message: format!("{path} does not parse: {problem}"),
            advice: "Correct the file, or set the values it should give by hand.".to_owned(),
            file: Some(path.to_owned()),
            line: None,
        });
    }

    /// Manifests of the program that do not parse, sorted.
    pub(crate) fn unreadable(&self) -> Vec<String> {
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let broken = findings.iter().filter(|f| f.code == FindingCode::UnreadableManifest);
        let mut files: Vec<String> = broken.filter_map(|f| f.file.clone()).collect();
        files.retain(|path| {
            let asked = self.subdir.as_deref().is_none_or(|subdir| path::within(path, subdir));
            asked && self.file(path).is_some_and(|file| file.role == Role::Normal)
        });
        files.sort();
        files.dedup();
        files
    }

    fn note_unlisted(&self, path: &str, reason: &str) {
        self.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::CapReached,
            service: None,
            message: format!(
                "the directory {path} cannot be listed ({reason}), so nothing in it was looked at"
            ),
            advice:
                "If it holds code, allow this user to read it; data of a running container belongs elsewhere."
                    .to_owned(),
            file: Some(path.to_owned()),
            line: None,
        });
    }

    /// The findings so far, and the counters.
    pub(crate) fn finish(self) -> (Vec<Finding>, ReadStats) {
        let stats = ReadStats {
            files: self.total,
            files_read: self.read.into_inner(),
            bytes_read: self.bytes.into_inner(),
        };
        (self.findings.into_inner().unwrap_or_else(PoisonError::into_inner), stats)
    }

    /// Whether the caller's time is over; said once.
    pub(crate) fn is_late(&self) -> bool {
        if self.late.load(Ordering::Relaxed) {
            return true;
        }
        let late = !self.tree.in_time();
        if late && !self.late.swap(true, Ordering::Relaxed) {
            self.note_cap("the time for a reading was over before all files were looked at");
        }
        late
    }

    fn plain<'r>(&'r self, file: &'r File) -> Option<&'r str> {
        match file.kind {
            EntryKind::File | EntryKind::Executable => {}
            EntryKind::Link | EntryKind::Submodule => return None,
        }
        if self.is_late() {
            return None;
        }
        file.text.get_or_init(|| self.load(file)).as_deref()
    }

    fn load(&self, file: &File) -> Option<String> {
        if self.bytes.load(Ordering::Relaxed) >= self.caps.total_bytes {
            self.note_cap("the limit of bytes read was reached");
            return None;
        }
        if file.size.is_some_and(|size| size > self.caps.file_bytes as u64) {
            return self.too_large(file);
        }
        // One byte more than listed or allowed: whoever reads sees the end, and a file that lies about its size stays small.
        let listed = file.size.and_then(|size| usize::try_from(size).ok());
        let mut bytes =
            self.tree.read(&file.path, listed.unwrap_or(self.caps.file_bytes).saturating_add(1)).ok()?;
        if listed.is_some() {
            bytes.truncate(self.caps.file_bytes);
        } else if bytes.len() > self.caps.file_bytes {
            return self.too_large(file);
        }
        self.read.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if bytes.get(..bytes.len().min(8000)).is_some_and(|head| head.contains(&0)) {
            return None;
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(invalid) => String::from_utf8_lossy(invalid.as_bytes()).into_owned(),
        };
        Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    fn too_large(&self, file: &File) -> Option<String> {
        if is_manifest(file.name()) {
            let size = self.size(file).unwrap_or_default();
            self.note_cap(&format!("{} has {size} bytes and was not read", file.path));
        }
        None
    }

    fn link_target(&self, link: &File) -> Option<String> {
        let target = self.tree.read(&link.path, 4096).ok()?;
        let target = String::from_utf8(target).ok()?;
        let inside =
            if target.starts_with('/') { None } else { path::resolve(link.dir(), target.trim_end()) };
        if inside.is_none() {
            self.note(Finding {
                severity: Severity::Warning,
                code: FindingCode::ForeignLink,
                service: None,
                message: format!("{} is a link that leaves the repository", link.path),
                advice: "It was not followed; put the file itself into the repository.".to_owned(),
                file: Some(link.path.clone()),
                line: None,
            });
        }
        inside
    }

    /// Says that a limit was reached, once for each limit.
    pub(crate) fn note_cap(&self, message: &str) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if findings.iter().any(|f| f.code == FindingCode::CapReached && f.message == message) {
            return;
        }
        findings.push(Finding {
            severity: Severity::Warning,
            code: FindingCode::CapReached,
            service: None,
            message: message.to_owned(),
            advice: "Analyse a subdirectory, or raise the limit: `analysis_caps` of the coordinator, --caps of hydron analyze.".to_owned(),
            file: None,
            line: None,
        });
    }
}

/// Where the lines of a text begin: for many offsets of one text.
pub(crate) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    /// Finds every line's end.
    pub(crate) fn of(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { ends: newlines.map(|(at, _)| at).collect() }
    }

    /// 1-based line of a byte offset.
    pub(crate) fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.ends.partition_point(|end| *end < offset) + 1).unwrap_or(u32::MAX)
    }
}

/// 1-based line of a byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> u32 {
    let lines = text.as_bytes().iter().take(offset).filter(|&&b| b == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

/// 1-based line of the first occurrence of a needle.
pub(crate) fn line_of(text: &str, needle: &str) -> Option<u32> {
    text.find(needle).map(|at| line_at(text, at))
}

/// A path as seen from the directory that was asked for, if it lies there.
fn asked<'p>(path: &'p str, subdir: Option<&str>) -> &'p str {
    subdir.and_then(|subdir| path::relative(path, subdir)).unwrap_or(path)
}

/// Sorted entries with their roles; neighbours mostly share a directory, which is judged once.
fn files(entries: Vec<Entry>, subdir: Option<&str>) -> Vec<File> {
    let mut judged: (String, Role) = (String::new(), Role::Normal);
    let one = |entry: Entry| {
        let path = asked(&entry.path, subdir);
        let dir = path::parent(path);
        if dir != judged.0 {
            judged = (dir.to_owned(), dir_role(dir));
        }
        let role = file_role(judged.1, path::base(path));
        file(entry, role)
    };
    entries.into_iter().map(one).collect()
}

fn file(entry: Entry, role: Role) -> File {
    let name_at = entry.path.rfind('/').map_or(0, |at| at + 1);
    let dot = entry.path.get(name_at..).and_then(|name| name.rfind('.'));
    let extension_at = dot.map_or(entry.path.len(), |at| name_at + at + 1);
    let text = OnceLock::new();
    File { path: entry.path, kind: entry.kind, size: entry.size, role, name_at, extension_at, text }
}

/// A file that nobody listed, for a parser that only asks for its name.
pub(crate) fn as_file(path: &str) -> File {
    file(Entry { path: path.to_owned(), kind: EntryKind::File, size: Some(0) }, role(path))
}

pub(crate) fn is_manifest(name: &str) -> bool {
    matches!(
        name,
        "package.json"
            | "pyproject.toml"
            | "requirements.txt"
            | "go.mod"
            | "Cargo.toml"
            | "pom.xml"
            | "composer.json"
            | "Gemfile"
            | "Dockerfile"
            | "compose.yaml"
            | "docker-compose.yml"
    )
}
