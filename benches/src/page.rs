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
use crate::spawn::{self, Point, WAYS};
use crate::{Result, machine};

pub(crate) struct Measured {
    machine: String,
    date: String,
    load: (String, String),
    launch: Vec<Outcome>,
    spawn: Vec<Point>,
    curves: Vec<Curve>,
    most_memory: u64,
}

impl Measured {
    pub(crate) fn take(site: &Site) -> Result<Self> {
        let (machine, date, before) = (machine::describe(), machine::date(), machine::load());
        // Twice over: the floor's process and isol's are never there at once, the kernel's own needs are.
        let most_memory = [8, 4, 1]
            .into_iter()
            .find(|gib| gib + 2 <= machine::gibibytes_available())
            .unwrap_or(0);
        let launch = launch::measure(site)?;
        let spawn = spawn::measure(
            site,
            &[
                (0, 10),
                (0, 1000),
                (0, 10_000),
                (0, 19_900),
                (1, 10),
                (4.min(most_memory), 10),
                (most_memory, 10),
            ],
        )?;
        let curves = curves::measure(site)?;
        Ok(Self {
            machine,
            date,
            load: (before, machine::load()),
            launch,
            spawn,
            curves,
            most_memory,
        })
    }

    fn spawn_at(&self, way: &str, gibibytes: u64, descriptors: u64) -> f64 {
        let mut found = self.spawn.iter().filter(|p| p.way == way && p.descriptors == descriptors);
        found.find(|p| p.gibibytes == gibibytes).map_or(f64::NAN, |point| point.times.median())
    }

    /// What was asked for, what was measured (a ratio), and the most that it may be.
    fn goals(&self) -> Vec<(String, Option<f64>, f64)> {
        let launch = |name| launch::median(&self.launch, name);
        let ratio = |name, to| Some(launch(name)? / launch(to)?);
        let spawn = |way, gib, fds| self.spawn_at(way, gib, fds);
        let (few, many) = (spawn("prepared", 0, 10), spawn("prepared", 0, 19_900));
        let (small, large) = (few, spawn("prepared", self.most_memory, 10));
        vec![
            ("launch by number, over the floor".into(), ratio(BY_NUMBER, FLOOR), 1.4),
            ("launch by name, over the floor".into(), ratio(BY_NAME, FLOOR), 1.6),
            ("launch by number, over coreutils' chroot".into(), ratio(BY_NUMBER, CHROOT), 1.0),
            ("launch by number, over minijail0".into(), ratio(BY_NUMBER, MINIJAIL), 1.0),
            (
                "second launch in a throw-away root, over the floor".into(),
                ratio(THROW_AWAY, FLOOR),
                3.0,
            ),
            ("spawn, over the same calls in C".into(), Some(few / spawn("floor", 0, 10)), 1.25),
            (
                format!("spawn with {} GiB touched, over 0 GiB", self.most_memory),
                Some(large / small),
                1.2,
            ),
            ("spawn with 19,900 descriptors, over 10".into(), Some(many / few), 1.4),
        ]
    }
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
    page += "## Goals\n\n| goal | measured | at most | |\n| --- | --- | --- | --- |\n";
    for (what, found, most) in measured.goals() {
        match found {
            Some(found) => {
                let verdict = if found <= most { "met" } else { "**missed**" };
                writeln!(page, "| {what} | {found:.2} | {most} | {verdict} |")?;
            }
            None => {
                writeln!(page, "| {what} | not measured: it is not installed here | {most} | |")?
            }
        }
    }
    page += LAUNCH;
    page += &launch::table(&measured.launch);
    page += SPAWN;
    spawn_table(measured, &mut page)?;
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
    spawn_charts(measured, &directory)?;
    Ok(fs::write(docs.join("performance.md"), page.trim_end().to_owned() + "\n")?)
}

fn spawn_table(measured: &Measured, page: &mut String) -> Result<()> {
    *page += "| µs, median (quartiles) |";
    let mut at: Vec<(u64, u64)> = Vec::new();
    for point in &measured.spawn {
        if !at.contains(&(point.gibibytes, point.descriptors)) {
            at.push((point.gibibytes, point.descriptors));
            write!(page, " {} GiB, {} descriptors |", point.gibibytes, point.descriptors)?;
        }
    }
    *page += "\n| --- |";
    *page += &" --- |".repeat(at.len());
    *page += "\n";
    for (way, what) in WAYS {
        write!(page, "| {what} |")?;
        for &(gibibytes, descriptors) in &at {
            let mut found =
                measured.spawn.iter().filter(|p| p.way == way && p.gibibytes == gibibytes);
            match found.find(|p| p.descriptors == descriptors) {
                Some(p) => write!(
                    page,
                    " {:.0} ({:.0} to {:.0}) |",
                    p.times.median(),
                    p.times.at(0.25),
                    p.times.at(0.75)
                )?,
                None => write!(page, " |")?,
            }
        }
        *page += "\n";
    }
    *page += "\n![](performance/spawn-descriptors.svg)\n\n![](performance/spawn-memory.svg)\n";
    Ok(())
}

fn spawn_charts(measured: &Measured, directory: &Path) -> Result<()> {
    let names =
        [("floor", "C"), ("prepared", "isol, prepared"), ("whole", "isol, planned each time")];
    let lines = |over_memory: bool| -> Vec<Line> {
        let points = |way: &str| {
            let of_way = measured.spawn.iter().filter(|p| p.way == way);
            let of_axis =
                of_way.filter(|p| if over_memory { p.descriptors == 10 } else { p.gibibytes == 0 });
            let x = |p: &Point| if over_memory { p.gibibytes as f64 } else { p.descriptors as f64 };
            of_axis.map(|p| (x(p), p.times.median())).collect()
        };
        names
            .iter()
            .map(|(way, name)| Line { name: (*name).to_owned(), points: points(way) })
            .collect()
    };
    chart::draw(&directory.join("spawn-descriptors.svg"), "open descriptors", "µs", &lines(false))?;
    chart::draw(&directory.join("spawn-memory.svg"), "GiB touched", "µs", &lines(true))
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
The same system calls in C are in `benches/floors/spawn.c`, in the order in which isol's child makes them.

";

const CURVES: &str = "
## Growth of a launch

";
