//! What the default filter refuses, and why. `docs/seccomp.md` has the same in more words.

/// Some calls that go together, under the name by which `--seccomp default+NAME` lets them through.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The name.
    pub name: &'static str,
    /// Why no confined program needs them.
    pub why: &'static str,
    /// The calls.
    pub refuses: &'static [Refusal],
}

/// A system call that is refused.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// As its manual page names it. An architecture that has no such call refuses none.
    pub call: &'static str,
    /// In which cases.
    pub case: Case,
    /// What it answers then.
    pub answer: Answer,
}

/// In which cases a call is refused. Arguments are numbered from 0; of each, the low 32 bits are looked at, as the
/// kernel does with these.
#[derive(Clone, Copy, Debug)]
pub enum Case {
    /// In all.
    Always,
    /// If the argument has any of these bits.
    AnyBit(u8, u32),
    /// If the argument is one of these numbers.
    OneOf(u8, &'static [u32]),
    /// If the argument is none of these numbers.
    NoneOf(u8, &'static [u32]),
}

/// What a call answers that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `EPERM`: as the kernel answers who has no privilege for it.
    NotPermitted,
    /// `ENOSYS`: as a kernel without it answers, for calls without which the C library has another way.
    NoSuchCall,
}

const fn never(call: &'static str) -> Refusal {
    Refusal { call, case: Case::Always, answer: Answer::NotPermitted }
}

const fn unknown(call: &'static str) -> Refusal {
    Refusal { call, case: Case::Always, answer: Answer::NoSuchCall }
}

const fn when(call: &'static str, case: Case) -> Refusal {
    Refusal { call, case, answer: Answer::NotPermitted }
}

/// `CLONE_NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`.
const NAMESPACES: u32 = 0x7e02_0000;
/// Of unshare(2) only: for clone(2) it is a part of the signal's number.
const CLONE_NEWTIME: u32 = 0x80;
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
/// The plain execution domain, and the question which one it is.
const PLAIN_OR_ASKED: &[u32] = &[0, 0xffff_ffff];
const AF_VSOCK: u32 = 40;

/// The default filter. All that no rule names goes through.
pub const RULES: &[Rule] = &[
    Rule {
        name: "keys",
        why: "the kernel's keyrings: shared by a uid's processes, inside and outside",
        refuses: &[never("keyctl"), never("add_key"), never("request_key")],
    },
    Rule { name: "bpf", why: "programs and maps in the kernel", refuses: &[never("bpf")] },
    Rule {
        name: "perf",
        why: "performance counters: side channels, and a large part of the kernel",
        refuses: &[never("perf_event_open")],
    },
    Rule {
        name: "userfaultfd",
        why: "page faults held up at will: a tool to win the kernel's races",
        refuses: &[never("userfaultfd")],
    },
    Rule {
        name: "io-uring",
        why: "calls that no filter sees; programs that use it can do without",
        refuses: &[never("io_uring_setup"), never("io_uring_enter"), never("io_uring_register")],
    },
    Rule {
        name: "namespaces",
        why: "new namespaces, a user's own above all, give capabilities over parts of the kernel",
        refuses: &[
            when("unshare", Case::AnyBit(0, NAMESPACES | CLONE_NEWTIME)),
            when("clone", Case::AnyBit(0, NAMESPACES)),
            // Its flags are in memory, where no filter sees them; C libraries then call clone(2).
            unknown("clone3"),
            never("setns"),
        ],
    },
    Rule {
        name: "mounts",
        why: "mounts are made before the program starts",
        refuses: &[
            never("mount"),
            never("umount2"),
            never("pivot_root"),
            never("move_mount"),
            never("open_tree"),
            never("open_tree_attr"),
            never("fsopen"),
            never("fsconfig"),
            never("fsmount"),
            never("fspick"),
            never("mount_setattr"),
        ],
    },
    Rule {
        name: "chroot",
        why: "the root is changed before the program starts",
        refuses: &[never("chroot")],
    },
    Rule {
        name: "trace",
        why: "reading and steering other processes: a debugger's, not a daemon's",
        refuses: &[
            never("ptrace"),
            never("process_vm_readv"),
            never("process_vm_writev"),
            never("pidfd_getfd"),
            never("kcmp"),
        ],
    },
    Rule {
        name: "terminal",
        why: "typing into a terminal as if somebody had (TIOCSTI, TIOCLINUX)",
        refuses: &[when("ioctl", Case::OneOf(1, &[TIOCSTI, TIOCLINUX]))],
    },
    Rule {
        name: "personality",
        why: "another execution domain: addresses that can be guessed, readable pages executable",
        refuses: &[when("personality", Case::NoneOf(0, PLAIN_OR_ASKED))],
    },
    Rule {
        name: "handles",
        why: "files by handle: past every directory on the way",
        refuses: &[never("open_by_handle_at"), never("name_to_handle_at")],
    },
    Rule {
        name: "vsock",
        why: "sockets to the machine below and beside a virtual one: in no network namespace",
        refuses: &[when("socket", Case::OneOf(0, &[AF_VSOCK]))],
    },
    Rule {
        name: "kernel-log",
        why: "the kernel's log tells its addresses",
        refuses: &[never("syslog")],
    },
    Rule {
        name: "kexec",
        why: "another kernel",
        refuses: &[never("kexec_load"), never("kexec_file_load")],
    },
    Rule {
        name: "modules",
        why: "code in the kernel",
        refuses: &[never("init_module"), never("finit_module"), never("delete_module")],
    },
    Rule {
        name: "machine",
        why: "the machine is the administrator's: restart, swap, accounting, quotas",
        refuses: &[
            never("reboot"),
            never("swapon"),
            never("swapoff"),
            never("acct"),
            never("quotactl"),
            never("quotactl_fd"),
        ],
    },
    Rule {
        name: "clock",
        why: "the clock is everybody's",
        refuses: &[never("settimeofday"), never("clock_settime")],
    },
    Rule {
        name: "ports",
        why: "the processor's own tables and ports (x86)",
        refuses: &[never("iopl"), never("ioperm"), never("modify_ldt")],
    },
    Rule {
        name: "obsolete",
        why: "nobody calls them; newer kernels answer the same",
        refuses: &[
            unknown("nfsservctl"),
            unknown("lookup_dcookie"),
            unknown("uselib"),
            unknown("_sysctl"),
        ],
    },
];
