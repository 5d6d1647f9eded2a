//! How fast isol is: measures, and writes `docs/performance.md` with its curves. `ci/bench` builds what it needs
//! and calls it.
//!
//! ```text
//!     isol-bench all FLOORS ISOL DOCS    measures, writes DOCS/performance.md and DOCS/performance/*.svg
//!     isol-bench launch FLOORS ISOL      the first table alone, on standard output
//!     isol-bench spawns FLOORS ISOL      the second one, likewise, and its goals
//! ```
//!
//! The other words are for the processes that it starts of itself.

mod chart;
mod contest;
mod curves;
mod launch;
mod machine;
mod page;
mod site;
mod spawn;
mod spawns;

use std::error::Error;
use std::path::PathBuf;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["all", floors, isol, docs] => {
            let site = site::Site::new(floors, isol)?;
            let measured = page::Measured::take(&site)?;
            page::write(&measured, &PathBuf::from(docs))
        }
        ["launch", floors, isol] => {
            let site = site::Site::new(floors, isol)?;
            page::print(&launch::table(&launch::measure(&site)?))
        }
        ["spawns", floors, isol] => page::print(&page::spawns(&site::Site::new(floors, isol)?)?),
        ["filter", file] => Ok(std::fs::write(file, site::filter()?)?),
        ["spawn", rest @ ..] => spawn::samples(rest),
        ["point", floors, isol] => curves::point(&site::Site::new(floors, isol)?),
        _ => Err("usage: isol-bench all FLOORS ISOL DOCS | launch|spawns FLOORS ISOL".into()),
    }
}
