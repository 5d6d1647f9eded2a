//! What a run with a fault came to, and the sum of them.

use std::collections::BTreeMap;
use std::fmt;

use crate::injection::{ERRORS, Injection};
use crate::judge::Expected;

/// Whether the program was started, and what it was then.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was not, and isol said why or was ended by a signal.
    NotStarted,
    /// It was, fully confined.
    Confined,
    /// What must not be.
    Other(String),
}

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    /// Whether the call was made and failed.
    pub(crate) injected: bool,
    /// What is left for good.
    pub(crate) left: Vec<String>,
    /// What was left, and taken away by the next run.
    pub(crate) swept: Vec<String>,
    status: Option<i32>,
}

impl Verdict {
    /// By the exit status (`None`: it did not end), the program's marker and isol's message, of
    /// which there is none where `write` fails.
    pub(crate) fn of(
        status: Option<i32>,
        marker: &str,
        message: &str,
        expected: &Expected,
        call: &str,
    ) -> Self {
        let outcome = outcome(status, marker, message, expected, call);
        let (left, swept) = (Vec::new(), Vec::new());
        Self { outcome, injected: false, left, swept, status }
    }

    /// Whether the caller can't be used again.
    pub(crate) fn leaves_a_caller_behind(&self) -> bool {
        self.status.is_none() || !self.left.is_empty()
    }
}

/// The status of what SIGKILL has ended.
const KILLED: i32 = 128 + 9;

/// What a refusal begins with: isol's own, and the dynamic loader's before isol has begun.
const SAID: [&str; 4] = [
    "isol: ",
    "error while loading shared libraries: ",
    "cannot set up thread-local storage: ",
    "cannot allocate TLS data structures ",
];

fn outcome(
    status: Option<i32>,
    marker: &str,
    message: &str,
    expected: &Expected,
    call: &str,
) -> Outcome {
    let Some(status) = status else { return Outcome::Other("it hangs".into()) };
    let refused = (125..=127).contains(&status);
    // By a fault of its own. Nobody has a reason to kill it.
    let signalled = status > 128 && status != KILLED;
    let told = call == "write" || SAID.iter().any(|said| message.contains(said));
    if marker.is_empty() {
        return match (refused, signalled) {
            (true, _) if told => Outcome::NotStarted,
            (_, true) => Outcome::NotStarted,
            (true, _) => Outcome::Other(format!("status {status} without a word: {message:?}")),
            _ => Outcome::Other(format!("status {status} without a marker: {message:?}")),
        };
    }
    let differences = expected.differences(marker);
    if !differences.is_empty() {
        return Outcome::Other(format!("NOT CONFINED: {}", differences.join("; ")));
    }
    match status {
        42 => Outcome::Confined,
        KILLED => Outcome::Other("it ran, and isol was killed".into()),
        _ if (refused && told) || signalled => Outcome::Confined,
        _ => Outcome::Other(format!("it ran, and its status became {status}: {message:?}")),
    }
}

/// Sums.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: usize,
    not_started: usize,
    confined: usize,
    missed: usize,
    swept: BTreeMap<String, usize>,
    pub(crate) others: Vec<String>,
    pub(crate) leftovers: Vec<String>,
}

impl Tally {
    pub(crate) fn count(&mut self, scenario: &str, injection: &Injection, verdict: Verdict) {
        self.runs += 1;
        self.missed += usize::from(!verdict.injected);
        match verdict.outcome {
            Outcome::NotStarted => self.not_started += 1,
            Outcome::Confined => self.confined += 1,
            Outcome::Other(what) => self.others.push(format!("{scenario}: {injection}: {what}")),
        }
        if !verdict.left.is_empty() {
            self.leftovers
                .push(format!("{scenario}: {injection}: left: {}", verdict.left.join(" ")));
        }
        if !verdict.swept.is_empty() {
            *self.swept.entry(injection.call.clone()).or_default() += 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.not_started += other.not_started;
        self.confined += other.confined;
        self.missed += other.missed;
        for (call, count) in &other.swept {
            *self.swept.entry(call.clone()).or_default() += count;
        }
        self.others.extend_from_slice(&other.others);
        self.leftovers.extend_from_slice(&other.leftovers);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.runs > 0 && self.others.is_empty() && self.leftovers.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calls, errors) = (self.runs / ERRORS.len(), ERRORS.len());
        writeln!(
            f,
            "{calls} system calls × {errors} errors = {} runs: {} did not start, {} started fully \
             confined, {} others, {} leftovers",
            self.runs,
            self.not_started,
            self.confined,
            self.others.len(),
            self.leftovers.len(),
        )?;
        let swept: usize = self.swept.values().sum();
        let list: Vec<_> =
            self.swept.iter().map(|(call, count)| format!("{call} {count}")).collect();
        write!(
            f,
            "  in {} of them the call was not made; {swept} could not clean up, and the next run did: {}",
            self.missed,
            list.join(", ")
        )
    }
}
