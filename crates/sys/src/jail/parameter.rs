//! What the parameters of jails are on this kernel, by the sysctls that stand for them.

use std::ffi::{CStr, CString};

use libc::{c_int, c_uint};

use super::super::Kind;

const CTLTYPE: u32 = 0xf;
const NODE: u32 = 1;
const INT: u32 = 2;
const STRING: u32 = 3;

/// What is asked of sysctl(3) about another sysctl; from the kernel's sys/sysctl.h.
const NAME: c_int = 1;
const NEXT: c_int = 2;
const FORMAT: c_int = 4;

/// What a parameter is on this kernel; `None` if it has no such parameter.
///
/// # References
/// jail(8), sysctl(3): `security.jail.param`
#[must_use]
pub fn kind_of(name: &str) -> Option<Kind> {
    let whole = format!("security.jail.param.{name}");
    let mut place = place(&whole)?;
    let (mut kind, mut format) = describe(&place)?;
    if kind & CTLTYPE == NODE {
        place = nameless_child(&place, &whole)?;
        (kind, format) = describe(&place)?;
    }
    Some(match (kind & CTLTYPE, format.as_str()) {
        (INT, "B") => Kind::Boolean,
        (INT, "E,jailsys") => Kind::Inherited,
        (INT, _) => Kind::Number,
        (STRING, _) => Kind::Text,
        (_, "S,in_addr") => Kind::Addresses4,
        (_, "S,in6_addr") => Kind::Addresses6,
        (_, other) => Kind::Other(other.to_owned()),
    })
}

/// A node that is a parameter too, as `ip4` is beside `ip4.addr`, has a child without a name. It can't be looked up by
/// name, because a dot at the end is dropped.
fn nameless_child(node: &[c_int], whole: &str) -> Option<Vec<c_int>> {
    let mut place = node.to_vec();
    loop {
        place = numbers(&ask(NEXT, &place)?);
        if !place.starts_with(node) {
            return None;
        }
        if text(&ask(NAME, &place)?)?.strip_suffix('.') == Some(whole) {
            return Some(place);
        }
    }
}

/// The number of a sysctl.
fn place(name: &str) -> Option<Vec<c_int>> {
    let name = CString::new(name).ok()?;
    let mut place = [0; 24];
    let mut length = place.len();
    // SAFETY: the name is NUL-terminated, and the array has room for `length` numbers.
    let found =
        unsafe { libc::sysctlnametomib(name.as_ptr(), place.as_mut_ptr(), &raw mut length) };
    (found == 0).then(|| place[..length].to_vec())
}

/// The kind and the format of a sysctl.
fn describe(place: &[c_int]) -> Option<(u32, String)> {
    let answer = ask(FORMAT, place)?;
    let (kind, format) = answer.split_first_chunk()?;
    Some((u32::from_ne_bytes(*kind), text(format)?))
}

fn ask(question: c_int, place: &[c_int]) -> Option<Vec<u8>> {
    let whole: Vec<c_int> = [0, question].iter().chain(place).copied().collect();
    let (mut answer, mut size) = ([0_u8; 512], 512);
    let to = answer.as_mut_ptr().cast();
    let count = whole.len() as c_uint;
    // SAFETY: the array has `count` numbers, and the answer the room that is said.
    let got = unsafe { libc::sysctl(whole.as_ptr(), count, to, &mut size, std::ptr::null(), 0) };
    (got == 0).then(|| answer[..size].to_vec())
}

fn numbers(bytes: &[u8]) -> Vec<c_int> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|number| c_int::from_ne_bytes(*number)).collect()
}

fn text(bytes: &[u8]) -> Option<String> {
    Some(CStr::from_bytes_until_nul(bytes).ok()?.to_string_lossy().into_owned())
}
