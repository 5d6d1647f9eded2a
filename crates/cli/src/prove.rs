//! `isol prove`

mod table;

use std::process::ExitCode;

use isol::host::HOST;
use isol::{Backend, Guarantee, Mode, Problem};
use isol_prove::{Host, Row, Site, Verdict, controls, faults, matrix, mutations};
use serde::Serialize;

use crate::{arguments, output};

pub(crate) fn prove(arguments: &arguments::Prove) -> Result<ExitCode, Problem> {
    let backends = backends(arguments.backend.as_deref())?;
    if arguments.mutations {
        return prove_mutations(arguments, &backends);
    }
    if arguments.faults {
        return prove_faults(arguments, &backends);
    }
    prove_matrix(arguments, &backends)
}

fn backends(name: Option<&str>) -> Result<Vec<&'static dyn Backend>, Problem> {
    match name {
        // Those of other systems are asked for by name, if at all.
        None => {
            let here = |b: &&&'static dyn Backend| b.plans_for(HOST) == HOST;
            Ok(isol::backends().iter().filter(here).copied().collect())
        }
        Some(name) => match isol::backend_by_name(name) {
            Some(backend) => Ok(vec![backend]),
            None => Err(unknown("backend", name, isol::backends().iter().map(|b| b.name()))),
        },
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    let nearest = isol::nearest(name, known);
    let help =
        nearest.map_or(format!("one of {all}"), |nearest| format!("did you mean {nearest}?"));
    Problem::new("options", format!("no {what} is called `{name}`"), "").help(help)
}

fn guarantees(names: &[String]) -> Result<Vec<Guarantee>, Problem> {
    if names.is_empty() {
        return Ok(Guarantee::ALL.to_vec());
    }
    let parse = |name: &String| {
        name.parse().map_err(|_| unknown("guarantee", name, Guarantee::ALL.iter().map(|g| g.id())))
    };
    let mut all: Vec<Guarantee> = names.iter().map(parse).collect::<Result<_, _>>()?;
    all.sort_by_key(|&guarantee| guarantee as u8);
    all.dedup();
    Ok(all)
}

fn modes(names: &[String]) -> Result<Vec<Mode>, Problem> {
    if names.is_empty() {
        return Ok(matrix::MODES.to_vec());
    }
    let parse = |name: &String| {
        let found = matrix::MODES.into_iter().find(|mode| mode.id() == name);
        found.ok_or_else(|| unknown("mode", name, matrix::MODES.iter().map(|mode| mode.id())))
    };
    names.iter().map(parse).collect()
}

/// What to attack, if anything can be run here. isol's own executable: the caller, the attacker inside and the victim
/// outside are it, too.
fn site(backends: &[&'static dyn Backend]) -> Result<Site, Problem> {
    if backends.iter().all(|&backend| matrix::cant_be_run(backend).is_some()) {
        return Err(nothing_to_prove(backends));
    }
    isol::sweep();
    // What is mounted and shared goes with this process, however it ends.
    let _ = isol_prove::own_surroundings();
    let executable = std::env::current_exe()
        .map_err(|error| Problem::io("prove", "can't tell where isol itself is", &error))?;
    Site::new(&executable)
}

fn nothing_to_prove(backends: &[&'static dyn Backend]) -> Problem {
    let reasons: Vec<_> = backends
        .iter()
        .filter_map(|&b| Some(format!("{}: {}", b.name(), matrix::cant_be_run(b)?)))
        .collect();
    Problem::new("prove", "nothing can be proved here", reasons.join("; ")).help("run it as root")
}

/// Prints what was found, and says by the status whether something of it is wrong.
fn tell(
    json: bool,
    view: &impl Serialize,
    text: impl FnOnce() -> String,
    failed: bool,
) -> Result<ExitCode, Problem> {
    if json { output::print_json(view) } else { output::print_styled(text()) }?;
    Ok(ExitCode::from(u8::from(failed)))
}

#[derive(Serialize)]
struct MatrixView {
    host: Host,
    rows: Vec<Row>,
    controls: Vec<controls::Shown>,
}

fn prove_matrix(
    arguments: &arguments::Prove,
    backends: &[&'static dyn Backend],
) -> Result<ExitCode, Problem> {
    let (guarantees, modes) = (guarantees(&arguments.guarantee)?, modes(&arguments.mode)?);
    let site = site(backends)?;
    check_steps(&site, &arguments.without, backends, &modes)?;
    let mut rows = Vec::new();
    for &backend in backends {
        for &mode in &modes {
            rows.extend(matrix::rows(&site, backend, mode, &guarantees, &arguments.without)?);
        }
    }
    // A plan that was cut is no claim of isol's; its controls are those of the whole one.
    let controls = match arguments.without.as_slice() {
        [] => controls::shown(&site, &guarantees)?,
        _ => Vec::new(),
    };
    drop(site);
    let failed = rows.iter().any(|row| row.verdict == Verdict::Violated)
        || controls.iter().any(|shown| !shown.is_alive());
    let view = MatrixView { host: Host::this(), rows, controls };
    let text = || table::matrix(&view.host, &view.rows, &view.controls);
    tell(arguments.json, &view, text, failed)
}

/// A step that is in no plan is a slip of the pen, and would prove that nothing is missed.
fn check_steps(
    site: &Site,
    names: &[String],
    backends: &[&'static dyn Backend],
    modes: &[Mode],
) -> Result<(), Problem> {
    if names.is_empty() {
        return Ok(());
    }
    let mut known = Vec::new();
    for &backend in backends {
        known.extend(mutations::steps(site, backend, modes)?);
    }
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown("step", name, known.iter().copied())),
        None => Ok(()),
    }
}

#[derive(Serialize)]
struct MutationsView {
    host: Host,
    mutations: Vec<mutations::Mutation>,
}

fn prove_mutations(
    arguments: &arguments::Prove,
    backends: &[&'static dyn Backend],
) -> Result<ExitCode, Problem> {
    let site = site(backends)?;
    let mut found = Vec::new();
    for &backend in backends {
        for step in mutations::steps(&site, backend, &matrix::MODES)? {
            let mutation = mutations::mutate(&site, backend, step)?;
            if !arguments.json {
                output::print_styled(table::mutation(&mutation))?;
            }
            found.push(mutation);
        }
    }
    drop(site);
    let failed = found.is_empty() || found.iter().any(|mutation| !mutation.is_missed());
    let view = MutationsView { host: Host::this(), mutations: found };
    tell(arguments.json, &view, || table::mutations(&view.mutations), failed)
}

#[derive(Serialize)]
struct FaultsView {
    host: Host,
    faults: Vec<faults::Faults>,
}

fn prove_faults(
    arguments: &arguments::Prove,
    backends: &[&'static dyn Backend],
) -> Result<ExitCode, Problem> {
    let site = site(backends)?;
    let mut found = Vec::new();
    for &backend in backends {
        found.extend(faults::all(&site, backend)?);
    }
    drop(site);
    let failed = found.is_empty() || found.iter().any(|faults| !faults.is_clean());
    let view = FaultsView { host: Host::this(), faults: found };
    tell(arguments.json, &view, || table::faults(&view.faults), failed)
}
