//! The default filter, rule by rule: what it answers, worked out, and what the kernel answers.

use isol_core::seccomp::{Answer, Case, RULES, Refusal};

use super::super::{Asked, Program, Verdict};
use super::*;

fn without(rule: &str) -> Program {
    let rules = RULES.iter().filter(|known| known.name != rule);
    compile(rules.flat_map(|rule| rule.refuses)).unwrap()
}

fn default() -> Program {
    without("")
}

fn all() -> impl Iterator<Item = (&'static str, &'static Refusal)> {
    RULES.iter().flat_map(|rule| rule.refuses.iter().map(|refusal| (rule.name, refusal)))
}

const JUNK: u64 = u64::MAX;
/// What of an argument the kernel does not look at.
const HIGH: u64 = 0xdead_beef << 32;

/// Arguments for which a call is refused.
fn refused(case: Case) -> Vec<[u64; 6]> {
    let with = |argument: u8, value: u32| {
        let mut arguments = [JUNK; 6];
        arguments[usize::from(argument)] = u64::from(value);
        arguments
    };
    match case {
        Case::Always => vec![[JUNK; 6], [0; 6]],
        // The lowest bit of the process's own: no call takes it together with the others.
        Case::AnyBit(at, bits) => (0..32)
            .filter(|place| bits >> place & 1 == 1)
            .flat_map(|place| [with(at, 1 << place | 1), with(at, 1 << place)])
            .collect(),
        Case::OneOf(at, values) => values.iter().map(|&value| with(at, value)).collect(),
        Case::NoneOf(at, _) => vec![with(at, 8), with(at, 0x0004_0000)],
    }
}

/// Arguments for which the same call goes through.
fn allowed(case: Case) -> Vec<[u64; 6]> {
    let with = |argument: u8, value: u64| {
        let mut arguments = [0; 6];
        arguments[usize::from(argument)] = value;
        arguments
    };
    match case {
        Case::Always => Vec::new(),
        Case::AnyBit(at, bits) => vec![with(at, 0), with(at, u64::from(!bits))],
        Case::OneOf(at, values) => values.iter().map(|&v| with(at, u64::from(v) + 1)).collect(),
        Case::NoneOf(at, values) => values.iter().map(|&v| with(at, u64::from(v))).collect(),
    }
}

fn errno(answer: Answer) -> u16 {
    match answer {
        Answer::NotPermitted => libc::EPERM as u16,
        Answer::NoSuchCall => libc::ENOSYS as u16,
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn each_call_is_refused_and_goes_through_without_its_rule() {
    let filter = default();
    for (rule, refusal) in all() {
        let Some(number) = number(refusal.call) else { continue };
        for mut arguments in refused(refusal.case) {
            for high in [0, HIGH] {
                arguments.iter_mut().for_each(|a| *a = *a & 0xffff_ffff | high);
                let asked = Asked::here(number, arguments);
                let wanted = Verdict::Errno(errno(refusal.answer));
                assert_eq!(filter.verdict(&asked), wanted, "{} {arguments:x?}", refusal.call);
                assert_eq!(without(rule).verdict(&asked), Verdict::Allowed, "{}", refusal.call);
            }
        }
        for arguments in allowed(refusal.case) {
            let asked = Asked::here(number, arguments);
            assert_eq!(filter.verdict(&asked), Verdict::Allowed, "{} {arguments:x?}", refusal.call);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn all_that_no_rule_names_goes_through() {
    let filter = default();
    let named: Vec<_> = all().filter_map(|(_, refusal)| number(refusal.call)).collect();
    let others = (0..600).filter(|number| !named.contains(number));
    for number in others {
        for arguments in [[0; 6], [JUNK; 6]] {
            let verdict = filter.verdict(&Asked::here(number, arguments));
            assert_eq!(verdict, Verdict::Allowed, "{number} {:?}", name(number));
        }
    }
}

#[test]
fn calls_of_other_architectures_are_none() {
    const I386: u32 = 0x4000_0003;
    const ARM: u32 = 0x4000_0028;
    let filter = default();
    for architecture in [I386, ARM, 0] {
        let asked = Asked { architecture, ..Asked::here(20, [0; 6]) };
        assert_eq!(filter.verdict(&asked), Verdict::Killed);
    }
    if cfg!(target_arch = "x86_64") {
        for number in [0, 39, 250, 0x3fff_ffff] {
            let asked = Asked::here(0x4000_0000 | number, [0; 6]);
            assert_eq!(filter.verdict(&asked), Verdict::Errno(libc::ENOSYS as u16));
        }
    }
}

/// What the kernel answers to calls in a child, with a filter in force or without: 0 for an answer that is no error.
fn answers(filter: Option<&Program>, calls: &[(u32, [u64; 6])]) -> Vec<i32> {
    let mut answers = vec![-1; calls.len()];
    let child = crate::spawn::child(crate::spawn::Table::Copied, &mut || {
        if let Some(filter) = filter {
            let put = crate::privileges::set_no_new_privileges()
                .and_then(|()| install(filter, Scope::Thread, false));
            if put.is_err() || is_in_force() != Ok(true) {
                return 1;
            }
        }
        for ((number, a), answer) in calls.iter().zip(&mut answers) {
            // SAFETY: the arguments are no addresses of anything: what takes one fails.
            let got = unsafe {
                libc::syscall(libc::c_long::from(*number), a[0], a[1], a[2], a[3], a[4], a[5])
            };
            *answer = if got == -1 { crate::errno::last().0 } else { 0 };
        }
        0
    });
    let ended = crate::process::wait(child.unwrap()).unwrap();
    assert_eq!(ended, crate::process::Status::Exited(0));
    answers
}

/// With arguments that make no sense, so that nothing is done where nothing is refused.
#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn the_kernel_answers_what_was_worked_out_and_something_else_without_the_filter() {
    let refusals: Vec<_> = all().filter(|(_, r)| number(r.call).is_some()).collect();
    let calls: Vec<_> =
        refusals.iter().map(|(_, r)| (number(r.call).unwrap(), refused(r.case)[0])).collect();
    let filter = default();
    let (with, bare) = (answers(Some(&filter), &calls), answers(None, &calls));
    let is_root = nix::unistd::geteuid().is_root();
    let mut differ = 0;
    for (((_, refusal), with), bare) in refusals.iter().zip(with).zip(bare) {
        assert_eq!(with, i32::from(errno(refusal.answer)), "{}", refusal.call);
        // What this kernel hasn't, and what needs privilege, is refused without a filter too.
        let same = with == bare;
        assert!(!same || !is_root || bare == libc::ENOSYS, "{}: {bare}", refusal.call);
        differ += i32::from(!same);
    }
    assert!(!is_root || differ > 40, "{differ}");
}

/// With another thread there, which has not even `no_new_privs`.
#[cfg(feature = "attempts")]
#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn a_filter_for_the_process_is_in_force_in_every_thread() {
    let filter = default();
    let refused = || asked(number("keyctl").unwrap(), 0) == Err(Errno(libc::EPERM));
    for (scope, everywhere) in [(Scope::Process, true), (Scope::Thread, false)] {
        let child = crate::attempts::fork(&mut || {
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let other = std::thread::spawn(move || wait.recv().is_ok() && refused());
            let put = crate::privileges::set_no_new_privileges()
                .and_then(|()| install(&filter, scope, false));
            let told = go.send(()).is_ok();
            let there = other.join().is_ok_and(|there| there == everywhere);
            i32::from(!(put.is_ok() && told && refused() && there))
        });
        let (status, _) = crate::attempts::reap(child.unwrap()).unwrap();
        assert_eq!(status, crate::process::Status::Exited(0), "{scope:?}");
    }
}

/// In a process of its own, which waits while nobody answers: not one that stops its parent.
#[cfg(feature = "attempts")]
#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn what_is_told_is_answered_by_whoever_listens_and_by_nobody_as_if_there_were_no_such_call() {
    use std::os::fd::AsRawFd;

    let (ours, theirs) = crate::pipe::both_ways().unwrap();
    let telling = default().telling(number("seccomp").unwrap());
    let keyctl = || match asked(number("keyctl").unwrap(), 0) {
        Err(Errno(errno)) => errno,
        Ok(()) => 0,
    };
    let child = crate::attempts::fork(&mut || {
        let told = crate::privileges::set_no_new_privileges()
            .and_then(|()| install_telling(&telling, theirs.as_raw_fd(), &[7; 32]));
        // The first is answered, the second one isn't, the third one comes too late.
        let answers = told.map(|()| [keyctl(), keyctl(), keyctl()]);
        i32::from(answers != Ok([libc::EPERM, libc::ENOSYS, libc::ENOSYS]))
    });
    drop(theirs);
    let ours = std::fs::File::from(ours);
    let (record, listener) = receive::<32>(&ours).unwrap().unwrap();
    assert_eq!(record, [7; 32]);
    let mut refusals = Refusals::new(listener.unwrap(), default());
    let told = super::super::Told {
        call: Some("keyctl"),
        number: number("keyctl").unwrap(),
        foreign: false,
        killed: false,
    };
    assert_eq!(refusals.next().unwrap().unwrap(), told);
    assert_eq!(refusals.next().unwrap().unwrap(), told);
    drop(refusals);
    let (status, _) = crate::attempts::reap(child.unwrap()).unwrap();
    assert_eq!(status, crate::process::Status::Exited(0));
    assert!(receive::<32>(&ours).unwrap().is_none());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls")]
fn the_kernel_has_the_last_word_on_what_a_program_is() {
    assert_eq!(try_out(&default()), Ok(()));
    // It never returns.
    let endless = Program::from_bytes(&[0x00, 0, 0, 0, 1, 0, 0, 0]).unwrap();
    assert_eq!(try_out(&endless), Err(Errno(libc::EINVAL)));
    // Not even its own end goes through it.
    let kills_all = Program::from_bytes(&[0x06, 0, 0, 0, 0, 0, 0, 0x80]).unwrap();
    assert_eq!(try_out(&kills_all), Ok(()));
    let refuses_all = Program::from_bytes(&[0x06, 0, 0, 0, 1, 0, 5, 0]).unwrap();
    assert_eq!(try_out(&refuses_all), Ok(()));
    assert!(Program::from_bytes(&[0; 12]).is_err() && Program::from_bytes(&[]).is_err());
}

#[cfg(feature = "seccomp-json")]
#[test]
fn json_is_read_and_what_is_wrong_with_it_is_told_by_its_line() {
    let read = |text: &str| read_json(text.as_bytes());
    let one = r#"{"main": {"mismatch_action": "allow", "match_action": {"errno": 13},
        "filter": [{"syscall": "mkdir"},
                   {"syscall": "ioctl", "args": [{"index": 1, "type": "dword", "op": "eq", "val": 7}]}]}}"#;
    let verdict = |name: &str, a: u64| {
        read(one).unwrap().verdict(&Asked::here(number(name).unwrap(), [0, a, 0, 0, 0, 0]))
    };
    assert_eq!(verdict("mkdir", 0), Verdict::Errno(13));
    assert_eq!(verdict("ioctl", 7), Verdict::Errno(13));
    assert_eq!(verdict("ioctl", 8), Verdict::Allowed);
    for (text, words) in [
        (
            one.replace("ioctl", "iocti"),
            "line 3: no system call of this architecture is called iocti",
        ),
        (one.replace("dword", "word"), "line 3, column"),
        (one.replace("\"errno\": 13", "\"errno\": \"x\""), "line 1, column"),
        (one.replace("}]}}", "}]}"), "line 3, column"),
        ("{}".into(), "there is no filter in it"),
    ] {
        let wrong = read(&text).unwrap_err();
        assert!(wrong.contains(words), "{wrong}");
    }
}

#[test]
fn nobody_listens_below_one_that_listens() {
    let seccomp = number("seccomp").unwrap();
    let telling = default().telling(seccomp);
    let verdict = |flags| telling.verdict(&Asked::here(seccomp, [1, flags, 0, 0, 0, 0]));
    let listener: u64 = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    assert_eq!(verdict(listener), Verdict::Errno(libc::EPERM as u16));
    assert_eq!(verdict(listener | 1), Verdict::Errno(libc::EPERM as u16));
    assert_eq!(verdict(libc::SECCOMP_FILTER_FLAG_LOG), Verdict::Allowed);
    // The argument is looked at of this call only.
    let read = Asked::here(number("read").unwrap(), [1, listener, 0, 0, 0, 0]);
    assert_eq!(telling.verdict(&read), Verdict::Allowed);
}
