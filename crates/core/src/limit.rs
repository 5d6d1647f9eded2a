//! Resource limits by name.

use std::fmt;
use std::str::FromStr;

use crate::nearest;

macro_rules! resources {
    ($($variant:ident $name:literal $what:literal;)*) => {
        /// A resource that `setrlimit(2)` limits. Not every kernel knows each of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Resource {
            $(#[doc = concat!($what, ".")] $variant,)*
        }

        impl Resource {
            /// Every resource of every kernel.
            pub const ALL: &'static [Resource] = &[$(Resource::$variant),*];

            /// The name on the command line: the `RLIMIT_` constant's, in lower case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Resource::$variant => $name),* }
            }
        }
    };
}

resources! {
    AddressSpace "as" "Bytes of address space";
    Core "core" "Bytes of a core file";
    Cpu "cpu" "Seconds of CPU time";
    Data "data" "Bytes of data segment";
    FileSize "fsize" "Bytes of a file written";
    Locks "locks" "File locks";
    MemoryLocked "memlock" "Bytes locked in memory";
    MessageQueues "msgqueue" "Bytes in POSIX message queues";
    Nice "nice" "Ceiling of the nice value";
    OpenFiles "nofile" "One more than the highest descriptor";
    Processes "nproc" "Processes of the uid";
    Resident "rss" "Bytes resident in memory";
    RealtimePriority "rtprio" "Ceiling of the real-time priority";
    RealtimeTime "rttime" "Microseconds of real-time CPU without a blocking call";
    SignalsPending "sigpending" "Signals queued for the uid";
    Stack "stack" "Bytes of stack";
    SocketBuffers "sbsize" "Bytes of socket buffers of the uid (FreeBSD)";
    Swap "swap" "Bytes of swap reserved by the uid (FreeBSD)";
    PseudoTerminals "npts" "Pseudo-terminals of the uid (FreeBSD)";
    Kqueues "kqueues" "Kqueues of the uid (FreeBSD)";
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// How much of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// At most this many of the resource's units.
    AtMost(u64),
    /// No limit (`RLIM_INFINITY`).
    Unlimited,
}

impl Amount {
    fn exceeds(self, other: Self) -> bool {
        match (self, other) {
            (Amount::AtMost(a), Amount::AtMost(b)) => a > b,
            (Amount::Unlimited, Amount::AtMost(_)) => true,
            (_, Amount::Unlimited) => false,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::AtMost(n) => n.fmt(f),
            Amount::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// One resource limit, soft and hard.
///
/// ```
/// let limit: isol_core::Limit = "nofile=64:128".parse().unwrap();
/// assert_eq!(limit.to_string(), "nofile=64:128");
/// assert!("nofile=128:64".parse::<isol_core::Limit>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub resource: Resource,
    /// The limit in force.
    pub soft: Amount,
    /// How far the program may raise it.
    pub hard: Amount,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", self.resource, self.soft, self.hard)
    }
}

/// A text that is no `NAME=SOFT[:HARD]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// No `=`.
    #[error("`{0}` is not of the form NAME=SOFT[:HARD]")]
    Form(String),
    /// No such resource.
    #[error("no resource limit is called `{name}`")]
    Unknown {
        /// What was given.
        name: String,
        /// The nearest known name.
        nearest: Option<&'static str>,
    },
    /// Not a number.
    #[error("`{0}` is no amount: give a whole number, with K, M or G behind it, or `unlimited`")]
    Amount(String),
    /// Soft above hard.
    #[error("the soft limit {soft} of {resource} is above the hard limit {hard}")]
    SoftAboveHard {
        /// What is limited.
        resource: Resource,
        /// Soft.
        soft: Amount,
        /// Hard.
        hard: Amount,
    },
}

impl FromStr for Amount {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        if matches!(text, "unlimited" | "infinity") {
            return Ok(Amount::Unlimited);
        }
        let unit = |suffix, shift: u32| text.strip_suffix(suffix).map(|digits| (digits, shift));
        let (digits, shift) =
            unit('K', 10).or_else(|| unit('M', 20)).or_else(|| unit('G', 30)).unwrap_or((text, 0));
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(LimitError::Amount(text.to_owned()));
        }
        digits
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(1 << shift))
            .filter(|&n| n < u64::MAX >> 1)
            .map(Amount::AtMost)
            .ok_or_else(|| LimitError::Amount(text.to_owned()))
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (name, amounts) =
            text.split_once('=').ok_or_else(|| LimitError::Form(text.to_owned()))?;
        let resource =
            *Resource::ALL.iter().find(|r| r.id() == name).ok_or_else(|| LimitError::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, Resource::ALL.iter().map(|r| r.id())),
            })?;
        let (soft, hard) = amounts.split_once(':').unwrap_or((amounts, amounts));
        let (soft, hard) = (soft.parse::<Amount>()?, hard.parse::<Amount>()?);
        if soft.exceeds(hard) {
            return Err(LimitError::SoftAboveHard { resource, soft, hard });
        }
        Ok(Limit { resource, soft, hard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_take_units_and_refuse_what_overflows() {
        assert_eq!("64K".parse(), Ok(Amount::AtMost(65536)));
        assert_eq!("unlimited".parse(), Ok(Amount::Unlimited));
        for bad in [
            "",
            "-1",
            "+1",
            "1.5",
            "K",
            "99999999999999999999",
            "18446744073709551615",
            "9999999999G",
        ] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        assert_eq!(
            "nofiles=3".parse::<Limit>(),
            Err(LimitError::Unknown { name: "nofiles".into(), nearest: Some("nofile") })
        );
        assert!(matches!(
            "core=unlimited:0".parse::<Limit>(),
            Err(LimitError::SoftAboveHard { .. })
        ));
    }
}
