//! Who denies user namespaces, and by what.

use std::io;

use isol_sys::namespaces::Kinds;

use crate::availability::NEEDED;

/// Why, and what mends it.
type Told = (String, String);
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

const DEBIAN: &str = "/proc/sys/kernel/unprivileged_userns_clone";
const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const STATUS: &str = "/proc/self/status";
const MOUNTS: &str = "/proc/self/mountinfo";
/// The security context, of AppArmor or SELinux.
const CONTEXT: &str = "/proc/self/attr/current";

/// What keeps this process from making a user namespace, when a call has answered with an error.
pub(crate) fn making(error: &io::Error) -> Told {
    judge_making(error, &read)
}

/// What takes this process's privileges in a user namespace away.
pub(crate) fn privileges(error: &io::Error) -> Told {
    judge_privileges(error, &read)
}

/// What lets more namespaces of these kinds be made, when a call has answered that there are enough.
pub(crate) fn limit(kinds: Kinds) -> String {
    judge_limit(kinds, &read)
}

/// What mends that this process's filter may deny a call, if it has one.
pub(crate) fn by_a_filter() -> Option<String> {
    let perhaps = "perhaps by a filter of system calls, which this process is under: ";
    is_filtered(&read).then(|| format!("{perhaps}{}", filter("unshare(2)").1))
}

/// What mends that there is no such call, though the kernel is new enough.
pub(crate) fn no_such_call() -> String {
    let (major, minor) = NEEDED;
    format!(
        "Linux has it from {major}.{minor} on; where a container's filter of system calls hides it, --security-opt seccomp=FILE with one that does not; --backend chroot does without"
    )
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

fn max(kind: &str) -> String {
    format!("user.max_{kind}_namespaces")
}

/// What an administrator sets to forbid them.
fn is_none(read: Read<'_>, kind: &str) -> bool {
    is_set(read, &format!("/proc/sys/{}", max(kind).replace('.', "/")), "0")
}

fn more(kinds: &[&str]) -> String {
    let set: Vec<_> = kinds.iter().map(|kind| format!("{}=15000", max(kind))).collect();
    format!("sysctl {}   (as root)", set.join(" "))
}

/// Those that are 0; else whichever it is.
fn judge_limit(kinds: Kinds, read: Read<'_>) -> String {
    let none: Vec<_> = kinds.kernel_names().filter(|kind| is_none(read, kind)).collect();
    if none.is_empty() {
        return "as many are there as the kernel allows (sysctl -a -r 'user.max_.*_namespaces' shows how many), or they are nested too deep".into();
    }
    more(&none)
}

/// Of the users', and of the mounts', which are made with them.
fn judge_enough(read: Read<'_>) -> Told {
    match ["user", "mnt"].into_iter().find(|kind| is_none(read, kind)) {
        Some(kind) => (format!("{} is 0", max(kind)), more(&[kind])),
        None => told(
            "as many user namespaces as user.max_user_namespaces allows here, or in a user namespace around, are there already",
            &more(&["user"]),
        ),
    }
}

const EPERM: i32 = 1;
const EACCES: i32 = 13;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const ENOSYS: i32 = 38;
const EUSERS: i32 = 87;

fn told(why: &str, help: &str) -> Told {
    (why.to_owned(), help.to_owned())
}

fn is_set(read: Read<'_>, file: &str, to: &str) -> bool {
    read(file).is_some_and(|value| value.trim() == to)
}

fn judge_making(error: &io::Error, read: Read<'_>) -> Told {
    match error.raw_os_error() {
        Some(ENOSPC) => judge_enough(read),
        Some(EUSERS) => told("user namespaces can't be nested any deeper", "run it outside"),
        Some(EINVAL) => {
            told("this kernel has no user namespaces", "a kernel with CONFIG_USER_NS=y")
        }
        Some(ENOSYS) => filter("unshare(2)"),
        Some(EPERM | EACCES) => denied(error, read),
        _ => other(&format!("an ordinary user can make no user namespace here: {error}")),
    }
}

/// The first one of these that applies: each rules those behind it out, or makes them unlikely.
fn denied(error: &io::Error, read: Read<'_>) -> Told {
    if is_set(read, DEBIAN, "0") {
        return told(
            "kernel.unprivileged_userns_clone is 0",
            "sysctl kernel.unprivileged_userns_clone=1   (as root)",
        );
    }
    // AppArmor's answer; a filter's is EPERM unless somebody has chosen another.
    if error.raw_os_error() == Some(EACCES)
        && let Some(told) = by_apparmor(read)
    {
        return told;
    }
    if is_filtered(read) {
        return filter("unshare(2)");
    }
    if is_in_a_chroot(read) {
        return told(
            "this process's root directory is not its mount namespace's: the kernel lets nobody in a chroot make one",
            "run it outside of the chroot",
        );
    }
    by_apparmor(read).or_else(|| by_context(read)).unwrap_or_else(|| {
        other("this process may not make a user namespace: a security module denies it, or its root is not its mount namespace's (a chroot)")
    })
}

fn judge_privileges(error: &io::Error, read: Read<'_>) -> Told {
    by_apparmor(read)
        .or_else(|| is_filtered(read).then(|| filter("mount(2)")))
        .or_else(|| by_context(read))
        .unwrap_or_else(|| {
            other(&format!(
                "a security module takes the privileges away that a user namespace gives: {error}"
            ))
        })
}

fn by_apparmor(read: Read<'_>) -> Option<Told> {
    is_set(read, APPARMOR, "1").then(|| {
        told(
            "kernel.apparmor_restrict_unprivileged_userns is 1, and no AppArmor profile lets this program have one",
            "an AppArmor profile for isol with `userns,` in it, or sysctl kernel.apparmor_restrict_unprivileged_userns=0   (as root)",
        )
    })
}

/// `docker-default (enforce)`, `system_u:system_r:container_t:s0`.
fn by_context(read: Read<'_>) -> Option<Told> {
    let context = read(CONTEXT)?;
    let context = context.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!context.is_empty() && !context.starts_with("unconfined")).then(|| {
        let why = format!("the security context of this process, {context}, denies it");
        (why, "run it outside of that, or change what that may do".to_owned())
    })
}

fn filter(call: &str) -> Told {
    told(
        &format!("a seccomp filter, which this process is under, denies {call}"),
        "run it outside of that filter; for a container, --security-opt seccomp=FILE with one that lets unshare, clone, mount and setns through",
    )
}

fn other(why: &str) -> Told {
    told(why, "run it as root, or outside of a container")
}

fn is_filtered(read: Read<'_>) -> bool {
    let mode = |text: String| {
        let line = text.lines().find_map(|line| line.strip_prefix("Seccomp:"))?.trim().to_owned();
        Some(line)
    };
    read(STATUS).and_then(mode).is_some_and(|mode| mode == "2")
}

/// Only what is below a process's root is listed for it: where nothing is mounted on `/`, that is a directory further
/// down. A chroot to a mount point is not found out so.
fn is_in_a_chroot(read: Read<'_>) -> bool {
    let on = |line: &str| line.split(' ').nth(4) == Some("/");
    read(MOUNTS).is_some_and(|mounts| !mounts.lines().any(on))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Files<'a> = &'a [(&'a str, &'a str)];

    fn with(judge: fn(&io::Error, Read<'_>) -> Told, errno: i32, set: Files<'_>) -> String {
        let read = |file: &str| {
            let found = set.iter().find(|(name, _)| file.ends_with(name));
            found.map(|(_, value)| format!("{value}\n"))
        };
        judge(&io::Error::from_raw_os_error(errno), &read).0
    }

    fn why(errno: i32, set: Files<'_>) -> String {
        with(judge_making, errno, set)
    }

    const FILTER: (&str, &str) = ("self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1");
    const NO_FILTER: (&str, &str) = ("self/status", "Seccomp:\t0");
    const RESTRICTED: (&str, &str) = ("apparmor_restrict_unprivileged_userns", "1");
    const ROOT: (&str, &str) = ("mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw");

    #[test]
    fn the_switch_that_decides_is_named() {
        assert!(why(ENOSPC, &[("max_user_namespaces", "0")]).contains("max_user_namespaces is 0"));
        assert!(why(ENOSPC, &[("max_user_namespaces", "9")]).contains("already"));
        let mounts = [("max_user_namespaces", "9"), ("max_mnt_namespaces", "0")];
        assert!(why(ENOSPC, &mounts).contains("max_mnt_namespaces is 0"));
        let debian = ("unprivileged_userns_clone", "0");
        assert!(why(EPERM, &[debian, FILTER]).contains("userns_clone is 0"));
        assert!(
            why(EACCES, &[("max_user_namespaces", "9"), RESTRICTED, FILTER]).contains("AppArmor")
        );
        assert!(why(EPERM, &[RESTRICTED, NO_FILTER, ROOT]).contains("AppArmor"));
    }

    #[test]
    fn the_filter_the_chroot_and_the_context_are_named() {
        assert!(why(ENOSYS, &[]).contains("seccomp filter"));
        assert!(why(EPERM, &[RESTRICTED, FILTER, ROOT]).contains("seccomp filter"));
        let below = ("mountinfo", "30 27 0:25 / /proc rw - proc proc rw");
        assert!(why(EPERM, &[NO_FILTER, below]).contains("in a chroot"));
        let context = ("attr/current", "docker-default (enforce)");
        assert!(why(EACCES, &[ROOT, context]).contains("docker-default (enforce), denies"));
        assert!(why(EACCES, &[ROOT, ("attr/current", "unconfined")]).contains("security module"));
        assert!(why(9, &[]).contains("ordinary user"));
    }

    #[test]
    fn the_limit_that_is_0_is_named() {
        let kinds = Kinds::NET.and(Kinds::MOUNT).and(Kinds::PID);
        let read = |file: &str| match file {
            "/proc/sys/user/max_mnt_namespaces" | "/proc/sys/user/max_uts_namespaces" => {
                Some("0\n".to_owned())
            }
            _ => Some("9\n".to_owned()),
        };
        let help = "sysctl user.max_mnt_namespaces=15000   (as root)";
        assert_eq!(judge_limit(kinds, &read), help);
        assert!(judge_limit(Kinds::NET, &read).starts_with("as many are there"));
    }

    #[test]
    fn privileges_that_are_taken_away_have_a_name() {
        let why = |set| with(judge_privileges, EACCES, set);
        assert!(why(&[RESTRICTED, FILTER]).contains("AppArmor"));
        assert!(why(&[FILTER]).contains("denies mount(2)"));
        assert!(why(&[NO_FILTER]).contains("security module"));
    }
}
