//! Guarantee × backend × mode.

mod cell;

use std::io;

use isol_core::{Backend, Guarantee, Mode, Problem, Support};

pub use cell::{Question, Tried, answer};
pub(crate) use cell::{as_given, as_root, as_root_without_powers, ask_for_all};

use crate::subject::Subject;
use crate::{Row, Site, Verdict};

/// The modes.
pub const MODES: [Mode; 3] = [Mode::Enter, Mode::Exec, Mode::Spawn];

/// Proves guarantees of a backend in a mode, on plans that lack some steps. One run serves all of them.
///
/// # Errors
/// The runs could not be made; what a run says is in the rows.
pub fn rows(
    site: &Site,
    backend: &'static dyn Backend,
    mode: Mode,
    guarantees: &[Guarantee],
    without: &[String],
) -> Result<Vec<Row>, Problem> {
    if let Some(reason) = cant_be_run(backend) {
        return Ok(guarantees.iter().map(|&g| not_here(backend, mode, g, &reason)).collect());
    }
    let question = Question {
        subject: Subject::Isol(backend, mode),
        guarantees: guarantees.to_vec(),
        without: without.to_vec(),
        lying: None,
        bad_caller: true,
        traps: true,
        least: false,
        landlock: Vec::new(),
        unfiltered: false,
    };
    let tried = answer(site, &question).map_err(|error| failed(&error))?;
    Ok(tried.into_iter().map(|tried| row(backend, mode, tried)).collect())
}

/// What a backend says of a guarantee here, in a mode: what takes a parent who stays, only where there is one.
#[must_use]
pub fn support(backend: &dyn Backend, mode: Mode, guarantee: Guarantee) -> Support {
    let support = backend.support(guarantee, backend.plans_for(isol_sys::os::HOST));
    if guarantee == Guarantee::SyslogWorks && mode != Mode::Spawn && support.is_offered() {
        return Support::not_offered(format!(
            "somebody has to outlive the program to relay its messages, and the mode is {mode}"
        ));
    }
    support
}

pub(crate) fn failed(error: &io::Error) -> Problem {
    Problem::io("prove", "can't make a run", error)
}

/// Why a backend can't be run here, at all.
#[must_use]
pub fn cant_be_run(backend: &dyn Backend) -> Option<String> {
    let os = backend.plans_for(isol_sys::os::HOST);
    if os != isol_sys::os::HOST {
        return Some(format!("it runs on {os}"));
    }
    backend.available().err().map(|unavailable| unavailable.reason)
}

fn not_here(backend: &dyn Backend, mode: Mode, guarantee: Guarantee, reason: &str) -> Row {
    Row {
        backend: backend.name().to_owned(),
        mode,
        guarantee,
        verdict: Verdict::NotOffered,
        reason: format!("not available here: {reason}"),
        evidence: Vec::new(),
        claims_too_little: false,
    }
}

fn row(backend: &dyn Backend, mode: Mode, tried: Tried) -> Row {
    let guarantee = tried.guarantee;
    let support = support(backend, mode, guarantee);
    let evidence = tried.evidence();
    let mut row = Row {
        backend: backend.name().to_owned(),
        mode,
        guarantee,
        verdict: Verdict::Held,
        reason: String::new(),
        evidence,
        claims_too_little: false,
    };
    match support {
        Support::Held | Support::OnRequest(_) => {
            // What was not shown to hold does not hold.
            let shown = tried.inconclusive.is_empty() && tried.resisted > 0;
            if !tried.breaches.is_empty() || !shown {
                row.verdict = Verdict::Violated;
            }
        }
        Support::NotOffered(reason) => {
            row.verdict = Verdict::NotOffered;
            row.reason = reason;
            row.claims_too_little = tried.breaches.is_empty() && tried.resisted > 0;
            if row.claims_too_little {
                row.reason.push_str("; but every attack failed: the backend claims too little");
            }
        }
    }
    row
}
