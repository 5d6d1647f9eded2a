//! A root of the namespace's own, with the checked directory in it, and the file systems that every program expects.

mod asked;
mod device;
mod root;

use std::ffi::CStr;
use std::os::fd::AsFd;
use std::path::Path;

use isol_core::{
    Errno, Fault, Guarantee as G, MountHandle, Phase, Policy, PrepareError, Problem, Root, Scene,
    Stage, Step, step_names,
};
use isol_sys::meta::{self, Meta};
use isol_sys::mounts::{self, Fd, Forbids, HERE, What};
use isol_sys::namespaces::Kinds;
use isol_sys::{chroot, errno, mount, quote, signals};

use crate::denied;

use asked::{Asked, put};

const NAME: &str = step_names::MOUNTS;

#[derive(Debug)]
pub(crate) struct Mounts {
    read_only: bool,
    asked: Asked,
    /// Whether the root is one that is named, and not one that is made for the run.
    is_named: bool,
    /// Whether the program has a pid namespace. In the host's a /proc would lead to the roots of all others of its uid.
    pids: bool,
    /// Whether this is a user namespace, in which no device can be made.
    users: bool,
    /// The mount that the root directory must not be in: that of the host's mount namespace.
    outside: u64,
    /// Which of the directories of the root there are, to mount on.
    proc: bool,
    dev: bool,
    tmp: bool,
}

impl Mounts {
    pub(crate) fn new(policy: &Policy, kinds: Kinds, read_only: bool) -> Self {
        Self {
            read_only,
            asked: Asked::new(policy),
            is_named: matches!(policy.root, Root::Directory(_)),
            pids: kinds.has(Kinds::PID),
            users: kinds.has(Kinds::USER),
            outside: 0,
            proc: false,
            dev: false,
            tmp: false,
        }
    }

    /// That nobody has mounted something in the root that shows processes outside. What a mount of the program's own hides
    /// is no matter.
    fn check_root(&self, root: &Path, mounts: &[MountHandle]) -> Result<(), Problem> {
        let found = mount::windows_below(root).map_err(|errno| {
            Problem::call(NAME, "can't tell what is mounted in the root", errno)
                .help("mount -t proc proc /proc   (as root)")
        })?;
        let own = [("proc", self.proc), ("dev", self.dev), ("tmp", self.tmp)];
        for (at, window) in found.iter().filter(|(_, window)| !window.may_be_read()) {
            let inside = Path::new("/").join(at.strip_prefix(root).unwrap_or(at));
            let hidden = own.iter().any(|(dir, there)| *there && at.starts_with(root.join(dir)))
                || mounts.iter().any(|mount| inside.starts_with(&mount.target));
            if !hidden {
                let (at, shell) = (quote::shown(at), quote::shell(at));
                let what = format!("{at} is {}, and the program would see it", window.name());
                return Err(Problem::new(NAME, what, "").help(format!("umount {shell}")));
            }
        }
        Ok(())
    }

    /// All that is mounted in the root. The host's `/proc` is still there: without it the kernel makes none in a user
    /// namespace.
    fn furnish(&self, root: &Fd) -> Result<(), Fault> {
        let data = Forbids { write: false, exec: true, devices: true };
        if self.dev {
            device::fill(root, self.users)?;
        }
        if self.proc {
            let proc = mounts::new_filesystem(c"proc", &PROC, data).map_err(doing(A_PROC))?;
            put(&proc, root, c"proc", What::Directory)?;
        }
        if self.tmp {
            let tmp =
                mounts::new_filesystem(c"tmpfs", &TMP, data).map_err(doing("mounting a /tmp"))?;
            put(&tmp, root, c"tmp", What::Directory)?;
        }
        self.asked.apply(root)
    }
}

/// A link is no directory: what it leads to is not what was checked.
fn has_directory(root: impl AsFd, name: &str) -> bool {
    Meta::at(root, name).is_ok_and(|meta| meta.is_dir())
}

/// Whether a program with these namespaces will have a `/proc` of its own in a root.
pub(crate) fn has_proc(root: impl AsFd, kinds: Kinds) -> bool {
    kinds.has(Kinds::PID) && has_directory(root, "proc")
}

/// What fails in a user namespace where the caller sees only a part of his own /proc.
const A_PROC: &str = "mounting a /proc";

type MountOption = (&'static CStr, Option<&'static CStr>);

/// Of the program's own processes, and nothing but processes. `invisible` would show all to whoever has gid 0, the init
/// among them.
const PROC: [MountOption; 2] = [(c"hidepid", Some(c"ptraceable")), (c"subset", Some(c"pid"))];
/// For everybody; a tenth of the memory.
const TMP: [MountOption; 2] = [(c"mode", Some(c"1777")), (c"size", Some(c"10%"))];

/// Turns an errno into the fault of what was being done.
fn doing(what: &'static str) -> impl Fn(Errno) -> Fault {
    move |errno| Fault::call(errno, what)
}

impl Step for Mounts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        let read_only = if self.read_only { "read-only, " } else { "" };
        let proc = if self.pids { "a /proc of its own processes" } else { "no /proc" };
        format!(
            "cut off from the host's mounts, make the checked directory the root, {read_only}nosuid, nodev, and detach all else; {proc}, a minimal /dev, an empty /tmp, where the root has the directories{}",
            self.asked.explains()
        )
    }

    fn calls(&self) -> &'static [&'static str] {
        &[
            "mount",
            "open_tree",
            "mount_setattr",
            "fsopen",
            "fsconfig",
            "fsmount",
            "openat2",
            "move_mount",
            "pivot_root",
            "umount2",
            "chroot",
            "statx",
        ]
    }

    fn establishes(&self) -> &'static [G] {
        &[G::RootConfined, G::MountsPrivate, G::NoNewRoot, G::NoPrivilegeGain]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root =
            scene.root.as_ref().ok_or_else(|| Problem::new(NAME, "no root has been opened", ""))?;
        self.outside = mounts::of(HERE, c"/").map_err(|errno| {
            Problem::call(NAME, "can't tell which mount the root directory is in", errno)
        })?;
        self.asked.prepare(&scene.mounts)?;
        let mut missing = Vec::new();
        for (name, there) in
            [("proc", &mut self.proc), ("dev", &mut self.dev), ("tmp", &mut self.tmp)]
        {
            *there = has_directory(&root.fd, name);
            if !*there {
                missing.push(format!("/{name}"));
            }
        }
        self.proc &= self.pids;
        if self.tmp && scene.mounts.iter().any(|mount| mount.target == Path::new("/tmp")) {
            self.tmp = false;
        }
        if self.tmp && !meta::is_empty_directory(&root.fd, "tmp").unwrap_or(false) {
            self.tmp = false;
            scene.notes.push("the root's /tmp is not empty: it stays as it is".into());
        }
        if self.is_named {
            self.check_root(&root.path, &scene.mounts)?;
        }
        if !missing.is_empty() {
            let what = missing.join(", ");
            scene.notes.push(format!("the root has no directory {what}: nothing is mounted there"));
        }
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        // Whatever went wrong before: the host's mounts are not touched.
        let here = mounts::of(HERE, c"/").map_err(doing("looking at the root's mount"))?;
        if here == self.outside {
            return Err(Fault::state("this is still the host's mount namespace"));
        }
        let umask = signals::set_umask(0);
        root::exchange(self.read_only, |root| self.furnish(root))?;
        signals::set_umask(umask);
        Ok(())
    }

    fn help(&self, fault: &Fault) -> Option<String> {
        if fault.errno == errno::NOT_HERE {
            return Some(denied::no_such_call());
        }
        if fault.text.as_str() == root::ABOVE || fault.text.as_str() == root::PIVOTING {
            let why = "isol's own root directory is not its mount namespace's: it runs in a chroot, or in an initramfs";
            return Some(format!("{why}; run it outside of that, or --backend chroot"));
        }
        (self.users && fault.text.as_str() == A_PROC && fault.errno == errno::NOT_PERMITTED).then(|| {
            "something is mounted over parts of the host's /proc, as in a container: then the kernel lets no user namespace have one; run it outside of that, or as root".into()
        })
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
