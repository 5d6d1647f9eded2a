//! What the child tells the parent.

use crate::{Errno, Failure, Fault, Text};

/// The size of a record on the pipe, in bytes: below `PIPE_BUF` everywhere, so that
/// it is written whole or not at all.
pub const RECORD_LEN: usize = 12 + Text::CAPACITY;

/// One record on the pipe between child and parent.
///
/// End-of-file before `Ready` means that the child was killed on the way, and is a
/// failure: a bare end-of-file can't be told from a good exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // one size on the pipe, and no allocation in the child
pub enum Record {
    /// Everything is in force and was read back; execve comes next.
    Ready,
    /// Everything is in force and was read back; the child waits for the parent to do its part.
    Waiting,
    /// With it comes a descriptor, by which the parent is told of what the program is refused.
    Listener,
    /// Other processes take the child's place: the init of its pid namespace and, unless it is 0, the one that reports
    /// from now on, both by their pids in the parent's.
    Replaced {
        /// The init.
        init: i32,
        /// The one that will be the program.
        program: i32,
    },
    /// A step failed; the child ends without having started anything.
    Failed(Failure),
    /// execve failed after `Ready`.
    NotExecuted(Errno),
}

const MAGIC: [u8; 4] = *b"isl1";

impl Record {
    /// The bytes to write: magic, kind, text length, step, errno, text; of processes, the pids in place of errno and text.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD_LEN] {
        let (kind, step, errno, text) = match self {
            Record::Ready => (0, 0, 0, Text::EMPTY),
            Record::Failed(f) => (1, f.step, f.fault.errno.0, f.fault.text),
            Record::NotExecuted(errno) => (2, 0, errno.0, Text::EMPTY),
            Record::Waiting => (3, 0, 0, Text::EMPTY),
            Record::Listener => (4, 0, 0, Text::EMPTY),
            Record::Replaced { init, .. } => (5, 0, *init, Text::EMPTY),
        };
        let text = text.as_str().as_bytes();
        let mut bytes = [0; RECORD_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = kind;
        bytes[5] = text.len() as u8;
        bytes[6..8].copy_from_slice(&step.to_ne_bytes());
        bytes[8..12].copy_from_slice(&errno.to_ne_bytes());
        bytes[12..12 + text.len()].copy_from_slice(text);
        if let Record::Replaced { program, .. } = self {
            bytes[12..16].copy_from_slice(&program.to_ne_bytes());
        }
        bytes
    }

    /// Reads a record back; `None` if these bytes are none.
    #[must_use]
    pub fn decode(bytes: &[u8; RECORD_LEN]) -> Option<Self> {
        if bytes[..4] != MAGIC {
            return None;
        }
        let errno = Errno(i32::from_ne_bytes(bytes[8..12].try_into().ok()?));
        if bytes[4] == 5 {
            let program = i32::from_ne_bytes(bytes[12..16].try_into().ok()?);
            return Some(Record::Replaced { init: errno.0, program });
        }
        let text = std::str::from_utf8(bytes[12..].get(..usize::from(bytes[5]))?).ok()?;
        let step = u16::from_ne_bytes(bytes[6..8].try_into().ok()?);
        match bytes[4] {
            0 => Some(Record::Ready),
            1 => Some(Record::Failed(Failure { step, fault: Fault::call(errno, text) })),
            2 => Some(Record::NotExecuted(errno)),
            3 => Some(Record::Waiting),
            4 => Some(Record::Listener),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_survives_the_pipe() {
        let failure = Failure { step: 700, fault: Fault::call(Errno(13), &"ü".repeat(300)) };
        let failed = Record::Failed(failure);
        let replaced = Record::Replaced { init: 70_000, program: 4_000_000 };
        let others =
            [Record::Ready, Record::Waiting, Record::Listener, Record::NotExecuted(Errno(2))];
        for record in others.into_iter().chain([failed, replaced]) {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    #[test]
    fn foreign_bytes_are_no_record() {
        assert_eq!(Record::decode(&[0; RECORD_LEN]), None);
        let mut unknown_kind = Record::Ready.encode();
        unknown_kind[4] = 9;
        assert_eq!(Record::decode(&unknown_kind), None);
    }

    const _: () = assert!(RECORD_LEN < 512 && Text::CAPACITY <= u8::MAX as usize);
}
