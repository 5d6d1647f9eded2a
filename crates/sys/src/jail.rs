//! Jails: parameters laid ready as jail_set(2) takes them, and the calls.
//!
//! Parameters can be laid on any system, so that how they are encoded can be looked at everywhere; the calls
//! are FreeBSD's, and answer `ENOSYS` elsewhere.

use std::ffi::CString;
use std::sync::atomic::{AtomicU8, Ordering};

use isol_core::Text;

cfg_if::cfg_if! {
    if #[cfg(target_os = "freebsd")] {
        #[path = "jail/freebsd.rs"]
        mod system;
    } else {
        #[path = "jail/none.rs"]
        mod system;
    }
}

pub use system::{
    children_left, control, create_and_attach, find, has_members, has_system_v_ipc, is_inside,
    kind_of, list, open_directory, read_back, remove, rooted_at, update,
};

/// A jail that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub number: i32,
    /// Whether its last process has gone, and something still holds on to it.
    pub dying: bool,
}

/// What a parameter is on this kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On or off, by name alone.
    Boolean,
    /// `disable`, `new` or `inherit`.
    Inherited,
    /// A number.
    Number,
    /// A text.
    Text,
    /// IPv4 addresses.
    Addresses4,
    /// IPv6 addresses.
    Addresses6,
    /// Something else, in the kernel's words.
    Other(String),
}

/// Room for the kernel's message.
const MESSAGE: usize = 256;

/// Pairs of names and values, laid ready as an array of `iovec`, with room for the kernel's message.
#[derive(Debug)]
pub struct Request {
    // What the array points into.
    pairs: Vec<(CString, Option<Vec<u8>>)>,
    message: Box<[AtomicU8; MESSAGE]>,
    array: Vec<libc::iovec>,
}

// SAFETY: the array points into heap memory that this structure owns; nothing of it is changed but the message,
// which is made of atomics.
unsafe impl Send for Request {}
// SAFETY: as above.
unsafe impl Sync for Request {}

impl Request {
    /// Lays pairs ready. Allocates.
    #[must_use]
    pub fn new(pairs: Vec<(CString, Option<Vec<u8>>)>) -> Self {
        let message = Box::new([const { AtomicU8::new(0) }; MESSAGE]);
        let name = |name: &CString| libc::iovec {
            iov_base: name.as_ptr().cast_mut().cast(),
            // The NUL counts.
            iov_len: name.as_bytes_with_nul().len(),
        };
        let value = |value: &Option<Vec<u8>>| match value {
            Some(bytes) => {
                libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
            }
            None => libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 },
        };
        let mut array: Vec<_> =
            pairs.iter().flat_map(|pair| [name(&pair.0), value(&pair.1)]).collect();
        let errmsg = c"errmsg";
        array.push(libc::iovec {
            iov_base: errmsg.as_ptr().cast_mut().cast(),
            iov_len: errmsg.count_bytes() + 1,
        });
        array.push(libc::iovec { iov_base: message.as_ptr().cast_mut().cast(), iov_len: MESSAGE });
        Self { pairs, message, array }
    }

    /// The pairs.
    #[must_use]
    pub fn pairs(&self) -> &[(CString, Option<Vec<u8>>)] {
        &self.pairs
    }

    /// The lengths in the array, the kernel's message included, as it would be handed over.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        self.array.iter().map(|part| part.iov_len).collect()
    }

    /// What the kernel has said; empty if nothing. Async-signal-safe.
    #[must_use]
    pub fn message(&self) -> Text {
        let mut bytes = [0; MESSAGE];
        for (to, from) in bytes.iter_mut().zip(self.message.iter()) {
            *to = from.load(Ordering::Relaxed);
        }
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(MESSAGE);
        std::str::from_utf8(&bytes[..end]).map_or(Text::EMPTY, Text::from)
    }

    #[cfg_attr(not(target_os = "freebsd"), allow(dead_code))]
    pub(crate) fn array(&self) -> (*mut libc::iovec, libc::c_uint) {
        // The kernel reads the array, and writes through the last element only.
        (self.array.as_ptr().cast_mut(), self.array.len() as libc::c_uint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_take_turns_and_the_message_is_last() {
        let request = Request::new(vec![
            (c"path".to_owned(), Some(b"/srv\0".to_vec())),
            (c"allow.nomount".to_owned(), None),
        ]);
        assert_eq!(request.lengths(), [5, 5, 14, 0, 7, MESSAGE]);
        assert_eq!(request.message().as_str(), "");
    }
}
