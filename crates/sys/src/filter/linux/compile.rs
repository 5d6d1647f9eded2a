//! From refusals to a program.

use std::collections::BTreeMap;

use isol_core::{Answer, Case, Refusal};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::super::{Instruction, Program};
use super::calls;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Makes a filter that refuses these calls and lets all others through. A call of another architecture's ends the
/// process, but for those of the x32 ABI: they are answered `ENOSYS`.
///
/// # Errors
/// The compiler's words. A defect: rules are a part of isol.
pub fn compile<'a>(refusals: impl IntoIterator<Item = &'a Refusal>) -> Result<Program, String> {
    let mut parts = [(Answer::NotPermitted, Rules::new()), (Answer::NoSuchCall, Rules::new())];
    for refusal in refusals {
        let Some(number) = calls::number(refusal.call) else { continue };
        for (answer, rules) in &mut parts {
            if *answer == refusal.answer {
                rules.insert(i64::from(number), case(refusal.case)?);
            }
        }
    }
    let mut whole = foreign_numbers();
    for (answer, rules) in parts {
        let part = part(rules, answer)?;
        // What lets all else through gives way to the next part.
        if whole.last() == part.last() {
            whole.pop();
        }
        whole.extend(part);
    }
    Program::new(whole).map_err(|error| error.to_string())
}

fn words(error: BackendError) -> String {
    error.to_string()
}

pub(super) fn architecture() -> Result<TargetArch, String> {
    TargetArch::try_from(std::env::consts::ARCH).map_err(words)
}

/// One that only knows a single answer. Its last instruction is the one that lets a call through.
fn part(rules: Rules, answer: Answer) -> Result<Vec<Instruction>, String> {
    let errno = match answer {
        Answer::NotPermitted => libc::EPERM,
        Answer::NoSuchCall => libc::ENOSYS,
    };
    let action = SeccompAction::Errno(errno as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, architecture()?);
    let program: BpfProgram = filter.map_err(words)?.try_into().map_err(words)?;
    Ok(instructions(&program))
}

pub(super) fn instructions(program: &BpfProgram) -> Vec<Instruction> {
    let instruction = |raw: &seccompiler::sock_filter| Instruction {
        code: raw.code,
        if_true: raw.jt,
        if_false: raw.jf,
        operand: raw.k,
    };
    program.iter().map(instruction).collect()
}

/// The rules of which any has to match.
fn case(case: Case) -> Result<Vec<SeccompRule>, String> {
    // The kernel takes these arguments as 32 bits: a filter that compared all 64 could be passed by setting one of
    // the others.
    let compare = |argument: u8, how: SeccompCmpOp, value: u32| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, u64::from(value))
    };
    let all = match case {
        Case::Always => Vec::new(),
        Case::AnyBit(argument, bits) => (0..32)
            .map(|place| 1 << place)
            .filter(|bit| bits & bit != 0)
            .map(|bit| Ok(vec![compare(argument, SeccompCmpOp::MaskedEq(u64::from(bit)), bit)?]))
            .collect(),
        Case::OneOf(argument, values) => values
            .iter()
            .map(|&value| Ok(vec![compare(argument, SeccompCmpOp::Eq, value)?]))
            .collect(),
        Case::NoneOf(argument, values) => {
            vec![values.iter().map(|&value| compare(argument, SeccompCmpOp::Ne, value)).collect()]
        }
    };
    let rule = |conditions: Result<Vec<SeccompCondition>, BackendError>| {
        conditions.and_then(SeccompRule::new).map_err(words)
    };
    all.into_iter().map(rule).collect()
}

/// x86-64 has its calls a second time, with this bit set in their numbers: those of the x32 ABI, which a list of what
/// is refused would let through.
fn foreign_numbers() -> Vec<Instruction> {
    const X32: u32 = 0x4000_0000;
    const LOAD_NUMBER: u16 = 0x20;
    const IF_NOT_BELOW: u16 = 0x35;
    const ANSWER: u16 = 0x06;
    if !cfg!(target_arch = "x86_64") {
        return Vec::new();
    }
    let refused = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    vec![
        Instruction { code: LOAD_NUMBER, if_true: 0, if_false: 0, operand: 0 },
        Instruction { code: IF_NOT_BELOW, if_true: 0, if_false: 1, operand: X32 },
        Instruction { code: ANSWER, if_true: 0, if_false: 0, operand: refused },
    ]
}
