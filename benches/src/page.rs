//! `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::chart::{self, Line};
use crate::contest::Outcome;
use crate::curves::{self, Curve};
use crate::launch::{self, BY_NAME, BY_NUMBER, CHROOT, FLOOR, MINIJAIL, THROW_AWAY};
use crate::site::Site;
use crate::spawns::Spawns;
use crate::{Result, machine};

pub(crate) struct Measured {
    machine: String,
    date: String,
    load: (String, String),
    launch: Vec<Outcome>,
    spawn: Spawns,
    curves: Vec<Curve>,
}

impl Measured {
    pub(crate) fn take(site: &Site) -> Result<Self> {
        let (machine, date, before) = (machine::describe(), machine::date(), machine::load());
        let launch = launch::measure(site)?;
        let spawn = Spawns::take(site)?;
        let curves = curves::measure(site)?;
        Ok(Self { machine, date, load: (before, machine::load()), launch, spawn, curves })
    }

    /// What was asked for, what was measured (a ratio), and the most that it may be.
    fn goals(&self) -> Vec<Goal> {
        let launch = |name| launch::median(&self.launch, name);
        let ratio = |name, to| Some(launch(name)? / launch(to)?);
        let mut goals = vec![
            ("launch by number, over the floor".into(), ratio(BY_NUMBER, FLOOR), 1.4),
            ("launch by name, over the floor".into(), ratio(BY_NAME, FLOOR), 1.6),
            ("launch by number, over coreutils' chroot".into(), ratio(BY_NUMBER, CHROOT), 1.0),
            ("launch by number, over minijail0".into(), ratio(BY_NUMBER, MINIJAIL), 1.0),
            (
                "second launch in a throw-away root, over the floor".into(),
                ratio(THROW_AWAY, FLOOR),
                3.0,
            ),
        ];
        goals.extend(self.spawn.goals());
        goals
    }
}

/// What was asked for, what was measured, if it was, and the most that it may be.
pub(crate) type Goal = (String, Option<f64>, f64);

fn goals_table(goals: &[Goal]) -> String {
    let mut table = String::from("| goal | measured | at most | |\n| --- | --- | --- | --- |\n");
    for (what, found, most) in goals {
        table += &match found {
            Some(found) => {
                let verdict = if found <= most { "met" } else { "**missed**" };
                format!("| {what} | {found:.2} | {most} | {verdict} |\n")
            }
            None => format!("| {what} | not measured: it is not installed here | {most} | |\n"),
        };
    }
    table
}

/// The second table, and its goals.
pub(crate) fn spawns(site: &Site) -> Result<String> {
    let spawns = Spawns::take(site)?;
    Ok(format!("{}\n{}", spawns.table()?, goals_table(&spawns.goals())))
}

pub(crate) fn print(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

pub(crate) fn write(measured: &Measured, docs: &Path) -> Result<()> {
    let directory = docs.join("performance");
    fs::create_dir_all(&directory)?;
    let mut page = String::from(HEAD);
    writeln!(
        page,
        "{}\nMeasured {}; load {} before and {} after (1.0 is one processor, always busy).\n",
        measured.machine, measured.date, measured.load.0, measured.load.1
    )?;
    page += "## Goals\n\n";
    page += &goals_table(&measured.goals());
    page += LAUNCH;
    page += &launch::table(&measured.launch);
    page += SPAWN;
    page += &measured.spawn.table()?;
    page += "\n![](performance/spawn-descriptors.svg)\n\n![](performance/spawn-memory.svg)\n";
    page += CURVES;
    for curve in &measured.curves {
        let file = directory.join(format!("{}.svg", curve.id));
        let line = |name: &str, pick: fn(&(f64, f64, f64)) -> f64| Line {
            name: name.to_owned(),
            points: curve.points.iter().map(|point| (point.0, pick(point))).collect(),
        };
        let lines = [line("the floor", |point| point.1), line("isol run", |point| point.2)];
        chart::draw(&file, curve.over, "µs", &lines)?;
        writeln!(page, "### Over {}\n\n![](performance/{}.svg)\n", curve.over, curve.id)?;
        page += "| | floor, µs | isol run, µs | difference |\n| --- | --- | --- | --- |\n";
        for (there, floor, isol) in &curve.points {
            writeln!(page, "| {there} | {floor:.0} | {isol:.0} | {:.0} |", isol - floor)?;
        }
        page += "\n";
    }
    measured.spawn.charts(&directory)?;
    Ok(fs::write(docs.join("performance.md"), page.trim_end().to_owned() + "\n")?)
}

const HEAD: &str = "# Performance

Made by `ci/bench`, which builds everything, runs the contestants by turns and writes this page. Times are medians of
wall time, of whole processes where nothing else is said. The quartiles show the spread.

";

const LAUNCH: &str = "
## Launch

The floor is a static C program that does chdir, chroot, chdir, setgroups, setresgid, setresuid and execve, and nothing
else (`benches/floors/launch.c`). All start the same static program, which only ends. isol holds all base guarantees:
it checks the root and the program, looks at who has the uid, gives up every privilege and reads everything back.

";

const SPAWN: &str = "
What isol does beside the floor, in the order of what it costs: the look at who runs under the uid, which asks the kernel
for the ids of each process (see the curve over processes); starting itself, mostly page faults of a program of 4 MB and
of the heap that describing the command line takes; some 400 system calls.

The last row is the second run of a program without `--root`: the tree of the run before is taken again (see [trees.md](trees.md)).
`/usr/bin/id` is linked dynamically and looks names up; what it costs by itself beyond `true` no launcher can take away, and
stands in the rows above. Beside that isol allots a uid and holds it by a lock, compares each file of the host's and of the tree with
what it was, makes a new `/tmp`, waits for the program, sees that nothing of it is left, gives the tree back, and
takes away what killed runs have left, before and after.

## Spawn, from inside a process

From the call to its return, when the program has been executed. With `--allow shared-uid`, because its uid is in use.
The same system calls in C are in `benches/floors/spawn.c`, in the order in which isol's child makes them. The program ends at
once, and has no C library (`benches/floors/nothing.c`): the parent is often woken on the processor that the program then has,
and would wait for the start of one, which takes longer than the rest. Each process rests for 0.3 s before it begins: one that has
just touched its memory is to the scheduler one that computes, and whoever it starts is often given another processor, which has
to be woken. That is no matter of memory: what a process without any takes that has computed for as long stands in rows of
its own.

";

const CURVES: &str = "
## Growth of a launch

";
