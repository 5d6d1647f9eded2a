//! What tells one state of a file from every other.

use isol_sys::meta::Meta;

/// How much of a file has to be as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// All of it.
    Full,
    /// A directory that is only passed through: that it is the same one, and whose.
    Passed,
}

/// The fields of a file that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) care: Care,
    fields: [i128; 9],
}

impl Identity {
    pub(super) fn of(meta: &Meta, care: Care) -> Self {
        let time = |seconds: i64, nanoseconds: i64| {
            i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
        };
        let mut fields = [
            i128::from(meta.dev),
            i128::from(meta.ino),
            i128::from(meta.mode),
            i128::from(meta.uid),
            i128::from(meta.gid),
            i128::from(meta.rdev),
            i128::from(meta.size),
            time(meta.mtime, meta.mtime_nsec),
            time(meta.ctime, meta.ctime_nsec),
        ];
        if care == Care::Passed {
            fields[5..].fill(0);
        }
        Self { care, fields }
    }

    /// Of a file in the state that it is in now.
    pub(super) fn is_still(&self, meta: &Meta) -> bool {
        Self::of(meta, self.care) == *self
    }

    pub(super) fn write(&self) -> String {
        let care = match self.care {
            Care::Full => "f",
            Care::Passed => "p",
        };
        self.fields.iter().fold(care.to_owned(), |text, field| format!("{text} {field:x}"))
    }

    /// From the words of a line; what is left of it is not looked at.
    pub(super) fn read<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let care = match words.next()? {
            "f" => Care::Full,
            "p" => Care::Passed,
            _ => return None,
        };
        let mut fields = [0; 9];
        for field in &mut fields {
            *field = i128::from_str_radix(words.next()?, 16).ok()?;
        }
        Some(Self { care, fields })
    }
}
