//! One attempt to break a guarantee.

use std::ffi::{CString, OsStr};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use isol_core::{Errno, Os};

use crate::agent::Begun;
use crate::brief::{Brief, Want};
use crate::channel::Channel;
use crate::{Expected, Seen};

/// One attempt to break a guarantee: a function that runs inside, and when what it saw is a breach.
#[derive(Clone, Copy)]
pub struct Attack {
    /// Its name, unique within its probe.
    pub name: &'static str,
    /// Runs inside, in a process of its own.
    pub run: fn(&Inside<'_>) -> Seen,
    /// When what it saw breaks the guarantee.
    pub breach: Breach,
    /// Under which policy it is made.
    pub setting: Setting,
    /// The only operating system that has the thing; `None` for all.
    pub only_on: Option<Os>,
    /// What no backend stops by itself, and why: tried and told, never counted.
    pub open: Option<&'static str>,
    /// How it is shown that it can get through.
    pub control: Control,
}

/// When what was seen breaks the guarantee.
#[derive(Clone, Copy)]
pub enum Breach {
    /// If anything was got.
    Anything,
    /// Unless exactly this was got.
    Unless(fn(&Expected) -> String),
    /// If this says so.
    When(fn(&Expected, &str) -> bool),
}

/// Under which policy an attack is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// As an unprivileged uid that is named by its number.
    Ordinary,
    /// As a user who is named, and whom the root's own `/etc/passwd` calls uid 0.
    Named,
    /// As uid 0, where the backend confines even that; where it doesn't, in a plan from which
    /// the steps that drop privilege were cut.
    AsRoot,
}

/// How it is shown that an attack can get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Without any isolation, as root or as the target uid, it does.
    Unisolated,
    /// It can't be shown that way, for this reason.
    Exempt(&'static str),
}

impl Attack {
    /// An attack in the ordinary setting.
    pub const fn new(name: &'static str, run: fn(&Inside<'_>) -> Seen, breach: Breach) -> Self {
        Self {
            name,
            run,
            breach,
            setting: Setting::Ordinary,
            only_on: None,
            open: None,
            control: Control::Unisolated,
        }
    }

    /// In another setting.
    #[must_use]
    pub const fn setting(mut self, setting: Setting) -> Self {
        self.setting = setting;
        self
    }

    /// Only where there is such a thing.
    #[must_use]
    pub const fn only_on(mut self, os: Os) -> Self {
        self.only_on = Some(os);
        self
    }

    /// Known to be open on every backend, and why.
    #[must_use]
    pub const fn open(mut self, why: &'static str) -> Self {
        self.open = Some(why);
        self
    }

    /// That it gets through without isolation can't be shown.
    #[must_use]
    pub const fn exempt(mut self, why: &'static str) -> Self {
        self.control = Control::Exempt(why);
        self
    }

    /// The evidence, if what was seen breaks the guarantee.
    #[must_use]
    pub fn breach(&self, seen: &Seen, expected: &Expected) -> Option<String> {
        let name = self.name;
        match (seen, self.breach) {
            (Seen::NotHere(_) | Seen::Lost(_), _) => None,
            (Seen::Got(what), Breach::Anything) => Some(format!("{name}: {what}")),
            (Seen::Refused(_), Breach::Anything | Breach::When(_)) => None,
            (Seen::Got(what), Breach::When(is)) => {
                is(expected, what).then(|| format!("{name}: {what}"))
            }
            (Seen::Got(what), Breach::Unless(wanted)) => {
                let wanted = wanted(expected);
                (*what != wanted).then(|| format!("{name}: {what:?} in place of {wanted:?}"))
            }
            (Seen::Refused(why), Breach::Unless(_)) => {
                Some(format!("{name}: can't be read: {why}"))
            }
        }
    }
}

impl std::fmt::Debug for Attack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attack").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an attack knows: what it was told about the outside, and a channel to somebody there.
#[derive(Debug)]
pub struct Inside<'a> {
    /// What it was told.
    pub brief: &'a Brief,
    pub(crate) channel: &'a Channel,
    /// Where the root is, seen from here: empty if it is `/`.
    pub(crate) prefix: PathBuf,
    /// What it was when it began.
    pub begun: &'a Begun,
}

impl Inside<'_> {
    /// A path of the root, as it is reached from here.
    #[must_use]
    pub fn at(&self, path: &str) -> PathBuf {
        let mut whole = self.prefix.clone().into_os_string();
        whole.push(path);
        PathBuf::from(whole)
    }

    /// isol's executable, which is in the root at the host's own path.
    #[must_use]
    pub fn at_executable(&self) -> PathBuf {
        let mut whole = self.prefix.clone().into_os_string();
        whole.push(&self.brief.executable);
        PathBuf::from(whole)
    }

    /// As [`at`](Self::at), for a system call.
    #[must_use]
    pub fn raw(&self, path: &str) -> CString {
        raw(self.at(path).as_os_str())
    }

    /// The operating system.
    #[must_use]
    pub fn os(&self) -> Os {
        isol_sys::os::HOST
    }

    /// Asks a helper outside for something; its answer.
    #[must_use]
    pub fn ask(&self, want: Want) -> String {
        self.channel.ask(want)
    }
}

/// A path for a system call.
#[must_use]
pub(crate) fn raw(path: impl AsRef<OsStr>) -> CString {
    CString::new(path.as_ref().as_bytes()).unwrap_or_default()
}

/// What stands in a file, as an attack's answer.
#[must_use]
pub(crate) fn read(path: impl AsRef<Path>) -> Seen {
    let answer = std::fs::File::open(path.as_ref()).and_then(|mut file| {
        let mut text = String::new();
        file.by_ref().take(4096).read_to_string(&mut text)?;
        Ok(text)
    });
    match answer {
        Ok(text) => Seen::Got(text.trim().to_owned()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

/// Whether a device that lies in a tree leads to something: one byte is read.
#[must_use]
pub(crate) fn read_device(path: impl AsRef<Path>) -> Seen {
    if std::fs::symlink_metadata(path.as_ref()).is_err() {
        return Seen::NotHere("no device could be planted here".into());
    }
    match std::fs::File::open(path).and_then(|mut device| device.read(&mut [0])) {
        Ok(0) => Seen::Refused("there is nothing behind it".into()),
        Ok(_) => Seen::Got("it can be read".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

/// An error in the words of its errno.
#[must_use]
pub(crate) fn message(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |errno| Errno(errno).message())
}
