//! What an attack saw.

use isol_core::Errno;
use serde::{Deserialize, Serialize};

/// What an attack saw. Whether it breaks the guarantee is decided outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// It was refused, in these words.
    Refused(String),
    /// It got this.
    Got(String),
    /// This system has nothing of the kind, or the attack does not apply here; this says why.
    NotHere(String),
    /// The process that made the attack ended before it could say anything.
    Lost(String),
}

impl Seen {
    /// From a system call's answer.
    pub fn of<T>(answer: Result<T, Errno>, got: impl FnOnce(T) -> String) -> Self {
        match answer {
            Ok(value) => Seen::Got(got(value)),
            Err(errno) if errno == isol_sys::errno::NOT_HERE => {
                Seen::NotHere("this system has no such call".into())
            }
            Err(errno) => Seen::Refused(errno.message()),
        }
    }

    /// The first of several ways that got something, or else all refusals.
    pub fn first(ways: impl IntoIterator<Item = (String, Seen)>) -> Self {
        let mut refusals: Vec<String> = Vec::new();
        let mut none_here = None;
        for (way, seen) in ways {
            match seen {
                Seen::Got(what) => return Seen::Got(format!("{way}: {what}")),
                Seen::Lost(why) => return Seen::Lost(format!("{way}: {why}")),
                Seen::Refused(why) => refusals.push(format!("{way}: {why}")),
                Seen::NotHere(why) => none_here = Some(Seen::NotHere(why)),
            }
        }
        match none_here {
            Some(none) if refusals.is_empty() => none,
            _ => Seen::Refused(refusals.join("; ")),
        }
    }

    /// The words beside it.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Seen::Refused(words) | Seen::Got(words) | Seen::NotHere(words) | Seen::Lost(words) => {
                words
            }
        }
    }
}
