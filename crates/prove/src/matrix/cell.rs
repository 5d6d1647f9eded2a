//! The runs behind some cells of one column, and what they showed.

use std::collections::HashMap;
use std::io;

use isol_core::{Allow, Backend, Guarantee, Mode, step_names};

use crate::caller::{GIVEN, ordinary, takes_a_given, unless_denied};
use crate::engine::{GROUPS, Outcome};
use crate::scenario::{Scenario, Who};
use crate::subject::Subject;
use crate::{Attack, Expected, Seen, Setting, Site, Trap, probes};

/// What is to be found out.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who isolates.
    pub subject: Subject,
    /// What is attacked.
    pub guarantees: Vec<Guarantee>,
    /// Steps that the plan lacks.
    pub without: Vec<String>,
    /// A step whose calls do nothing, and say that they did.
    pub lying: Option<String>,
    /// Whether the caller gets into a bad state first.
    pub bad_caller: bool,
    /// Whether traps are laid too.
    pub traps: bool,
    /// Whether the policy asks for as little as the backend can give: the host's processes, its network, its name.
    pub least: bool,
    /// What Landlock confines, in words.
    pub landlock: Vec<String>,
    /// Whether the policy asks for no filter of system calls.
    pub unfiltered: bool,
}

/// What the attacks on one guarantee showed.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// The attacks that got through, with evidence.
    pub breaches: Vec<String>,
    /// The names of those that got through.
    pub through: Vec<&'static str>,
    /// What gave no answer: it proves nothing, neither way.
    pub inconclusive: Vec<String>,
    /// How many did not.
    pub resisted: usize,
    /// Attacks that mean nothing here, and why.
    pub not_here: Vec<String>,
    /// Attacks that got through, and that no backend stops by itself.
    pub open: Vec<String>,
    /// Whether nothing was started.
    pub refused: Option<String>,
}

impl Tried {
    fn new(guarantee: Guarantee) -> Self {
        Self {
            guarantee,
            breaches: Vec::new(),
            through: Vec::new(),
            inconclusive: Vec::new(),
            resisted: 0,
            not_here: Vec::new(),
            open: Vec::new(),
            refused: None,
        }
    }

    /// In words: the breaches, or how many attacks failed; then what was left out, and what is open.
    #[must_use]
    pub fn evidence(&self) -> Vec<String> {
        let mut words = self.breaches.clone();
        words.extend(self.inconclusive.iter().map(|why| format!("no answer: {why}")));
        if words.is_empty() {
            words.push(format!("{} attacks failed", self.resisted));
        }
        words.extend(self.not_here.iter().map(|why| format!("not tried: {why}")));
        words.extend(self.open.iter().map(|why| format!("open on every backend: {why}")));
        words
    }

    fn note(&mut self, attack: &'static Attack, seen: &Seen, expected: &Expected) {
        match (attack.breach(seen, expected), seen) {
            (_, Seen::Lost(why)) => self.inconclusive.push(format!("{}: {why}", attack.name)),
            (Some(what), _) => match attack.open {
                Some(why) => self.open.push(format!("{}: {why}", attack.name)),
                None => {
                    self.breaches.push(what);
                    self.through.push(attack.name);
                }
            },
            (None, Seen::NotHere(why)) => self.not_here.push(format!("{}: {why}", attack.name)),
            (None, _) => self.resisted += 1,
        }
    }

    fn breach(&mut self, name: &'static str, what: &str) {
        self.breaches.push(format!("{name}: {what}"));
        self.through.push(name);
    }
}

type Found = HashMap<Guarantee, Tried>;

/// Makes the runs that answer a question.
///
/// # Errors
/// A run could not be made.
pub fn answer(site: &Site, question: &Question) -> io::Result<Vec<Tried>> {
    let mut found: Found = question.guarantees.iter().map(|&g| (g, Tried::new(g))).collect();
    for setting in [Setting::Ordinary, Setting::Named, Setting::AsRoot] {
        // An ordinary user can be nobody else.
        let alone = ordinary().is_some();
        if setting == Setting::Named && (alone || takes_numbers_only(&question.subject)) {
            continue;
        }
        attack_in(site, question, setting, &mut found)?;
    }
    if question.traps {
        for &guarantee in &question.guarantees {
            for trap in probes::of(guarantee).traps {
                spring(site, question, guarantee, trap, &mut found)?;
            }
        }
    }
    Ok(question.guarantees.iter().filter_map(|g| found.remove(g)).collect())
}

/// A tool that looks no name up can't look it up in the wrong place.
fn takes_numbers_only(subject: &Subject) -> bool {
    matches!(subject, Subject::Tool(tool) if !tool.takes_names)
}

/// The attacks in one setting, all in one run.
fn attack_in(
    site: &Site,
    question: &Question,
    setting: Setting,
    found: &mut Found,
) -> io::Result<()> {
    let attacks: Vec<(Guarantee, &'static Attack)> = question
        .guarantees
        .iter()
        .flat_map(|&g| probes::of(g).attacks.iter().map(move |a| (g, a)))
        .filter(|(_, attack)| attack.setting == setting)
        .collect();
    // What the tree should not have is in it but for this guarantee's own run.
    let clean = |g: Guarantee| g == Guarantee::RootClean;
    let (on_clean, others): (Vec<_>, Vec<_>) = attacks.into_iter().partition(|(g, _)| clean(*g));
    let powerless = as_powerless_root(question, setting, &others);
    let (given, others) = as_somebody_given(question, setting, others);
    for (attacks, how) in [
        (others, Way::Plainly),
        (on_clean, Way::OnACleanTree),
        (given, Way::AsSomebodyGiven),
        (powerless, Way::AsPowerlessRoot),
    ] {
        if attacks.is_empty() {
            continue;
        }
        let aside = if how == Way::OnACleanTree { Some(site.cleaned()?) } else { None };
        let mut scenario = scenario(site, question, setting);
        match how {
            Way::Plainly => {}
            Way::OnACleanTree => scenario.require.push(Guarantee::RootClean),
            Way::AsSomebodyGiven => as_given(&mut scenario),
            Way::AsPowerlessRoot => as_root_without_powers(&mut scenario),
        }
        let (outcome, expected) = site.attack(&scenario, &attacks)?;
        drop(aside);
        note(outcome, &expected, &attacks, found);
    }
    Ok(())
}

/// How the attacks of one run are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plainly,
    OnACleanTree,
    AsSomebodyGiven,
    AsPowerlessRoot,
}

type Attacks = Vec<(Guarantee, &'static Attack)>;

/// What uid 0 is kept from unless `superuser` is allowed, tried as uid 0 once more. In one mode: a jail takes a parent
/// for it.
fn as_powerless_root(question: &Question, setting: Setting, attacks: &Attacks) -> Attacks {
    let spawns = matches!(question.subject, Subject::Isol(_, Mode::Spawn));
    let offered = is_offered(question, Guarantee::RootHarmless);
    if setting != Setting::Ordinary || !spawns || !offered || question.least {
        return Vec::new();
    }
    let kept = Allow::Superuser.gives_up();
    attacks.iter().copied().filter(|(guarantee, _)| kept.contains(*guarantee)).collect()
}

/// Where an ordinary user has been given ids: the attacks as somebody of these, which are all, and those as himself, without
/// what does not hold for him.
fn as_somebody_given(
    question: &Question,
    setting: Setting,
    attacks: Attacks,
) -> (Attacks, Attacks) {
    let offered = |g| is_offered(question, g);
    if setting != Setting::Ordinary || ordinary().is_none() || !offered(Guarantee::GroupsExact) {
        return (Vec::new(), attacks);
    }
    let himself = attacks.iter().copied().filter(|(g, _)| !takes_a_given(*g)).collect();
    (attacks.into_iter().filter(|(g, _)| offered(*g)).collect(), himself)
}

fn is_offered(question: &Question, guarantee: Guarantee) -> bool {
    match &question.subject {
        Subject::Isol(backend, mode) => super::support(*backend, *mode, guarantee).is_offered(),
        _ => false,
    }
}

/// Has the program be somebody whom the ordinary user has been given.
pub(crate) fn as_given(scenario: &mut Scenario) {
    scenario.user = Who::Id(GIVEN);
    scenario.groups = GROUPS.to_vec();
}

fn note(
    outcome: Outcome,
    expected: &Expected,
    attacks: &[(Guarantee, &'static Attack)],
    found: &mut Found,
) {
    match outcome {
        Outcome::Attacked(seen) => {
            for (guarantee, name, seen) in seen {
                let attack = attacks.iter().find(|(g, a)| *g == guarantee && a.name == name);
                if let (Some((_, attack)), Some(tried)) = (attack, found.get_mut(&guarantee)) {
                    tried.note(attack, &seen, expected);
                }
            }
        }
        Outcome::Refused(refusal) | Outcome::LeftBehind(refusal) => {
            nothing_ran(&refusal.message, attacks, found);
        }
        Outcome::Silent(why) => nothing_ran(&why, attacks, found),
    }
}

/// Nothing that did not run has been proved.
fn nothing_ran(why: &str, attacks: &[(Guarantee, &'static Attack)], found: &mut Found) {
    for (guarantee, _) in attacks {
        let Some(tried) = found.get_mut(guarantee) else { continue };
        if tried.refused.is_none() {
            tried.refused = Some(why.to_owned());
            tried.inconclusive.push(format!("nothing was started: {why}"));
        }
    }
}

/// The scenario of a setting.
fn scenario(site: &Site, question: &Question, setting: Setting) -> Scenario {
    let mut scenario = site.scenario(question.subject.how());
    scenario.bad_caller = question.bad_caller;
    scenario.without.clone_from(&question.without);
    scenario.lying.clone_from(&question.lying);
    scenario.landlock.clone_from(&question.landlock);
    scenario.unfiltered = question.unfiltered;
    let offered = |g| is_offered(question, g);
    match &question.subject {
        _ if question.least => scenario.allow.push(Allow::HostPids.id().into()),
        Subject::Isol(backend, _) => ask_for_all(&mut scenario, *backend),
        _ => {}
    }
    match setting {
        Setting::Ordinary => {}
        Setting::Named => {
            scenario.user = Who::Name("nobody".into());
            // Some of the host's own daemons run as nobody.
            scenario.allow.push(Allow::SharedUid.id().into());
        }
        Setting::AsRoot if offered(Guarantee::RootHarmless) => as_root(&mut scenario),
        Setting::AsRoot if matches!(question.subject, Subject::Tool(_)) => {
            scenario.user = Who::Id(0);
        }
        // Such a plan is refused; what it would be worth is seen without what drops privilege.
        Setting::AsRoot => scenario.without.extend(DROPS.map(str::to_owned)),
    }
    if let (Subject::Tool(_), crate::scenario::How::Tool { words }) =
        (&question.subject, &mut scenario.how)
    {
        fill_in(words, site, &scenario.user, &scenario.groups);
    }
    scenario
}

/// Has the program be uid 0, with all of a superuser's powers that there are inside, where the backend confines even that.
pub(crate) fn as_root(scenario: &mut Scenario) {
    scenario.user = Who::Id(0);
    let allowed = [Allow::RootUser, Allow::Superuser, Allow::RootGroup, Allow::SharedUid];
    scenario.allow.extend(allowed.map(|allow| allow.id().to_owned()));
}

/// Has the program be uid 0 without a superuser's powers.
pub(crate) fn as_root_without_powers(scenario: &mut Scenario) {
    as_root(scenario);
    scenario.allow.retain(|allowed| allowed != Allow::Superuser.id());
}

/// Has the policy ask for what the backend gives on request.
pub(crate) fn ask_for_all(scenario: &mut Scenario, backend: &dyn Backend) {
    let offered = |g| backend.support(g, isol_sys::os::HOST).is_offered();
    scenario.network_off = offered(Guarantee::NetworkConfined);
    if offered(Guarantee::HostnamePrivate) {
        scenario.hostname = Some("isol-prove".into());
    }
}

const DROPS: [&str; 9] = [
    step_names::UID,
    step_names::GID,
    step_names::GROUPS,
    step_names::CAPABILITIES,
    step_names::BOUNDING_SET,
    step_names::SECUREBITS,
    step_names::NO_NEW_PRIVILEGES,
    step_names::READ_BACK,
    step_names::SECCOMP,
];

/// A tool's command line, and the attacker's behind it.
fn fill_in(words: &mut Vec<String>, site: &Site, user: &Who, groups: &[u32]) {
    let user = match user {
        Who::Id(uid) => uid.to_string(),
        Who::Name(name) => name.clone(),
        Who::Allotted => String::new(),
    };
    let groups = groups.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    for word in words.iter_mut() {
        *word = word
            .replace("{root}", &site.root().display().to_string())
            .replace("{user}", &user)
            .replace("{groups}", &groups);
    }
    words.push(site.executable().display().to_string());
    words.extend(crate::agent::inside_words());
}

/// Lays a trap and starts a run: it has to be refused by the right step.
fn spring(
    site: &Site,
    question: &Question,
    guarantee: Guarantee,
    trap: &'static Trap,
    found: &mut Found,
) -> io::Result<()> {
    let in_process = matches!(question.subject, Subject::Isol(_, Mode::Enter));
    let Some(tried) = found.get_mut(&guarantee) else { return Ok(()) };
    if trap.of_the_program && in_process {
        tried.not_here.push(format!("{}: no program is executed in mode enter", trap.name));
        return Ok(());
    }
    let mut scenario = scenario(site, question, Setting::Ordinary);
    // A second run in the root would be refused for this, and not by whom it has to be.
    scenario.syslog = None;
    if takes_a_given(guarantee) && is_offered(question, guarantee) {
        as_given(&mut scenario);
    }
    if guarantee == Guarantee::RootClean {
        scenario.require.push(Guarantee::RootClean);
    }
    let aside = site.cleaned()?;
    let held = match trap.holds_a_run.then(|| site.start(&scenario)).transpose()? {
        None => None,
        Some(Ok(session)) => Some(session),
        Some(Err(outcome)) => {
            tried
                .inconclusive
                .push(format!("{}: the first run was not started: {outcome:?}", trap.name));
            return Ok(());
        }
    };
    let Some(laid) = unless_denied((trap.lay)(site, &mut scenario))? else {
        tried.not_here.push(format!("{}: it takes root to lay", trap.name));
        return Ok(());
    };
    if let Some(why) = laid.not_here {
        tried.not_here.push(format!("{}: {why}", trap.name));
        return Ok(());
    }
    match site.start(&scenario)? {
        Ok(_started) => tried.breach(trap.name, "the program was started all the same"),
        Err(Outcome::Refused(refusal)) if trap.refused_by.contains(&refusal.step.as_str()) => {
            tried.resisted += 1;
        }
        Err(Outcome::Refused(refusal)) => {
            let why = refusal.message;
            tried.inconclusive.push(format!("{}: refused for another reason: {why}", trap.name));
        }
        Err(Outcome::LeftBehind(_)) => {
            tried.breach(trap.name, "refused, and a process was left behind")
        }
        Err(Outcome::Silent(why)) => tried.inconclusive.push(format!("{}: {why}", trap.name)),
        Err(Outcome::Attacked(_)) => {}
    }
    drop(laid);
    drop(held);
    drop(aside);
    Ok(())
}
