//! A root of the namespace's own, with the checked directory in it, and the file systems that every program expects.

mod device;
mod root;

use isol_core::{
    Errno, Fault, Guarantee as G, Phase, PrepareError, Problem, Scene, Stage, Step,
    step_names,
};
use isol_sys::meta::Meta;
use isol_sys::mounts::{self, Forbids, What};
use isol_sys::namespaces::{self, Kinds};
use isol_sys::{chroot, signals};

const NAME: &str = step_names::MOUNTS;

#[derive(Debug)]
pub(crate) struct Mounts {
    /// The mount namespace that must not be this one.
    outside: u64,
    /// Which of the directories of the root there are, to mount on.
    proc: bool,
    dev: bool,
    tmp: bool,
    /// Whether this is a user namespace, in which no device can be made.
    users: bool,
}

impl Mounts {
    pub(crate) fn new(kinds: Kinds) -> Self {
        let users = kinds.has(Kinds::USER);
        Self { outside: 0, proc: false, dev: false, tmp: false, users }
    }

    /// While the host's is still there: without it the kernel makes none in a user namespace.
    fn new_proc(&self) -> Result<Option<mounts::Fd>, Fault> {
        if !self.proc {
            return Ok(None);
        }
        let of_pids = [(c"hidepid", Some(c"invisible")), (c"subset", Some(c"pid"))];
        let forbids = Forbids { write: false, exec: true, devices: true };
        let proc = mounts::new_filesystem(c"proc", &of_pids, forbids);
        proc.map(Some).map_err(doing("mounting a /proc"))
    }

    fn in_root(&self) -> Result<(), Fault> {
        if self.tmp {
            let forbids = Forbids { write: false, exec: true, devices: true };
            let tmp = mounts::new_filesystem(c"tmpfs", &TMP, forbids)
                .map_err(doing("mounting a /tmp"))?;
            put(&tmp, c"tmp")?;
        }
        Ok(())
    }
}

/// For everybody; a tenth of the memory.
const TMP: [(&std::ffi::CStr, Option<&std::ffi::CStr>); 2] =
    [(c"mode", Some(c"1777")), (c"size", Some(c"10%"))];

/// Turns an errno into the fault of what was being done.
fn doing(what: &'static str) -> impl Fn(Errno) -> Fault {
    move |errno| Fault::call(errno, what)
}

/// On a directory of the root, which is the working directory.
fn put(mount: &mounts::Fd, on: &std::ffi::CStr) -> Result<(), Fault> {
    let place = mounts::open_below(mounts::HERE, on, What::Directory)
        .map_err(doing("opening a directory of the root to mount on"))?;
    mounts::attach(mount.get(), place.get(), c"").map_err(doing("attaching a mount"))
}

impl Step for Mounts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        "cut all mounts off from the host's; the checked directory, by its descriptor, nosuid, nodev, below an empty read-only root; detach the rest; a /proc of the program's own processes, a minimal /dev, an empty /tmp, each where the root has the directory".into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &[
            "mount",
            "open_tree",
            "mount_setattr",
            "fsopen",
            "fsconfig",
            "fsmount",
            "move_mount",
            "pivot_root",
            "umount2",
            "chroot",
        ]
    }

    fn establishes(&self) -> &'static [G] {
        &[G::RootConfined, G::MountsPrivate, G::NoNewRoot, G::NoPrivilegeGain]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene
            .root
            .as_ref()
            .ok_or_else(|| Problem::new(NAME, "no root has been opened", ""))?;
        self.outside = namespaces::identity(Kinds::MOUNT).map_err(|errno| {
            Problem::call(NAME, "can't tell which mount namespace this is", errno)
        })?;
        let mut missing = Vec::new();
        for (name, there) in
            [("proc", &mut self.proc), ("dev", &mut self.dev), ("tmp", &mut self.tmp)]
        {
            // A link is no directory: what it leads to is not what was checked.
            *there = Meta::at(&root.fd, name).is_ok_and(|meta| meta.is_dir());
            if !*there {
                missing.push(format!("/{name}"));
            }
        }
        if self.tmp && !is_empty(&root.fd, "tmp") {
            self.tmp = false;
            scene.notes.push("the root's /tmp is not empty: it stays as it is".into());
        }
        if !missing.is_empty() {
            let what = missing.join(", ");
            scene
                .notes
                .push(format!("the root has no directory {what}: nothing is mounted there"));
        }
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        // Whatever went wrong before: the host's mounts are not touched.
        let here = namespaces::identity(Kinds::MOUNT).map_err(doing("looking at the namespace"))?;
        if here == self.outside {
            return Err(Fault::state("this is still the host's mount namespace"));
        }
        let umask = signals::set_umask(0);
        let proc = self.new_proc()?;
        root::exchange(self.dev, self.users)?;
        if let Some(proc) = proc {
            put(&proc, c"proc")?;
        }
        self.in_root()?;
        signals::set_umask(umask);
        Ok(())
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        let identity = |path| chroot::identity(path).map_err(doing("stat"));
        let root = identity(c"/")?;
        if root != identity(c"/..")? {
            return Err(Fault::state("there is something above the root directory"));
        }
        for (path, there) in [(c"/proc", self.proc), (c"/dev", self.dev), (c"/tmp", self.tmp)] {
            if there && identity(path)?.0 == root.0 {
                return Err(Fault::state("a file system of its own is missing in the root"));
            }
        }
        Ok(())
    }
}

fn is_empty(root: &std::os::fd::OwnedFd, name: &str) -> bool {
    isol_sys::meta::is_empty_directory(root, name).unwrap_or(false)
}
