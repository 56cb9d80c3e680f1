//! A disk of a few megabytes below a directory of the test's own: a tmpfs.
//!
//! Rule: it is unmounted when the test is over, however that ends: a guardian process waits for the test's end.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A mounted disk, below a world's directory. Made before the world, it is gone after it, and the directory with it.
#[derive(Debug)]
pub(super) struct SmallDisk {
    guardian: Child,
    world: PathBuf,
    at: PathBuf,
}

impl SmallDisk {
    /// An empty disk in a directory of a world.
    pub(super) fn within(world: &Path, directory: &str, megabytes: u32) -> Self {
        let at = world.join(directory);
        std::fs::create_dir_all(&at).unwrap();
        let script =
            "mount -t tmpfs -o \"size=$2m,mode=755\" small-disk \"$1\"; echo up; cat; umount --lazy \"$1\"";
        let mut guardian = Command::new("sh")
            .args(["-ec", script, "sh"])
            .arg(&at)
            .arg(megabytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n", "a tmpfs can be mounted");
        Self { guardian, world: world.to_owned(), at }
    }

    /// Leaves no byte free.
    pub(super) fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for block in [vec![0; 64 * 1024], vec![0; 1]] {
            while file.write_all(&block).is_ok() {}
        }
    }

    /// Makes room again.
    pub(super) fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // `cat` ends with its input.
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
        let _ = std::fs::remove_dir_all(&self.world);
    }
}
