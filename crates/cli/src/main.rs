//! The `isol` command. It parses, calls the library, and prints.
#![forbid(unsafe_code)]

mod arguments;
mod backends;
mod generated;
mod output;
mod panics;
mod plan;
mod policy;
mod prove;
mod refusals;
mod root;
mod run;
mod supervise;
mod usage;

use std::process::ExitCode;

use arguments::{Arguments, Command, Later};
use isol::{Problem, step_names};

/// musl's own maps and unmaps pages with nearly every allocation of a start, each of which faults: a fifth of a launch.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn end(status: i32) -> ! {
    std::process::exit(status)
}

fn main() -> ExitCode {
    panics::told(isol)
}

fn isol() -> ExitCode {
    // Before anything is opened: a file that landed on 0, 1 or 2 would be the program's.
    if let Err(errno) = isol::host::open_standard() {
        let what = "can't open /dev/null on a closed standard descriptor";
        let problem = Problem::call(step_names::STANDARD_DESCRIPTORS, what, errno);
        output::tell(false)(&problem);
        return ExitCode::from(problem.kind.exit_status());
    }
    let arguments = match Arguments::of_process() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report(&error),
    };
    let (json, result) = match arguments.command {
        Command::Run(Later(run)) => (run.options.often.json, run::run(run)),
        Command::Plan(Later(plan)) => (plan.options.often.json, plan::plan(&plan)),
        Command::Backends(backends) => (backends.json, backends::backends(&backends)),
        Command::Prove(Later(prove)) => (prove.json, prove::prove(&prove)),
        Command::Completions { shell } => (false, generated::completions(shell)),
        Command::Man { command } => (false, generated::manual(&command)),
        // Its status is for whoever started it: isol itself.
        Command::Agent { words } => end(isol_prove::agent::main(&words)),
        Command::Root(Later(root)) => (root.json(), root::root(&root)),
    };
    match result {
        Ok(code) => code,
        Err(problem) => {
            output::tell(json)(&problem);
            ExitCode::from(problem.kind.exit_status())
        }
    }
}
