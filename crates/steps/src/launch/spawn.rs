//! In a child: what is made of it, and what it reports.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use isol_core::{
    Errno, Failure, Fault, Mode, Prepared, RECORD_LEN, Record, Stage, Stdio, ThreadScope,
    step_names,
};
use isol_sys::filter::{self, Program, Refusals};
use isol_sys::namespaces;
use isol_sys::pipe;
use isol_sys::process::{self, Pid, Status};
use isol_sys::spawn::{Stays, Table};

use super::child::{Child, SIGKILL, end_init};
use super::plumbing::Plumbing;
use super::{Image, LaunchError};

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
    let replaced = prepared.plan().steps().any(|step| step.replaces_child());
    let (pid, init, outcome) = match (isol_sys::spawn::PARENT_GOES_ON, guarded) {
        (false, true) => {
            let what = "a step needs the parent, which waits on this system";
            return Err(LaunchError::Command(what));
        }
        (false, false) if !tells && !replaced => in_shared_memory(prepared, image, &stdio)?,
        _ => {
            let stays = if replaced { Stays::UntilReplaced } else { Stays::ToTheEnd };
            over_a_pipe(prepared, image, &stdio, guarded, tells, stays)?
        }
    };
    let failed = match outcome {
        Outcome::Started(refusals) => {
            return Ok(Child { pid, init, ended: None, pipes: stdio.outer, refusals });
        }
        Outcome::Failed(record) => {
            // It ends by itself, and says nothing new.
            let _ = process::wait(pid);
            error(prepared, image, record)
        }
        Outcome::Unheard(source) => {
            // It may be running by now, and nobody knows how far it came.
            let _ = process::signal(pid, SIGKILL);
            let _ = process::wait(pid);
            LaunchError::System { what: "can't read what the child reports", source }
        }
        Outcome::Silent => match process::wait(pid) {
            Ok(status) => LaunchError::Killed(status),
            Err(source) => LaunchError::System { what: "can't wait for the child", source },
        },
    };
    // Last: it is there until those in its namespace have been waited for.
    end_init(init);
    Err(failed)
}

/// Who has taken the child's place: the program, and the init above it.
fn successors(child: Pid, init: Option<Pid>, program: Option<Pid>) -> (Pid, Option<Pid>) {
    let Some(program) = program else { return (child, init) };
    // It has ended by itself.
    let _ = process::wait(child);
    (program, init)
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
) -> Result<(Pid, Option<Pid>, Outcome), LaunchError> {
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
    Ok((pid, None, said.map_or(Outcome::Silent, Outcome::after)))
}

/// A child whose parent's memory does not tell, because it has none of that, or because another takes its place, reports
/// over a pipe.
fn over_a_pipe(
    prepared: &Prepared,
    image: &Image,
    stdio: &Plumbing,
    guarded: bool,
    tells: bool,
    stays: Stays,
) -> Result<(Pid, Option<Pid>, Outcome), LaunchError> {
    // Where the parent has a part in it, the child hears from it, too; and a pipe carries no descriptors.
    let ends = if guarded || tells { pipe::both_ways() } else { pipe::new() };
    let (read, write) = ends.map_err(LaunchError::system("can't make a pipe"))?;
    let stage = stage(stdio, Some(&write));
    let mut child = || in_child(prepared, image, &stage, guarded);
    let pid =
        isol_sys::spawn::child_that(stays, Table::Copied, &mut child).map_err(cant_make_a_child)?;
    let made = isol_sys::spawn::made_by_the_child();
    let mut read = File::from(read);
    // While it is open here, the child's end of it can't be seen.
    let mut replaced = None;
    let outcome = match pipe::close(write) {
        Ok(()) => outcome(&mut read, prepared, tells, &mut replaced),
        Err(source) => Outcome::Unheard(source),
    };
    // With its init the kernel ends the child, which can't say why then.
    let no_init = made.failed.map(|failed| no_init(prepared, namespaces::why_no_init(failed)));
    let outcome = match (outcome, no_init) {
        (Outcome::Silent, Some(failure)) => Outcome::Failed(Record::Failed(failure)),
        // Nor can it make anybody else any more.
        (Outcome::Failed(Record::Failed(found)), Some(failure)) if found.step == failure.step => {
            Outcome::Failed(Record::Failed(failure))
        }
        (outcome, _) => outcome,
    };
    // Whoever waits for leave hears by this that there is none.
    drop(read);
    // What the kernel has told; a child that was killed may not have come to tell it.
    let (init, program) = replaced.map_or((None, None), |(init, program)| {
        (Some(Pid::new(init)), Some(program).filter(|program| *program != 0).map(Pid::new))
    });
    let (pid, init) = successors(pid, made.beside.or(init), made.successor.or(program));
    Ok((pid, init, outcome))
}

fn no_init(prepared: &Prepared, (errno, what): (Errno, &'static str)) -> Failure {
    Failure { step: split_at(prepared) as u16, fault: Fault::call(errno, what) }
}

/// The step that makes the init.
fn split_at(prepared: &Prepared) -> usize {
    prepared.plan().steps().position(|step| step.replaces_child()).unwrap_or(0)
}

fn cant_make_a_child(source: io::Error) -> LaunchError {
    LaunchError::System { what: "can't make a child", source }
}

/// What runs between fork and exec: async-signal-safe.
fn in_child(prepared: &Prepared, image: &Image, stage: &Stage, guarded: bool) -> i32 {
    let report = stage.report.unwrap_or(-1);
    // An init that nobody has waited for, for want of a step that reads back, takes who does not for gone.
    let applied = prepared.apply(stage).and_then(|()| {
        namespaces::await_init_if_left().map_err(|failed| no_init(prepared, failed))
    });
    let failed = match applied {
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

fn outcome(
    report: &mut File,
    prepared: &Prepared,
    tells: bool,
    replaced: &mut Option<(i32, i32)>,
) -> Outcome {
    let (mut ready, mut refusals) = (false, None);
    loop {
        let heard = match tells {
            true => filter::receive::<RECORD_LEN>(report),
            false => pipe::read_record(report).map(|record| record.map(|bytes| (bytes, None))),
        };
        match heard {
            Ok(Some((bytes, descriptor))) => match Record::decode(&bytes) {
                Some(Record::Ready) => ready = true,
                Some(Record::Replaced { init, program }) => *replaced = Some((init, program)),
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
        Record::Ready | Record::Waiting | Record::Listener | Record::Replaced { .. } => {
            LaunchError::Killed(Status::Exited(125))
        }
    }
}
