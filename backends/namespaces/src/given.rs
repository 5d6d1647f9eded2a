//! The ids that an ordinary user has been given beside his own, and the programs that map them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use isol_core::Uid;
use isol_sys::subids::{self, HelperError, Helpers, Row};
use isol_sys::{ids, privileges, users};

/// What he has been given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenIds {
    /// The uids.
    pub uids: Vec<Row>,
    /// The gids.
    pub gids: Vec<Row>,
    pub(crate) helpers: Helpers,
}

/// What he lacks for being anybody but himself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// What it is.
    pub why: String,
    /// The commands that mend it.
    pub help: String,
}

/// The ids that whoever calls has been given for user namespaces of his own making, and can use.
///
/// # Errors
/// He has been given none, or newuidmap(1) and newgidmap(1) are not there, or are of no use.
///
/// # References
/// subuid(5), subgid(5), newuidmap(1), newgidmap(1)
pub fn given() -> Result<GivenIds, Lacking> {
    let (mut why, mut help) = (Vec::new(), Vec::new());
    let helpers = Helpers::find().map_err(|error| {
        why.push(error.to_string());
        help.push(match error {
            HelperError::Missing { .. } => "apt install uidmap   (as root)".to_owned(),
            _ => "apt install --reinstall uidmap   (as root)".to_owned(),
        });
    });
    let user = Uid::new(ids::effective_uid());
    let name = user.and_then(|uid| users::by_uid(uid).ok().flatten()).map(|account| account.name);
    let [uids, gids] = [subids::UIDS, subids::GIDS]
        .map(|file| user.map_or(Ok(Vec::new()), |user| subids::given(file, user, name.as_deref())));
    for (file, found) in [(subids::UIDS, &uids), (subids::GIDS, &gids)] {
        match found {
            Ok(rows) if rows.is_empty() => why.push(format!("{file} gives him none")),
            Ok(_) => {}
            Err(error) => {
                why.push(format!("{file} can't be read: {error}"));
                help.push(format!("chmod 644 {file}   (as root)"));
            }
        }
    }
    if matches!((&uids, &gids), (Ok(uids), Ok(gids)) if uids.is_empty() || gids.is_empty()) {
        help.push(advice(name.as_deref()));
    }
    // Then their set-uid bit is worth nothing.
    if privileges::has_no_new_privileges() == Ok(true) {
        why.push(
            "this process has no_new_privs set, under which a set-uid program gains nothing".into(),
        );
        help.push("run it without".into());
    }
    match (helpers, uids, gids) {
        (Ok(helpers), Ok(uids), Ok(gids)) if why.is_empty() => Ok(GivenIds { uids, gids, helpers }),
        _ => Err(Lacking { why: why.join("; "), help: help.join("; ") }),
    }
}

/// What [`given`] has answered within the last second: a plan asks more than once, and looking a name up can mean to
/// ask a server.
pub(crate) fn given_lately() -> Result<GivenIds, Lacking> {
    type Answer = Result<GivenIds, Lacking>;
    static LAST: Mutex<Option<(Instant, Answer)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((then, answer)) if then.elapsed() < Duration::from_secs(1) => answer.clone(),
        _ => last.insert((Instant::now(), given())).1.clone(),
    }
}

fn advice(name: Option<&str>) -> String {
    let first = subids::first_free();
    let last = first.saturating_add(65_535);
    match name {
        Some(name) => format!(
            "usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {}   (as root)",
            isol_sys::quote::shell(name)
        ),
        // newuidmap(1) asks for one.
        None => "an account for this uid, and ids for it in /etc/subuid and /etc/subgid".into(),
    }
}
