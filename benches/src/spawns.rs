//! The table of spawns, its curves and its goals.

use std::fmt::Write as _;
use std::path::Path;

use crate::chart::{self, Line};
use crate::page::Goal;
use crate::site::Site;
use crate::spawn::{self, Point, WAYS};
use crate::{Result, machine};

pub(crate) struct Spawns {
    points: Vec<Point>,
    most_memory: u64,
}

impl Spawns {
    pub(crate) fn take(site: &Site) -> Result<Self> {
        // Twice over: the floor's process and isol's are never there at once, the kernel's own needs are.
        let fits = |gib: &u64| gib + 2 <= machine::gibibytes_available();
        let most_memory = [8, 4, 1].into_iter().find(fits).unwrap_or(0);
        let mut at: Vec<(u64, u64)> = [10, 1000, 10_000, 19_900].map(|fds| (0, fds)).into();
        at.extend([1, 4, 8].into_iter().filter(|&gib| gib <= most_memory).map(|gib| (gib, 10)));
        Ok(Self { points: spawn::measure(site, &at)?, most_memory })
    }

    fn median(&self, way: &str, gibibytes: u64, descriptors: u64) -> f64 {
        let mut found = self.points.iter().filter(|p| p.way == way && p.descriptors == descriptors);
        found.find(|p| p.gibibytes == gibibytes).map_or(f64::NAN, |point| point.times.median())
    }

    pub(crate) fn goals(&self) -> Vec<Goal> {
        let (few, many) = (self.median("prepared", 0, 10), self.median("prepared", 0, 19_900));
        let large = self.median("prepared", self.most_memory, 10);
        let bare = self.median("prepared-bare", 0, 10);
        let memory = format!("spawn with {} GiB touched, over 0 GiB", self.most_memory);
        vec![
            (
                "spawn, over the same calls in C".into(),
                Some(few / self.median("floor", 0, 10)),
                1.25,
            ),
            (
                "spawn without a filter, over the same calls in C".into(),
                Some(bare / self.median("floor-bare", 0, 10)),
                1.25,
            ),
            (memory, Some(large / few), 1.2),
            ("spawn with 19,900 descriptors, over 10".into(), Some(many / few), 1.4),
        ]
    }

    pub(crate) fn table(&self) -> Result<String> {
        let mut table = String::from("| µs, median (quartiles) |");
        let mut at: Vec<(u64, u64)> = Vec::new();
        for point in &self.points {
            if !at.contains(&(point.gibibytes, point.descriptors)) {
                at.push((point.gibibytes, point.descriptors));
                write!(table, " {} GiB, {} descriptors |", point.gibibytes, point.descriptors)?;
            }
        }
        table += "\n| --- |";
        table += &" --- |".repeat(at.len());
        table += "\n";
        for (way, what) in WAYS {
            write!(table, "| {what} |")?;
            for &(gibibytes, descriptors) in &at {
                let mut found =
                    self.points.iter().filter(|p| p.way == way && p.gibibytes == gibibytes);
                match found.find(|p| p.descriptors == descriptors) {
                    Some(p) => write!(
                        table,
                        " {:.0} ({:.0} to {:.0}) |",
                        p.times.median(),
                        p.times.at(0.25),
                        p.times.at(0.75)
                    )?,
                    None => write!(table, " |")?,
                }
            }
            table += "\n";
        }
        Ok(table)
    }

    pub(crate) fn charts(&self, directory: &Path) -> Result<()> {
        let names =
            [("floor", "C"), ("prepared", "isol, prepared"), ("whole", "isol, planned each time")];
        let lines = |over_memory: bool| -> Vec<Line> {
            let points = |way: &str| {
                let of_way = self.points.iter().filter(|p| p.way == way);
                let of_axis = of_way
                    .filter(|p| if over_memory { p.descriptors == 10 } else { p.gibibytes == 0 });
                let x =
                    |p: &Point| if over_memory { p.gibibytes as f64 } else { p.descriptors as f64 };
                of_axis.map(|p| (x(p), p.times.median())).collect()
            };
            names
                .iter()
                .map(|(way, name)| Line { name: (*name).to_owned(), points: points(way) })
                .collect()
        };
        chart::draw(
            &directory.join("spawn-descriptors.svg"),
            "open descriptors",
            "µs",
            &lines(false),
        )?;
        chart::draw(&directory.join("spawn-memory.svg"), "GiB touched", "µs", &lines(true))
    }
}
