//! Faults from outside, on the real command: each system call that is made between the start of
//! isol and the execve of the program is made to fail once with each of four errors. The
//! program says what it sees of itself, and that is compared with what the policy asks for.
//!
//! Either the program does not start, or it starts fully confined. Nothing is left behind.
//! What isol does after the program has ended is made to fail, too.
//!
//! `ISOL_FAULTS_OF='unlinkat 3'` tries the faults whose name begins so, and no others.

mod caller;
mod census;
mod injection;
mod judge;
mod scenario;
mod tally;

use std::io::{Write, stderr};
use std::sync::Mutex;

use caller::{BLOCKED, Caller, WORK};
use census::Census;
use injection::{Injection, Whose};
use isol_tests::{must_have, unless};
use scenario::{Ground, Scenario, isol};
use tally::{Tally, Verdict};

/// How many runs there are at a time.
const WORKERS: usize = 2;

fn can_run() -> bool {
    let root = nix::unistd::geteuid().is_root();
    unless((!root).then_some("it takes root"))
        && must_have(&["strace", "unshare", "setpriv", "prlimit", "setarch", "setsid", "bash"])
}

/// Not captured: the figures are to be read where the tests pass, too.
fn say(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

#[test]
fn no_failing_call_starts_a_program_that_is_not_confined() {
    if !can_run() {
        return;
    }
    let ground = Ground::new();
    let mut total = Tally::default();
    for scenario in ground.scenarios() {
        let census = Census::take(&mut Caller::new(ground.root()), &scenario.line());
        let mut all = Injection::all(&census);
        if let Ok(wanted) = std::env::var("ISOL_FAULTS_OF") {
            all.retain(|injection| injection.to_string().starts_with(&wanted));
        }
        let tally = try_all(&ground, &scenario, all);
        say(&format!("{}: {tally}", scenario.name));
        total.add(&tally);
    }
    say(&format!("faults from outside: {total}"));
    total.others.iter().chain(&total.leftovers).for_each(|line| say(line));
    assert!(total.is_clean(), "{total}");
}

fn try_all(ground: &Ground, scenario: &Scenario, all: Vec<Injection>) -> Tally {
    let queue = Mutex::new(all.into_iter());
    let tally = Mutex::new(Tally::default());
    let work = || {
        let mut caller = Caller::new(ground.root());
        loop {
            let Some(injection) = queue.lock().expect("no panic").next() else { return };
            let verdict = try_one(&mut caller, scenario, &injection);
            if verdict.leaves_a_caller_behind() {
                caller = Caller::new(ground.root());
            }
            tally.lock().expect("no panic").count(scenario.name, &injection, verdict);
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    tally.into_inner().expect("no panic")
}

fn try_one(caller: &mut Caller, scenario: &Scenario, injection: &Injection) -> Verdict {
    let status = caller.run(&injection.around(&scenario.line()));
    let marker = caller.read(&format!("{WORK}/marker"));
    let message = caller.read(&format!("{WORK}/err"));
    let mut verdict = Verdict::of(status, &marker, &message, &scenario.expected, &injection.call);
    verdict.injected = caller.read(&format!("{WORK}/trace")).contains("(INJECTED)");
    verdict.left = caller.left_running();
    let behind = caller.left_behind();
    if !behind.is_empty() && verdict.left.is_empty() {
        // The next run has to take it away.
        let next = caller.run(&scenario.line());
        let swept = caller.left_behind();
        let over = status == Some(42) && behind.iter().all(|name| is_hold(name));
        if next == Some(42) && swept.is_empty() && (over || injection.may_stop_cleaning_up()) {
            verdict.swept = behind;
        } else {
            verdict.left = behind;
        }
    }
    verdict
}

/// A hold on an allotted uid: it stays where isol could not see, behind the program's end, that nothing is left under it.
fn is_hold(name: &str) -> bool {
    name.starts_with("uid-")
}

/// A parent that can't look after its child any more ends it.
#[test]
fn a_program_that_isol_has_lost_hold_of_is_ended() {
    if !can_run() {
        return;
    }
    let ground = Ground::new();
    for scenario in &ground.scenarios()[1..] {
        let mut caller = Caller::new(ground.root());
        let birth = Census::take(&mut caller, &scenario.line()).birth.expect("it is supervised");
        for call in ["read", "rt_sigprocmask", "wait4", "rt_sigtimedwait"] {
            // A child that shares its parent's memory reports by that, and nothing is read.
            let line = match call {
                "read" => scenario.endless_line_in_namespaces(),
                _ => scenario.endless_line(),
            };
            let whose = Whose::IsolFromBirth(birth.clone());
            let injection = Injection { whose, call: call.into(), when: 1, error: "EIO" };
            let what = format!("{}: {injection}", scenario.name);
            let status = caller.run(&injection.around(&line));
            assert_eq!(status, Some(125), "{what}");
            assert!(caller.read(&format!("{WORK}/trace")).contains("(INJECTED)"), "{what}");
            assert!(caller.read(&format!("{WORK}/err")).contains("Input/output error"), "{what}");
            assert_eq!(caller.left_running(), Vec::<String>::new(), "{what}");
            assert_eq!(caller.left_behind(), Vec::<String>::new(), "{what}");
        }
    }
}

/// A caller whose capabilities outlast a change of the uid must not lend them to what kills
/// all that is left under a uid: that would kill everything there is.
#[test]
fn only_what_a_program_has_left_is_killed() {
    if !can_run() {
        return;
    }
    let ground = Ground::new();
    let mut caller = Caller::new(ground.root());
    let leaves = format!(
        "{} run --add /usr/bin/sleep -- /bin/sh -c '/usr/bin/sleep 1000 & exit 3' 2>{WORK}/err",
        isol().display()
    );
    let bystander = "sleep 1000 & bystander=$!";
    let line = format!("{bystander}; {leaves}; set -- $?; kill $bystander && (exit $1)");
    assert_eq!(caller.run(&line), Some(3), "{}", caller.read(&format!("{WORK}/err")));
    assert_eq!(caller.left_running(), Vec::<String>::new());
    assert_eq!(caller.left_behind(), Vec::<String>::new());
}

/// What the program says of itself when it is run by another line than isol's.
fn marker_of(caller: &mut Caller, line: &str) -> String {
    let ended = caller.run(&format!("{BLOCKED} {line} >{WORK}/marker 2>{WORK}/err 9>{WORK}/nine"));
    assert_eq!(ended, Some(42), "{line}: {}", caller.read(&format!("{WORK}/err")));
    caller.read(&format!("{WORK}/marker"))
}

/// The check of the check: each thing that this caller does to a program is seen by the judge.
#[test]
fn the_judge_sees_all_that_an_unconfined_program_inherits() {
    if !can_run() {
        return;
    }
    let ground = Ground::new();
    let mut caller = Caller::new(ground.root());
    for scenario in ground.scenarios() {
        assert_eq!(caller.run(&scenario.line()), Some(42));
        let confined = caller.read(&format!("{WORK}/marker"));
        assert_eq!(scenario.expected.differences(&confined), Vec::<String>::new());
        let bare = marker_of(&mut caller, &scenario.program());
        // What is not different: a timer can't be inherited by a child, a marker is complete
        // wherever it is written, and isol gives no parent-death signal to what it becomes.
        // A throw-away root and its uid are not known beforehand: any will do.
        let same: &[&str] = match scenario.name {
            "exec" => &["complete", "no-timer", "parent-death-signal"],
            "spawn" => &["complete", "no-timer"],
            _ => &["all-ids-the-same", "complete", "no-timer", "root"],
        };
        assert_eq!(scenario.expected.not_different(&bare), same, "{}", scenario.name);
        let differences = scenario.expected.differences(&bare);
        assert!(!differences.is_empty(), "{}", scenario.name);
        // A marker that is cut short, or says something twice, is no marker.
        let half = confined.split_at(confined.len() / 2).0;
        assert!(!scenario.expected.differences(half).is_empty());
        assert!(!scenario.expected.differences(&(confined.clone() + "cwd=/\n")).is_empty());
    }
}

/// As above, of a tool that does some of it.
#[test]
fn the_judge_sees_what_chroot_leaves_open() {
    if !can_run() || !must_have(&["chroot"]) {
        return;
    }
    let ground = Ground::new();
    let mut caller = Caller::new(ground.root());
    let scenario = &ground.scenarios()[0];
    let marker = marker_of(&mut caller, &ground.by_chroot(scenario));
    let expected = &scenario.expected;
    for done in ["root", "cwd", "reaches-absolute", "uids", "gids", "groups"] {
        assert!(expected.not_different(&marker).contains(&done), "{done}: {marker}");
    }
    let differences = expected.differences(&marker).join("\n");
    for open in [
        " 7(directory) ",
        " 900(directory),",
        "capabilities-empty is false",
        "bounding-set-empty is false",
        "no-new-privileges is false",
        "ignored-signal is 1",
        "controlling-terminal is true",
        "umask is 000",
        "HOSTILE=yes",
    ] {
        assert!(differences.contains(open), "{open} is not in {differences}");
    }
}
