//! Landlock: what a process gives up by itself, for good, of files, TCP ports, signals and abstract sockets.
//!
//! Linux's. The rules are laid ready before, and put in force by system calls alone; elsewhere the stand-in answers
//! `ENOSYS`.

use std::ffi::CString;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "landlock/linux.rs"]
        mod system;
    } else {
        #[path = "landlock/none.rs"]
        mod system;
    }
}

pub use system::{find, restrict, version};

/// What is confined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restriction {
    /// What can be written to, of all that can be read; `None`: files are not confined.
    pub write: Option<Vec<CString>>,
    /// Files that can be written to, where they are there.
    pub write_if_there: Vec<CString>,
    /// Whether signals are confined.
    pub signals: bool,
    /// Whether abstract sockets are.
    pub sockets: bool,
    /// The TCP ports that can be bound; `None`: any.
    pub bind: Option<Vec<u16>>,
    /// The TCP ports that can be connected to; `None`: any.
    pub connect: Option<Vec<u16>>,
}

impl Restriction {
    /// The version of the kernel's interface that it takes, and for what.
    #[must_use]
    pub fn needs(&self) -> (u32, &'static str) {
        let parts = [
            (self.signals, 6, "confining signals"),
            (self.sockets, 6, "confining abstract sockets"),
            (self.bind.is_some() || self.connect.is_some(), 4, "confining TCP ports"),
            // Before, any file could be cut short.
            (self.write.is_some(), 3, "confining files"),
        ];
        let asked = parts.into_iter().find(|(asked, ..)| *asked);
        asked.map_or((1, "Landlock"), |(_, version, what)| (version, what))
    }
}

/// A call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What it answered.
    pub errno: isol_core::Errno,
    /// What was being done.
    pub what: &'static str,
}
