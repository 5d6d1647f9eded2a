//! What a process gives up by itself of files, signals, sockets and ports: Linux's Landlock.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What Landlock confines, on top of what the backend does. Nothing by default.
///
/// Each part is required of the kernel: one that lacks it makes the run a refusal.
///
/// ```
/// use isol_core::{Landlock, LandlockWord};
/// let words = ["write=/var/lib", "signals", "bind=8080"].map(|word| word.parse().unwrap());
/// let landlock: Landlock = words.into_iter().collect();
/// assert!(landlock.files && landlock.signals && !landlock.sockets);
/// assert_eq!(landlock.bind, Some(vec![8080]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landlock {
    /// Files: what is beneath the root can be read and executed, and nothing else, whatever descriptor leads
    /// there; nothing can be written to but what `write` names.
    pub files: bool,
    /// What can be written to, and all beneath it: paths inside the root.
    pub write: Vec<PathBuf>,
    /// Signals reach the program's own processes only.
    pub signals: bool,
    /// Abstract Unix sockets of others can't be reached.
    pub sockets: bool,
    /// The TCP ports that can be bound; `None`: any.
    pub bind: Option<Vec<u16>>,
    /// The TCP ports that can be connected to; `None`: any.
    pub connect: Option<Vec<u16>>,
}

impl Landlock {
    /// Whether it confines anything.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        *self != Self::default()
    }

    /// The same as words.
    #[must_use]
    pub fn words(&self) -> Vec<LandlockWord> {
        use LandlockWord as W;
        let mut words = Vec::new();
        words.extend(self.files.then_some(W::Files));
        words.extend(self.write.iter().cloned().map(W::Write));
        words.extend(self.signals.then_some(W::Signals));
        words.extend(self.sockets.then_some(W::Sockets));
        let ports = |make: fn(Option<u16>) -> W, ports: &Option<Vec<u16>>| match ports.as_deref() {
            None => Vec::new(),
            Some([]) => vec![make(None)],
            Some(ports) => ports.iter().map(|&port| make(Some(port))).collect(),
        };
        words.extend(ports(W::Bind, &self.bind));
        words.extend(ports(W::Connect, &self.connect));
        words
    }
}

/// One word of `--landlock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LandlockWord {
    /// `files`
    Files,
    /// `write=PATH`
    Write(PathBuf),
    /// `signals`
    Signals,
    /// `sockets`
    Sockets,
    /// `bind=PORT`, or `bind=none`
    Bind(Option<u16>),
    /// `connect=PORT`, or `connect=none`
    Connect(Option<u16>),
}

/// A word that is none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is nothing that Landlock confines: files, write=PATH, signals, sockets, bind=PORT|none, connect=PORT|none"
)]
pub struct LandlockError(pub String);

impl FromStr for LandlockWord {
    type Err = LandlockError;

    fn from_str(text: &str) -> Result<Self, LandlockError> {
        let wrong = || LandlockError(text.to_owned());
        let port = |text: &str| match text {
            "none" => Ok(None),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
                Ok(port) if port > 0 => Ok(Some(port)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        };
        match text.split_once('=') {
            None => match text {
                "files" => Ok(Self::Files),
                "signals" => Ok(Self::Signals),
                "sockets" => Ok(Self::Sockets),
                _ => Err(wrong()),
            },
            Some(("write", path)) if Path::new(path).is_absolute() => Ok(Self::Write(path.into())),
            Some(("bind", text)) => port(text).map(Self::Bind),
            Some(("connect", text)) => port(text).map(Self::Connect),
            Some(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for LandlockWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |port: &Option<u16>| port.map_or("none".to_owned(), |port| port.to_string());
        match self {
            Self::Files => f.write_str("files"),
            Self::Write(path) => write!(f, "write={}", path.display()),
            Self::Signals => f.write_str("signals"),
            Self::Sockets => f.write_str("sockets"),
            Self::Bind(port) => write!(f, "bind={}", number(port)),
            Self::Connect(port) => write!(f, "connect={}", number(port)),
        }
    }
}

impl FromIterator<LandlockWord> for Landlock {
    fn from_iter<T: IntoIterator<Item = LandlockWord>>(words: T) -> Self {
        let mut all = Self::default();
        for word in words {
            match word {
                LandlockWord::Files => all.files = true,
                LandlockWord::Write(path) => {
                    all.files = true;
                    all.write.push(path);
                }
                LandlockWord::Signals => all.signals = true,
                LandlockWord::Sockets => all.sockets = true,
                LandlockWord::Bind(port) => all.bind.get_or_insert_default().extend(port),
                LandlockWord::Connect(port) => all.connect.get_or_insert_default().extend(port),
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_they_say() {
        for word in ["files", "write=/a b", "signals", "sockets", "bind=none", "connect=65535"] {
            assert_eq!(word.parse::<LandlockWord>().unwrap().to_string(), word);
        }
        for word in ["", "file", "write=", "write=a", "bind=0", "bind=65536", "bind=+1", "connect="]
        {
            assert_eq!(word.parse::<LandlockWord>(), Err(LandlockError(word.to_owned())));
        }
    }

    #[test]
    fn they_survive_being_written_down() {
        let words = ["write=/a", "bind=1", "bind=2", "connect=none"];
        let all: Landlock = words.iter().map(|w| w.parse().unwrap()).collect();
        assert_eq!(all.connect, Some(Vec::new()));
        assert_eq!(all.words().into_iter().collect::<Landlock>(), all);
        assert!(!Landlock::default().is_asked_for() && Landlock::default().words().is_empty());
    }
}
