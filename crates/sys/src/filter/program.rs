//! A filter as the kernel takes it.

use super::machine::{self, Asked, Verdict};

/// One instruction of a classic BPF program.
///
/// # References
/// bpf(4) of the BSDs; `struct sock_filter` of linux/filter.h
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many instructions to skip if a comparison holds.
    pub if_true: u8,
    /// And if it does not.
    pub if_false: u8,
    /// Its operand.
    pub operand: u32,
}

/// A filter, laid ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(pub(super) Vec<Instruction>);

/// Why bytes are no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAProgram {
    /// Instructions have eight bytes.
    #[error(
        "a compiled filter is a whole number of instructions of 8 bytes, and this has {0} bytes"
    )]
    Length(usize),
    /// None at all, or more than the kernel takes.
    #[error("a filter has 1 to 4096 instructions, and this has {0}")]
    Count(usize),
}

impl Program {
    /// How many instructions the kernel takes (`BPF_MAXINSNS`).
    const MOST: usize = 4096;

    /// A program of instructions.
    ///
    /// # Errors
    /// There are none, or more than the kernel takes.
    pub fn new(instructions: Vec<Instruction>) -> Result<Self, NotAProgram> {
        match instructions.len() {
            1..=Self::MOST => Ok(Self(instructions)),
            count => Err(NotAProgram::Count(count)),
        }
    }

    /// A program as compilers of filters write it: instructions one behind the other, in this machine's byte order.
    ///
    /// # Errors
    /// These bytes are none.
    ///
    /// # References
    /// seccomp_export_bpf(3)
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAProgram> {
        let (instructions, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(NotAProgram::Length(bytes.len()));
        }
        let instruction = |&[a, b, if_true, if_false, k @ ..]: &[u8; 8]| Instruction {
            code: u16::from_ne_bytes([a, b]),
            if_true,
            if_false,
            operand: u32::from_ne_bytes(k),
        };
        Self::new(instructions.iter().map(instruction).collect())
    }

    /// The same filter, but what it refuses, or ends the process for, it tells somebody who listens. What is answered
    /// as if the kernel had no such call is not told: programs ask for it, and do without.
    ///
    /// By the call of this number, seccomp(2), nobody below it can listen himself: of two filters that ask somebody the kernel
    /// obeys the later one's, who may let a call through.
    ///
    /// # References
    /// seccomp_unotify(2), seccomp(2): `SECCOMP_FILTER_FLAG_NEW_LISTENER`
    #[must_use]
    pub fn telling(&self, seccomp: u32) -> Self {
        const TELL: u32 = 0x7fc0_0000;
        const ANSWER: u16 = 0x06;
        const NO_SUCH_CALL: u16 = 38;
        let telling = |&instruction: &Instruction| match Verdict::of(instruction.operand) {
            Verdict::Errno(errno) if instruction.code == ANSWER && errno != NO_SUCH_CALL => {
                Instruction { operand: TELL, ..instruction }
            }
            Verdict::Killed if instruction.code == ANSWER => {
                Instruction { operand: TELL, ..instruction }
            }
            _ => instruction,
        };
        let nobody_else = [
            (0x20, 0, 0, 0), // the number
            (0x15, 0, 3, seccomp),
            (0x20, 0, 0, 24),         // the second argument
            (0x45, 0, 1, 1 << 3),     // SECCOMP_FILTER_FLAG_NEW_LISTENER
            (ANSWER, 0, 0, 0x5_0001), // EPERM
        ];
        let instruction =
            |(code, if_true, if_false, operand)| Instruction { code, if_true, if_false, operand };
        let all = nobody_else.map(instruction).into_iter().chain(self.0.iter().map(telling));
        Self(all.collect())
    }

    /// The program as [`from_bytes`](Self::from_bytes) reads it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |&Instruction { code, if_true, if_false, operand }: &Instruction| {
            let ([a, b], [c, d, e, f]) = (code.to_ne_bytes(), operand.to_ne_bytes());
            [a, b, if_true, if_false, c, d, e, f]
        };
        self.0.iter().flat_map(bytes).collect()
    }

    /// The instructions.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// What it answers to a call.
    #[must_use]
    pub fn verdict(&self, asked: &Asked) -> Verdict {
        machine::run(&self.0, asked).map_or(Verdict::NoAnswer, Verdict::of)
    }
}
