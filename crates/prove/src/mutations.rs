//! The same attacks on plans that lack a step: each step has to be missed.

use isol_core::{Backend, Guarantee, Mode, Problem, step_names};
use serde::Serialize;

use crate::caller::ordinary;
use crate::engine::Outcome;
use crate::matrix::{self, MODES, Question, Tried, answer, failed};
use crate::scenario::{How, Scenario, Who};
use crate::subject::Subject;
use crate::{Site, probes};

/// Steps without which nothing is started, so that nobody can tell what their absence would let through: (step, the
/// only backend of which that is so, why). That it is so is seen in each run.
const STRUCTURAL: &[(&str, Option<&str>, &str)] = &[
    (step_names::IDENTITY, None, "without it no step knows whose ids to take"),
    (step_names::ALLOT_UID, None, "without it no step knows whose ids to take"),
    (step_names::THROW_AWAY_ROOT, None, "without it there is no root to open"),
    (step_names::ROOT_DIRECTORY, None, "without it there is no descriptor to enter the root by"),
    (step_names::MOUNT_SOURCES, None, "without it nobody knows what is to be mounted"),
    (step_names::USER_NAMESPACE, Some("namespaces"), "without it there is none to enter"),
    (
        step_names::NAMESPACES,
        Some("namespaces"),
        "without it the mounts would be the host's, which no step touches",
    ),
    (
        step_names::STANDARD_DESCRIPTORS,
        Some("jail"),
        "the root's directory lands on the closed descriptor, and a jail takes no process with a directory open",
    ),
    (
        step_names::DESCRIPTORS,
        Some("jail"),
        "the caller has directories open, and a jail takes no process that has one",
    ),
];

/// Steps whose absence the filter of system calls would hide, the guarantee that has to turn, and why. They are left out of
/// plans without a filter.
const BEHIND_THE_FILTER: &[(&str, Guarantee, &str)] = &[
    (step_names::UNCONFINED, Guarantee::NetworkConfined, "it denies the same, and more"),
    (step_names::KEYRING, Guarantee::StateReset, "it lets nobody look into a keyring"),
    (
        step_names::NO_NEW_PRIVILEGES,
        Guarantee::NoPrivilegeGain,
        "without it the kernel takes no filter from an unprivileged process",
    ),
];

/// What became of a plan that lacks a step.
#[derive(Clone, Debug, Serialize)]
pub struct Mutation {
    /// The backend.
    pub backend: String,
    /// The step that was left out.
    pub step: String,
    /// The guarantees that turned to violated, with the first evidence for each.
    pub caught_by: Vec<Caught>,
    /// What the read-back said, where it is left in: nothing was started.
    pub read_back: Option<String>,
    /// Why nothing has to turn: nothing can be started without the step, and here nothing was.
    pub structural: Option<String>,
}

/// A guarantee that turned to violated.
#[derive(Clone, Debug, Serialize)]
pub struct Caught {
    /// Which.
    pub guarantee: Guarantee,
    /// In which mode.
    pub mode: String,
    /// What the attack saw.
    pub evidence: String,
}

impl Mutation {
    /// Whether the step was missed.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        !self.caught_by.is_empty() || self.structural.is_some()
    }
}

/// The steps of a backend's plans, in some modes, that this host would carry out.
///
/// # Errors
/// There is no plan.
pub fn steps(
    site: &Site,
    backend: &'static dyn Backend,
    modes: &[Mode],
) -> Result<Vec<&'static str>, Problem> {
    let mut names = Vec::new();
    for scenario in scenarios(site, backend).iter().filter(|scenario| in_modes(scenario, modes)) {
        for step in crate::launcher::plan(scenario)?.steps() {
            if !names.contains(&step.name()) {
                names.push(step.name());
            }
        }
    }
    Ok(names)
}

fn in_modes(scenario: &Scenario, modes: &[Mode]) -> bool {
    matches!(&scenario.how, How::Isol { mode, .. } if modes.contains(&(*mode).into()))
}

/// One scenario for each kind of plan that this host would carry out.
pub(crate) fn scenarios(site: &Site, backend: &'static dyn Backend) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for mode in modes(backend) {
        let mut scenario = site.scenario(Subject::Isol(backend, mode).how());
        scenario.require.push(Guarantee::RootClean);
        matrix::ask_for_all(&mut scenario, backend);
        if mode == Mode::Spawn {
            let user = Who::Allotted;
            scenarios.push(Scenario { user, require: Vec::new(), ..scenario.clone() });
        }
        if mode == Mode::Spawn && offered(backend, mode).contains(&Guarantee::RootHarmless) {
            for make in [matrix::as_root, matrix::as_root_without_powers] {
                let mut root = Scenario { require: Vec::new(), ..scenario.clone() };
                make(&mut root);
                scenarios.push(root);
            }
        }
        if ordinary().is_some() && offered(backend, mode).contains(&Guarantee::GroupsExact) {
            let mut given = scenario.clone();
            matrix::as_given(&mut given);
            scenarios.push(given);
        }
        let unfiltered = Scenario { unfiltered: true, ..scenario.clone() };
        if mode == Mode::Spawn && has_step(&unfiltered, step_names::UNCONFINED) {
            scenarios.push(unfiltered);
        }
        scenarios.push(scenario);
    }
    scenarios
}

fn has_step(scenario: &Scenario, name: &str) -> bool {
    crate::launcher::plan(scenario).is_ok_and(|plan| plan.steps().any(|step| step.name() == name))
}

/// Leaves a step out of a backend's plans: once with the read-back, which may notice, and once without, so
/// that it is seen what the step is there for.
///
/// # Errors
/// The runs could not be made.
pub fn mutate(
    site: &Site,
    backend: &'static dyn Backend,
    step: &'static str,
) -> Result<Mutation, Problem> {
    let mut mutation = Mutation {
        backend: backend.name().to_owned(),
        step: step.to_owned(),
        caught_by: Vec::new(),
        read_back: None,
        structural: None,
    };
    let structural = STRUCTURAL
        .iter()
        .find(|(name, only, _)| *name == step && only.is_none_or(|only| only == backend.name()));
    if let Some((_, _, why)) = structural {
        mutation.structural =
            nothing_starts(site, backend, step)?.map(|refusal| format!("{why}: {refusal}"));
        return Ok(mutation);
    }
    for mode in modes(backend) {
        if step == step_names::READ_BACK {
            read_back(site, backend, mode, &mut mutation)?;
            continue;
        }
        let cut = [step, step_names::READ_BACK];
        let behind = BEHIND_THE_FILTER.iter().find(|(name, ..)| *name == step);
        // The others are attacked through what a filter would have left open.
        let guarantees = behind.map_or_else(|| offered(backend, mode), |(_, one, _)| vec![*one]);
        let unfiltered = behind.is_some();
        let all = question(backend, mode, &cut, None, &guarantees);
        let all = Question { unfiltered, ..all };
        caught(answered(site, &all)?, mode, &mut mutation);
        if mutation.caught_by.is_empty() {
            // What more is asked for may stand in for it.
            let guarantees = without_what_is_more(backend, mode);
            let least = question(backend, mode, &cut, None, &guarantees);
            let least = Question { unfiltered, least: true, ..least };
            caught(answered(site, &least)?, mode, &mut mutation);
        }
        if mutation.read_back.is_none() {
            let noticed = ask(site, backend, mode, &[step], None, &[Guarantee::UidDropped])?;
            mutation.read_back = noticed.into_iter().find_map(|tried| tried.refused);
        }
    }
    Ok(mutation)
}

fn modes(backend: &'static dyn Backend) -> impl Iterator<Item = Mode> {
    MODES.into_iter().filter(|_| matrix::cant_be_run(backend).is_none())
}

fn offered(backend: &dyn Backend, mode: Mode) -> Vec<Guarantee> {
    let is_offered = |&g: &Guarantee| matrix::support(backend, mode, g).is_offered();
    Guarantee::ALL.into_iter().filter(is_offered).collect()
}

/// What was found violated by something that ran.
fn caught(tried: Vec<Tried>, mode: Mode, mutation: &mut Mutation) {
    for tried in tried.into_iter().filter(|tried| tried.refused.is_none()) {
        if let Some(evidence) = tried.breaches.into_iter().next() {
            let (guarantee, mode) = (tried.guarantee, mode.id().to_owned());
            mutation.caught_by.push(Caught { guarantee, mode, evidence });
        }
    }
}

/// What a backend holds for a policy that asks for as little as it can.
fn without_what_is_more(backend: &'static dyn Backend, mode: Mode) -> Vec<Guarantee> {
    let more = [Guarantee::NetworkConfined, Guarantee::IpcPrivate, Guarantee::HostnamePrivate];
    let given_up = isol_core::Allow::HostPids.gives_up();
    let all = offered(backend, mode).into_iter();
    all.filter(|g| !given_up.contains(*g) && !more.contains(g)).collect()
}

fn ask(
    site: &Site,
    backend: &'static dyn Backend,
    mode: Mode,
    without: &[&str],
    lying: Option<&str>,
    guarantees: &[Guarantee],
) -> Result<Vec<Tried>, Problem> {
    answered(site, &question(backend, mode, without, lying, guarantees))
}

fn answered(site: &Site, question: &Question) -> Result<Vec<Tried>, Problem> {
    answer(site, question).map_err(|error| failed(&error))
}

fn question(
    backend: &'static dyn Backend,
    mode: Mode,
    without: &[&str],
    lying: Option<&str>,
    guarantees: &[Guarantee],
) -> Question {
    // A trap is for the steps that refuse it; without any other step it is refused as ever.
    let traps = guarantees
        .iter()
        .flat_map(|&g| probes::of(g).traps)
        .any(|trap| trap.refused_by.iter().any(|step| without.contains(step)));
    Question {
        subject: Subject::Isol(backend, mode),
        guarantees: guarantees.to_vec(),
        without: without.iter().map(|&s| s.to_owned()).collect(),
        lying: lying.map(str::to_owned),
        bad_caller: true,
        traps,
        least: false,
        landlock: Vec::new(),
        unfiltered: false,
    }
}

/// The read-back does nothing by itself: it is missed when another step says that it was done, and was not.
fn read_back(
    site: &Site,
    backend: &'static dyn Backend,
    mode: Mode,
    mutation: &mut Mutation,
) -> Result<(), Problem> {
    for (liar, guarantee) in
        [(step_names::GROUPS, Guarantee::GroupsExact), (step_names::UMASK, Guarantee::StateReset)]
    {
        let with = ask(site, backend, mode, &[], Some(liar), &[guarantee])?;
        let cut = [step_names::READ_BACK];
        let without = ask(site, backend, mode, &cut, Some(liar), &[guarantee])?;
        // Only a read-back that refuses what would have run is one.
        if let Some(noticed) = with.into_iter().find_map(|tried| tried.refused) {
            mutation.read_back.get_or_insert(noticed);
            caught(without, mode, mutation);
        }
    }
    Ok(())
}

/// That nothing is started without a step, in any mode that has it; `None` if something is.
fn nothing_starts(
    site: &Site,
    backend: &'static dyn Backend,
    step: &str,
) -> Result<Option<String>, Problem> {
    let allotted = [step_names::ALLOT_UID, step_names::THROW_AWAY_ROOT].contains(&step);
    let mut refusals = Vec::new();
    for mode in modes(backend).filter(|&mode| !allotted || mode == Mode::Spawn) {
        let mut scenario = site.scenario(Subject::Isol(backend, mode).how());
        if allotted {
            scenario.user = Who::Allotted;
        }
        scenario.mounts = step == step_names::MOUNT_SOURCES;
        match (step, ordinary()) {
            (step_names::USER_NAMESPACE, None) => matrix::as_root(&mut scenario),
            // He makes one without being told to; not with these ids in it.
            (step_names::USER_NAMESPACE, Some(_)) => matrix::as_given(&mut scenario),
            _ => {}
        }
        scenario.without = vec![step.to_owned(), step_names::READ_BACK.to_owned()];
        match site.start(&scenario).map_err(|error| failed(&error))? {
            Err(Outcome::Refused(refusal)) => refusals.push(refusal.message),
            _ => return Ok(None),
        }
    }
    Ok(refusals.into_iter().next())
}
