//! One call of one process that is made to fail, and the command line that does so.

use std::fmt;

use crate::caller::{BLOCKED, WORK};
use crate::census::Census;

/// What the calls fail with.
pub(crate) const ERRORS: [&str; 4] = ["EPERM", "ENOMEM", "EINTR", "EIO"];

/// To the C library brk(2) and getpid(2) can't fail, and what they answer is used.
const NEVER_FAIL: [&str; 2] = ["brk", "getpid"];

/// Whose call it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// isol's own.
    Isol,
    /// The child's, which makes it more often than isol does: strace counts for each process.
    Child,
    /// The child's, where isol makes as many before: strace begins when the child is made,
    /// by this call.
    ChildFromItsBirth(String),
    /// isol's own, counted from where it makes the child by this call.
    IsolFromBirth(String),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    pub(crate) whose: Whose,
    pub(crate) call: String,
    pub(crate) when: usize,
    pub(crate) error: &'static str,
}

impl Injection {
    /// All of a command line's.
    pub(crate) fn all(census: &Census) -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |whose: Whose, call: &str, when| {
            for error in ERRORS {
                all.push(Self { whose: whose.clone(), call: call.to_owned(), when, error });
            }
        };
        for (call, &count) in &census.isol {
            (1..=count).for_each(|when| add(Whose::Isol, call, when));
        }
        for (call, &count) in &census.child {
            let isol_s = census.isol.get(call).copied().unwrap_or(0);
            for when in 1..=count {
                let birth = census.birth.clone().unwrap_or_default();
                let whose =
                    if when > isol_s { Whose::Child } else { Whose::ChildFromItsBirth(birth) };
                add(whose, call, when);
            }
        }
        all
    }

    /// Whether the next run may have to take away what this one has left: where it could not
    /// be removed; where a call fails that can't; and where isol's own calls fail behind the
    /// child's, because strace counts them from the same moment on.
    pub(crate) fn may_stop_cleaning_up(&self) -> bool {
        matches!(self.whose, Whose::ChildFromItsBirth(_))
            || self.call == "unlinkat"
            || NEVER_FAIL.contains(&self.call.as_str())
    }

    /// The line of shell that runs `line` with this fault. Its status is isol's, or that of
    /// the program which isol has become: the tracer is no parent of theirs (`-D`), and lets go
    /// of what executes the program.
    ///
    /// Never with `--seccomp-bpf`, which would be faster: it sets no_new_privs itself.
    pub(crate) fn around(&self, line: &str) -> String {
        let Self { call, when, error, .. } = self;
        let inject = format!("-e trace={call} -e inject={call}:error={error}:when={when}");
        let strace = format!("strace --detach-on=execve -o {WORK}/trace {inject}");
        match &self.whose {
            Whose::Isol => format!("{BLOCKED} {strace} -D {line}"),
            Whose::Child => format!("{BLOCKED} {strace} -D -f {line}"),
            Whose::ChildFromItsBirth(birth) => from_birth(birth, &format!("{strace} -f"), line),
            Whose::IsolFromBirth(birth) => from_birth(birth, &strace, line),
        }
    }
}

/// A first tracer has isol stop at the call that makes the child, and is killed; the second is
/// attached while isol stands still.
fn from_birth(birth: &str, strace: &str, line: &str) -> String {
    let stop = format!(
        "{BLOCKED} strace -D -o {WORK}/stop -e trace={birth} -e inject={birth}:signal=SIGSTOP:when=1"
    );
    let look = "while read -r name value rest; do case $name in State:) state=$value ;; \
                TracerPid:) tracer=$value ;; esac; done </proc/$isol/status";
    [
        format!(": >{WORK}/stop; {stop} {line} & isol=$!"),
        format!("until [[ $(<{WORK}/stop) == *'stopped by'* ]]; do sleep 0.002; done; {look}"),
        "kill -KILL $tracer".to_owned(),
        format!("until {look}; [[ $tracer == 0 && $state == T ]]; do sleep 0.002; done"),
        format!("{strace} -p $isol 2>/dev/null & strace=$!"),
        format!("until {look}; [[ $tracer != 0 ]]; do sleep 0.002; done"),
        "kill -CONT $isol; wait $isol; set -- $?; wait $strace; (exit $1)".to_owned(),
    ]
    .join("; ")
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.whose {
            Whose::Isol => "isol",
            Whose::IsolFromBirth(_) => "isol behind the child's start",
            Whose::Child | Whose::ChildFromItsBirth(_) => "the child",
        };
        write!(f, "{} {} of {whose}: {}", self.call, self.when, self.error)
    }
}
