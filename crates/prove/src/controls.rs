//! The same attacks with no isolation at all: each one has to get through.

use isol_core::{Guarantee, Problem};
use serde::Serialize;

use crate::caller::ordinary;
use crate::matrix::{Question, answer, failed};
use crate::subject::Subject;
use crate::{Control, Site, probes};

/// What the attacks on one guarantee do where there is no isolation.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// The attacks that get through, with evidence.
    pub through: Vec<String>,
    /// Those that don't, and should.
    pub dead: Vec<String>,
    /// Those of which it can't be shown, and why.
    pub exempt: Vec<String>,
    /// Those that mean nothing on this host, and why.
    pub not_here: Vec<String>,
}

impl Shown {
    /// Whether the guarantee is found violated, and no attack is dead.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let shown = !self.through.is_empty() || self.exempt_alone() || ordinary().is_some();
        self.dead.is_empty() && shown
    }

    /// A guarantee of which the absence of isolation shows nothing.
    fn exempt_alone(&self) -> bool {
        let probe = probes::of(self.guarantee);
        probe.attacks.iter().all(|a| a.control != Control::Unisolated) && probe.traps.is_empty()
    }
}

/// Makes the attacks as the caller itself, in its bad state and with all its privilege, and again as
/// the target uid with nothing else changed. An attack has to get through in one of both.
///
/// # Errors
/// The runs could not be made.
pub fn shown(site: &Site, guarantees: &[Guarantee]) -> Result<Vec<Shown>, Problem> {
    let ask = |subject, bad_caller| {
        let guarantees = guarantees.to_vec();
        let question = Question {
            subject,
            guarantees,
            without: Vec::new(),
            lying: None,
            bad_caller,
            traps: true,
            least: false,
            landlock: Vec::new(),
            unfiltered: false,
        };
        answer(site, &question).map_err(|error| failed(&error))
    };
    let (bare, as_uid) = (ask(Subject::Unisolated, true)?, ask(Subject::UidOnly, false)?);
    let shown = bare.into_iter().zip(as_uid).map(|(bare, as_uid)| {
        let probe = probes::of(bare.guarantee);
        let through = |name: &str| bare.through.contains(&name) || as_uid.through.contains(&name);
        let open = |name: &str| {
            bare.open.iter().chain(&as_uid.open).any(|o| o.starts_with(&format!("{name}:")))
        };
        let absent = |name: &str| {
            let is = |n: &&String| n.starts_with(&format!("{name}:"));
            // Only what means nothing in both means nothing here.
            let (one, other) = (bare.not_here.iter().find(is), as_uid.not_here.iter().find(is));
            one.filter(|_| other.is_some()).cloned()
        };
        let mut shown = Shown {
            guarantee: bare.guarantee,
            through: Vec::new(),
            dead: Vec::new(),
            exempt: Vec::new(),
            not_here: Vec::new(),
        };
        let attacks = probe.attacks.iter().map(|a| (a.name, a.control));
        let traps = probe.traps.iter().map(|t| (t.name, Control::Unisolated));
        for (name, control) in attacks.chain(traps) {
            match (through(name) || open(name), absent(name), control) {
                (true, _, _) => shown.through.push(name.to_owned()),
                (_, Some(why), _) => shown.not_here.push(why),
                (_, _, Control::Exempt(why)) => shown.exempt.push(format!("{name}: {why}")),
                (_, _, Control::Unisolated) if ordinary().is_some() => {
                    shown.exempt.push(format!("{name}: it takes root to show"));
                }
                (_, _, Control::Unisolated) => shown.dead.push(name.to_owned()),
            }
        }
        shown
    });
    Ok(shown.collect())
}
