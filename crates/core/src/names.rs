//! The steps' names, in the order in which they come.

macro_rules! names {
    ($($constant:ident $name:literal;)*) => {
        $(#[doc = concat!("`", $name, "`")] pub const $constant: &str = $name;)*

        /// Every name.
        pub const ALL: &[&str] = &[$($constant),*];
    };
}

names! {
    STANDARD_DESCRIPTORS "standard-descriptors";
    IDENTITY "identity";
    ALLOT_UID "allot-uid";
    THROW_AWAY_ROOT "throw-away-root";
    ROOT_DIRECTORY "root-directory";
    MOUNT_SOURCES "mount-sources";
    DEDICATED_UID "dedicated-uid";
    USER_NAMESPACE "user-namespace";
    JAIL_MOUNTS "jail-mounts";
    INTEGRITY_PROTECTION "integrity-protection";
    PROGRAM "program";
    ROOT_CLEAN "root-clean";
    SYSLOG "syslog";
    SIGNALS "signals";
    TIMERS "timers";
    UMASK "umask";
    SCHEDULING "scheduling";
    EXECUTION_DOMAIN "execution-domain";
    LIMITS "limits";
    SESSION "session";
    KEYRING "keyring";
    ENVIRONMENT "environment";
    CHANGE_DIRECTORY "change-directory";
    DESCRIPTORS "descriptors";
    CHROOT "chroot";
    JAIL "jail";
    NAMESPACES "namespaces";
    MOUNTS "mounts";
    HOST_NAME "host-name";
    WORKING_DIRECTORY "working-directory";
    BOUNDING_SET "bounding-set";
    SECUREBITS "securebits";
    GROUPS "groups";
    GID "gid";
    UID "uid";
    CAPABILITIES "capabilities";
    NO_NEW_PRIVILEGES "no-new-privileges";
    NO_TRACING "no-tracing";
    PARENT_DEATH_SIGNAL "parent-death-signal";
    READ_BACK "read-back";
    UNCONFINED "unconfined";
    JAIL_SEAL "jail-seal";
    LANDLOCK "landlock";
    SECCOMP "seccomp";
}
