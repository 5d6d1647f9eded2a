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
    hung: bool,
}

impl Verdict {
    /// By the exit status (`None`: it did not end), the program's marker and isol's message.
    pub(crate) fn of(status: Option<i32>, marker: &str, message: &str, expected: &Expected) -> Self {
        let outcome = outcome(status, marker, message, expected);
        Self { outcome, injected: false, left: Vec::new(), swept: Vec::new(), hung: status.is_none() }
    }

    /// Whether the caller can't be used again.
    pub(crate) fn leaves_a_caller_behind(&self) -> bool {
        self.hung || !self.left.is_empty()
    }
}

fn outcome(status: Option<i32>, marker: &str, message: &str, expected: &Expected) -> Outcome {
    let Some(status) = status else { return Outcome::Other("it hangs".into()) };
    let refused = (125..=127).contains(&status);
    let signalled = status > 128;
    // The dynamic loader of isol's own has its own words.
    let told = message.starts_with("isol: ") || message.contains("error while loading");
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
            self.leftovers.push(format!("{scenario}: {injection}: left: {}", verdict.left.join(" ")));
        }
        if !verdict.swept.is_empty() {
            *self.swept.entry(format!("{scenario}: {injection}: {}", verdict.swept.join(" "))).or_default() += 1;
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.not_started += other.not_started;
        self.confined += other.confined;
        self.missed += other.missed;
        self.swept.extend(other.swept);
        self.others.extend(other.others);
        self.leftovers.extend(other.leftovers);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.runs > 0 && self.others.is_empty() && self.leftovers.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} system calls × {} errors = {} runs: {} did not start, {} started fully confined, {} others, \
             {} leftovers ({} in which the call was not made; {} left something that the next run took away)",
            self.runs / ERRORS.len(),
            ERRORS.len(),
            self.runs,
            self.not_started,
            self.confined,
            self.others.len(),
            self.leftovers.len(),
            self.missed,
            self.swept.len(),
        )?;
        self.swept.keys().try_for_each(|what| write!(f, "\n   {what}"))
    }
}
