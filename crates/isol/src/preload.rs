//! What a process needs from outside, brought in before it locks itself in.

mod certificates;
mod time_zone;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use isol_core::{Gid, Problem};
use isol_sys::{syslog, users};

pub use isol_sys::users::Account;

use crate::Error;

/// What a daemon needs from outside, loaded before [`enter`](crate::Isolation::enter) shuts the door: behind it the
/// files, the databases and the sockets that it would be got from are out of reach.
///
/// | what | how it is there inside |
/// | --- | --- |
/// | [`syslog`](Self::syslog) | the C library's connection stays open, and syslog(3) works |
/// | [`time_zone`](Self::time_zone) | as a rule in the variable `TZ`, which every C library and most time crates obey |
/// | [`user`](Self::user), [`group`](Self::group), [`host`](Self::host) | looked up, and handed back |
/// | [`resolver`](Self::resolver) | the C library's modules are loaded; the files are handed back |
/// | [`certificates`](Self::certificates) | as PEM, in memory |
/// | [`null`](Self::null) | `/dev/null`, as an open descriptor |
///
/// Random numbers need nothing: getrandom(2) asks the kernel.
///
/// # What does not last
///
/// - A syslogd that is started again makes a new socket. The C library then looks for it, inside, and messages are lost
///   unless somebody takes them at `/dev/log` of the root. `isol run --syslog` is the mode that serves.
/// - Names are looked up once. A lookup inside finds what the root's own `/etc/resolv.conf`, `/etc/hosts` and
///   `/etc/passwd` say: glibc and musl read them anew.
/// - `TZ` is a rule for the present and the future: past changes of a zone's rules are not in it.
///
/// ```no_run
/// use isol::{Isolation, Policy, Preload, User};
///
/// let preloaded = Preload::new().syslog("dnsd").time_zone().host("ns.example.org:53").load()?;
/// let policy = Policy::confine("/srv/dns").user(User::Name("dns".into())).build()?;
/// let confined = Isolation::new(policy).preloaded(&preloaded).enter()?;
/// preloaded.log(isol::Level::Info, "locked in");
/// println!("{confined:?} forwards to {:?}", preloaded.host("ns.example.org:53"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `examples/daemon.rs` is a whole daemon.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Preload {
    syslog: Option<String>,
    time_zone: bool,
    users: Vec<String>,
    groups: Vec<String>,
    hosts: Vec<String>,
    resolver: bool,
    certificates: bool,
    null: bool,
}

impl Preload {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection to the host's syslogd, under this name, as `daemon`.
    pub fn syslog(mut self, name: impl Into<String>) -> Self {
        self.syslog = Some(name.into());
        self
    }

    /// The time zone.
    pub fn time_zone(mut self) -> Self {
        self.time_zone = true;
        self
    }

    /// A user.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.users.push(name.into());
        self
    }

    /// A group.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.groups.push(name.into());
        self
    }

    /// The addresses of a `HOST:PORT`.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// The resolver's modules and configuration.
    pub fn resolver(mut self) -> Self {
        self.resolver = true;
        self
    }

    /// The certificates of the authorities that the host trusts: those in the file that `SSL_CERT_FILE` names or, without
    /// it, in the first one there is of those that the systems have.
    pub fn certificates(mut self) -> Self {
        self.certificates = true;
        self
    }

    /// `/dev/null`.
    pub fn null(mut self) -> Self {
        self.null = true;
        self
    }

    /// Brings it all in. To be called before other threads are started.
    ///
    /// # Errors
    /// What is not there: a user, a group or a host of that name, a syslogd that listens, a rule of the time zone, a
    /// certificate.
    ///
    /// # References
    /// openlog(3), tzset(3), getpwnam(3), getgrnam(3), getaddrinfo(3)
    pub fn load(self) -> Result<Preloaded, Error> {
        let mut loaded = Preloaded::default();
        if self.time_zone {
            loaded.variables.push(("TZ".into(), time_zone::rule().map_err(Error::from)?));
            syslog::set_time_zone();
        }
        for name in self.users {
            let found = users::by_name(&name).map_err(|errno| cant("user", &name, errno))?;
            loaded.users.push(found.ok_or_else(|| no("user", &name))?);
        }
        for name in self.groups {
            let found = users::group_by_name(&name).map_err(|errno| cant("group", &name, errno))?;
            let gid = found.ok_or_else(|| no("group", &name))?;
            loaded.groups.push((name, gid));
        }
        for name in self.hosts {
            let found = name
                .to_socket_addrs()
                .map_err(|error| Problem::io(STEP, format!("can't look {name} up"), &error))?;
            loaded.hosts.push((name, found.collect()));
        }
        if self.resolver {
            // What a lookup loads is there behind it, whatever the answer.
            let _ = ("localhost", 0).to_socket_addrs().map(Iterator::count);
            loaded.resolver = Some(Resolver {
                configuration: read_if_there("/etc/resolv.conf")?,
                hosts: read_if_there("/etc/hosts")?,
            });
        }
        if self.certificates {
            loaded.certificates = certificates::read()?;
        }
        if self.null {
            let null = File::options().read(true).write(true).open("/dev/null");
            let cant = |error| Problem::io(STEP, "can't open /dev/null", &error);
            loaded.null = Some(null.map_err(cant)?);
        }
        if let Some(name) = self.syslog {
            loaded.syslog = Some(syslog::open(&name).map_err(|error| no_syslogd(&error))?);
        }
        Ok(loaded)
    }
}

const STEP: &str = "preload";

fn no(what: &str, name: &str) -> Problem {
    Problem::new(STEP, format!("no {what} is called `{name}`"), "")
}

fn cant(what: &str, name: &str, errno: isol_core::Errno) -> Problem {
    Problem::call(STEP, format!("can't look the {what} `{name}` up"), errno)
}

fn no_syslogd(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotConnected => {
            Problem::new(STEP, "there is no connection to syslogd", "nobody listens on its socket")
                .help("start the host's syslogd")
        }
        _ => Problem::io(STEP, "can't connect to syslogd", error),
    }
}

fn read_if_there(path: &str) -> Result<Vec<u8>, Problem> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| Problem::io(STEP, format!("can't read {path}"), &error)),
    }
}

/// The files by which names are resolved; empty ones where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolver {
    /// `/etc/resolv.conf`
    pub configuration: Vec<u8>,
    /// `/etc/hosts`
    pub hosts: Vec<u8>,
}

/// How much a message matters, as syslog(3) has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody has to act at once.
    Alert = 1,
    /// It is critical.
    Critical,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Of note.
    Notice,
    /// For information.
    Info,
    /// For whoever looks for defects.
    Debug,
}

/// What was brought in. It has to live until [`enter`](crate::Isolation::enter) has been called.
#[derive(Debug, Default)]
#[must_use]
pub struct Preloaded {
    syslog: Option<RawFd>,
    variables: Vec<(OsString, OsString)>,
    users: Vec<Account>,
    groups: Vec<(String, Gid)>,
    hosts: Vec<(String, Vec<SocketAddr>)>,
    resolver: Option<Resolver>,
    certificates: Vec<u8>,
    null: Option<File>,
}

impl Preloaded {
    /// A user that was asked for.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&Account> {
        self.users.iter().find(|account| account.name == name)
    }

    /// A group that was asked for.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<Gid> {
        self.groups.iter().find(|(known, _)| known == name).map(|&(_, gid)| gid)
    }

    /// The addresses of a `HOST:PORT` that was asked for; none of another.
    #[must_use]
    pub fn host(&self, host: &str) -> &[SocketAddr] {
        self.hosts.iter().find(|(known, _)| known == host).map_or(&[], |(_, addresses)| addresses)
    }

    /// The resolver's configuration.
    #[must_use]
    pub fn resolver(&self) -> Option<&Resolver> {
        self.resolver.as_ref()
    }

    /// The certificates, as PEM; empty if they were not asked for.
    #[must_use]
    pub fn certificates(&self) -> &[u8] {
        &self.certificates
    }

    /// `/dev/null`, to be read from and written to.
    #[must_use]
    pub fn null(&self) -> Option<BorrowedFd<'_>> {
        self.null.as_ref().map(AsFd::as_fd)
    }

    /// Logs a message by syslog(3), over the connection that was made. Code that calls syslog(3) itself uses the same.
    pub fn log(&self, level: Level, message: &str) {
        syslog::log(level as i32, message);
    }

    /// The descriptors that have to stay open.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.syslog.into_iter().chain(self.null.as_ref().map(AsRawFd::as_raw_fd))
    }

    pub(crate) fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }
}
