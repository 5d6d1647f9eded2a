//! One run: a caller is started, isolates, is attacked from inside, and what was seen comes back.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use isol_core::{Amount, Guarantee, Limit, Mode, step_names};
use isol_sys::{attempts, process};

use crate::agent::{LAUNCH, WORD};
use crate::attack::raw;
use crate::baits::Victim;
use crate::brief::{Brief, Want};
use crate::caller::{end_all_of, ordinary};
pub use crate::channel::Refusal;
use crate::channel::{Channel, Order, Report};
use crate::launcher::{self, CHANNEL};
use crate::scenario::{How, Scenario, Who};
use crate::{Attack, Expected, Seen, Site, matrix, probes};

/// How long a run may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// The supplementary groups that the policy asks for.
pub(crate) const GROUPS: [u32; 2] = [12_345, 23_456];

/// What became of a run.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing was started.
    Refused(Refusal),
    /// Nothing was started, and a process was left behind.
    LeftBehind(Refusal),
    /// It ended without a word, or fell silent.
    Silent(String),
    /// The attacks were made.
    Attacked(Vec<(Guarantee, &'static str, Seen)>),
}

/// A run that has been started, and whose attacker is inside.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    site: &'a Site,
    channel: Channel,
    child: Option<Child>,
    uid: Option<u32>,
    pub(crate) caller_session: i32,
    /// The caller's exit status, once it has ended.
    pub(crate) status: Option<i32>,
}

impl Site {
    /// The scenario that all others are made from.
    pub(crate) fn scenario(&self, how: How) -> Scenario {
        let syslog = self.log().filter(|_| relays(&how)).map(|log| log.path().to_owned());
        Scenario {
            how,
            executable: self.executable().to_owned(),
            root: self.root().to_owned(),
            user: Who::Id(self.uid()),
            groups: if ordinary().is_some() { Vec::new() } else { GROUPS.to_vec() },
            require: Vec::new(),
            allow: Vec::new(),
            landlock: Vec::new(),
            unfiltered: false,
            mounts: false,
            binds: Vec::new(),
            network_off: false,
            hostname: None,
            syslog,
            outside: self.outside().to_owned(),
            bad_caller: true,
            without: Vec::new(),
            lying: None,
            fault: None,
        }
    }

    /// Starts a run; the attacker is inside and waits.
    pub(crate) fn start(&self, scenario: &Scenario) -> io::Result<Result<Session<'_>, Outcome>> {
        self.check_interrupts()?;
        let (channel, theirs) = Channel::pair()?;
        channel.patience(PATIENCE)?;
        let child = Command::new(self.executable())
            .args([WORD, LAUNCH])
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let uid = match scenario.user {
            Who::Id(uid) if uid != 0 => Some(uid),
            _ => None,
        };
        let mut session = Session {
            site: self,
            channel,
            child: Some(child),
            uid,
            caller_session: 0,
            status: None,
        };
        session.channel.send(&Order::Scenario(Box::new(scenario.clone())))?;
        match session.wait_inside() {
            Some(outcome) => Ok(Err(outcome)),
            None => Ok(Ok(session)),
        }
    }

    /// Starts a run, makes the attacks, and ends it.
    pub(crate) fn attack(
        &self,
        scenario: &Scenario,
        attacks: &[(Guarantee, &'static Attack)],
    ) -> io::Result<(Outcome, Expected)> {
        let mut session = match self.start(scenario)? {
            Ok(session) => session,
            Err(outcome) => return Ok((outcome, Expected::default())),
        };
        let expected = self.expected(scenario)?;
        let outcome = session.make(attacks, scenario)?;
        session.end();
        self.tidy()?;
        Ok((outcome, expected))
    }

    fn expected(&self, scenario: &Scenario) -> io::Result<Expected> {
        let mut environment: Vec<_> =
            launcher::ENVIRONMENT.iter().map(|(name, value)| format!("{name}={value}")).collect();
        environment.sort();
        let uid = match &scenario.user {
            Who::Id(uid) => *uid,
            Who::Name(name) => uid_of(name)?,
            Who::Allotted => 0,
        };
        let mode = match &scenario.how {
            How::Isol { mode: crate::scenario::ModeName::Spawn, .. } => Mode::Spawn,
            _ => Mode::Exec,
        };
        Ok(Expected {
            uid,
            gid: uid,
            groups: scenario.groups.clone(),
            environment,
            umask: launcher::UMASK,
            limits: launcher::LIMITS
                .iter()
                .filter_map(|limit| limit.parse().ok())
                .map(in_numbers)
                .chain([("core", 0, 0)])
                .collect(),
            workdir: PathBuf::from(launcher::WORKDIR),
            parent_death_signal: launcher::parent_death_signal(mode),
            secret: self.secret().1.to_owned(),
            root: self.root_id()?,
            hostname: attempts::hostname()?,
            superuser_off: has_step(scenario, step_names::JAIL_SEAL),
            // Without any isolation they are to be seen to go through.
            filtered: has_step(scenario, step_names::SECCOMP)
                || matches!(scenario.how, How::Unisolated | How::UidOnly),
            mount_point: self.mount_point(),
        })
    }

    fn brief(&self, session: &Session<'_>, victim: Option<&Victim>) -> io::Result<Brief> {
        let secret = self.secret().0;
        let mut brief = Brief {
            root: self.root().to_owned(),
            executable: self.executable().to_owned(),
            token: self.token().to_owned(),
            handle: attempts::handle_of(&raw(&secret)).unwrap_or_default(),
            secret,
            core_is_piped: std::fs::read("/proc/sys/kernel/core_pattern")
                .is_ok_and(|pattern| pattern.starts_with(b"|")),
            disk: Site::DISK,
            outsider: process::Pid::own().get(),
            caller_session: session.caller_session,
            mount_point: self.mount_point(),
            hostname: attempts::hostname()?,
            passed: vec![CHANNEL],
            planted: self.planted().to_vec(),
            ..Brief::default()
        };
        self.baits.tell(&mut brief)?;
        if let Some(victim) = victim {
            brief.victim = victim.pid();
            brief.victim_descriptor = victim.says.descriptor;
            brief.victim_memory = victim.says.memory;
        }
        Ok(brief)
    }

    fn help(&self, channel: &Channel, want: Want) -> io::Result<()> {
        let is_for_a_directory = want == Want::Directory;
        let words = |done: io::Result<String>| done.unwrap_or_else(|error| format!("no: {error}"));
        let answer = match want {
            Want::Directory => "here".to_owned(),
            Want::Move => words(self.move_out().map(|to| to.display().to_string())),
            Want::Connect(port) => words(connect(port).map(|()| "done".to_owned())),
            Want::LookForMount => words(
                self.has_mount().map(|seen| if seen { "seen" } else { "not seen" }.to_owned()),
            ),
            Want::Logged(word) => self.log().map_or(String::new(), |log| log.arrived(&word)),
            Want::Mount => words(self.mount_late().map(|()| "done".to_owned())),
        };
        channel.send(&Order::Answer(answer))?;
        if is_for_a_directory {
            let directory: OwnedFd = std::fs::File::open("/")?.into();
            channel.send_descriptor(&directory)?;
        }
        Ok(())
    }
}

impl Session<'_> {
    /// Waits until the attacker is inside; what became of the run if it never is.
    fn wait_inside(&mut self) -> Option<Outcome> {
        loop {
            match self.channel.receive() {
                Ok(Some(Report::Caller(session))) => self.caller_session = session,
                Ok(Some(Report::Inside)) => return None,
                Ok(Some(Report::Refused(refusal))) => {
                    self.end();
                    return Some(match self.left_behind() {
                        true => Outcome::LeftBehind(refusal),
                        false => Outcome::Refused(refusal),
                    });
                }
                Ok(Some(other)) => return Some(self.silent(&format!("unexpected: {other:?}"))),
                Ok(None) => return Some(self.silent("ended without a word")),
                Err(error) => return Some(self.silent(&error.to_string())),
            }
        }
    }

    fn silent(&mut self, what: &str) -> Outcome {
        self.end();
        let status = self.status.map_or("no status".to_owned(), |s| format!("status {s}"));
        Outcome::Silent(format!("{what} ({status})"))
    }

    fn make(
        &mut self,
        attacks: &[(Guarantee, &'static Attack)],
        scenario: &Scenario,
    ) -> io::Result<Outcome> {
        // Now, because nobody else may run under the uid when it is taken.
        let victim = match scenario.user {
            Who::Id(_) => Some(Victim::start(self.site.executable(), self.site.uid())?),
            _ => None,
        };
        let brief = self.site.brief(self, victim.as_ref())?;
        let names: Vec<_> =
            attacks.iter().map(|(g, a)| (g.id().to_owned(), a.name.to_owned())).collect();
        let mut said = self.channel.send(&Order::Attack(Box::new(brief), names));
        let mut seen = Vec::with_capacity(attacks.len());
        loop {
            said = match said.and_then(|()| self.channel.receive()) {
                Ok(Some(Report::Saw(probe, name, what))) => {
                    if let (Ok(g), Some(attack)) = (probe.parse(), probes::attack(&probe, &name)) {
                        seen.push((g, attack.name, what));
                    }
                    Ok(())
                }
                Ok(Some(Report::Want(want))) => self.site.help(&self.channel, want),
                Ok(Some(Report::Done)) => return Ok(Outcome::Attacked(seen)),
                other => {
                    // What was not said counts against the guarantee.
                    let why = match other {
                        Err(error) => error.to_string(),
                        _ => "the attacker inside has ended".to_owned(),
                    };
                    for &(g, attack) in attacks {
                        if !seen.iter().any(|(h, name, _)| *h == g && *name == attack.name) {
                            seen.push((g, attack.name, Seen::Lost(why.clone())));
                        }
                    }
                    return Ok(Outcome::Attacked(seen));
                }
            };
        }
    }

    /// Whether a process of it was still there behind its caller.
    pub(crate) fn left_behind(&self) -> bool {
        self.status == Some(launcher::LEFT_BEHIND)
    }

    /// Ends whatever is left of it.
    pub(crate) fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // Everybody who listens hears the end of the channel, and ends.
        let _ = nix::sys::socket::shutdown(self.channel.as_raw(), nix::sys::socket::Shutdown::Both);
        for pause in [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000] {
            if let Ok(Some(status)) = child.try_wait() {
                self.status = status.code();
                break;
            }
            std::thread::sleep(Duration::from_millis(pause));
        }
        if self.status.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(uid) = self.uid {
            end_all_of(uid);
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether isol stays as the parent of what it isolates this way, and can relay messages.
fn relays(how: &How) -> bool {
    let How::Isol { backend, mode } = how else { return false };
    let backend = isol::backend_by_name(backend);
    backend.is_some_and(|b| matrix::support(b, (*mode).into(), Guarantee::SyslogWorks).is_offered())
}

/// Whether the plan, as it is before anything is cut, has a step that is not in all of them.
fn has_step(scenario: &Scenario, name: &str) -> bool {
    launcher::plan(scenario).is_ok_and(|plan| plan.steps().any(|step| step.name() == name))
}

fn connect(port: u16) -> io::Result<()> {
    let to = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    std::net::TcpStream::connect_timeout(&to, Duration::from_secs(2)).map(drop)
}

fn in_numbers(limit: Limit) -> (&'static str, u64, u64) {
    let number = |amount| match amount {
        Amount::AtMost(n) => n,
        Amount::Unlimited => u64::MAX,
    };
    (limit.resource.id(), number(limit.soft), number(limit.hard))
}

fn uid_of(name: &str) -> io::Result<u32> {
    match isol_sys::users::by_name(name)? {
        Some(account) => Ok(account.uid.get()),
        None => Err(io::Error::other(format!("there is no user {name}"))),
    }
}
