//! What `isol prove` prints for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use isol_prove::controls::Shown;
use isol_prove::faults::Faults;
use isol_prove::mutations::Mutation;
use isol_prove::{Host, Row, Verdict};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const PALE: Style = Style::new().dimmed();

fn styled(style: Style, width: usize, text: &str) -> String {
    format!("{style}{text:<width$}{style:#}")
}

fn verdict(verdict: Verdict, width: usize) -> String {
    match verdict {
        Verdict::Held => styled(GOOD, width, "held"),
        Verdict::Violated => styled(BAD, width, "VIOLATED"),
        Verdict::NotOffered => styled(PALE, width, "not offered"),
    }
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("{count} {one}") } else { format!("{count} {one}s") }
}

/// Guarantees down, backends and modes across; below it what has to be explained; a summary.
pub(crate) fn matrix(host: &Host, rows: &[Row], controls: &[Shown]) -> String {
    let mut columns: Vec<(&str, &str)> = Vec::new();
    let mut guarantees = Vec::new();
    for row in rows {
        let column = (row.backend.as_str(), row.mode.id());
        if !columns.contains(&column) {
            columns.push(column);
        }
        if !guarantees.contains(&row.guarantee) {
            guarantees.push(row.guarantee);
        }
    }
    let titles: Vec<_> = columns.iter().map(|(b, m)| format!("{b} {m}")).collect();
    let width = titles.iter().map(String::len).max().unwrap_or(0).max(12);
    let mut text = format!("{} {} {}\n\n{:<20}", host.os, host.release, host.machine, "");
    for title in &titles {
        let _ = write!(text, " {title:<width$}");
    }
    text.push('\n');
    for guarantee in guarantees {
        let _ = write!(text, "{guarantee:<20}");
        for &(backend, mode) in &columns {
            let cell = rows
                .iter()
                .find(|r| r.guarantee == guarantee && r.backend == backend && r.mode.id() == mode);
            let cell = cell.map_or(String::new(), |row| verdict(row.verdict, width));
            let _ = write!(text, " {cell}");
        }
        text.push('\n');
    }
    text.push('\n');
    explain(rows, &mut text);
    for shown in controls.iter().filter(|shown| !shown.is_alive()) {
        let _ = writeln!(
            text,
            "{}: attacks that fail even where there is no isolation, and so prove nothing: {}",
            styled(BAD, 0, shown.guarantee.id()),
            shown.dead.join(", ")
        );
    }
    summary(rows, controls, &mut text);
    text
}

/// Each violation, and each reason once.
fn explain(rows: &[Row], text: &mut String) {
    for row in rows.iter().filter(|row| row.verdict == Verdict::Violated) {
        let (guarantee, backend, mode) = (row.guarantee, &row.backend, row.mode);
        let _ = writeln!(text, "{BAD}{guarantee}{BAD:#} on {backend}, {mode}:");
        for evidence in &row.evidence {
            let _ = writeln!(text, "    {evidence}");
        }
    }
    let mut told = Vec::new();
    for row in rows.iter().filter(|row| row.verdict == Verdict::NotOffered) {
        let key = (row.guarantee, &row.backend, &row.reason);
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let _ = writeln!(text, "{}: not offered by {}: {}", row.guarantee, row.backend, row.reason);
        for evidence in row.evidence.iter().take(3) {
            let _ = writeln!(text, "    {PALE}{evidence}{PALE:#}");
        }
    }
    if !told.is_empty() {
        text.push('\n');
    }
}

fn summary(rows: &[Row], controls: &[Shown], text: &mut String) {
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let violated = count(Verdict::Violated);
    let style = if violated == 0 { GOOD } else { BAD };
    let _ = write!(
        text,
        "{style}{} held, {violated} violated{style:#}, {} not offered",
        count(Verdict::Held),
        count(Verdict::NotOffered)
    );
    let modest = rows.iter().filter(|row| row.claims_too_little).count();
    if modest > 0 {
        let _ =
            write!(text, " (of which {modest} held all the same: the backend claims too little)");
    }
    if !controls.is_empty() {
        let through: usize = controls.iter().map(|shown| shown.through.len()).sum();
        let exempt: usize = controls.iter().map(|shown| shown.exempt.len()).sum();
        let absent: usize = controls.iter().map(|shown| shown.not_here.len()).sum();
        let _ = write!(
            text,
            "; without isolation {} get through, {exempt} can't be shown to, {absent} mean nothing here",
            plural(through, "attack")
        );
    }
    text.push('\n');
}

/// What caught the absence of a step.
pub(crate) fn mutation(mutation: &Mutation) -> String {
    let mut text = String::new();
    let _ = write!(text, "{} without {:<22}", mutation.backend, mutation.step);
    let mut names: Vec<_> = Vec::new();
    for caught in &mutation.caught_by {
        if !names.contains(&caught.guarantee.id()) {
            names.push(caught.guarantee.id());
        }
    }
    match (&mutation.structural, mutation.caught_by.first()) {
        (Some(why), _) => {
            let _ = writeln!(text, "{PALE}nothing starts: {why}{PALE:#}");
        }
        (None, Some(first)) => {
            let _ = writeln!(text, "{BAD}violated{BAD:#}: {}", names.join(" "));
            let _ = writeln!(text, "    {PALE}{}, {}{PALE:#}", first.mode, first.evidence);
        }
        (None, None) => {
            let _ = writeln!(text, "{BAD}NOT MISSED{BAD:#}: the step is dead, or unproved");
        }
    }
    if let Some(noticed) = &mutation.read_back {
        let _ = writeln!(text, "    {PALE}read back: {noticed}{PALE:#}");
    }
    text
}

/// How many steps were missed.
pub(crate) fn mutations(found: &[Mutation]) -> String {
    let mut text = String::new();
    let missed = found.iter().filter(|mutation| mutation.is_missed()).count();
    let structural = found.iter().filter(|mutation| mutation.structural.is_some()).count();
    let _ = writeln!(
        text,
        "\n{}: {} missed when it was left out, {structural} without which nothing starts, {} not missed",
        plural(found.len(), "step"),
        missed - structural,
        found.len() - missed
    );
    text
}

/// A line for each plan, and everything that went wrong.
pub(crate) fn faults(found: &[Faults]) -> String {
    let mut text = String::new();
    for faults in found {
        let _ = writeln!(
            text,
            "{} {}: {}, {}: {} started, {} misnamed, {} left behind",
            faults.backend,
            faults.plan,
            plural(faults.steps, "step"),
            plural(faults.faults, "fault"),
            faults.started.len(),
            faults.misnamed.len(),
            faults.leftovers.len()
        );
        for wrong in faults.started.iter().chain(&faults.misnamed).chain(&faults.leftovers) {
            let _ = writeln!(text, "    {BAD}{wrong}{BAD:#}");
        }
    }
    let all: usize = found.iter().map(|faults| faults.faults).sum();
    let wrong = found.iter().filter(|faults| !faults.is_clean()).count();
    let _ = writeln!(text, "\n{all} faults injected; {wrong} of {} plans failed", found.len());
    text
}
