//! The build context as a stream: a tar made while it is sent, so that no copy lies on disk or in memory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::ignore::Ignore;

/// Name of the Dockerfile inside the context; one that no repository has.
pub(super) const DOCKERFILE: &str = ".hydron.Dockerfile";
/// Size of a piece.
const PIECE: usize = 64 * 1024;

/// What is sent.
#[derive(Debug)]
pub(super) struct Source {
    /// Text of the Dockerfile.
    pub(super) dockerfile: Vec<u8>,
    /// Files; none for a Dockerfile alone.
    pub(super) directory: Option<PathBuf>,
}

/// The tar of a source, made on a thread of its own. It ends when nobody reads it any more.
pub(super) fn stream(source: Source) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(8);
    tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces { sender, piece: Vec::with_capacity(PIECE) };
        if let Err(error) = write_tar(&source, &mut pieces) {
            let _ = pieces.sender.blocking_send(Err(error));
        }
    });
    futures_util::stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    })
}

fn write_tar(source: &Source, pieces: &mut Pieces) -> io::Result<()> {
    let mut tar = tar::Builder::new(&mut *pieces);
    let mut header = tar::Header::new_gnu();
    header.set_size(source.dockerfile.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, DOCKERFILE, source.dockerfile.as_slice())?;
    if let Some(directory) = &source.directory {
        let ignore = Ignore::read(directory)?;
        append(&mut tar, directory, Path::new(""), &ignore)?;
    }
    tar.into_inner()?;
    pieces.flush()
}

/// Everything below `inside`, in a fixed order. Every file is looked at by itself: `!` may bring back what lies below
/// an ignored directory.
fn append(
    tar: &mut tar::Builder<&mut Pieces>,
    root: &Path,
    inside: &Path,
    ignore: &Ignore,
) -> io::Result<()> {
    let mut names: Vec<std::ffi::OsString> = std::fs::read_dir(root.join(inside))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        let path = inside.join(&name);
        let data = std::fs::symlink_metadata(root.join(&path))?;
        let ignored = ignore.matches(&path);
        let mut header = tar::Header::new_gnu();
        header.set_metadata_in_mode(&data, tar::HeaderMode::Complete);
        header.set_uid(0);
        header.set_gid(0);
        if data.is_dir() {
            if !ignored {
                tar.append_data(&mut header, &path, io::empty())?;
            }
            append(tar, root, &path, ignore)?;
        } else if ignored {
        } else if data.is_symlink() {
            let target = std::fs::read_link(root.join(&path))?;
            header.set_size(0);
            tar.append_link(&mut header, &path, target)?;
        } else if data.is_file() {
            tar.append_data(&mut header, &path, std::fs::File::open(root.join(&path))?)?;
        }
    }
    Ok(())
}

/// Collects bytes into pieces and sends them.
struct Pieces {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let closed = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the context");
        self.sender.blocking_send(Ok(piece.into())).map_err(closed)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_context_has_its_files_links_and_dockerfile_but_nothing_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir_all(root.join("src/deep")).unwrap();
        std::fs::create_dir_all(root.join("node_modules/x")).unwrap();
        std::fs::write(root.join("src/deep/main.py"), "print()").unwrap();
        std::fs::write(root.join("node_modules/x/y.js"), "1").unwrap();
        std::fs::write(root.join("node_modules/keep.js"), "2").unwrap();
        std::fs::write(root.join(".dockerignore"), "node_modules\n!node_modules/keep.js\n").unwrap();
        std::os::unix::fs::symlink("src/deep", root.join("link")).unwrap();
        let source = Source { dockerfile: b"FROM x".to_vec(), directory: Some(root.to_path_buf()) };
        let pieces: Vec<_> = stream(source).collect().await;
        let bytes: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap()).collect();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            if name.ends_with("main.py") {
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                assert_eq!(text, "print()");
            }
            names.push(name);
        }
        assert_eq!(
            names,
            [
                DOCKERFILE,
                ".dockerignore",
                "link",
                "node_modules/keep.js",
                "src",
                "src/deep",
                "src/deep/main.py"
            ]
        );
    }
}
