//! The filter, as the kernel's packet-filter machine reads it.

use isol_core::Errno;
use libc::sock_filter;

use crate::errno::{check_long, last};

pub(super) const CAN_BE_DENIED: bool = true;

/// A system call that fails, at all or where its first argument is this.
struct Rule {
    number: u32,
    argument: Option<u32>,
    errno: i32,
}

const fn denied(number: u32) -> Rule {
    Rule { number, argument: None, errno: libc::ENOSYS }
}

const fn denied_with(number: u32, argument: u32) -> Rule {
    Rule { number, argument: Some(argument), errno: libc::EAFNOSUPPORT }
}

const VSOCK: u32 = libc::AF_VSOCK as u32;

/// The calls of programs of this processor's own kind.
const NATIVE: [Rule; 5] = [
    denied_with(libc::SYS_socket as u32, VSOCK),
    denied(libc::SYS_keyctl as u32),
    denied(libc::SYS_add_key as u32),
    denied(libc::SYS_request_key as u32),
    denied(libc::SYS_io_uring_setup as u32),
];

#[cfg(target_arch = "x86_64")]
mod processor {
    use super::{Rule, VSOCK, denied, denied_with};

    pub(super) const NATIVE_ARCH: u32 = 0xc000_003e;
    /// i386's; socketcall(2) hides the family in memory, so that it makes no socket at all.
    pub(super) const OTHERS: [(u32, &[Rule]); 1] = [(
        0x4000_0003,
        &[
            denied_with(359, VSOCK),
            denied_with(102, 1),
            denied(288),
            denied(286),
            denied(287),
            denied(425),
        ],
    )];
}

#[cfg(target_arch = "aarch64")]
mod processor {
    use super::{Rule, VSOCK, denied, denied_with};

    pub(super) const NATIVE_ARCH: u32 = 0xc000_00b7;
    /// ARM's of 32 bits.
    pub(super) const OTHERS: [(u32, &[Rule]); 1] = [(
        0x4000_0028,
        &[
            denied_with(281, VSOCK),
            denied_with(102, 1),
            denied(311),
            denied(309),
            denied(310),
            denied(425),
        ],
    )];
}

#[cfg(target_arch = "riscv64")]
mod processor {
    use super::Rule;

    pub(super) const NATIVE_ARCH: u32 = 0xc000_00f3;
    pub(super) const OTHERS: [(u32, &[Rule]); 0] = [];
}

use processor::{NATIVE_ARCH, OTHERS};

/// x32's calls have this bit set and, those that are here, the same numbers.
const X32: u32 = 0x4000_0000;

const NUMBER: u32 = 0;
const ARCH: u32 = 4;
/// The lower half of the first argument: all of these processors store it first.
const ARGUMENT: u32 = 16;

#[derive(Debug)]
pub(super) struct Filter(Vec<sock_filter>);

impl Filter {
    pub(super) fn new() -> Result<Self, Errno> {
        let mut program = vec![load(ARCH)];
        for (arch, rules) in [(NATIVE_ARCH, &NATIVE[..])].into_iter().chain(OTHERS) {
            let block = block(rules);
            program.push(unless(arch, block.len() as u8));
            program.extend(block);
        }
        program.push(answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32));
        Ok(Self(program))
    }

    pub(super) fn install(&self) -> Result<(), Errno> {
        let program =
            libc::sock_fprog { len: self.0.len() as u16, filter: self.0.as_ptr().cast_mut() };
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        let none: libc::c_uint = 0;
        // SAFETY: the program is readable for its length; the kernel copies it, and writes nothing.
        check_long(unsafe { libc::syscall(libc::SYS_seccomp, mode, none, &raw const program) })
            .map(drop)
    }
}

/// The kernel goes through it once for each number that there is, to note which ones are always allowed: the fewer
/// comparisons on the way the better.
fn block(rules: &[Rule]) -> Vec<sock_filter> {
    let mut sorted: Vec<_> = rules.iter().collect();
    sorted.sort_by_key(|rule| rule.number);
    let mut block = vec![load(NUMBER), statement(libc::BPF_ALU | libc::BPF_AND, !X32)];
    block.extend(search(&sorted));
    block
}

/// A search by halves.
fn search(rules: &[&Rule]) -> Vec<sock_filter> {
    let [first, others @ ..] = rules else { return vec![answer(libc::SECCOMP_RET_ALLOW)] };
    if others.is_empty() {
        return verdict(first);
    }
    let (low, high) = rules.split_at(rules.len() / 2);
    let (low_part, high_part) = (search(low), search(high));
    let mut both = vec![at_least(high[0].number, low_part.len() as u8)];
    both.extend(low_part);
    both.extend(high_part);
    both
}

fn verdict(rule: &Rule) -> Vec<sock_filter> {
    let denial = answer(libc::SECCOMP_RET_ERRNO | rule.errno as u32);
    let allowed = answer(libc::SECCOMP_RET_ALLOW);
    match rule.argument {
        None => vec![unless(rule.number, 1), denial, allowed],
        Some(argument) => {
            vec![unless(rule.number, 3), load(ARGUMENT), unless(argument, 1), denial, allowed]
        }
    }
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn load(offset: u32) -> sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

/// Goes on where the loaded word is this, and skips so many instructions where it is not.
fn unless(word: u32, skipped: u8) -> sock_filter {
    let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    sock_filter { code: code as u16, jt: 0, jf: skipped, k: word }
}

/// Skips so many instructions where the loaded word is this or more.
fn at_least(word: u32, skipped: u8) -> sock_filter {
    let code = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
    sock_filter { code: code as u16, jt: skipped, jf: 0, k: word }
}

fn answer(what: u32) -> sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, what)
}

pub(super) fn is_denied() -> bool {
    let zero: libc::c_long = 0;
    // SAFETY: a wrong command touches no memory, and is looked at behind the filter only.
    let keys = unsafe { libc::syscall(libc::SYS_keyctl, -1_i64, zero, zero, zero, zero) };
    let keys = keys == -1 && last().0 == libc::ENOSYS;
    // SAFETY: takes three numbers.
    let socket = unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    let socket = socket == -1 && last().0 == libc::EAFNOSUPPORT;
    // SAFETY: no entries and no address: nothing is made.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, zero, zero) };
    keys && socket && ring == -1 && last().0 == libc::ENOSYS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would answer.
    fn run(program: &[sock_filter], arch: u32, number: u32, argument: u32) -> u32 {
        let (mut at, mut word) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) {
                code if code == libc::BPF_RET | libc::BPF_K => return step.k,
                code if code == libc::BPF_ALU | libc::BPF_AND => word &= step.k,
                code if code == libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K => {
                    at += usize::from(if word == step.k { step.jt } else { step.jf });
                }
                code if code == libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K => {
                    at += usize::from(if word >= step.k { step.jt } else { step.jf });
                }
                _ => {
                    word = match step.k {
                        NUMBER => number,
                        ARCH => arch,
                        ARGUMENT => argument,
                        other => panic!("offset {other}"),
                    }
                }
            }
        }
    }

    #[test]
    fn vsock_keys_and_rings_are_denied_and_nothing_else_is() {
        let Filter(program) = Filter::new().unwrap();
        let asked = |arch, number: i64, argument| run(&program, arch, number as u32, argument);
        let refused = |errno: i32| libc::SECCOMP_RET_ERRNO | errno as u32;
        let of = |number, argument| asked(NATIVE_ARCH, number, argument);
        assert_eq!(of(libc::SYS_socket, VSOCK), refused(libc::EAFNOSUPPORT));
        for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_NETLINK] {
            assert_eq!(of(libc::SYS_socket, family as u32), libc::SECCOMP_RET_ALLOW);
        }
        for number in [libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_io_uring_setup] {
            assert_eq!(of(number, 0), refused(libc::ENOSYS));
            assert_eq!(of(number | i64::from(X32), 0), refused(libc::ENOSYS));
        }
        assert_eq!(of(libc::SYS_write, VSOCK), libc::SECCOMP_RET_ALLOW);
        assert_eq!(asked(0x1234, libc::SYS_write, 0), refused(libc::ENOSYS));
        for (arch, rules) in OTHERS {
            for rule in rules {
                let answer = asked(arch, rule.number.into(), rule.argument.unwrap_or(0));
                assert_eq!(answer, refused(rule.errno));
            }
            assert_eq!(asked(arch, 4, 0), libc::SECCOMP_RET_ALLOW);
        }
    }

    #[test]
    fn every_number_is_denied_or_allowed_as_its_rule_says() {
        let Filter(program) = Filter::new().unwrap();
        let all = [(NATIVE_ARCH, &NATIVE[..])].into_iter().chain(OTHERS);
        for (arch, rules) in all {
            for number in 0..600 {
                for argument in [0, 1, VSOCK] {
                    let meant = |rule: &&Rule| {
                        rule.number == number && rule.argument.is_none_or(|a| a == argument)
                    };
                    let wanted = rules.iter().find(meant).map_or(libc::SECCOMP_RET_ALLOW, |rule| {
                        libc::SECCOMP_RET_ERRNO | rule.errno as u32
                    });
                    assert_eq!(run(&program, arch, number, argument), wanted, "{number}");
                }
            }
        }
    }
}
