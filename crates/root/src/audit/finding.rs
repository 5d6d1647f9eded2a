//! What an audit finds.

use std::fmt;
use std::path::PathBuf;

use isol_core::Guarantee;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Somebody else than root decides what runs in the root, or what the root is.
    Critical,
    /// A way to privileges, or out.
    High,
    /// It helps an attacker, or breaks what is in the tree.
    Medium,
    /// Worth knowing.
    Low,
    /// It was not looked at, so nobody knows.
    Unchecked,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Unchecked => "unchecked",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

macro_rules! what {
    ($($(#[$doc:meta])* $name:ident, $id:literal, $severity:ident, $breaks:expr, $is:literal, $attack:literal;)*) => {
        /// What was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum What {
            $($(#[$doc])* $name,)*
        }

        impl What {
            /// All that an audit can find.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name, the same on the command line, in JSON and in the documentation.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// The guarantee that can't hold with it, if there is one.
            #[must_use]
            pub fn breaks(self) -> Option<Guarantee> {
                match self { $(Self::$name => $breaks,)* }
            }

            /// What an attacker does with it.
            #[must_use]
            pub fn attack(self) -> &'static str {
                match self { $(Self::$name => $attack,)* }
            }

            fn is(self) -> &'static str {
                match self { $(Self::$name => $is,)* }
            }
        }
    };
}

const SAFE: Option<Guarantee> = Some(Guarantee::RootSafe);
const CLEAN: Option<Guarantee> = Some(Guarantee::RootClean);
const DEDICATED: Option<Guarantee> = Some(Guarantee::UidDedicated);

what! {
    /// A directory above the root, or the root, that somebody else could change.
    UnsafeAbove, "unsafe-above", Critical, SAFE, "a directory above the root that others can write to",
        "whoever can write here puts a directory of their own in the root's place";
    /// The root directory itself.
    UnsafeRoot, "unsafe-root", Critical, SAFE, "the root directory, and others can write to it",
        "whoever can write here replaces what is in the root: programs, libraries, the loader's configuration";
    /// A symbolic link above the root.
    LinkAbove, "link-above", High, SAFE, "a symbolic link on the way to the root",
        "whoever can change the link decides which directory is the root; isol run refuses it";
    /// A file system of which a user decides what is in it.
    UserMount, "user-mount", Critical, SAFE, "a file system that a user mounted",
        "the user's own program answers for every file here, and changes its answers at will";
    /// Mounted noexec.
    NoExec, "noexec", Medium, None, "a file system that is mounted noexec",
        "nothing in the root can be executed; isol run refuses it";
    /// The root has a default access list.
    DefaultAccessList, "default-access-list", Medium, None, "a directory with a default access list",
        "files made here can be written to by those whom the list names, whatever the umask says";
    /// A file that will be executed or loaded, and that somebody else could change.
    WritableProgram, "writable-program", Critical, SAFE, "a program, library or configuration that others can write to",
        "whoever can write to it runs code of theirs as everybody who starts it, root included";
    /// A directory with such files below.
    WritableDirectory, "writable-directory", Critical, SAFE, "a directory with programs in it, or below, that others can write to",
        "whoever can write here moves the programs away and puts others in their place";
    /// A set-uid file.
    SetUid, "set-uid", High, CLEAN, "a set-uid file",
        "a flaw in it gives its owner's rights to whoever is inside";
    /// A set-gid file.
    SetGid, "set-gid", High, CLEAN, "a set-gid file",
        "a flaw in it gives its group's rights to whoever is inside";
    /// A file with capabilities.
    Capabilities, "file-capabilities", High, CLEAN, "a file with capabilities",
        "a flaw in it gives its capabilities to whoever is inside; its mode does not show them";
    /// A device beyond the harmless ones.
    Device, "device", High, CLEAN, "a device node",
        "whoever can open it has the disk, the memory or the terminal behind it, past all permissions";
    /// A file with a name outside the tree, which others than root may write to.
    OutsideLink, "outside-link", High, CLEAN, "a writable file that has another name outside",
        "what is written to it inside is written outside";
    /// A file with a name outside the tree, which only root may write to.
    SharedFile, "shared-file", Low, None, "a file that has another name outside",
        "who becomes root inside changes the file outside; and a change outside shows inside";
    /// /proc is mounted in the tree.
    Proc, "proc", High, CLEAN, "a proc file system",
        "/proc/PID/root and /proc/PID/cwd of any process with the same uid lead out of a chroot";
    /// Another file system is mounted there.
    Mount, "mount", Unchecked, CLEAN, "another file system is mounted here, and was not looked into",
        "what is in it is not known";
    /// A directory that everybody can write to, without the sticky bit.
    NoSticky, "no-sticky", Medium, None, "a directory that everybody can write to, without the sticky bit",
        "anybody removes or replaces the files of others in it";
    /// A file that everybody can write to.
    WorldWritable, "world-writable", Low, None, "a file that everybody can write to",
        "any user who reaches it, outside too, changes what is read from it";
    /// A socket.
    Socket, "socket", Low, None, "a socket",
        "a process outside that listens on it can hand in descriptors, directories among them";
    /// A named pipe.
    Fifo, "fifo", Low, None, "a named pipe",
        "who opens the other end, outside too, talks to the program, or keeps it waiting";
    /// A symbolic link that works outside and not inside.
    OutsideSymlink, "outside-symlink", Low, None, "a symbolic link that leads out of the root, and nowhere inside",
        "root who works on the tree from outside, and follows it, reads or changes the host's file";
    /// Libraries are loaded into every program.
    Preload, "preload", Medium, None, "libraries that are loaded into every program in the root",
        "code that no program asked for runs in each of them";
    /// The configuration names a module that is not there.
    MissingModule, "missing-module", Medium, None, "an nsswitch.conf that names a module which is not in the root",
        "look-ups fail inside; and who can put a file by that name into a library directory has it loaded";
    /// Something could not be looked at.
    Unread, "unread", Unchecked, CLEAN, "it could not be looked at",
        "what it is, or what is in it, is not known";
    /// A process runs under the uid.
    Process, "process", High, DEDICATED, "a process that runs under the uid",
        "it can signal and trace what runs in the root, and be traced by it";
    /// A System V object of the uid.
    Ipc, "ipc", Medium, None, "a System V object of the uid",
        "what runs in the root shares memory, semaphores or messages with whoever made it";
    /// Something is started under the uid by cron or at.
    Scheduled, "scheduled", High, DEDICATED, "an entry by which something is started under the uid",
        "a program outside will run under the uid, and can then be traced from inside";
    /// A file outside that belongs to the uid.
    FileOutside, "file-outside", Low, None, "a file outside that belongs to the uid",
        "what has been passed or linked in, or is reached by a flaw, can be written to from inside";
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.is())
    }
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// How bad it is: for some, worse than usual.
    pub severity: Severity,
    /// Where, as it is reached from outside; `None` for what has no place in the file system.
    pub path: Option<PathBuf>,
    /// What is to be known of this one: owner and mode, the process, why it could not be read.
    pub detail: String,
    /// The command that mends it, for a shell, where there is one.
    pub mend: Option<String>,
    /// Which file it is, by device and inode number, so that nothing else is mended in its place.
    pub(super) id: Option<(u64, u64)>,
}

impl Finding {
    pub(super) fn new(what: What, path: Option<PathBuf>, detail: impl Into<String>) -> Self {
        let severity = what.severity();
        Self { what, severity, path, detail: detail.into(), mend: None, id: None }
    }

    pub(super) fn mend(mut self, command: Option<String>) -> Self {
        self.mend = command;
        self
    }

    pub(super) fn of(mut self, id: (u64, u64)) -> Self {
        self.id = Some(id);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", isol_sys::quote::escaped(path))?;
        }
        write!(f, "{}", self.what)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}
