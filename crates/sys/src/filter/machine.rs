//! What a filter answers, worked out as the kernel would.

use super::Instruction;

/// A system call as the kernel shows it to a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its number.
    pub number: u32,
    /// The architecture by whose numbers and rules it was made (`AUDIT_ARCH_`).
    pub architecture: u32,
    /// Where it was made.
    pub instruction_pointer: u64,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// What a filter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The call is made.
    Allowed,
    /// The call is not made, and answers this errno.
    Errno(u16),
    /// The process is ended.
    Killed,
    /// Something else: the action's number.
    Other(u32),
    /// The program has no end, or is none: the kernel would not have taken it.
    NoAnswer,
}

const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0;
const ERRNO: u32 = 0x0005_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;
/// The largest errno that a call can answer: the kernel caps it.
const MAX_ERRNO: u32 = 4095;

impl Verdict {
    /// From a filter's return value.
    pub(super) fn of(value: u32) -> Self {
        match value & 0xffff_0000 {
            ALLOW | LOG => Self::Allowed,
            ERRNO => Self::Errno((value & 0xffff).min(MAX_ERRNO) as u16),
            KILL_PROCESS | KILL_THREAD => Self::Killed,
            action => Self::Other(action),
        }
    }
}

impl Asked {
    /// A call of this machine's own architecture.
    #[must_use]
    pub fn here(number: u32, arguments: [u64; 6]) -> Self {
        let architecture = match std::env::consts::ARCH {
            "aarch64" => 0xc000_00b7,
            _ => 0xc000_003e,
        };
        Self { number, architecture, instruction_pointer: 0, arguments }
    }

    /// A word of `struct seccomp_data`, on a machine with little bytes first.
    fn word(&self, offset: u32) -> Option<u32> {
        let half = |value: u64, high: bool| if high { (value >> 32) as u32 } else { value as u32 };
        match offset {
            0 => Some(self.number),
            4 => Some(self.architecture),
            8 | 12 => Some(half(self.instruction_pointer, offset == 12)),
            16..64 if offset.is_multiple_of(4) => {
                let argument = self.arguments.get((offset as usize - 16) / 8)?;
                Some(half(*argument, offset % 8 == 4))
            }
            _ => None,
        }
    }
}

/// Runs a program; `None` if it is none.
pub(super) fn run(program: &[Instruction], asked: &Asked) -> Option<u32> {
    const DATA: u32 = 64;
    let (mut a, mut x, mut memory) = (0_u32, 0_u32, [0_u32; 16]);
    let mut place = 0_usize;
    // Jumps lead forward only: each instruction is come to once.
    loop {
        let Instruction { code, if_true, if_false, operand: k } = *program.get(place)?;
        place += 1;
        let cell = memory.get_mut(k as usize % 16).filter(|_| k < 16);
        let source = if code & 0x08 == 0 { k } else { x };
        match code {
            0x20 => a = asked.word(k)?,
            0x00 => a = k,
            0x01 => x = k,
            0x60 => a = *cell?,
            0x61 => x = *cell?,
            0x02 => *cell? = a,
            0x03 => *cell? = x,
            0x80 => a = DATA,
            0x81 => x = DATA,
            0x07 => x = a,
            0x87 => a = x,
            0x06 => return Some(k),
            0x16 => return Some(a),
            0x05 => place += k as usize,
            0x84 => a = a.wrapping_neg(),
            0x04 | 0x0c => a = a.wrapping_add(source),
            0x14 | 0x1c => a = a.wrapping_sub(source),
            0x24 | 0x2c => a = a.wrapping_mul(source),
            // Division by nothing ends the program with 0.
            0x34 | 0x3c => match a.checked_div(source) {
                Some(quotient) => a = quotient,
                None => return Some(0),
            },
            0x44 | 0x4c => a |= source,
            0x54 | 0x5c => a &= source,
            0xa4 | 0xac => a ^= source,
            0x64 | 0x6c => a = a.wrapping_shl(source),
            0x74 | 0x7c => a = a.wrapping_shr(source),
            0x15 | 0x1d | 0x25 | 0x2d | 0x35 | 0x3d | 0x45 | 0x4d => {
                let holds = match code & 0xf0 {
                    0x10 => a == source,
                    0x20 => a > source,
                    0x30 => a >= source,
                    _ => a & source != 0,
                };
                place += usize::from(if holds { if_true } else { if_false });
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn does(code: u16, operand: u32) -> Instruction {
        Instruction { code, if_true: 0, if_false: 0, operand }
    }

    #[test]
    fn words_are_those_of_the_kernel_s_structure() {
        let arguments = [1 << 32 | 2, 0, 0, 0, 0, 5 << 32 | 6];
        let asked = Asked { number: 7, architecture: 8, instruction_pointer: 9 << 32, arguments };
        let word = |offset| run(&[does(0x20, offset), does(0x16, 0)], &asked);
        let words = [0, 4, 8, 12, 16, 20, 56, 60].map(word);
        assert_eq!(words, [7, 8, 0, 9, 2, 1, 6, 5].map(Some));
        assert_eq!([word(64), word(2), word(17)], [None; 3]);
    }

    #[test]
    fn what_falls_off_the_end_has_no_answer() {
        assert_eq!(run(&[does(0x00, 1)], &Asked::default()), None);
        assert_eq!(run(&[does(0x05, 9), does(0x06, 1)], &Asked::default()), None);
        assert_eq!(run(&[does(0x60, 16), does(0x06, 1)], &Asked::default()), None);
        assert_eq!(Verdict::of(ALLOW), Verdict::Allowed);
        assert_eq!(Verdict::of(ERRNO | 0xffff), Verdict::Errno(4095));
    }

    #[test]
    fn it_computes() {
        let program = [
            does(0x00, 6),
            does(0x01, 7),
            does(0x2c, 0),
            does(0x02, 3),
            does(0x80, 0),
            does(0x60, 3),
        ];
        let program = [&program[..], &[does(0x16, 0)]].concat();
        assert_eq!(run(&program, &Asked::default()), Some(42));
        assert_eq!(run(&[does(0x3c, 0), does(0x06, 9)], &Asked::default()), Some(0));
    }
}
