//! Parameters of a jail as data, and their bytes.

use std::ffi::CString;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A parameter of a jail, and what it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as `security.jail.param` lists it.
    pub name: String,
    /// What it is set to.
    pub value: Value,
    /// Whether a kernel that does not know it can't be used.
    pub required: bool,
}

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// On: its name alone.
    On,
    /// Off: its name with `no` before the last part. The kernel does not look at a boolean's value, so that
    /// `allow.x` with the value 0 turns x on.
    Off,
    /// A number.
    Number(i32),
    /// What the jail has of something.
    Share(Share),
    /// A text.
    Text(String),
    /// IPv4 addresses.
    Addresses4(Vec<Ipv4Addr>),
    /// IPv6 addresses.
    Addresses6(Vec<Ipv6Addr>),
}

/// What a jail has of something that its host has, as the kernel counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Share {
    /// Nothing.
    Disable = 0,
    /// Something of its own.
    New = 1,
    /// The host's.
    Inherit = 2,
}

impl Setting {
    /// A parameter that is left out where the kernel does not know it.
    pub fn new(name: impl Into<String>, value: Value) -> Self {
        Self { name: name.into(), value, required: false }
    }

    /// Without it there is no jail.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The name under which it is handed over.
    #[must_use]
    pub fn called(&self) -> String {
        match self.value {
            Value::Off => match self.name.rsplit_once('.') {
                Some((path, last)) => format!("{path}.no{last}"),
                None => format!("no{}", self.name),
            },
            _ => self.name.clone(),
        }
    }

    /// Name and value as jail_set(2) takes them; `None` if one of them has a NUL byte in it.
    ///
    /// # References
    /// jail_set(2): a name, and a text, end in NUL, and the length counts it; a number is an int; addresses are packed, in
    /// network order
    #[must_use]
    pub fn encode(&self) -> Option<(CString, Option<Vec<u8>>)> {
        let value = match &self.value {
            Value::On | Value::Off => None,
            Value::Number(number) => Some(number.to_ne_bytes().to_vec()),
            Value::Share(share) => Some((*share as i32).to_ne_bytes().to_vec()),
            Value::Text(text) => Some(CString::new(text.as_str()).ok()?.into_bytes_with_nul()),
            Value::Addresses4(all) => Some(all.iter().flat_map(Ipv4Addr::octets).collect()),
            Value::Addresses6(all) => Some(all.iter().flat_map(Ipv6Addr::octets).collect()),
        };
        Some((CString::new(self.called()).ok()?, value))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |all: Vec<String>| all.join(",");
        match &self.value {
            Value::On | Value::Off => f.write_str(&self.called()),
            Value::Number(number) => write!(f, "{}={number}", self.name),
            Value::Share(Share::Disable) => write!(f, "{}=disable", self.name),
            Value::Share(Share::New) => write!(f, "{}=new", self.name),
            Value::Share(Share::Inherit) => write!(f, "{}=inherit", self.name),
            Value::Text(text) => write!(f, "{}={text}", self.name),
            Value::Addresses4(all) => {
                write!(f, "{}={}", self.name, list(all.iter().map(Ipv4Addr::to_string).collect()))
            }
            Value::Addresses6(all) => {
                write!(f, "{}={}", self.name, list(all.iter().map(Ipv6Addr::to_string).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(name: &str, value: Value) -> (Vec<u8>, Option<Vec<u8>>) {
        let (name, value) = Setting::new(name, value).encode().unwrap();
        (name.into_bytes_with_nul(), value)
    }

    #[test]
    fn booleans_are_names_without_a_value() {
        assert_eq!(bytes("persist", Value::On), (b"persist\0".to_vec(), None));
        assert_eq!(bytes("persist", Value::Off), (b"nopersist\0".to_vec(), None));
        assert_eq!(
            bytes("allow.raw_sockets", Value::Off),
            (b"allow.noraw_sockets\0".to_vec(), None)
        );
        assert_eq!(
            bytes("allow.mount.tmpfs", Value::Off),
            (b"allow.mount.notmpfs\0".to_vec(), None)
        );
    }

    #[test]
    fn numbers_are_ints_and_texts_end_in_nul() {
        assert_eq!(
            bytes("ip4", Value::Share(Share::Inherit)),
            (b"ip4\0".to_vec(), Some(2_i32.to_ne_bytes().to_vec()))
        );
        assert_eq!(
            bytes("path", Value::Text("/srv".into())),
            (b"path\0".to_vec(), Some(b"/srv\0".to_vec()))
        );
        assert_eq!(Setting::new("path", Value::Text("a\0b".into())).encode(), None);
    }

    #[test]
    fn addresses_are_packed_in_network_order() {
        let four = Value::Addresses4(vec![[192, 0, 2, 7].into(), [10, 0, 0, 1].into()]);
        assert_eq!(bytes("ip4.addr", four).1, Some(vec![192, 0, 2, 7, 10, 0, 0, 1]));
        let six = Value::Addresses6(vec!["2001:db8::7".parse().unwrap()]);
        let packed = bytes("ip6.addr", six).1.unwrap();
        assert_eq!((packed.len(), &packed[..4], packed[15]), (16, &[0x20, 1, 0x0d, 0xb8][..], 7));
    }
}
