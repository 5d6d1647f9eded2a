//! A parent that stays: forwards signals, waits, cleans up, tells the status.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use isol::host::{Disposition, disposition, signal_group};
use isol::supervise::{Arrival, Signals, end, end_by, stop_self};
use isol::{Allow, Command, Isolation, Planned, Problem, Running, Seccomp, Status};

use crate::{arguments, output, refusals, run};

/// How long a program has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
/// Linux's number, and only there a filter sends it.
const SIGSYS: i32 = 31;

pub(crate) fn run(
    isolation: Isolation,
    command: Command,
    arguments: &arguments::Run,
) -> Result<ExitCode, Problem> {
    let blocked = |error| Problem::io("supervise", "can't block signals", &error);
    // From here on a signal waits until there is a program to send it to.
    let signals = Signals::block().map_err(blocked)?;
    let not_alone = isol::sweep();
    let unfiltered = isolation.policy().seccomp == Seccomp::None;
    let keeps_terminal = isolation.policy().allow.contains(Allow::Terminal);
    let ready =
        isolation.plan_spawn(command).and_then(Planned::prepare).map_err(|e| e.problem())?;
    if let Some(signal) = asked_to_end(&signals)? {
        drop(ready);
        end_by(signal);
    }
    let mut running = ready.spawn().map_err(|error| error.problem())?;
    if arguments.how.verbose {
        run::report(running.confined(), unfiltered);
    }
    if let Some(refused) = running.take_refusals() {
        // It ends with this process. All signals that are forwarded are blocked in it, too.
        std::thread::spawn(move || refusals::tell(refused));
    }
    let supervisor = Supervisor {
        signals,
        running,
        keeps_terminal,
        deadline: arguments.how.timeout.map(|t| Instant::now() + t),
        overdue: false,
    };
    let status = supervisor.watch()?;
    if status == Status::Signalled(SIGSYS) && !arguments.how.verbose {
        output::remark(format_args!(
            "the program was ended for a system call that the filter takes for an attack; -v names it"
        ));
    }
    if not_alone {
        // Again: what was killed just before this run began may have held its locks for a moment.
        isol::sweep();
    }
    // Nothing is left to be taken apart but by the kernel, for which whoever waits need not wait twice.
    end(status.code())
}

/// Whether a signal that ends a process has come while there was none to forward it to.
fn asked_to_end(signals: &Signals) -> Result<Option<i32>, Problem> {
    while let Some(arrival) = next(signals, Some(Duration::ZERO))? {
        if [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(&arrival.signal) {
            return Ok(Some(arrival.signal));
        }
    }
    Ok(None)
}

fn next(signals: &Signals, time: Option<Duration>) -> Result<Option<Arrival>, Problem> {
    signals.next(time).map_err(|error| Problem::io("supervise", "can't wait for signals", &error))
}

struct Supervisor {
    signals: Signals,
    running: Running,
    keeps_terminal: bool,
    deadline: Option<Instant>,
    overdue: bool,
}

impl Supervisor {
    fn watch(mut self) -> Result<Status, Problem> {
        let failed = |error| Problem::io("supervise", "can't wait for the program", &error);
        loop {
            match self.running.poll().map_err(failed)? {
                Some(ended @ (Status::Exited(_) | Status::Signalled(_))) => return Ok(ended),
                // It stopped itself, or was stopped: so does its supervisor, for the shell to see.
                Some(Status::Stopped(_)) => stop_self().map_err(failed)?,
                _ => {}
            }
            let time = self.deadline.map(|d| d.saturating_duration_since(Instant::now()));
            match next(&self.signals, time)? {
                Some(arrival) => self.forward(arrival),
                None => self.time_is_up(),
            }
        }
    }

    fn forward(&self, arrival: Arrival) {
        let signal = arrival.signal;
        if signal == isol::supervise::SIGCHLD {
            return;
        }
        // A key on a terminal that the program still has reaches it without help.
        if self.keeps_terminal && arrival.from_kernel {
            return;
        }
        // Its group, which the stop was sent to; once, for a program that counts.
        if signal == isol::supervise::SIGCONT
            && signal_group(self.running.child().pid(), signal).is_ok()
        {
            return;
        }
        // The program may have ended since: then there is nobody to tell.
        let _ = self.running.signal(signal);
        if signal == isol::supervise::SIGTSTP {
            self.stop_program();
        }
    }

    /// In a session of its own the program's group is orphaned, and the kernel drops a
    /// stop key's signal that the program does not handle itself.
    fn stop_program(&self) {
        let pid = self.running.child().pid();
        if disposition(pid, isol::supervise::SIGTSTP) == Disposition::Default {
            let _ = signal_group(pid, isol::supervise::SIGSTOP);
        }
    }

    fn time_is_up(&mut self) {
        let Some(deadline) = self.deadline.filter(|&d| Instant::now() >= d) else { return };
        let signal = if self.overdue { SIGKILL } else { SIGTERM };
        if !self.overdue {
            output::remark("timeout: the time is up: the program is told to end");
        }
        let _ = self.running.signal(signal);
        self.deadline = if self.overdue { None } else { Some(deadline + GRACE) };
        self.overdue = true;
    }
}
