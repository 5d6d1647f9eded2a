//! Starting programs from inside a process, by what that process has: memory, descriptors.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use isol::{Allow, Gid, Isolation, Policy, Seccomp, Uid, User};
use nix::fcntl::{FcntlArg, fcntl};

use crate::Result;
use crate::contest::Times;
use crate::site::{Site, UID};

const TURNS: usize = 6;
const ROUNDS: usize = 100;
/// Every how many turns there is one with much memory.
const SELDOM: usize = 2;

/// Of ways in which it computes instead.
const BUSY: &str = "-busy";
/// How long a process rests before it begins: to the scheduler one that has just touched its memory, or only started, is one that
/// computes; the same in `spawn.c`.
const REST: Duration = Duration::from_millis(300);

type Wait = Box<dyn FnOnce() -> Result<()>>;
/// Starts the program, and gives back how to wait for it.
type Start = Box<dyn FnMut() -> Result<Wait>>;

/// Who starts the program.
pub(crate) const WAYS: [(&str, &str); 8] = [
    (
        "floor",
        "C: clone(CLONE_VM \\| CLONE_VFORK \\| CLONE_FILES) and the same system calls, the same filter among them",
    ),
    ("prepared", "isol: Spawner::spawn(), prepared once"),
    ("floor-bare", "C, without a filter of system calls"),
    ("prepared-bare", "isol: Spawner::spawn(), prepared once, with `Seccomp::None`"),
    ("floor-busy", "C, as in the first row, in a process that has computed until then"),
    ("prepared-busy", "isol, as in the second row, in a process that has computed until then"),
    ("whole", "isol: Isolation::spawn(), planned and prepared each time"),
    (
        "std",
        "std::process::Command with uid() and gid(), for comparison: no root, nothing read back",
    ),
];

pub(crate) struct Point {
    pub(crate) way: &'static str,
    pub(crate) gibibytes: u64,
    pub(crate) descriptors: u64,
    pub(crate) times: Times,
}

/// Measures each way at each of these (gibibytes, descriptors), all of them by turns: what the machine does beside is
/// nobody's alone.
pub(crate) fn measure(site: &Site, at: &[(u64, u64)]) -> Result<Vec<Point>> {
    let mut taken = vec![vec![Vec::new(); WAYS.len()]; at.len()];
    for turn in 0..TURNS {
        for (&(gibibytes, descriptors), taken) in at.iter().zip(&mut taken) {
            // Touching the memory takes longer than all the rest.
            if gibibytes > 0 && turn % SELDOM != 0 {
                continue;
            }
            for who in 0..WAYS.len() {
                let who = (who + turn) % WAYS.len();
                // What a process has is no matter there.
                if WAYS[who].0.ends_with(BUSY) && (gibibytes, descriptors) != at[0] {
                    continue;
                }
                // A fork of such a process takes a tenth of a second and more.
                let slow = WAYS[who].0 == "std" && gibibytes > 0;
                let rounds = if slow { 3 } else { ROUNDS };
                taken[who].extend(one(site, WAYS[who].0, rounds, gibibytes, descriptors)?);
            }
        }
    }
    let point = |(&(gibibytes, descriptors), taken): (&(u64, u64), Vec<Vec<f64>>)| {
        let taken = WAYS.iter().zip(taken).filter(|(_, times)| !times.is_empty());
        let of_way = move |(&(way, _), times): (&(&'static str, _), _)| Point {
            way,
            gibibytes,
            descriptors,
            times: Times::new(times),
        };
        taken.map(of_way).collect::<Vec<_>>()
    };
    Ok(at.iter().zip(taken).flat_map(point).collect())
}

/// A process of its own, which has that much.
fn one(
    site: &Site,
    way: &str,
    rounds: usize,
    gibibytes: u64,
    descriptors: u64,
) -> Result<Vec<f64>> {
    let mut command = if way.starts_with("floor") {
        Command::new(site.floor("spawn"))
    } else {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["spawn", way]);
        command
    };
    command.arg(&site.root).args([UID, "/bin/nothing"]);
    command.args([rounds.to_string(), gibibytes.to_string(), descriptors.to_string()]);
    if matches!(way, "floor" | "floor-busy") {
        command.arg(site.filter()?);
    }
    if way == "floor-busy" {
        command.arg("busy");
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let times = text.lines().map(|line| Ok(line.parse::<f64>()? / 1e3));
    times.collect()
}

/// In that process: prints the nanoseconds of each start.
pub(crate) fn samples(words: &[&str]) -> Result<()> {
    let &[way, root, uid, program, rounds, gibibytes, descriptors] = words else {
        return Err("spawn WAY ROOT UID PROGRAM ROUNDS GIBIBYTES DESCRIPTORS".into());
    };
    let (rounds, gibibytes): (usize, usize) = (rounds.parse()?, gibibytes.parse()?);
    let (id, program): (u32, String) = (uid.parse()?, program.to_owned());
    let touched = vec![1_u8; gibibytes << 30];
    for _ in 10..descriptors.parse()? {
        // Not close-on-exec, and never closed here.
        fcntl(std::io::stdin(), FcntlArg::F_DUPFD(3))?;
    }
    let (way, busy) = way.strip_suffix(BUSY).map_or((way, false), |way| (way, true));
    let begun = Instant::now();
    if busy {
        while begun.elapsed() < REST {}
    } else {
        std::thread::sleep(REST);
    }
    let (user, group) = (Uid::new(id).ok_or("a uid")?, Gid::new(id).ok_or("a gid")?);
    let policy = || {
        let policy = Policy::confine(root).user(User::Id(user)).group(isol::Group::Id(group));
        let policy = policy.allow(Allow::SharedUid);
        match way {
            "prepared-bare" => policy.seccomp(Seccomp::None).build(),
            _ => policy.build(),
        }
    };
    let mut start: Start = match way {
        "prepared" | "prepared-bare" => {
            let planned = Isolation::new(policy()?).plan_spawn(isol::Command::new(&program))?;
            let spawner = planned.prepare()?.reusable()?;
            Box::new(move || {
                let mut running = spawner.spawn()?;
                Ok(Box::new(move || Ok(running.wait().map(drop)?)))
            })
        }
        "whole" => {
            let policy = policy()?;
            Box::new(move || {
                let isolation = Isolation::new(policy.clone());
                let mut running = isolation.spawn(isol::Command::new(&program))?;
                Ok(Box::new(move || Ok(running.wait().map(drop)?)))
            })
        }
        _ => {
            let program = format!("{root}{program}");
            Box::new(move || {
                let mut child = Command::new(&program).uid(id).gid(id).env_clear().spawn()?;
                Ok(Box::new(move || Ok(child.wait().map(drop)?)))
            })
        }
    };
    let mut taken = Vec::with_capacity(rounds);
    for round in 0..rounds + 10.min(rounds) {
        let begun = Instant::now();
        let wait = start()?;
        let time = begun.elapsed().as_nanos();
        wait()?;
        if round >= 10.min(rounds) {
            taken.push(time);
        }
    }
    std::hint::black_box(&touched);
    let mut out = std::io::stdout().lock();
    taken.iter().try_for_each(|time| writeln!(out, "{time}"))?;
    Ok(())
}
