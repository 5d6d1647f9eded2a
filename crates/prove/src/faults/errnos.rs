//! The errnos that manual pages list, by system call.

use nix::errno::Errno::{self, *};

/// Not one of the names above everywhere: on macOS it is an older spelling's.
const EOPNOTSUPP: Errno = Errno::EOPNOTSUPP;

/// As section 2 of the manual lists them (Linux man-pages 6, FreeBSD 15), without those that the wrapper itself
/// rules out, such as `EFAULT` for an address that the code owns.
const LISTED: &[(&str, &[Errno])] = &[
    ("fcntl", &[EACCES, EAGAIN, EBADF, EBUSY, EINVAL, EMFILE, EPERM]),
    (
        "open",
        &[
            EACCES,
            EBUSY,
            EDQUOT,
            EEXIST,
            EFBIG,
            EINVAL,
            EISDIR,
            ELOOP,
            EMFILE,
            ENAMETOOLONG,
            ENFILE,
            ENODEV,
            ENOENT,
            ENOSPC,
            ENOTDIR,
            ENXIO,
            EOPNOTSUPP,
            EOVERFLOW,
            EPERM,
            EROFS,
            ETXTBSY,
        ],
    ),
    ("socket", &[EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, EPROTONOSUPPORT]),
    (
        "connect",
        &[
            EACCES,
            EPERM,
            EADDRNOTAVAIL,
            EAFNOSUPPORT,
            EAGAIN,
            EALREADY,
            EBADF,
            ECONNREFUSED,
            EINPROGRESS,
            EISCONN,
            ENETUNREACH,
            ENOTSOCK,
            EPROTOTYPE,
            ETIMEDOUT,
            ELOOP,
            ENAMETOOLONG,
            ENOENT,
            ENOTDIR,
        ],
    ),
    (
        "bind",
        &[
            EACCES,
            EADDRINUSE,
            EBADF,
            EINVAL,
            ENOTSOCK,
            EADDRNOTAVAIL,
            ELOOP,
            ENAMETOOLONG,
            ENOENT,
            ENOTDIR,
            EROFS,
        ],
    ),
    (
        "fchmodat",
        &[
            EACCES,
            EBADF,
            EINVAL,
            EIO,
            ELOOP,
            ENAMETOOLONG,
            ENOENT,
            ENOTDIR,
            EOPNOTSUPP,
            EPERM,
            EROFS,
        ],
    ),
    (
        "unlinkat",
        &[
            EACCES,
            EBADF,
            EBUSY,
            EINVAL,
            EIO,
            EISDIR,
            ELOOP,
            ENAMETOOLONG,
            ENOENT,
            ENOTDIR,
            EPERM,
            EROFS,
        ],
    ),
    ("openat", &[EACCES, EBADF, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOTDIR, EROFS]),
    ("fstat", &[EACCES, EBADF, EOVERFLOW]),
    ("stat", &[EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EOVERFLOW]),
    ("fstatat", &[EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR]),
    ("fstatvfs", &[EBADF, EIO, ENOSYS, EOVERFLOW]),
    ("read", &[EAGAIN, EBADF, EINVAL, EIO, EISDIR]),
    ("readlink", &[EACCES, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR]),
    ("getdents64", &[EBADF, EINVAL, ENOENT, ENOTDIR]),
    ("getxattr", &[E2BIG, EOPNOTSUPP, ERANGE]),
    ("getxattrat", &[E2BIG, EACCES, EBADF, EINVAL, ELOOP, ENOENT, EOPNOTSUPP, ERANGE]),
    ("statx", &[EACCES, EBADF, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR]),
    ("flock", &[EBADF, EINVAL, ENOLCK, EAGAIN]),
    (
        "mkdirat",
        &[EACCES, EDQUOT, EEXIST, EMLINK, ENAMETOOLONG, ENOENT, ENOSPC, ENOTDIR, EPERM, EROFS],
    ),
    ("mknodat", &[EACCES, EDQUOT, EEXIST, ENOENT, ENOSPC, ENOTDIR, EPERM, EROFS]),
    (
        "copy_file_range",
        &[EBADF, EFBIG, EINVAL, EIO, EISDIR, ENOSPC, EOPNOTSUPP, EOVERFLOW, EPERM, ETXTBSY, EXDEV],
    ),
    ("rt_sigaction", &[EINVAL]),
    ("rt_sigprocmask", &[EINVAL]),
    ("setitimer", &[EINVAL]),
    ("umask", &[]),
    ("sched_setscheduler", &[EINVAL, EPERM, ESRCH]),
    ("sched_setaffinity", &[EINVAL, EPERM, ESRCH]),
    ("ioprio_set", &[EINVAL, EPERM, ESRCH]),
    ("setpriority", &[EACCES, EINVAL, EPERM, ESRCH]),
    ("personality", &[EINVAL]),
    ("setrlimit", &[EINVAL, EPERM]),
    ("setsid", &[EPERM]),
    ("ioctl", &[EBADF, EINVAL, ENOTTY]),
    ("keyctl", &[EACCES, EDQUOT, EINVAL, EPERM]),
    ("fchdir", &[EACCES, EBADF, ENOTDIR]),
    ("dup2", &[EBADF, EBUSY, EMFILE]),
    ("close_range", &[EINVAL, EMFILE]),
    ("poll", &[EINVAL]),
    ("pselect6", &[EBADF, EINVAL]),
    ("chroot", &[EACCES, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM]),
    ("chdir", &[EACCES, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR]),
    ("getcwd", &[EACCES, EINVAL, ENAMETOOLONG, ENOENT, ERANGE]),
    ("prctl", &[EACCES, EBADF, EBUSY, EINVAL, ENODEV, ENXIO, EOPNOTSUPP, EPERM]),
    ("capset", &[EINVAL, EPERM, ESRCH]),
    ("capget", &[EINVAL, EPERM, ESRCH]),
    ("setgroups", &[EINVAL, EPERM]),
    ("getgroups", &[EINVAL]),
    ("setresgid", &[EAGAIN, EINVAL, EPERM]),
    ("getresgid", &[]),
    ("setresuid", &[EAGAIN, EINVAL, EPERM]),
    ("getresuid", &[]),
    ("seccomp", &[EACCES, EBUSY, EINVAL, ENOSYS, EOPNOTSUPP, ESRCH]),
    ("landlock_create_ruleset", &[E2BIG, EINVAL, ENOMSG, EOPNOTSUPP]),
    ("openat2", &[E2BIG, EAGAIN, EINVAL, ELOOP, EXDEV, EACCES, ENOENT, ENOTDIR, EMFILE]),
    // EBADFD is Linux's alone: other systems have no such name.
    ("landlock_add_rule", &[EBADF, EINVAL, ENOMSG, EOPNOTSUPP, EPERM]),
    ("landlock_restrict_self", &[E2BIG, EBADF, EINVAL, EOPNOTSUPP, EPERM]),
    ("procctl", &[EINVAL, EPERM, ESRCH]),
    ("jail_set", &[EPERM, EINVAL, ENOENT, ENAMETOOLONG, EEXIST, EAGAIN]),
    ("jail_get", &[EINVAL, ENOENT, ENAMETOOLONG]),
    ("sysctl", &[EINVAL, EISDIR, ENOENT, ENOTDIR, EPERM]),
    ("getppid", &[]),
    ("unshare", &[EINVAL, ENOMEM, ENOSPC, EPERM, EUSERS]),
    ("setns", &[EBADF, EINVAL, ENOMEM, EPERM, ESRCH]),
    ("execve", &[E2BIG, EACCES, EIO, EMFILE, ENFILE, ENOENT, ENOEXEC, EPERM, ETXTBSY]),
    ("clone", &[EAGAIN, EBUSY, EINVAL, ENOMEM, ENOSPC, EPERM]),
    ("memfd_create", &[EACCES, EINVAL, EMFILE, ENFILE, EPERM]),
    (
        "execveat",
        &[E2BIG, EACCES, EINVAL, EIO, ELOOP, EMFILE, ENFILE, ENOENT, ENOEXEC, EPERM, ETXTBSY],
    ),
    ("pidfd_open", &[EINVAL, EMFILE, ENFILE, ENODEV, ESRCH]),
    ("mount", &[EACCES, EBUSY, EINVAL, ELOOP, ENODEV, ENOENT, ENOTDIR, EPERM, EROFS]),
    // FreeBSD's nmount(2) lists more, which are of the file systems.
    (
        "nmount",
        &[EBUSY, EDEADLK, EINVAL, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOSPC, ENOTDIR, EPERM],
    ),
    ("getfsstat", &[EINVAL, EIO]),
    ("umount2", &[EBUSY, EINVAL, ENOENT, EPERM]),
    ("open_tree", &[EACCES, EBADF, EINVAL, ENFILE, ENOENT, EPERM]),
    ("mount_setattr", &[EBADF, EBUSY, EINVAL, ENOENT, EPERM]),
    ("fsopen", &[EMFILE, ENFILE, ENODEV, EPERM]),
    ("fsconfig", &[EACCES, EBUSY, EINVAL, ENODEV, EPERM]),
    ("fsmount", &[EBUSY, EINVAL, EMFILE, EPERM]),
    ("move_mount", &[EACCES, EBADF, EINVAL, ELOOP, ENOENT, ENOTDIR, EPERM]),
    ("openat2", &[E2BIG, EAGAIN, EINVAL, EXDEV, ELOOP]),
    ("pivot_root", &[EBUSY, EINVAL, ENOTDIR, EPERM]),
    ("sethostname", &[EINVAL, EPERM]),
    ("uname", &[]),
    ("seccomp", &[EACCES, EBUSY, EINVAL, ESRCH]),
    ("write", &[EBADF, EINVAL, EIO, EPERM]),
];

/// The errnos of some calls, and those that any call may answer: `EINTR` and `ENOMEM`.
///
/// # Panics
/// If a call is not listed: a step that makes a new one has to say how it can fail.
#[must_use]
pub fn of_calls(calls: &[&str]) -> Vec<Errno> {
    let mut errnos = vec![EINTR, ENOMEM];
    for call in calls {
        let listed = LISTED.iter().find(|(name, _)| name == call);
        let (_, of_call) =
            listed.unwrap_or_else(|| panic!("{call}(2) is not in the list of errnos"));
        errnos.extend(of_call.iter().filter(|e| !errnos.contains(e)).copied().collect::<Vec<_>>());
    }
    errnos
}
