//! Commands that are run by turns, so that what the machine does beside hits all of them alike.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;

pub(crate) struct Contestant {
    pub(crate) name: String,
    command: Vec<OsString>,
    environment: Vec<(String, String)>,
}

impl Contestant {
    pub(crate) fn new<S: Into<OsString>>(
        name: impl Into<String>,
        command: impl IntoIterator<Item = S>,
    ) -> Self {
        let command = command.into_iter().map(Into::into).collect();
        Self { name: name.into(), command, environment: Vec::new() }
    }

    pub(crate) fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// Wall and CPU time of one run, in microseconds.
    fn run(&self) -> Result<(f64, f64)> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let (used, start) = (cpu()?, Instant::now());
        let status = command.status()?;
        let wall = start.elapsed().as_secs_f64() * 1e6;
        if !status.success() {
            return Err(format!("{:?}: {status}", self.command).into());
        }
        Ok((wall, cpu()? - used))
    }
}

/// What all children that have ended have used, in microseconds.
fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 * 1e6 + t.tv_usec() as f64;
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// Times in microseconds, sorted.
#[derive(Clone)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn new(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    pub(crate) fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }
}

pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) wall: Times,
    pub(crate) cpu: Times,
}

/// Runs each of them `rounds` times, after three rounds that don't count; each round begins with another.
pub(crate) fn by_turns(contestants: &[Contestant], rounds: usize) -> Result<Vec<Outcome>> {
    let mut taken = vec![(Vec::new(), Vec::new()); contestants.len()];
    for round in 0..rounds + 3 {
        for turn in 0..contestants.len() {
            let who = (round + turn) % contestants.len();
            let (wall, cpu) = contestants[who].run()?;
            if round >= 3 {
                taken[who].0.push(wall);
                taken[who].1.push(cpu);
            }
        }
    }
    let outcome = |(who, (wall, cpu)): (&Contestant, (Vec<f64>, Vec<f64>))| Outcome {
        name: who.name.clone(),
        wall: Times::new(wall),
        cpu: Times::new(cpu),
    };
    Ok(contestants.iter().zip(taken).map(outcome).collect())
}
