//! A root tree of busybox's.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The static busybox that every [`TestRoot`] gets a copy of.
pub const BUSYBOX: &str = "/bin/busybox";

const APPLETS: &[&str] = &[
    "sh", "id", "ls", "cat", "env", "sleep", "echo", "true", "false", "pwd", "kill", "grep",
    "stat", "touch", "printf", "wc", "readlink", "mkdir", "ps", "dd", "head", "test",
];

/// A fresh directory with a busybox in it, root's and nobody else's to write; it goes
/// when this value goes.
#[derive(Debug)]
pub struct TestRoot {
    path: PathBuf,
}

impl TestRoot {
    /// Makes `/srv/isol-test-PID-N`.
    ///
    /// # Panics
    /// If it can't be made: it takes root and a static busybox.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/srv/isol-test-{}-{number}", std::process::id()));
        // A process of the same pid, killed long ago, may have left one.
        let _ = fs::remove_dir_all(&path);
        let root = Self { path };
        root.fill().unwrap_or_else(|error| panic!("{}: {error}", root.path.display()));
        root
    }

    fn fill(&self) -> io::Result<()> {
        self.dir("", 0o755)?;
        for dir in ["bin", "proc", "etc", "dev"] {
            self.dir(dir, 0o755)?;
        }
        self.dir("tmp", 0o1777)?;
        copy_program(BUSYBOX, self.join("bin/busybox"));
        fs::set_permissions(self.join("bin/busybox"), Permissions::from_mode(0o755))?;
        APPLETS.iter().try_for_each(|name| symlink("busybox", self.join("bin").join(name)))
    }

    fn dir(&self, name: &str, mode: u32) -> io::Result<()> {
        fs::create_dir(self.join(name))?;
        fs::set_permissions(self.join(name), Permissions::from_mode(mode))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is, as text.
    ///
    /// # Panics
    /// Never: its name is made of ASCII.
    #[must_use]
    pub fn text(&self) -> &str {
        self.path.to_str().expect("its name is ASCII")
    }

    /// The outside path of a path inside that does not begin with `/`.
    #[must_use]
    pub fn join(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.path.join(inside)
    }

    /// Puts a file into it, or replaces one.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn put(&self, inside: &str, bytes: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.join(inside);
        let written = fs::create_dir_all(path.parent().unwrap_or(&self.path)).and_then(|()| {
            if mode & 0o111 == 0 {
                return fs::write(&path, bytes);
            }
            let before = path.with_extension("before");
            fs::write(&before, bytes)?;
            copy_program(&before, &path);
            fs::remove_file(before)
        });
        written
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(mode)))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

/// Copies a file that is to be executed, by another process: what this one has open for writing, each child that another
/// thread starts meanwhile has open, too, for a moment, and execve(2) answers `ETXTBSY` for as long.
///
/// # Panics
/// If it can't be copied.
pub fn copy_program(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    let copied = Command::new("cp").arg("-p").arg(from).arg(to).status();
    let copied = copied.is_ok_and(|status| status.success());
    assert!(copied, "{} can't be copied to {}", from.display(), to.display());
}

impl Drop for TestRoot {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
