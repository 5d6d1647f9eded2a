//! The comparison as Markdown.

use std::fmt::Write;

use isol_prove::Host;
use isol_prove::matrix::Tried;

use crate::Column;

const HEAD: &str = "\
# What others leave open

Made by `ci/compare`; not written by hand. The attacks of `isol prove` were made, from inside, on isol
and on tools that are used in its place. Each tool was started by the same caller, which is in a bad state on
purpose: it leaks descriptors, ignores signals, has a terminal, groups, capabilities, a keyring and variables that a
loader obeys. Each was asked for the same root, user and groups, as far as it has options for them. A cell names the
attacks that got through; an empty one means that none did.

What is compared is what a tool does, not what it is for: most of these were never meant to reset signals
or to look at the tree. What a tool has no option for, such as a umask or a limit, counts as left
open if the caller's own gets through. A host name of its own that begins as a copy of the host's counts as read.
";

pub(crate) fn page(columns: &[Column]) -> String {
    let host = Host::this();
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "\n{} {}, {}.\n", host.os, host.release, host.machine);
    let _ = writeln!(text, "| called | version | command line |\n| --- | --- | --- |");
    for column in columns {
        let _ = writeln!(text, "| {} | {} | `{}` |", column.name, column.version, column.line);
    }
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    let _ = writeln!(text, "\n| guarantee | {} |", names.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(names.len()));
    let rows = columns.iter().map(|column| column.tried.len()).max().unwrap_or(0);
    for row in 0..rows {
        let cells: Vec<_> = columns.iter().map(|column| cell(&column.tried[row])).collect();
        let _ = writeln!(text, "| {} | {} |", columns[0].tried[row].guarantee, cells.join(" | "));
    }
    text.push('\n');
    for column in columns {
        let open: usize = column.tried.iter().map(|tried| tried.through.len()).sum();
        let failed: usize = column.tried.iter().map(|tried| tried.resisted).sum();
        let _ = writeln!(text, "- {}: {open} attacks got through, {failed} failed", column.name);
    }
    text
}

fn cell(tried: &Tried) -> String {
    match &tried.refused {
        Some(why) => format!("nothing ran: {}", why.replace('|', "/")),
        None if tried.inconclusive.is_empty() => tried.through.join(", "),
        None => {
            let unanswered = format!("no answer to {}", tried.inconclusive.len());
            let through = tried.through.iter().map(|name| (*name).to_owned());
            through.chain([unanswered]).collect::<Vec<_>>().join(", ")
        }
    }
}
