//! Messages to syslog from inside arrive: a relay owns the socket in the root to which the C library sends them.

mod message;
mod queue;
mod relay;
mod sweep;

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use isol_core::{
    Mode, PlanError, PrepareError, Problem, Request, Root, Scene, Step, Syslog, step_names,
};
use isol_sys::state::{Lock, StateDir, StateError};
use isol_sys::syslog::{Place, PlaceError};

use relay::{Host, Relay};

pub use sweep::{LOCK, sweep_syslog};

const NAME: &str = step_names::SYSLOG;

/// The step `syslog`.
#[derive(Debug)]
pub(crate) struct SyslogRelay {
    /// Where programs inside send messages: a path of the root.
    inside: &'static str,
    /// Where the host takes them: the first one that answers.
    hosts: Vec<PathBuf>,
    /// Whether the root is isol's own, and gone with the run.
    own_root: bool,
    made: Option<Made>,
}

/// What is there while the program runs. First the relay ends, then its socket goes, then the hold on the root.
#[derive(Debug)]
struct Made {
    place: Place,
    /// `None` until the socket is there.
    relay: Option<Relay>,
    hold: Option<Lock>,
}

impl SyslogRelay {
    /// The step that a request asks for.
    ///
    /// # Errors
    /// The mode, or the system, has none.
    pub(crate) fn asked_for(request: &Request<'_>) -> Result<Option<Self>, PlanError> {
        let hosts = match &request.policy.syslog {
            Syslog::Off => return Ok(None),
            Syslog::Host => Syslog::hosts(request.os).iter().map(PathBuf::from).collect(),
            Syslog::Socket(path) => vec![path.clone()],
        };
        let cant = |reason: String, help: &str| PlanError::CantHonour {
            backend: "isol",
            what: "a syslog relay".into(),
            reason,
            help: Some(help.to_owned()),
        };
        let Some(inside) = Syslog::inside(request.os) else {
            let why = Syslog::support(request.os).reason().to_owned();
            return Err(cant(why, "leave --syslog out"));
        };
        if request.mode != Mode::Spawn {
            let why = "somebody has to outlive the program to relay its messages, and the mode is";
            return Err(cant(
                format!("{why} {}", request.mode),
                "spawn the program; a process that locks itself in opens its connection before (Preload::syslog)",
            ));
        }
        let own_root = matches!(request.policy.root, Root::ThrowAway { .. });
        Ok(Some(Self { inside, hosts, own_root, made: None }))
    }
}

impl Step for SyslogRelay {
    tells!(
        Prepare,
        NAME,
        ["openat", "flock", "socket", "connect", "bind", "fchmodat", "unlinkat"],
        [SyslogWorks]
    );

    fn explains(&self) -> String {
        let host: Vec<_> = self.hosts.iter().map(|path| path.display().to_string()).collect();
        format!(
            "take messages at /{} in the root, and relay them to {} until the program has ended",
            self.inside,
            host.join(" or ")
        )
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene.root.as_ref().ok_or_else(|| {
            Problem::new(NAME, "there is no root to take messages in", "no step has opened one")
        })?;
        let host =
            Host::connect(self.hosts.clone()).map_err(|(path, e)| nobody_listens(&path, &e))?;
        let hold = if self.own_root { None } else { Some(hold(root.device, root.inode)?) };
        let place =
            Place::open(root.fd.as_fd(), &root.path, self.inside, self.own_root, scene.caller)
                .map_err(|error| refusal(&error))?;
        if self.hosts.iter().any(|path| is_in(path, &place)) {
            return Err(Problem::new(
                NAME,
                format!("{} is the host's own socket", place.path().display()),
                "the host's directory is mounted in the root",
            )
            .help("leave --syslog out: messages get there already")
            .into());
        }
        if let Some(hold) = &hold {
            sweep::note(hold, root, self.inside).map_err(|error| unusable(&error))?;
        }
        place.clear().map_err(|error| refusal(&error))?;
        let socket = place.bind().map_err(|error| refusal(&error))?;
        // From here on there is something to take back.
        let made = self.made.insert(Made { place, relay: None, hold });
        let relay = Relay::start(socket, host, root.path.display().to_string())
            .map_err(|error| PrepareError::system(NAME, "can't start the relay", error))?;
        made.relay = Some(relay);
        Ok(())
    }

    fn undo(&mut self) {
        let Some(made) = self.made.take() else { return };
        drop(made.relay);
        // What can't be removed now is found under the lock by the next run.
        match (made.place.remove(), made.hold) {
            (Err(_), Some(hold)) => hold.abandon(),
            (_, hold) => drop(hold),
        }
    }
}

/// How long a sweeper may look at a lock.
const PATIENCE: Duration = Duration::from_secs(1);

/// Only one run relays from a root.
fn hold(device: u64, inode: u64) -> Result<Lock, PrepareError> {
    let state = StateDir::open().map_err(|error| unusable(&error))?;
    let name = format!("{LOCK}{device}-{inode}");
    let start = std::time::Instant::now();
    loop {
        if let Some(lock) = state.try_lock(&name).map_err(|error| unusable(&error))? {
            return Ok(lock);
        }
        if start.elapsed() >= PATIENCE {
            return Err(Problem::new(
                NAME,
                "can't take messages in the root",
                "another run of isol does already",
            )
            .help("give each program a root of its own")
            .into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a socket of the host's stands in the directory of a place.
fn is_in(path: &Path, place: &Place) -> bool {
    let dir = path.parent().and_then(|dir| std::fs::File::open(dir).ok());
    let meta = dir.and_then(|dir| isol_sys::meta::Meta::of(&dir).ok());
    meta.is_some_and(|meta| (meta.dev, meta.ino) == place.directory())
}

fn nobody_listens(path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::io(
        NAME,
        format!("there is nobody to relay messages to: {}", path.display()),
        error,
    );
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            problem.help("start the host's syslogd, or leave --syslog out")
        }
        _ => problem.help("name a datagram socket on which a syslogd listens: --syslog=SOCKET"),
    }
}

fn refusal(error: &PlaceError) -> Problem {
    let mut problem = Problem::new(NAME, "can't take messages in the root", error.to_string());
    problem.errno = error.errno().map(isol_core::Errno);
    problem.help = error.mend();
    problem
}

fn unusable(error: &StateError) -> Problem {
    error.problem(NAME, "can't hold the root")
}
