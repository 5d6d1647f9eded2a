//! Makes the same attacks on isol and on tools that people use in its place, and prints what each of them
//! leaves open, as Markdown. Called by `ci/compare`, as root.
#![expect(clippy::print_stdout, reason = "the comparison is what it prints")]

mod page;
mod tools;

use std::error::Error;

use isol::{Guarantee, Mode};
use isol_prove::Site;
use isol_prove::matrix::{Question, Tried, answer};
use isol_prove::subject::Subject;

/// What one subject leaves open.
struct Column {
    name: String,
    line: String,
    version: String,
    tried: Vec<Tried>,
}

fn main() -> Result<(), Box<dyn Error>> {
    isol::sweep();
    // What is mounted and shared goes with this process.
    let _ = isol_prove::own_surroundings();
    let site = Site::new(&isol_tests::isol_path())?;
    let mut columns = Vec::new();
    for &backend in isol::backends() {
        if isol_prove::matrix::cant_be_run(backend).is_some() {
            continue;
        }
        columns.push(Column {
            name: format!("isol, {}", backend.name()),
            line: format!("isol run --backend {} --root ROOT --user UID …", backend.name()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tried: ask(&site, Subject::Isol(backend, Mode::Exec))?,
        });
    }
    for (tool, version) in tools::all() {
        let line = tool.words.join(" ").replace(env!("CARGO_MANIFEST_DIR"), "tests");
        let name = tool.name.clone();
        columns.push(Column { name, line, version, tried: ask(&site, Subject::Tool(tool))? });
    }
    drop(site);
    print!("{}", page::page(&columns));
    Ok(())
}

fn ask(site: &Site, subject: Subject) -> Result<Vec<Tried>, Box<dyn Error>> {
    // Nothing of the sort is asked of any of them.
    let guarantees = Guarantee::ALL.into_iter().filter(|g| *g != Guarantee::SyslogWorks).collect();
    let question = Question {
        subject,
        guarantees,
        without: Vec::new(),
        least: false,
        landlock: Vec::new(),
        unfiltered: false,
        lying: None,
        bad_caller: true,
        traps: true,
    };
    Ok(answer(site, &question)?)
}
