//! From refusals to a program.
//!
//! Putting a filter in force costs in two ways: the kernel translates each instruction, and it runs the program once
//! for each call there is, to work out which it lets through whatever their arguments are and asks it of no more. So
//! the program has few instructions, and few of them lie on the way to an answer: the calls are found by halving, each
//! answer stands once, at the end.

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

/// Makes a filter that refuses these calls and lets all others through. A call of another architecture's ends the
/// process, but for those of the x32 ABI: they are answered `ENOSYS`.
///
/// # Errors
/// There are too many for one program. A defect: rules are a part of isol.
pub fn compile<'a>(refusals: impl IntoIterator<Item = &'a Refusal>) -> Result<Program, String> {
    let numbered = |refusal: &'a Refusal| Some((calls::number(refusal.call)?, refusal));
    let mut refused: Vec<_> = refusals.into_iter().filter_map(numbered).collect();
    refused.sort_unstable_by_key(|&(number, _)| number);
    let mut writer = Writer::new();
    let sections = writer.sections(&refused)?;
    let found = writer.find(&sections)?;
    let number = writer.load(NUMBER, found)?;
    let known = writer.test(IF_EQUAL, Asked::here(0, [0; 6]).architecture, number, ENDED)?;
    writer.load(ARCHITECTURE, known)?;
    Program::new(writer.finish()).map_err(|error| error.to_string())
}

/// Where an instruction stands, counted from the end: a program is written backwards, for jumps lead forward only.
type Place = usize;

/// Calls of these numbers are answered at this place. The last one has no end.
#[derive(Clone, Copy)]
struct Section {
    from: u32,
    until: Option<u32>,
    answer: Place,
}

/// As many calls are compared one after the other as that is cheaper than halving.
const CHAIN: usize = 3;

struct Writer {
    backwards: Vec<Instruction>,
}

/// Where the answers stand.
const THROUGH: Place = 0;
const ENDED: Place = 1;
const NOT_PERMITTED: Place = 2;
const NO_SUCH_CALL: Place = 3;
const ANSWERS: [u32; 4] = [
    libc::SECCOMP_RET_ALLOW,
    libc::SECCOMP_RET_KILL_PROCESS,
    libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
    libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32,
];

const fn refused(answer: Answer) -> Place {
    match answer {
        Answer::NotPermitted => NOT_PERMITTED,
        Answer::NoSuchCall => NO_SUCH_CALL,
    }
}

impl Writer {
    fn new() -> Self {
        let answer = |operand| Instruction { code: ANSWER, if_true: 0, if_false: 0, operand };
        Self { backwards: ANSWERS.map(answer).to_vec() }
    }

    fn finish(mut self) -> Vec<Instruction> {
        self.backwards.reverse();
        self.backwards
    }

    fn push(&mut self, instruction: Instruction) -> Place {
        self.backwards.push(instruction);
        self.backwards.len() - 1
    }

    fn test(&mut self, code: u16, operand: u32, yes: Place, no: Place) -> Result<Place, String> {
        let here = self.backwards.len();
        let far =
            |to: Place| (here - 1 - to).try_into().map_err(|_| "a jump is too far".to_owned());
        let (if_true, if_false) = (far(yes)?, far(no)?);
        Ok(self.push(Instruction { code, if_true, if_false, operand }))
    }

    /// Loads what `then`, the last instruction written, asks for.
    fn load(&mut self, operand: u32, then: Place) -> Result<Place, String> {
        if then + 1 != self.backwards.len() {
            return Err("what is loaded is not asked for".into());
        }
        Ok(self.push(Instruction { code: LOAD, if_true: 0, if_false: 0, operand }))
    }

    fn sections(&mut self, refused: &[(u32, &Refusal)]) -> Result<Vec<Section>, String> {
        let mut starts: Vec<(u32, Place)> = vec![(0, THROUGH)];
        let mut begin = |from: u32, answer: Place| match starts.last_mut() {
            Some((last, old)) if *last == from => *old = answer,
            _ => starts.push((from, answer)),
        };
        for &(number, refusal) in refused {
            begin(number, self.case(refusal)?);
            begin(number + 1, THROUGH);
        }
        if cfg!(target_arch = "x86_64") {
            begin(X32, NO_SUCH_CALL);
        }
        starts.dedup_by_key(|&mut (_, answer)| answer);
        let until = starts.iter().skip(1).map(|&(from, _)| Some(from)).chain([None]);
        let section = |(&(from, answer), until)| Section { from, until, answer };
        Ok(starts.iter().zip(until).map(section).collect())
    }

    /// What is answered to one call.
    fn case(&mut self, refusal: &Refusal) -> Result<Place, String> {
        let (yes, no) = (refused(refusal.answer), THROUGH);
        let (code, index, values, one, none) = match &refusal.case {
            Case::Always => return Ok(yes),
            Case::AnyBit(index, bits) => (IF_ANY_BIT, *index, std::slice::from_ref(bits), yes, no),
            Case::OneOf(index, values) => (IF_EQUAL, *index, *values, yes, no),
            Case::NoneOf(index, values) => (IF_EQUAL, *index, *values, no, yes),
        };
        let mut place = none;
        for &value in values.iter().rev() {
            place = self.test(code, value, one, place)?;
        }
        self.load(argument(index), place)
    }

    /// Finds the section of the number that is loaded.
    fn find(&mut self, sections: &[Section]) -> Result<Place, String> {
        let [first, .., _] = sections else {
            return sections.first().map(|only| only.answer).ok_or("there is no section".into());
        };
        let mut others = sections.iter().filter(|section| section.answer != THROUGH);
        let single = |section: &Section| section.until == Some(section.from + 1);
        if others.clone().count() <= CHAIN && others.clone().all(single) {
            return others.try_fold(THROUGH, |next, section| {
                self.test(IF_EQUAL, section.from, section.answer, next)
            });
        }
        let (below, above) = sections.split_at(sections.len() / 2);
        let from = above.first().unwrap_or(first).from;
        let (below, above) = (self.find(below)?, self.find(above)?);
        self.test(IF_NOT_BELOW, from, above, below)
    }
}
