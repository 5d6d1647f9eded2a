//! Whether this process may mount at all: in a jail it may what the jail's parameters say.

use std::ffi::CStr;

use isol_core::Problem;
use isol_sys::jail;

use super::NAME;

/// (parameter, the sysctl that shows it, what it has to be at most or at least)
const NEEDED: [(&str, &CStr); 3] = [
    ("allow.mount", c"security.jail.mount_allowed"),
    ("allow.mount.nullfs", c"security.jail.mount_nullfs_allowed"),
    ("allow.mount.tmpfs", c"security.jail.mount_tmpfs_allowed"),
];

/// Refuses what the kernel would, and names the parameter.
pub(super) fn check(tmpfs: bool) -> Result<(), Problem> {
    match jail::is_inside() {
        true => check_in(tmpfs, jail::control),
        false => Ok(()),
    }
}

fn check_in(tmpfs: bool, control: impl Fn(&CStr) -> Option<i32>) -> Result<(), Problem> {
    let needed = NEEDED.iter().filter(|(name, _)| tmpfs || !name.ends_with("tmpfs"));
    let mut missing: Vec<_> =
        needed.filter(|(_, sysctl)| control(sysctl) == Some(0)).map(|(name, _)| *name).collect();
    if control(c"security.jail.enforce_statfs").is_some_and(|value| value >= 2) {
        missing.push("enforce_statfs=1");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        NAME,
        "nothing can be mounted",
        format!("the jail that this process is in lacks {}", missing.join(", ")),
    )
    .help(format!("jail -m name=NAME {}   (on the host)", missing.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jail_s_parameters_are_named_that_it_would_take() {
        let says = |tmpfs, controls: &[(&CStr, i32)]| {
            let control = |name: &CStr| controls.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            check_in(tmpfs, control).map_err(|problem| (problem.why, problem.help.unwrap()))
        };
        let all = [NEEDED[0].1, NEEDED[1].1, NEEDED[2].1].map(|name| (name, 1));
        assert_eq!(says(true, &all), Ok(()));
        let (why, help) = says(true, &[(NEEDED[2].1, 0)]).unwrap_err();
        assert!(why.ends_with("lacks allow.mount.tmpfs"), "{why}");
        assert_eq!(help, "jail -m name=NAME allow.mount.tmpfs   (on the host)");
        assert_eq!(says(false, &[(NEEDED[2].1, 0)]), Ok(()));
        let none = [(NEEDED[0].1, 0), (NEEDED[1].1, 0), (c"security.jail.enforce_statfs", 2)];
        let (_, help) = says(false, &none).unwrap_err();
        assert!(help.contains("allow.mount allow.mount.nullfs enforce_statfs=1"), "{help}");
    }
}
