//! Linux: the filter of system calls.

use std::path::Path;

use isol_core::seccomp::{RULES, Refusal, Rule};
use isol_core::{
    Errno, Fault, Guarantee as G, Mode, Phase, PrepareError, Problem, Record, Request, Scene,
    Seccomp, Stage, Step, ThreadScope, step_names,
};
use isol_sys::filter::{self, Asked, Program, Scope, Verdict};

use crate::tells::{doing, must};

const NAME: &str = step_names::SECCOMP;

/// Puts a filter in force, as the last thing before the program: what comes behind it has to pass it.
#[derive(Debug)]
pub(crate) struct Filter {
    wanted: Seccomp,
    /// Whether the program is uid 0, and may change its root within the root.
    is_superuser: bool,
    /// Whether what it refuses is told.
    tells: bool,
    /// Whether it stands in for what no namespace confines.
    confines: bool,
    program: Option<Program>,
    /// Calls that are refused, by number and first argument, and what they answer: they are made, to see that it is in
    /// force.
    refused: Vec<(u32, u32, Errno)>,
}

const AF_VSOCK: u32 = 40;
/// Calls that do nothing if all arguments but this first one are 0.
const HARMLESS: [(&str, u32); 7] = [
    ("clone3", 0),
    ("keyctl", 0),
    ("request_key", 0),
    ("bpf", 0),
    ("perf_event_open", 0),
    ("io_uring_setup", 0),
    // Without a type there is no socket.
    ("socket", AF_VSOCK),
];

impl Filter {
    pub(crate) fn new(request: &Request<'_>, confines: bool) -> Self {
        Self {
            wanted: request.policy.seccomp.clone(),
            is_superuser: request.is_superuser(),
            tells: request.policy.tell_refusals,
            confines,
            program: None,
            refused: Vec::new(),
        }
    }

    fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        let has = |name| self.wanted.has(name) && !(self.is_superuser && name == "chroot");
        RULES.iter().filter(move |rule| has(rule.name))
    }

    fn make(&self, mode: Mode) -> Result<Program, Problem> {
        let Seccomp::File(file) = &self.wanted else {
            let refusals: Vec<&Refusal> = self.rules().flat_map(|rule| rule.refuses).collect();
            return filter::compile(refusals)
                .map_err(|why| Problem::new(NAME, "the default filter can't be made", why));
        };
        let program = read(file)?;
        filter::try_out(&program).map_err(|errno| {
            Problem::call(NAME, format!("the kernel takes no filter {}", file.display()), errno)
        })?;
        for &(call, argument) in needed(mode, self.tells) {
            let lets = |number| {
                let verdict = program.verdict(&Asked::here(number, [argument, 0, 0, 0, 0, 0]));
                verdict == Verdict::Allowed
            };
            if !filter::number(call).is_some_and(lets) {
                let what = format!("the filter {} lets nothing start", file.display());
                let why = format!("{call}(2), which isol calls behind it, does not go through");
                return Err(Problem::new(NAME, what, why));
            }
        }
        Ok(program)
    }
}

/// The calls that are made behind the filter, each with its first argument.
fn needed(mode: Mode, tells: bool) -> &'static [(&'static str, u64)] {
    const PR_GET_SECCOMP: u64 = 21;
    const ALL: &[(&str, u64)] = &[
        ("prctl", PR_GET_SECCOMP),
        ("exit_group", 125),
        ("execve", 0),
        ("write", 3),
        ("sendmsg", 3),
        ("close", 4),
    ];
    match mode {
        Mode::Enter => &ALL[..2],
        Mode::Exec => &ALL[..3],
        Mode::Spawn if tells => ALL,
        Mode::Spawn => &ALL[..4],
    }
}

/// A filter of a file's: JSON, or compiled.
fn read(file: &Path) -> Result<Program, Problem> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| {
        let problem = Problem::io(NAME, format!("can't read the filter {name}"), &error);
        // More likely a slip in one of the words.
        match file.components().count() {
            1 => problem.help("--seccomp default, default+RULE, none, or the path of a file"),
            _ => problem,
        }
    })?;
    let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
    let program = match is_json {
        true => filter::read_json(&bytes),
        false => Program::from_bytes(&bytes).map_err(|error| error.to_string()),
    };
    program.map_err(|why| {
        Problem::new(NAME, format!("{name} is no filter"), why)
            .help("docs/seccomp.md: JSON as seccompiler reads it, or a compiled BPF program")
    })
}

impl Step for Filter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Seal
    }

    fn calls(&self) -> &'static [&'static str] {
        &["seccomp", "prctl"]
    }

    fn establishes(&self) -> &'static [G] {
        const ALL: &[G] = &[
            G::PrivilegesEmpty,
            G::NoNewRoot,
            G::SessionDetached,
            G::NetworkConfined,
            G::IpcPrivate,
        ];
        if self.confines { ALL } else { &ALL[..3] }
    }

    fn explains(&self) -> String {
        if let Seccomp::File(file) = &self.wanted {
            return format!("filter the system calls by {}", file.display());
        }
        let names: Vec<_> = self.rules().map(|rule| rule.name).collect();
        format!("refuse system calls that no confined program needs: {}", names.join(", "))
    }

    fn sends_descriptor(&self) -> bool {
        self.tells
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        filter::available().map_err(|errno| {
            Problem::call(NAME, "this kernel filters no system calls", errno)
                .help("--seccomp none runs the program without a filter")
        })?;
        let program = self.make(scene.mode)?;
        if self.tells && scene.mode == Mode::Spawn {
            scene.filter = Some(program.to_bytes());
            let seccomp = filter::number("seccomp").unwrap_or(u32::MAX);
            self.program = Some(program.telling(seccomp));
            return Ok(());
        }
        // One that was made to see that it is refused would be told too, and wait for an answer that nobody gives yet.
        let harmless = if self.tells { &[][..] } else { &HARMLESS };
        for &(call, first) in harmless {
            let Some(number) = filter::number(call) else { continue };
            let asked = Asked::here(number, [first.into(), 0, 0, 0, 0, 0]);
            if let Verdict::Errno(errno) = program.verdict(&asked) {
                self.refused.push((number, first, Errno(errno.into())));
            }
        }
        self.program = Some(program);
        Ok(())
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        let scope = match stage.threads {
            ThreadScope::Alone => Scope::Thread,
            ThreadScope::Every => Scope::Process,
        };
        let program = self.program.as_ref().ok_or(Fault::state("no filter is ready"))?;
        let installed = match (stage.mode, stage.report) {
            (Mode::Spawn, Some(report)) if self.tells => {
                filter::install_telling(program, report, &Record::Listener.encode())
            }
            _ => filter::install(program, scope, self.tells),
        };
        installed.map_err(doing("putting the filter in force"))
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        must(filter::is_in_force().map_err(doing("PR_GET_SECCOMP"))?, "no filter is in force")?;
        for &(number, first, errno) in &self.refused {
            if filter::asked(number, first) != Err(errno) {
                return Err(Fault::found("the filter does not refuse system call ", number.into()));
            }
        }
        Ok(())
    }
}
