//! Carrying a prepared plan out: here, here and then another program, or in a child.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use isol_core::{
    Errno, Failure, Kind, Mode, Prepared, Problem, RECORD_LEN, Record, Stage, Stdio, ThreadScope,
    step_names,
};
use isol_sys::environment::CStrings;
use isol_sys::filter::{self, Program, Refusals};
use isol_sys::process::{self, Pid, Status};
use isol_sys::spawn::Table;
use isol_sys::{errno, exec, pipe};

/// Why nothing was started.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // made once, by a run that ends
#[non_exhaustive]
pub enum LaunchError {
    /// A step failed.
    Step {
        /// Its name.
        name: &'static str,
        /// What went wrong.
        failure: Failure,
        /// The command that mends it, where there is one.
        help: Option<String>,
    },
    /// execve failed.
    NotExecuted {
        /// The program.
        program: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// The child was ended before it was ready.
    Killed(Status),
    /// There is no program, or its name or arguments have a NUL byte in them.
    Command(&'static str),
    /// A system call of the parent failed.
    System {
        /// What was being done.
        what: &'static str,
        /// Why it could not be done.
        source: io::Error,
    },
}

impl LaunchError {
    fn system(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    fn step(prepared: &Prepared, failure: Failure) -> Self {
        let step = prepared.plan().steps().nth(usize::from(failure.step));
        let name = step.map_or("launch", |step| step.name());
        let help = step.and_then(|step| step.help(&failure.fault));
        Self::Step { name, failure, help }
    }

    /// As the user reads it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Step { name, failure, help } => {
                let (errno, text) = (failure.fault.errno, failure.fault.text.as_str());
                let mut problem = match errno {
                    Errno(0) => Problem::new(*name, "not in force when it was read back", text),
                    _ => Problem::call(*name, text, errno),
                };
                problem.help.clone_from(help);
                problem
            }
            Self::NotExecuted { program, errno } => {
                let kind =
                    if *errno == errno::NO_ENTRY { Kind::NotFound } else { Kind::NotExecutable };
                Problem::call("exec", format!("can't execute {}", program.display()), *errno)
                    .kind(kind)
            }
            Self::Killed(status) => {
                let how = match status {
                    Status::Signalled(signal) => format!("signal {signal} ended it"),
                    other => format!("it ended with status {}", other.code()),
                };
                Problem::new("spawn", "the child was gone before it was isolated", how)
            }
            Self::Command(what) => Problem::new("exec", *what, ""),
            Self::System { what, source } => Problem::io("spawn", *what, source),
        }
    }
}

impl std::fmt::Display for LaunchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem().fmt(f)
    }
}

impl std::error::Error for LaunchError {}

impl From<LaunchError> for Problem {
    fn from(error: LaunchError) -> Self {
        error.problem()
    }
}

/// The program as execve(2) takes it, laid ready.
#[derive(Debug)]
pub struct Image {
    program: PathBuf,
    path: CString,
    arguments: CStrings,
    environment: CStrings,
}

impl Image {
    /// Lays the prepared plan's program ready.
    ///
    /// # Errors
    /// There is none, or something in it has a NUL byte.
    pub fn new(prepared: &Prepared) -> Result<Self, LaunchError> {
        let scene = prepared.scene();
        let command = scene.command.as_ref().ok_or(LaunchError::Command("no program is named"))?;
        let program = command.program().to_owned();
        let path = CString::new(program.as_os_str().as_bytes())
            .map_err(|_| LaunchError::Command("the program's path has a NUL byte in it"))?;
        let name = [command.name().to_owned()];
        let arguments = CStrings::new(name.into_iter().chain(command.arguments().cloned()))
            .ok_or(LaunchError::Command("an argument has a NUL byte in it"))?;
        let environment = match &scene.environment {
            Some(variables) => CStrings::environment(variables),
            None => CStrings::environment(&std::env::vars_os().collect::<Vec<_>>()),
        };
        let environment =
            environment.ok_or(LaunchError::Command("a variable has a NUL byte in it"))?;
        Ok(Self { program, path, arguments, environment })
    }

    /// Becomes the program; returns only if that failed. Async-signal-safe.
    fn execute(&self) -> Errno {
        exec::execute(&self.path, &self.arguments, &self.environment)
    }
}

/// Locks this process in.
///
/// # Errors
/// A step failed. This process is half isolated then: the caller must end it.
pub fn lock_in(prepared: &Prepared, threads: ThreadScope) -> Result<(), LaunchError> {
    let stage = in_place(prepared, Mode::Enter, threads);
    prepared.apply(&stage).map_err(|failure| LaunchError::step(prepared, failure))?;
    prepared.settle();
    Ok(())
}

/// Makes this process the program; returns only if that failed, and then the process
/// is half isolated: the caller must end it.
pub fn become_program(prepared: &Prepared, image: &Image) -> LaunchError {
    let stage = in_place(prepared, Mode::Exec, ThreadScope::Alone);
    if let Err(failure) = prepared.apply(&stage) {
        return LaunchError::step(prepared, failure);
    }
    let errno = image.execute();
    LaunchError::NotExecuted { program: image.program.clone(), errno }
}

fn in_place(prepared: &Prepared, mode: Mode, threads: ThreadScope) -> Stage {
    // Until the uid has changed, and everybody sees it: the program can't be told apart from nobody before.
    let report = prepared.scene().uid_hold.as_ref().and_then(|hold| hold.descriptor());
    Stage { mode, threads, parent: Pid::parent().get(), report, stdio: [None; 3] }
}

/// A program that was started.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    ended: Option<Status>,
    /// The other ends of its standard descriptors that are pipes.
    pub pipes: [Option<File>; 3],
    /// What it is refused, where the plan has somebody told of it. While this is there, each such call waits until it
    /// is taken from here; when it is dropped, they are answered `ENOSYS`.
    pub refusals: Option<Refusals>,
}

impl Child {
    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn wait(&mut self) -> io::Result<Status> {
        self.pipes[0] = None;
        match self.ended {
            Some(status) => Ok(status),
            None => {
                let status = process::wait(self.pid)?;
                self.ended = Some(status);
                Ok(status)
            }
        }
    }

    /// What has become of it by now, a stop included; `None` if nothing has.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn poll(&mut self) -> io::Result<Option<Status>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let status = process::poll_stops(self.pid)?;
        if let Some(Status::Exited(_) | Status::Signalled(_)) = status {
            self.ended = status;
        }
        Ok(status)
    }

    /// Sends it a signal, if it has not ended.
    ///
    /// # Errors
    /// As kill(2).
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        if self.ended.is_some() { Ok(()) } else { process::signal(self.pid, signal) }
    }
}

/// Starts the program in a child. As often as one likes: nothing of what is prepared is used up.
///
/// # Errors
/// Whatever kept it from starting; nothing runs then.
pub fn spawn(prepared: &Prepared, image: &Image) -> Result<Child, LaunchError> {
    let started = start(prepared, image);
    // The child has its uid by now, or is gone.
    prepared.settle();
    started
}

fn start(prepared: &Prepared, image: &Image) -> Result<Child, LaunchError> {
    let wanted = prepared.scene().command.as_ref().map_or([Stdio::Inherit; 3], |c| c.stdio());
    let stdio = Plumbing::new(wanted)
        .map_err(LaunchError::system("can't open the program's standard descriptors"))?;
    let guarded = prepared.plan().steps().any(|step| step.needs_parent());
    let tells = prepared.plan().steps().any(|step| step.sends_descriptor());
    let (pid, outcome) = match (isol_sys::spawn::PARENT_GOES_ON, guarded) {
        (false, true) => {
            let what = "a step needs the parent, which waits on this system";
            return Err(LaunchError::Command(what));
        }
        (false, false) if !tells => in_shared_memory(prepared, image, &stdio)?,
        _ => over_a_pipe(prepared, image, &stdio, guarded, tells)?,
    };
    match outcome {
        Outcome::Started(refusals) => Ok(Child { pid, ended: None, pipes: stdio.outer, refusals }),
        Outcome::Failed(record) => {
            // It ends by itself, and says nothing new.
            let _ = process::wait(pid);
            Err(error(prepared, image, record))
        }
        Outcome::Unheard(source) => {
            // It may be running by now, and nobody knows how far it came.
            let _ = process::signal(pid, SIGKILL);
            let _ = process::wait(pid);
            Err(LaunchError::System { what: "can't read what the child reports", source })
        }
        Outcome::Silent => {
            let status =
                process::wait(pid).map_err(LaunchError::system("can't wait for the child"))?;
            Err(LaunchError::Killed(status))
        }
    }
}

fn stage(stdio: &Plumbing, report: Option<&OwnedFd>) -> Stage {
    Stage {
        mode: Mode::Spawn,
        threads: ThreadScope::Alone,
        parent: Pid::own().get(),
        report: report.map(AsRawFd::as_raw_fd),
        stdio: stdio.inner(),
    }
}

/// A child that shares this process's memory tells by it what has become of it. This thread goes
/// on when the child has ended or executed the program, and so the last word is there then.
fn in_shared_memory(
    prepared: &Prepared,
    image: &Image,
    stdio: &Plumbing,
) -> Result<(Pid, Outcome), LaunchError> {
    let stage = stage(stdio, None);
    // Only `descriptors` gives the child a table of its own, before anything in it is changed.
    let parts = prepared.plan().steps().any(|step| step.name() == step_names::DESCRIPTORS);
    let table = if parts { Table::Shared } else { Table::Copied };
    let mut said = None;
    let mut child = || {
        let failed = match prepared.apply(&stage) {
            Ok(()) => {
                said = Some(Record::Ready);
                Record::NotExecuted(image.execute())
            }
            Err(failure) => Record::Failed(failure),
        };
        said = Some(failed);
        125
    };
    let pid = isol_sys::spawn::child(table, &mut child).map_err(cant_make_a_child)?;
    Ok((pid, said.map_or(Outcome::Silent, Outcome::after)))
}

/// A child with a memory of its own reports over a pipe.
fn over_a_pipe(
    prepared: &Prepared,
    image: &Image,
    stdio: &Plumbing,
    guarded: bool,
    tells: bool,
) -> Result<(Pid, Outcome), LaunchError> {
    // Where the parent has a part in it, the child hears from it, too; and a pipe carries no descriptors.
    let ends = if guarded || tells { pipe::both_ways() } else { pipe::new() };
    let (read, write) = ends.map_err(LaunchError::system("can't make a pipe"))?;
    let stage = stage(stdio, Some(&write));
    let mut child = || in_child(prepared, image, &stage, guarded);
    let pid = isol_sys::spawn::child(Table::Copied, &mut child).map_err(cant_make_a_child)?;
    let mut read = File::from(read);
    // While it is open here, the child's end of it can't be seen.
    let outcome = match pipe::close(write) {
        Ok(()) => outcome(&mut read, prepared, tells),
        Err(source) => Outcome::Unheard(source),
    };
    // `read` is dropped: whoever waits for leave hears by this that there is none.
    Ok((pid, outcome))
}

fn cant_make_a_child(source: io::Error) -> LaunchError {
    LaunchError::System { what: "can't make a child", source }
}

const SIGKILL: i32 = 9;

/// What runs between fork and exec: async-signal-safe.
fn in_child(prepared: &Prepared, image: &Image, stage: &Stage, guarded: bool) -> i32 {
    let report = stage.report.unwrap_or(-1);
    let failed = match prepared.apply(stage) {
        // Nobody hears, or nobody answers: better not to start than to start unsealed.
        Ok(()) if guarded && !leave_is_given(report) => return 125,
        Ok(()) => match pipe::write_record(report, &Record::Ready.encode()) {
            Ok(()) => Record::NotExecuted(image.execute()),
            // Nobody hears: better not to start than to start unseen.
            Err(_) => return 125,
        },
        Err(failure) => Record::Failed(failure),
    };
    let _ = pipe::write_record(report, &failed.encode());
    125
}

/// Tells the parent that it is its turn, and waits until it has done its part.
fn leave_is_given(report: i32) -> bool {
    pipe::write_record(report, &Record::Waiting.encode()).is_ok() && pipe::wait_for_byte(report)
}

/// The parent's part of the steps that have one.
fn seal(prepared: &Prepared, report: &mut File) -> Result<(), Record> {
    for (index, step) in prepared.plan().steps().enumerate().filter(|(_, step)| step.needs_parent())
    {
        step.seal_from_parent()
            .map_err(|fault| Record::Failed(Failure { step: index as u16, fault }))?;
    }
    // A child that is gone says so by its silence.
    let _ = io::Write::write_all(report, b"g");
    Ok(())
}

#[allow(clippy::large_enum_variant)] // a local
enum Outcome {
    Started(Option<Refusals>),
    Failed(Record),
    /// Nothing that could be understood.
    Unheard(io::Error),
    Silent,
}

impl Outcome {
    /// What the last record means when nothing can follow it.
    fn after(last: Record) -> Self {
        if last == Record::Ready { Self::Started(None) } else { Self::Failed(last) }
    }
}

fn outcome(report: &mut File, prepared: &Prepared, tells: bool) -> Outcome {
    let (mut ready, mut refusals) = (false, None);
    loop {
        let heard = match tells {
            true => filter::receive::<RECORD_LEN>(report),
            false => pipe::read_record(report).map(|record| record.map(|bytes| (bytes, None))),
        };
        match heard {
            Ok(Some((bytes, descriptor))) => match Record::decode(&bytes) {
                Some(Record::Ready) => ready = true,
                Some(Record::Waiting) => {
                    if let Err(failed) = seal(prepared, report) {
                        // Without leave it ends.
                        return Outcome::Failed(failed);
                    }
                }
                Some(Record::Listener) => {
                    let filter = prepared.scene().filter.as_deref().map(Program::from_bytes);
                    let (Some(listener), Some(Ok(filter))) = (descriptor, filter) else {
                        return Outcome::Unheard(io::ErrorKind::InvalidData.into());
                    };
                    refusals = Some(Refusals::new(listener, filter));
                }
                Some(failed) => return Outcome::Failed(failed),
                None => return Outcome::Unheard(io::ErrorKind::InvalidData.into()),
            },
            Ok(None) if ready => return Outcome::Started(refusals),
            Ok(None) => return Outcome::Silent,
            Err(source) => return Outcome::Unheard(source),
        }
    }
}

fn error(prepared: &Prepared, image: &Image, record: Record) -> LaunchError {
    match record {
        Record::Failed(failure) => LaunchError::step(prepared, failure),
        Record::NotExecuted(errno) => {
            LaunchError::NotExecuted { program: image.program.clone(), errno }
        }
        Record::Ready | Record::Waiting | Record::Listener => {
            LaunchError::Killed(Status::Exited(125))
        }
    }
}

/// Both ends of the program's standard descriptors, where they are not the caller's.
struct Plumbing {
    inner: [Option<OwnedFd>; 3],
    outer: [Option<File>; 3],
}

impl Plumbing {
    fn new(wanted: [Stdio; 3]) -> io::Result<Self> {
        let mut plumbing = Self { inner: [None, None, None], outer: [None, None, None] };
        for (place, stdio) in wanted.into_iter().enumerate() {
            match stdio {
                Stdio::Inherit => {}
                Stdio::Null => {
                    let null = File::options().read(true).write(true).open("/dev/null")?;
                    plumbing.inner[place] = Some(null.into());
                }
                Stdio::Piped => {
                    let (read, write) = pipe::new()?;
                    let (inner, outer) = if place == 0 { (read, write) } else { (write, read) };
                    plumbing.inner[place] = Some(inner);
                    plumbing.outer[place] = Some(outer.into());
                }
            }
        }
        Ok(plumbing)
    }

    fn inner(&self) -> [Option<i32>; 3] {
        [0, 1, 2].map(|place: usize| self.inner[place].as_ref().map(AsRawFd::as_raw_fd))
    }
}
