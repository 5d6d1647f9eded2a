//! A short text that needs no allocation.

use std::fmt;

/// Up to [`Text::CAPACITY`] bytes of text in place, cut at the end where it doesn't fit.
///
/// The child between fork and exec must not allocate; what it has to say fits in here.
///
/// ```
/// let mut text = isol_core::Text::from("descriptor ");
/// text.push_number(17);
/// assert_eq!(text.as_str(), "descriptor 17");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text {
    bytes: [u8; Text::CAPACITY],
    len: u16,
}

impl Text {
    /// How many bytes fit.
    pub const CAPACITY: usize = 240;
    /// No text.
    pub const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// Adds as many whole characters of `more` as fit.
    pub fn push(&mut self, more: &str) {
        for c in more.chars() {
            let mut utf8 = [0; 4];
            let encoded = c.encode_utf8(&mut utf8).as_bytes();
            let start = usize::from(self.len);
            let Some(place) = self.bytes.get_mut(start..start + encoded.len()) else {
                return;
            };
            place.copy_from_slice(encoded);
            self.len += encoded.len() as u16;
        }
    }

    /// Adds a number in decimal.
    pub fn push_number(&mut self, number: u64) {
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(std::str::from_utf8(&digits[start..]).unwrap_or_default());
    }

    /// What has been written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut new = Self::EMPTY;
        new.push(text);
        new
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        let text = Text::from("é".repeat(200).as_str());
        assert_eq!(text.as_str(), "é".repeat(120));
        let mut odd = Text::from("x".repeat(239).as_str());
        odd.push("é");
        assert_eq!(odd.as_str().len(), 239);
    }

    #[test]
    fn numbers_of_every_length() {
        for number in [0, 7, 10, 65519, u64::MAX] {
            let mut text = Text::EMPTY;
            text.push_number(number);
            assert_eq!(text.as_str(), number.to_string());
        }
    }
}
