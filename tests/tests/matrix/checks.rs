//! Checks of the checks: what would pass if the engine looked at nothing has to fail here.

use isol::{Guarantee, Mode, step_names as names};
use isol_prove::faults::Leftovers;
use isol_prove::matrix::{self, Question};
use isol_prove::subject::Subject;
use isol_prove::{Site, Verdict};
use libtest_mimic::{Failed, Trial};

use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("checks::a-cut-plan-is-violated".into(), cut_plan),
        trial("checks::the-read-back-refuses-a-cut-root".into(), read_back),
        trial("checks::a-guarantee-that-nobody-tries-is-not-held".into(), nothing_tried),
        trial("checks::a-process-is-a-leftover".into(), leftover),
        trial("checks::a-start-is-reported".into(), start),
        trial("checks::the-command-says-so".into(), command),
        trial("checks::landlock-shuts-what-is-open".into(), landlock),
    ]
}

fn chroot() -> &'static dyn isol::Backend {
    isol::backend_by_name("chroot").expect("it is built in everywhere")
}

fn verdict(
    site: &Site,
    guarantee: Guarantee,
    without: &[&str],
) -> Result<(Verdict, Vec<String>), Failed> {
    let without: Vec<_> = without.iter().map(|&s| s.to_owned()).collect();
    let rows = matrix::rows(site, chroot(), Mode::Spawn, &[guarantee], &without)
        .map_err(|problem| problem.to_string())?;
    let row = rows.into_iter().next().ok_or("there is no row")?;
    Ok((row.verdict, row.evidence))
}

/// The right guarantee, and no other.
fn cut_plan(site: &Site) -> Result<(), Failed> {
    for (step, guarantee, evidence) in [
        (names::GROUPS, Guarantee::GroupsExact, "0 1 4242"),
        (names::DESCRIPTORS, Guarantee::DescriptorsClosed, "50 (Directory)"),
        (names::WORKING_DIRECTORY, Guarantee::StateReset, "working-directory"),
    ] {
        let (found, words) = verdict(site, guarantee, &[step])?;
        if found != Verdict::Violated || !words.iter().any(|word| word.contains(evidence)) {
            return Err(format!("without {step}: {found:?}, {words:?}").into());
        }
        let (other, words) = verdict(site, Guarantee::EnvironmentClean, &[step])?;
        if other != Verdict::Held {
            return Err(format!("without {step}, the environment: {other:?}, {words:?}").into());
        }
    }
    Ok(())
}

/// A run that is refused has proved nothing, and says why.
fn read_back(site: &Site) -> Result<(), Failed> {
    let (found, words) = verdict(site, Guarantee::RootConfined, &[names::CHROOT])?;
    let why = "the root directory is not the one that was checked";
    if found == Verdict::Violated && words.iter().any(|word| word.contains(why)) {
        Ok(())
    } else {
        Err(format!("{found:?}, {words:?}").into())
    }
}

/// Without an isolation, nothing is held: a question to nobody is answered by breaches.
fn nothing_tried(site: &Site) -> Result<(), Failed> {
    let question = Question {
        subject: Subject::Unisolated,
        guarantees: Guarantee::ALL.to_vec(),
        without: Vec::new(),
        landlock: Vec::new(),
        unfiltered: false,
        least: false,
        lying: None,
        bad_caller: true,
        traps: false,
    };
    let tried = matrix::answer(site, &question).map_err(|error| error.to_string())?;
    let held: Vec<_> = tried
        .iter()
        .filter(|tried| tried.breaches.is_empty())
        .map(|tried| tried.guarantee)
        // Nothing is set-id before a trap is laid.
        .filter(|&g| g != Guarantee::RootClean)
        .collect();
    if held.is_empty() { Ok(()) } else { Err(format!("held by nobody: {held:?}").into()) }
}

fn leftover(site: &Site) -> Result<(), Failed> {
    let look = || Leftovers::look(site).map_err(|error| error.to_string());
    let before = look()?;
    let state = isol_tests::TestRoot::new();
    let mut sleeping = isol_tests::isol_with([
        "run",
        "--root",
        state.text(),
        "--user",
        &site.uid().to_string(),
        "--",
        "/bin/sleep",
        "60",
    ]);
    let started = isol_tests::Started::new(&mut sleeping);
    let mut left = Vec::new();
    isol_tests::until("the program is seen", || {
        left = look().map(|after| after.beyond(&before)).unwrap_or_default();
        !left.is_empty()
    });
    drop(started);
    if left.iter().all(|left| left.starts_with("process")) {
        Ok(())
    } else {
        Err(format!("{left:?}").into())
    }
}

/// A fault that nobody notices starts the program, and that is said.
fn start(site: &Site) -> Result<(), Failed> {
    let faults = isol_prove::faults::unread(site, chroot(), names::UMASK)
        .map_err(|problem| problem.to_string())?;
    if faults.faults == 4 && faults.started.len() == 4 && !faults.is_clean() {
        Ok(())
    } else {
        Err(format!("{faults:#?}").into())
    }
}

/// A directory that somebody outside hands in, and one that is moved out, lead nowhere with Landlock; without it they do.
fn landlock(site: &Site) -> Result<(), Failed> {
    if !matches!(isol_sys::landlock::version(), Ok(3..)) {
        return Ok(());
    }
    let open = |words: &[&str]| {
        let question = Question {
            subject: Subject::Isol(chroot(), Mode::Spawn),
            guarantees: vec![Guarantee::RootConfined],
            without: Vec::new(),
            lying: None,
            bad_caller: true,
            traps: false,
            landlock: words.iter().map(|&word| word.to_owned()).collect(),
            unfiltered: false,
            least: false,
        };
        let tried = matrix::answer(site, &question).map_err(|error| error.to_string())?;
        Ok::<_, Failed>(tried.into_iter().next().ok_or("nothing was tried")?)
    };
    let (bare, shut) = (open(&[])?, open(&["write=/tmp"])?);
    let as_it_should = bare.open.len() == 2
        && shut.open.is_empty()
        && shut.refused.is_none()
        && shut.inconclusive.is_empty()
        && shut.resisted == bare.resisted + 2;
    if as_it_should { Ok(()) } else { Err(format!("{bare:#?}, {shut:#?}").into()) }
}

/// `isol prove --without groups` ends with status 1 and names the guarantee; a step that is in no plan is refused.
fn command(_site: &Site) -> Result<(), Failed> {
    let prove = ["prove", "--backend", "chroot", "--mode", "exec", "--guarantee", "groups-exact"];
    let cut = isol_tests::run(isol_tests::isol_with(prove).args(["--without", "groups", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&cut.out)?;
    let row = &json["rows"][0];
    let as_it_should =
        (cut.status, &row["verdict"], &row["guarantee"], json["host"]["os"].as_str());
    if as_it_should
        != (
            Some(1),
            &"violated".into(),
            &"groups-exact".into(),
            Some(isol::host::HOST.to_string().as_str()),
        )
    {
        return Err(format!("{cut:#?}").into());
    }
    let whole = isol_tests::run(&mut isol_tests::isol_with(prove));
    if whole.status != Some(0) || !whole.out.contains("1 held, 0 violated") {
        return Err(format!("{whole:#?}").into());
    }
    let slip = isol_tests::run(isol_tests::isol_with(prove).args(["--without", "group"]));
    slip.refused(125, &["no step is called `group`", "help: did you mean groups?"]);
    Ok(())
}
