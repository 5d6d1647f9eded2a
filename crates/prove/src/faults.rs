//! Each step made to fail, with each errno that its calls' manual pages list: nothing may start, the
//! error names step and errno, nothing may stay behind.

mod decorators;
mod errnos;
mod leftovers;

use std::time::Duration;

use isol_core::{Backend, Guarantee, Mode, Phase, Problem};
use serde::Serialize;

pub(crate) use decorators::{Failing, Lying};
pub use errnos::of_calls;
pub use leftovers::Leftovers;

use crate::Site;
use crate::engine::Outcome;
use crate::matrix::failed;
use crate::mutations::scenarios;
use crate::scenario::{FaultAt, How, ModeName, Point, Scenario, Who};

/// What the faults of one plan showed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Faults {
    /// The backend.
    pub backend: String,
    /// The mode, and whether the root was a throw-away one.
    pub plan: String,
    /// How many steps were made to fail.
    pub steps: usize,
    /// How many faults there were: step × point × errno.
    pub faults: usize,
    /// Where something was started all the same.
    pub started: Vec<String>,
    /// Where the error did not name step and errno.
    pub misnamed: Vec<String>,
    /// What was left behind.
    pub leftovers: Vec<String>,
}

impl Faults {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults > 0
            && self.started.is_empty()
            && self.misnamed.is_empty()
            && self.leftovers.is_empty()
    }
}

/// Makes each step of each of a backend's plans fail.
///
/// # Errors
/// The runs could not be made.
pub fn all(site: &Site, backend: &'static dyn Backend) -> Result<Vec<Faults>, Problem> {
    let mut scenarios = scenarios(site, backend);
    // In one plan of those that this host would carry out, with the step that none has by default.
    if isol_sys::landlock::version().is_ok_and(|version| version >= 6) {
        let shut_in = scenarios.iter_mut().filter(|scenario| scenario.user == Who::Allotted);
        for scenario in shut_in {
            scenario.landlock = ["write=/tmp", "signals", "sockets"].map(str::to_owned).to_vec();
        }
    }
    // Where what is mounted has to be taken away again.
    if crate::matrix::support(backend, Mode::Spawn, Guarantee::MountsPrivate).is_offered() {
        for scenario in scenarios.iter_mut().filter(|scenario| is_spawned(scenario)) {
            scenario.mounts = true;
            // What is bound has something mounted below, which no walk goes into.
            scenario.require.retain(|guarantee| *guarantee != Guarantee::RootClean);
        }
    }
    scenarios.iter().map(|scenario| of_plan(site, backend, scenario, &|_| true)).collect()
}

/// The same for some steps, in those of the plans that have any of them.
///
/// # Errors
/// The runs could not be made.
pub fn of_steps(
    site: &Site,
    backend: &'static dyn Backend,
    steps: &[&str],
) -> Result<Vec<Faults>, Problem> {
    let of = |scenario| of_plan(site, backend, scenario, &|name| steps.contains(&name));
    let found: Result<Vec<_>, _> = scenarios(site, backend).iter().map(of).collect();
    Ok(found?.into_iter().filter(|faults| faults.faults > 0).collect())
}

fn is_spawned(scenario: &Scenario) -> bool {
    matches!(&scenario.how, How::Isol { mode: ModeName::Spawn, .. })
}

/// The same for one step's read-back in a plan that nobody reads back: each fault has to be reported as
/// something that was started. A check of the check.
///
/// # Errors
/// The runs could not be made.
pub fn unread(site: &Site, backend: &'static dyn Backend, step: &str) -> Result<Faults, Problem> {
    let mut faults = Faults { backend: backend.name().to_owned(), ..Faults::default() };
    let aside = site.cleaned().map_err(|error| failed(&error))?;
    for scenario in scenarios(site, backend) {
        let without = vec![isol_core::step_names::READ_BACK.to_owned()];
        let scenario = Scenario { without, ..scenario };
        let fault = FaultAt { step: step.to_owned(), point: Point::Verify, errno: 1 };
        one(site, &scenario, fault, &mut faults)?;
    }
    drop(aside);
    Ok(faults)
}

fn of_plan(
    site: &Site,
    backend: &'static dyn Backend,
    scenario: &Scenario,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Faults, Problem> {
    let made = match scenario.user {
        Who::Allotted => ", throw-away root",
        Who::Id(0) => ", uid 0 inside",
        Who::Id(crate::caller::GIVEN) => ", somebody given",
        _ => "",
    };
    let mut faults = Faults {
        backend: backend.name().to_owned(),
        plan: match &scenario.how {
            How::Isol { mode, .. } => format!("{mode:?}{made}").to_lowercase(),
            _ => String::new(),
        },
        ..Faults::default()
    };
    let aside = site.cleaned().map_err(|error| failed(&error))?;
    for step in crate::launcher::plan(scenario)?.steps().filter(|step| wanted(step.name())) {
        faults.steps += 1;
        let points: &[Point] = match step.phase() {
            Phase::Prepare => &[Point::Prepare],
            _ => &[Point::Prepare, Point::Apply, Point::Verify],
        };
        for &point in points {
            // The read-back verifies the others, not itself.
            if point == Point::Verify && step.phase() == Phase::Verify {
                continue;
            }
            for errno in of_calls(step.calls()) {
                let fault = FaultAt { step: step.name().to_owned(), point, errno: errno as i32 };
                one(site, scenario, fault, &mut faults)?;
            }
        }
    }
    drop(aside);
    Ok(faults)
}

fn one(
    site: &Site,
    scenario: &Scenario,
    fault: FaultAt,
    faults: &mut Faults,
) -> Result<(), Problem> {
    faults.faults += 1;
    let what = format!("{} {:?} errno {}", fault.step, fault.point, fault.errno);
    let scenario = Scenario { fault: Some(fault.clone()), ..scenario.clone() };
    let before = Leftovers::look(site).map_err(|error| failed(&error))?;
    match site.start(&scenario).map_err(|error| failed(&error))? {
        Ok(_started) => faults.started.push(what.clone()),
        Err(Outcome::Refused(refusal))
            if refusal.step == fault.step && refusal.errno == Some(fault.errno) => {}
        Err(Outcome::Refused(refusal)) => {
            faults.misnamed.push(format!("{what}: {}", refusal.message));
        }
        Err(Outcome::LeftBehind(_)) => faults.leftovers.push(format!("{what}: a process")),
        Err(Outcome::Silent(why)) => faults.misnamed.push(format!("{what}: {why}")),
        Err(Outcome::Attacked(_)) => {}
    }
    let look = || Leftovers::look(site).map_err(|error| failed(&error));
    let mut left = look()?.beyond(&before);
    if !left.is_empty() {
        // Others come and go on the host; what a run has left stays.
        std::thread::sleep(Duration::from_millis(200));
        let still = look()?.beyond(&before);
        left.retain(|what| still.contains(what));
    }
    faults.leftovers.extend(left.into_iter().map(|left| format!("{what}: {left}")));
    Ok(())
}
