//! Who denies user namespaces, and by what.

use std::io;

/// (file, whether its value denies, why, what mends it)
type Switch = (&'static str, fn(&str) -> bool, &'static str, &'static str);

const SWITCHES: [Switch; 3] = [
    (
        "/proc/sys/user/max_user_namespaces",
        |value| value == "0",
        "user.max_user_namespaces is 0",
        "sysctl user.max_user_namespaces=15000   (as root)",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        |value| value == "0",
        "kernel.unprivileged_userns_clone is 0",
        "sysctl kernel.unprivileged_userns_clone=1   (as root)",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        |value| value == "1",
        "kernel.apparmor_restrict_unprivileged_userns is 1, and no AppArmor profile lets this program have one",
        "an AppArmor profile for isol with `userns,` in it, or sysctl kernel.apparmor_restrict_unprivileged_userns=0   (as root)",
    ),
];

/// What denies them, and what mends it, for the error that a call has answered.
pub(crate) fn by(error: &io::Error) -> Option<(String, String)> {
    judge(error.raw_os_error(), |file| std::fs::read_to_string(file).ok())
}

const EPERM: i32 = 1;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const ENOSYS: i32 = 38;
const EUSERS: i32 = 87;
const EACCES: i32 = 13;

fn judge(errno: Option<i32>, read: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let told = |why: &str, help: &str| Some((why.to_owned(), help.to_owned()));
    match errno? {
        EPERM | EACCES | ENOSPC => {}
        EUSERS => return told("user namespaces can't be nested any deeper", "run it outside"),
        EINVAL => {
            return told("this kernel has no user namespaces", "a kernel with CONFIG_USER_NS");
        }
        ENOSYS => {
            return told("a seccomp filter denies unshare(2)", "run it outside of that filter");
        }
        _ => return None,
    }
    for (file, denies, why, help) in SWITCHES {
        if read(file).is_some_and(|value| denies(value.trim())) {
            return told(why, help);
        }
    }
    match errno? {
        ENOSPC => told(
            "as many user namespaces as user.max_user_namespaces allows are there already",
            "sysctl user.max_user_namespaces=15000   (as root)",
        ),
        _ => told(
            "this process may not make one: its root is not its mount namespace's (a chroot), or a seccomp filter or a security module denies it",
            "run it outside of a chroot or container; for a container, --security-opt seccomp=unconfined",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(errno: i32, set: &[(&str, &str)]) -> String {
        let read = |file: &str| {
            let found = set.iter().find(|(name, _)| file.ends_with(name));
            found.map(|(_, value)| format!("{value}\n"))
        };
        judge(Some(errno), read).map(|(why, _)| why).unwrap_or_default()
    }

    #[test]
    fn the_switch_that_decides_is_named() {
        assert!(why(ENOSPC, &[("max_user_namespaces", "0")]).contains("max_user_namespaces is 0"));
        assert!(why(EPERM, &[("unprivileged_userns_clone", "0")]).contains("userns_clone is 0"));
        let apparmor =
            [("max_user_namespaces", "9"), ("apparmor_restrict_unprivileged_userns", "1")];
        assert!(why(EACCES, &apparmor).contains("AppArmor"));
        assert!(why(EPERM, &[]).contains("seccomp filter or a security module"));
        assert!(why(ENOSPC, &[("max_user_namespaces", "9")]).contains("already"));
        assert_eq!(why(9, &[]), "");
    }
}
