//! From refusals to a program.
//!
//! The kernel works out, when a filter is put in force, which calls it lets through whatever their arguments are, and
//! asks it of these no more. It does so by running the program once for each call there is: what a launch costs
//! depends on how many instructions that takes. So the calls are found by halving, not one by one.

use isol_core::seccomp::{Answer, Case, Refusal};

use super::super::{Asked, Instruction, Program};
use super::calls;

const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const IF_NOT_BELOW: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const ANSWER: u16 = 0x06;

/// Where `struct seccomp_data` has what a call is asked by.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The low half of an argument: the one that the kernel takes, of these.
const fn argument(index: u8) -> u32 {
    16 + 8 * index as u32
}

/// x86-64 has its calls a second time, with this bit set in their numbers: those of the x32 ABI.
const X32: u32 = 0x4000_0000;

const LET_THROUGH: u32 = libc::SECCOMP_RET_ALLOW;
const END: u32 = libc::SECCOMP_RET_KILL_PROCESS;

const fn refuse(answer: Answer) -> u32 {
    let errno = match answer {
        Answer::NotPermitted => libc::EPERM,
        Answer::NoSuchCall => libc::ENOSYS,
    };
    libc::SECCOMP_RET_ERRNO | errno as u32
}

fn does(code: u16, operand: u32) -> Instruction {
    Instruction { code, if_true: 0, if_false: 0, operand }
}

fn jump(code: u16, operand: u32, if_true: usize, if_false: usize) -> Result<Instruction, String> {
    let far = |_| "a jump is too far".to_owned();
    let (if_true, if_false) = (if_true.try_into().map_err(far)?, if_false.try_into().map_err(far)?);
    Ok(Instruction { code, if_true, if_false, operand })
}

/// Makes a filter that refuses these calls and lets all others through. A call of another architecture's ends the
/// process, but for those of the x32 ABI: they are answered `ENOSYS`.
///
/// # Errors
/// There are too many for one program. A defect: rules are a part of isol.
pub fn compile<'a>(refusals: impl IntoIterator<Item = &'a Refusal>) -> Result<Program, String> {
    let numbered = |refusal: &'a Refusal| Some((calls::number(refusal.call)?, refusal));
    let mut refused: Vec<_> = refusals.into_iter().filter_map(numbered).collect();
    refused.sort_unstable_by_key(|&(number, _)| number);
    let mut program = vec![
        does(LOAD, ARCHITECTURE),
        jump(IF_EQUAL, Asked::here(0, [0; 6]).architecture, 1, 0)?,
        does(ANSWER, END),
        does(LOAD, NUMBER),
    ];
    program.extend(halve(&sections(&refused)?)?);
    Program::new(program).map_err(|error| error.to_string())
}

/// From this number on, up to the next section's, calls are answered by this.
type Section = (u32, Vec<Instruction>);

fn sections(refused: &[(u32, &Refusal)]) -> Result<Vec<Section>, String> {
    let through = || vec![does(ANSWER, LET_THROUGH)];
    let mut sections: Vec<Section> = vec![(0, through())];
    let mut begin = |from: u32, answer: Vec<Instruction>| match sections.last_mut() {
        Some((last, old)) if *last == from => *old = answer,
        Some((_, old)) if *old == answer => {}
        _ => sections.push((from, answer)),
    };
    for &(number, refusal) in refused {
        begin(number, case(refusal)?);
        begin(number + 1, through());
    }
    if cfg!(target_arch = "x86_64") {
        begin(X32, vec![does(ANSWER, refuse(Answer::NoSuchCall))]);
    }
    Ok(sections)
}

/// The answer of a section, found in as few comparisons as there can be.
fn halve(sections: &[Section]) -> Result<Vec<Instruction>, String> {
    let middle = sections.len() / 2;
    let [.., (_, only)] = sections else { return Err("there is no section".into()) };
    if middle == 0 {
        return Ok(only.clone());
    }
    let (below, above) = (halve(&sections[..middle])?, halve(&sections[middle..])?);
    let mut all = vec![jump(IF_NOT_BELOW, sections[middle].0, below.len(), 0)?];
    all.extend(below);
    all.extend(above);
    Ok(all)
}

/// What is answered to one call.
fn case(refusal: &Refusal) -> Result<Vec<Instruction>, String> {
    let (yes, no) = (does(ANSWER, refuse(refusal.answer)), does(ANSWER, LET_THROUGH));
    // Each comparison jumps behind the others and the first of both answers.
    let any = |index: u8, values: &[u32], first, second| {
        let mut all = vec![does(LOAD, argument(index))];
        for (place, &value) in values.iter().enumerate() {
            all.push(jump(IF_EQUAL, value, values.len() - place, 0)?);
        }
        all.extend([first, second]);
        Ok(all)
    };
    match refusal.case {
        Case::Always => Ok(vec![yes]),
        Case::AnyBit(index, bits) => {
            Ok(vec![does(LOAD, argument(index)), jump(IF_ANY_BIT, bits, 0, 1)?, yes, no])
        }
        Case::OneOf(index, values) => any(index, values, no, yes),
        Case::NoneOf(index, values) => any(index, values, yes, no),
    }
}
