//! A tree without a fault, and what can be planted in one.

mod faults;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use isol_root::audit::What;
use nix::sys::stat::{Mode, SFlag, mknod};

use crate::common::chmod;
pub(crate) use faults::FAULTS;

/// Nobody has it, and nothing runs under it but what the tests start.
pub(crate) const STRANGER: u32 = 61_111;

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) plant: fn(&Planted),
    /// Below the root; `..` for what is above it, `-` for what is in no file system.
    pub(crate) found: &'static [(What, &'static str)],
}

/// One test at a time: what one of them starts under the stranger's uid is found by the others.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A root in a directory of root's.
pub(crate) struct Planted {
    top: PathBuf,
    pub(crate) root: PathBuf,
    mounts: Mutex<Vec<PathBuf>>,
    children: Mutex<Vec<Child>>,
    memory: Mutex<Vec<String>>,
}

impl Planted {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let top = PathBuf::from(format!("/srv/isol-audit-{}-{number}", std::process::id()));
        let tree = Self {
            root: top.join("above/root"),
            top,
            mounts: Mutex::default(),
            children: Mutex::default(),
            memory: Mutex::default(),
        };
        fs::create_dir_all(&tree.root).unwrap();
        for dir in [&tree.top, &tree.top.join("above"), &tree.root] {
            chmod(dir, 0o755);
        }
        for dir in ["bin", "etc", "lib", "usr", "usr/bin", "dev", "var", "var/data"] {
            tree.dir(dir, 0o755);
        }
        tree.dir("tmp", 0o1777);
        tree.file("bin/sh", 0o755);
        tree.file("lib/libx.so.1", 0o644);
        tree.file("etc/passwd", 0o644);
        // The program's own data may be anybody's; it is not executed.
        tree.dir("var/data/own", 0o750);
        tree.file("var/data/own/db", 0o600);
        tree.own("var/data/own", STRANGER);
        tree.own("var/data/own/db", STRANGER);
        // Absolute, and right inside; and one that leads nowhere at all.
        symlink("/bin/sh", tree.at("usr/bin/sh")).unwrap();
        symlink("/no/such/thing/anywhere", tree.at("var/nowhere")).unwrap();
        tree.node("dev/null", SFlag::S_IFCHR, 1, 3);
        tree.file("var/data/twice", 0o644);
        fs::hard_link(tree.at("var/data/twice"), tree.at("var/twice")).unwrap();
        tree
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn above(&self) -> PathBuf {
        self.top.join("above")
    }

    /// A place outside of the root, on the same file system.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    pub(crate) fn dir(&self, path: &str, mode: u32) -> PathBuf {
        fs::create_dir_all(self.at(path)).unwrap();
        chmod(self.at(path), mode);
        self.at(path)
    }

    pub(crate) fn file(&self, path: &str, mode: u32) -> PathBuf {
        let at = self.at(path);
        fs::write(&at, "x").unwrap();
        chmod(&at, mode);
        at
    }

    pub(crate) fn odd(&self, dir: &str, name: &[u8], mode: u32) {
        let at = self.at(dir).join(OsStr::from_bytes(name));
        fs::write(&at, "x").unwrap();
        chmod(&at, mode);
    }

    pub(crate) fn own(&self, path: &str, uid: u32) {
        chown(self.at(path), Some(uid), Some(uid)).unwrap();
    }

    pub(crate) fn node(&self, path: &str, kind: SFlag, major: u64, minor: u64) {
        let number = nix::libc::makedev(major as _, minor as _);
        mknod(&self.at(path), kind, Mode::S_IRUSR | Mode::S_IWUSR, number).unwrap();
    }

    pub(crate) fn link(&self, to: impl AsRef<Path>, path: &str) {
        symlink(to, self.at(path)).unwrap();
    }

    /// A second name outside.
    pub(crate) fn link_out(&self, path: &str) {
        fs::hard_link(self.at(path), self.outside("second")).unwrap();
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str], path: impl AsRef<Path>) {
        let status = Command::new(program).args(arguments).arg(path.as_ref()).status();
        assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
    }

    pub(crate) fn mount(&self, arguments: &[&str], path: &str) {
        self.run("mount", arguments, self.at(path));
        self.mounts.lock().unwrap().push(self.at(path));
    }

    /// A process of a uid's.
    pub(crate) fn process(&self, uid: u32) {
        let mut sleep = Command::new("setpriv");
        sleep.args([&format!("--reuid={uid}"), "--clear-groups", "sleep", "600"]);
        let child = sleep.stdout(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        while !fs::read_to_string(&status).unwrap().contains(&format!("Uid:\t{uid}")) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        self.children.lock().unwrap().push(child);
    }

    /// Shared memory of the stranger's.
    pub(crate) fn memory(&self) {
        let mut make = Command::new("setpriv");
        make.args([&format!("--reuid={STRANGER}"), "--clear-groups", "ipcmk", "-M", "4096"]);
        let output = make.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = text.split_whitespace().last().expect("ipcmk tells the number").to_owned();
        self.memory.lock().unwrap().push(id);
    }

    /// A program where a stranger can execute it.
    pub(crate) fn copy_of(&self, program: &Path) -> PathBuf {
        let copy = self.outside("program");
        fs::copy(program, &copy).unwrap();
        chmod(&copy, 0o755);
        copy
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        for child in self.children.get_mut().unwrap() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for id in self.memory.get_mut().unwrap() {
            let _ = Command::new("ipcrm").args(["-m", id]).stderr(Stdio::null()).status();
        }
        for mount in self.mounts.get_mut().unwrap().iter().rev() {
            let _ = Command::new("umount").arg(mount).stderr(Stdio::null()).status();
        }
        // Nothing of what is mounted, should one of them still be.
        let _ = Command::new("rm").args(["-rf", "--one-file-system"]).arg(&self.top).status();
    }
}
