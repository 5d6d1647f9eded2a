//! A program that says on its standard output what it sees of itself, for somebody outside to
//! judge: one `key=value` a line.
//!
//! `oracle FILE UID`: a file outside that it must not reach, and the uid that it is to have.
//! It ends with status 42 when all has been written.

use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdin, stdout};
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

use isol_core::{Gid, Uid};
use isol_sys::{descriptors, ids, privileges, scheduling, session, signals};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Uid as RawUid, chroot, getegid, geteuid, getgid, getuid, setuid};

/// What it takes for an observer, who cannot be another, not to have written the marker.
const WRITTEN: u8 = 42;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let [_, outside, uid] = words.as_slice() else { return ExitCode::from(2) };
    let mut seen = Seen::default();
    seen.surroundings(outside);
    seen.descriptors();
    seen.identity(uid);
    seen.privileges();
    seen.state();
    seen.of_the_kernel();
    // Last: what would change what is seen.
    seen.attempts();
    seen.say("complete", "yes");
    match stdout().write_all(seen.0.as_bytes()).and_then(|()| stdout().flush()) {
        Ok(()) => ExitCode::from(WRITTEN),
        Err(_) => ExitCode::from(43),
    }
}

#[derive(Default)]
struct Seen(String);

impl Seen {
    fn say(&mut self, key: &str, value: impl std::fmt::Display) {
        let value = value.to_string().replace('\n', "\\n");
        let _ = writeln!(self.0, "{key}={value}");
    }

    fn surroundings(&mut self, outside: &str) {
        let identity = |path: &str| match fs::metadata(path) {
            Ok(meta) => format!("{}:{}", meta.dev(), meta.ino()),
            Err(error) => error.to_string(),
        };
        self.say("root", identity("/"));
        self.say("above-root", identity("/.."));
        self.say("here", identity("."));
        let cwd = std::env::current_dir().map(|path| path.display().to_string());
        self.say("cwd", cwd.unwrap_or_else(|error| error.to_string()));
        let reaches = |path: String| fs::File::open(path).is_ok();
        self.say("reaches-absolute", reaches(outside.to_owned()));
        self.say("reaches-upwards", reaches(format!("{}{outside}", "../".repeat(20))));
    }

    /// Every number up to the limit, and those above that a caller with a higher one had.
    fn descriptors(&mut self) {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(_, hard)| hard.min(1 << 20));
        let open = (0..limit.max(4096) as i32).filter(|&fd| descriptors::is_open(fd));
        let name = |fd: i32| match descriptors::is_directory(fd) {
            Ok(false) => fd.to_string(),
            Ok(true) => format!("{fd}(directory)"),
            Err(errno) => format!("{fd}({errno})"),
        };
        let names: Vec<String> = open.map(name).collect();
        self.say("descriptors", names.join(" "));
    }

    fn identity(&mut self, uid: &str) {
        self.say("uids", format_args!("{} {}", getuid(), geteuid()));
        self.say("gids", format_args!("{} {}", getgid(), getegid()));
        // An allotted uid is not known beforehand; what it is, is judged outside.
        let number = uid.parse().unwrap_or_else(|_| getuid().as_raw());
        let saved = Uid::new(number).is_some_and(ids::uid_is);
        let saved_gid = Gid::new(getgid().as_raw()).is_some_and(ids::gid_is);
        self.say("all-ids-the-same", saved && saved_gid);
        let mut groups = isol_sys::attempts::ids().groups;
        groups.sort_unstable();
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        self.say("groups", groups.join(" "));
    }

    fn privileges(&mut self) {
        let told = |answer: Result<bool, isol_core::Errno>| match answer {
            Ok(answer) => answer.to_string(),
            Err(errno) => errno.to_string(),
        };
        self.say("capabilities-empty", told(privileges::capabilities_are_empty()));
        self.say("bounding-set-empty", told(privileges::bounding_set_is(0)));
        self.say("securebits-locked", told(privileges::securebits_are_locked(false)));
        self.say("no-new-privileges", told(privileges::has_no_new_privileges()));
        self.say("plain-execution-domain", told(privileges::execution_domain_is_plain()));
        self.say("plain-scheduling", told(scheduling::is_reset()));
        self.say("no-timer", told(signals::timers_are_stopped()));
        self.say("no-signal-blocked", told(signals::none_is_blocked()));
        // Not SIGPIPE: Rust's runtime ignores it by now, whatever it was.
        let ignored = signals::first_ignored(signals::Reset::Ignored);
        self.say("ignored-signal", ignored.map_or(-1, |signal| signal.unwrap_or(0)));
        self.say("parent-death-signal", privileges::parent_death_signal().unwrap_or(-1));
    }

    fn state(&mut self) {
        self.say("umask", format_args!("{:03o}", signals::set_umask(0o077)));
        for (name, resource) in
            [("nofile", Resource::RLIMIT_NOFILE), ("core", Resource::RLIMIT_CORE)]
        {
            let found = getrlimit(resource).map(|(soft, hard)| format!("{soft}:{hard}"));
            self.say(name, found.unwrap_or_else(|error| error.to_string()));
        }
        let mut variables: Vec<String> = std::env::vars_os()
            .map(|(name, value)| format!("{}={}", name.display(), value.display()))
            .collect();
        variables.sort();
        self.say("environment", variables.join(" "));
        let own = nix::unistd::getpid();
        self.say("leads-session", nix::unistd::getsid(None) == Ok(own));
        let terminal = nix::sys::termios::tcgetsid(stdin()).is_ok() || session::has_terminal();
        self.say("controlling-terminal", terminal);
    }

    /// What the kernel says itself, where the root has a `/proc`.
    fn of_the_kernel(&mut self) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let names = ["Uid", "Gid", "Groups", "SigBlk", "SigIgn", "NoNewPrivs"];
        for name in names.iter().chain(&["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            if let Some(value) = line {
                let words: Vec<&str> = value.split_whitespace().collect();
                self.say(&format!("proc-{name}"), words.join(" "));
            }
        }
    }

    fn attempts(&mut self) {
        self.say("chroot-again", chroot(".").is_ok());
        self.say("root-regained", setuid(RawUid::from_raw(0)).is_ok() || ids::can_become_root());
        self.say("root-group-regained", ids::can_become_root_group());
    }
}
