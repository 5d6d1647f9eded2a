//! The matrix, cell by cell: each guarantee of each backend in each mode, the controls, the
//! mutations and the faults, each as a test with a name, such as `chroot::spawn::groups-exact`.

mod cells;
mod checks;
mod faults;
mod mutations;
mod ordinary;

use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isol_prove::Site;
use isol_tests::{built, must_run};
use libtest_mimic::{Arguments, Failed, Trial};

/// What all trials are made on, one at a time; made by the first one.
static SITE: Mutex<Option<Site>> = Mutex::new(None);

type Held = MutexGuard<'static, Option<Site>>;

fn site() -> Result<Held, Failed> {
    let mut site = SITE.lock().unwrap_or_else(PoisonError::into_inner);
    if site.is_none() {
        // A dynamic one, whose library can be a trap: `ci/prove` is for the command that is released.
        *site = Some(Site::new(&built("isol")).map_err(|problem| problem.to_string())?);
    }
    Ok(site)
}

/// A trial that needs root; without it, it is ignored unless it must run.
fn trial(name: String, run: impl FnOnce(&Site) -> Result<(), Failed> + Send + 'static) -> Trial {
    let root = nix::unistd::geteuid().is_root();
    let trial = Trial::test(name, move || {
        if !root {
            return Err("must run, and can't: it takes root".into());
        }
        let held = site()?;
        run(held.as_ref().ok_or("there is no site")?)
    });
    trial.with_ignored_flag(!root && !must_run())
}

fn main() -> ExitCode {
    if ordinary::is_one() {
        return ordinary::judge();
    }
    let arguments = Arguments::from_args();
    let mut trials = cells::trials();
    trials.extend(mutations::trials());
    trials.extend(faults::trials());
    trials.extend(checks::trials());
    trials.extend(ordinary::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    // A static is not dropped at the end.
    drop(SITE.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit_code()
}
