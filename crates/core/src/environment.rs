//! The environment that the program gets.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The variables to set and those to keep. Everything else is left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Set to a value of their own.
    pub set: Vec<(OsString, OsString)>,
    /// Taken over from the caller, where it has them.
    pub keep: Vec<OsString>,
}

impl Environment {
    /// The variables as `NAME=VALUE`, with the caller's values looked up in `caller`.
    /// One that is set wins over one that is kept; the last one set wins.
    pub fn resolve(
        &self,
        caller: impl Fn(&OsStr) -> Option<OsString>,
    ) -> Vec<(OsString, OsString)> {
        let mut all: Vec<(OsString, OsString)> = Vec::new();
        let kept = self.keep.iter().filter_map(|k| Some((k.clone(), caller(k)?)));
        for (name, value) in kept.chain(self.set.iter().cloned()) {
            match all.iter_mut().find(|(n, _)| *n == name) {
                Some(known) => known.1 = value,
                None => all.push((name, value)),
            }
        }
        all
    }

    /// Every name that is set or kept.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.set.iter().map(|(name, _)| name).chain(&self.keep).map(OsString::as_os_str)
    }
}

/// Whether a loader or a C library obeys a variable of this name, so that it could
/// make the program load or read something that the policy doesn't know of.
///
/// The list is that of glibc's `unsecvars.h`, ld-elf.so.1(8) and dyld(1), and malloc's.
///
/// ```
/// assert!(isol_core::is_loader_variable("LD_PRELOAD".as_ref()));
/// assert!(!isol_core::is_loader_variable("LANG".as_ref()));
/// ```
#[must_use]
pub fn is_loader_variable(name: &OsStr) -> bool {
    const PREFIXES: [&str; 6] = ["LD_", "DYLD_", "MALLOC_", "GLIBC_", "_RLD", "__XPC_DYLD_"];
    const NAMES: [&str; 14] = [
        "GCONV_PATH",
        "GETCONF_DIR",
        "HOSTALIASES",
        "LOCALDOMAIN",
        "LOCPATH",
        "NIS_PATH",
        "NLSPATH",
        "RESOLV_HOST_CONF",
        "RES_OPTIONS",
        "RESOLV_ADD_TRIM_DOMAINS",
        "TZDIR",
        "LIBPATH",
        "SHLIB_PATH",
        "PATH_LOCALE",
    ];
    let name = name.as_bytes();
    PREFIXES.iter().any(|p| name.starts_with(p.as_bytes()))
        || NAMES.iter().any(|n| name == n.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_wins_over_what_is_kept() {
        let environment = Environment {
            set: vec![("A".into(), "set".into()), ("A".into(), "last".into())],
            keep: vec!["A".into(), "B".into(), "ABSENT".into()],
        };
        let caller = |name: &OsStr| (name != "ABSENT").then(|| OsString::from("caller"));
        assert_eq!(
            environment.resolve(caller),
            [("A".into(), "last".into()), ("B".into(), "caller".into())]
        );
    }
}
