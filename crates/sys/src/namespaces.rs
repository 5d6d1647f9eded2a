//! Linux namespaces: making them, telling them apart, and the init of a pid namespace.
//!
//! Elsewhere every call answers `ENOSYS`.

use std::ffi::CStr;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use isol_core::{Errno, Gid, IdRange, Uid};

use crate::subids::{Helpers, MapError};

use crate::mounts::Fd;

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        #[path = "namespaces/init.rs"]
        mod init;
        #[path = "namespaces/linux.rs"]
        mod system;
        #[path = "namespaces/split.rs"]
        mod split;
        #[path = "namespaces/guardian.rs"]
        mod guardian;
        #[path = "namespaces/users.rs"]
        mod users;
    } else {
        #[path = "namespaces/none.rs"]
        mod system;
        use system as split;
        use system as users;
        use system as init;
    }
}

/// A set of kinds of namespaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

/// One kind: its flag, its name, and what a process's own is called in [`Own`].
const ALL: [(Kinds, &str, &CStr); 7] = [
    (Kinds::USER, "user", c"user"),
    (Kinds::MOUNT, "mount", c"mnt"),
    (Kinds::PID, "pid", c"pid"),
    (Kinds::IPC, "ipc", c"ipc"),
    (Kinds::UTS, "uts", c"uts"),
    (Kinds::CGROUP, "cgroup", c"cgroup"),
    (Kinds::NET, "net", c"net"),
];

impl Kinds {
    /// None.
    pub const NONE: Self = Self(0);
    /// Mounts.
    pub const MOUNT: Self = Self(1);
    /// Process ids.
    pub const PID: Self = Self(1 << 1);
    /// System V IPC and POSIX message queues.
    pub const IPC: Self = Self(1 << 2);
    /// Host and domain name.
    pub const UTS: Self = Self(1 << 3);
    /// The network.
    pub const NET: Self = Self(1 << 4);
    /// The root of the control groups.
    pub const CGROUP: Self = Self(1 << 5);
    /// User and group ids, and capabilities.
    pub const USER: Self = Self(1 << 6);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of the others are among them.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// One by one, in the order in which they are printed.
    pub fn iter(self) -> impl Iterator<Item = Self> {
        ALL.into_iter().map(|(kind, ..)| kind).filter(move |&kind| self.has(kind))
    }

    /// As the kernel names them in `/proc`, such as `mnt`.
    pub fn kernel_names(self) -> impl Iterator<Item = &'static str> {
        let own = ALL.into_iter().filter(move |(kind, ..)| self.has(*kind));
        own.filter_map(|(.., name)| name.to_str().ok())
    }

    /// The names, such as `mount`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ALL.into_iter().filter(move |(kind, ..)| self.has(*kind)).map(|(_, name, _)| name)
    }
}

/// Leaves the caller's namespaces of these kinds for new ones. Of pids it is the next child that is in the new one.
/// Async-signal-safe.
///
/// # Errors
/// As unshare(2).
///
/// # References
/// unshare(2), namespaces(7)
pub fn leave(kinds: Kinds) -> Result<(), Errno> {
    system::leave(kinds)
}

/// Enters the user namespace that a descriptor is of, and closes the descriptor. Async-signal-safe.
///
/// # Errors
/// As setns(2).
///
/// # References
/// setns(2), user_namespaces(7)
pub fn enter_users(fd: RawFd) -> Result<(), Errno> {
    system::join_user(fd)?;
    // SAFETY: the number is the caller's, who has no more use for it.
    unsafe { libc::close(fd) };
    Ok(())
}

/// Makes a user namespace with these uids and gids in it, and returns a descriptor of it, closed on exec. Nobody is in
/// it. Allocates.
///
/// # Errors
/// As clone(2), and of writing the maps: `EPERM` without `CAP_SETUID` and `CAP_SETGID`.
///
/// # References
/// user_namespaces(7)
pub fn make_user(uids: &[IdRange], gids: &[IdRange]) -> io::Result<OwnedFd> {
    users::make(uids, gids)
}

/// The same for an ordinary user, by the programs that know which ids he has been given. What they have written is read
/// back. Allocates.
///
/// # Errors
/// As clone(2), and what kept a program from writing its map.
///
/// # References
/// newuidmap(1), newgidmap(1), user_namespaces(7)
pub fn make_user_of_given(
    uids: &[IdRange],
    gids: &[IdRange],
    by: &Helpers,
) -> Result<OwnedFd, MapError> {
    users::make_of_given(uids, gids, by)
}

/// What an ordinary user could not do.
#[derive(Debug)]
pub enum Denied {
    /// Make a user namespace.
    Making(io::Error),
    /// Do in it what takes privilege there.
    Privileges(io::Error),
}

impl From<Errno> for Denied {
    fn from(errno: Errno) -> Self {
        Self::Making(errno.into())
    }
}

/// Tries whether an ordinary user can make a user namespace, and be privileged in it.
///
/// # Errors
/// Which of both failed, as unshare(2) and mount(2) say; `ENOSYS` if whoever tried was killed. Nothing is left of the
/// attempt.
pub fn try_user() -> Result<(), Denied> {
    users::try_one()
}

/// What a process writes that is alone in a user namespace of its own making: one uid, one gid, and that the supplementary
/// groups stay as they are.
#[derive(Debug)]
pub struct OwnIds {
    uid: Vec<u8>,
    gid: Vec<u8>,
}

impl OwnIds {
    /// Lays it ready: an id inside, and the caller's effective one outside. Allocates.
    #[must_use]
    pub fn new(uid: (u32, u32), gid: (u32, u32)) -> Self {
        let line = |(inside, outside)| format!("{inside} {outside} 1\n").into_bytes();
        Self { uid: line(uid), gid: line(gid) }
    }

    /// Writes it, by the `/proc` that is in the root. Async-signal-safe.
    ///
    /// # Errors
    /// As open(2) and write(2).
    ///
    /// # References
    /// user_namespaces(7)
    pub fn write(&self) -> Result<(), Errno> {
        users::write(c"/proc/self/setgroups", b"deny")?;
        users::write(c"/proc/self/uid_map", &self.uid)?;
        users::write(c"/proc/self/gid_map", &self.gid)
    }
}

/// As whom this thread makes files: somebody whom its user namespace knows. Async-signal-safe.
///
/// # Errors
/// `EPERM` if the ids did not change.
///
/// # References
/// setfsuid(2), setfsgid(2)
pub fn make_files_as(uid: Uid, gid: Gid) -> Result<(), Errno> {
    users::make_files_as(uid.get(), gid.get())
}

/// This process's namespaces, by the `/proc` that was in its root when they were looked up.
#[derive(Debug)]
pub struct Own(Fd);

impl Own {
    /// Looks them up. Async-signal-safe.
    ///
    /// # Errors
    /// As open(2): `ENOENT` without a `/proc`.
    pub fn open() -> Result<Self, Errno> {
        system::own().map(Self)
    }

    /// What tells the one of this kind from any other. Async-signal-safe.
    ///
    /// It is read from the link and not asked by stat(2), for which the kernel would make an inode of the namespace anew
    /// each time: a third of the price.
    ///
    /// # Errors
    /// As readlink(2): `ENOENT` for a kind that this kernel does not have.
    ///
    /// # References
    /// namespaces(7): the inode numbers of /proc/PID/ns
    pub fn identity(&self, kind: Kinds) -> Result<u64, Errno> {
        let (.., name) = ALL.into_iter().find(|(k, ..)| *k == kind).ok_or(Errno(libc::EINVAL))?;
        let mut text = [0; 32];
        let length = system::read_link(&self.0, name, &mut text)?;
        number_in(&text[..length]).ok_or(Errno(libc::EINVAL))
    }
}

/// `mnt:[4026531841]`
fn number_in(text: &[u8]) -> Option<u64> {
    let digits = &text[text.iter().position(|&byte| byte == b'[')? + 1..];
    let digits = digits.strip_suffix(b"]").filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The program of an init, as a file to execute.
#[derive(Debug)]
pub struct InitImage(init::Image);

impl InitImage {
    /// Makes it. It is to be made outside of the namespaces that the init will be in: then nobody in them can be
    /// privileged over it. `None` where it could not be executed: the init is a copy of its maker then.
    /// Async-signal-safe.
    ///
    /// # References
    /// memfd_create(2), execveat(2)
    #[must_use]
    pub fn new() -> Option<Self> {
        init::Image::new().map(Self)
    }
}

/// How to go on in a pid namespace that [`leave`] has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// In a child that [`child_that`](crate::spawn::child_that) has made, which waits for all of them: the child is
    /// replaced by two of its parent's children, the init of the namespace and the program-to-be, and ends. The latter goes
    /// on in the parent's memory, so that another parent, which vfork(2) would let go on, must not ask for it.
    Child {
        /// The parent's pid.
        parent: i32,
    },
    /// In a process of its own, with one thread: it stays as the parent of both, passes signals on, and ends as the
    /// program ends.
    InPlace,
}

/// The program-to-be, as it finds itself behind [`split`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner {
    /// The init's pid, seen from outside.
    pub init: i32,
    /// Its own, seen from outside.
    pub program: i32,
    /// What [`await_init`] waits on.
    pub ready: RawFd,
    /// Whether the init brings the loopback up before it is ready; else that is this process's affair.
    pub loopback: bool,
}

/// Makes the init of the new pid namespace and, beneath it, the program-to-be, in which alone it returns.
/// Async-signal-safe for [`Split::Child`].
///
/// The init ignores its children's ends, so that the kernel waits for them, and ends when the program ends, or `parent`, or this
/// process for [`Split::InPlace`]; with it ends everything in the namespace. It has no capability, no descriptor but those of
/// these two, and is not dumpable: whoever is inside, uid 0 included, can't trace it or open its executable. With an image its memory is
/// a program of some hundred bytes, else a copy of this one's. Where it gets ready beside this process it brings the
/// loopback interface up, if `loopback` asks for that. `made` is told the init's pid as soon as there is one.
///
/// # Errors
/// As clone(2), pidfd_open(2) and execveat(2); what was begun has ended then, or been told to.
///
/// # References
/// pid_namespaces(7), clone(2), pidfd_open(2), PR_SET_DUMPABLE(2const)
pub fn split(
    how: Split,
    image: Option<&InitImage>,
    loopback: bool,
    made: &mut dyn FnMut(i32),
) -> Result<Inner, Errno> {
    split::split(how, image.map(|InitImage(image)| image), loopback, made)
}

/// Above an errno: that it is the loopback's.
const AT_LOOPBACK: i32 = 1 << 16;

/// What a number stands for that an init made beside others has left: an errno, and what failed with it.
#[must_use]
pub const fn why_no_init(failed: i32) -> (Errno, &'static str) {
    let what = if failed & AT_LOOPBACK == 0 { "the init" } else { "bringing the loopback up" };
    (Errno(failed & !AT_LOOPBACK), what)
}

/// Waits until the init can't be looked into; closes the descriptor. Async-signal-safe.
///
/// # Errors
/// What kept it from starting, and in what; `ESRCH` if it has ended for another reason.
pub fn await_init(ready: RawFd) -> Result<(), (Errno, &'static str)> {
    let is_ready = crate::pipe::wait_for_byte(ready);
    // SAFETY: the number is the caller's, who has no more use for it.
    unsafe { libc::close(ready) };
    if !is_ready {
        return Err(why_no_init(system::why_no_init().unwrap_or(libc::ESRCH)));
    }
    system::init_is_there();
    Ok(())
}

/// Leaves waiting for the init, which gets ready meanwhile, to [`await_init_now`]; where this process can't note the
/// descriptor down, waits at once. Async-signal-safe.
///
/// # Errors
/// As [`await_init`].
pub fn await_init_later(ready: RawFd) -> Result<(), (Errno, &'static str)> {
    if system::await_later(ready) { Ok(()) } else { await_init(ready) }
}

/// Waits for the init that has been left to be waited for. Async-signal-safe.
///
/// # Errors
/// As [`await_init`]; `EINVAL` if none has been.
pub fn await_init_now() -> Result<(), (Errno, &'static str)> {
    system::awaited().map_or(Err(why_no_init(libc::EINVAL)), await_init)
}

/// Waits for the init that has been left to be waited for, if nobody has waited for it since. Async-signal-safe.
///
/// # Errors
/// As [`await_init`].
pub fn await_init_if_left() -> Result<(), (Errno, &'static str)> {
    system::awaited().map_or(Ok(()), await_init)
}

/// Whether this process is in a pid namespace that its parent is not in, and is not its init. Async-signal-safe.
#[must_use]
pub fn parent_is_outside() -> bool {
    system::parent_is_outside()
}

/// Brings the loopback interface up. Async-signal-safe.
///
/// # Errors
/// As socket(2) and netdevice(7).
///
/// # References
/// netdevice(7)
pub fn loopback_up() -> Result<(), Errno> {
    system::loopback_up()
}

/// Sets the host's name. Async-signal-safe.
///
/// # Errors
/// As sethostname(2).
///
/// # References
/// sethostname(2)
pub fn set_hostname(name: &CStr) -> Result<(), Errno> {
    system::set_hostname(name)
}

/// Whether the host's name is this. Async-signal-safe.
///
/// # Errors
/// As uname(2).
pub fn hostname_is(name: &CStr) -> Result<bool, Errno> {
    // SAFETY: all-zero bytes are a valid `utsname`, which is arrays of bytes.
    let mut found: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is writable for the call.
    crate::errno::check(unsafe { libc::uname(&mut found) })?;
    // SAFETY: uname(2) ends each field with a NUL byte.
    Ok(unsafe { CStr::from_ptr(found.nodename.as_ptr()) } == name)
}

/// Whether this process may make namespaces, and mount in them: with `CAP_SYS_ADMIN`. An ordinary user may in a user
/// namespace, and is not asked about here.
///
/// # References
/// capabilities(7)
#[must_use]
pub fn may_be_made() -> bool {
    system::may_be_made()
}

/// The kernel's release as two numbers, such as (6, 12).
#[must_use]
pub fn kernel() -> Option<(u32, u32)> {
    system::kernel()
}
