//! Linux: what the program gives up by Landlock.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use isol_core::{
    Fault, Guarantee, Landlock, LandlockWord, Phase, PrepareError, Problem, Scene, Stage, Step,
    step_names,
};
use isol_sys::landlock::{self, Failed, Restriction};

const NAME: &str = step_names::LANDLOCK;

/// Confines once more what the root confines already, by another part of the kernel: a directory descriptor that
/// somebody outside hands in leads nowhere then.
///
/// No call tells what is in force: what landlock_restrict_self(2) has answered is what is known.
#[derive(Debug)]
pub(crate) struct Restrict {
    wanted: Landlock,
    ready: Restriction,
}

impl Restrict {
    pub(crate) fn new(wanted: &Landlock) -> Self {
        Self { wanted: wanted.clone(), ready: Restriction::default() }
    }

    fn restriction(&self) -> Restriction {
        let wanted = &self.wanted;
        // A policy with a NUL byte in a path is none.
        let raw = |path: &std::path::PathBuf| CString::new(path.as_os_str().as_bytes()).ok();
        Restriction {
            write: wanted.files.then(|| wanted.write.iter().filter_map(raw).collect()),
            write_if_there: vec![c"/dev/null".into()],
            signals: wanted.signals,
            sockets: wanted.sockets,
            bind: wanted.bind.clone(),
            connect: wanted.connect.clone(),
        }
    }
}

impl Step for Restrict {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Seal
    }

    fn calls(&self) -> &'static [&'static str] {
        &[
            "landlock_create_ruleset",
            "openat2",
            "fstat",
            "landlock_add_rule",
            "landlock_restrict_self",
        ]
    }

    /// Together with the change of the root.
    fn establishes(&self) -> &'static [Guarantee] {
        if self.wanted.files { &[Guarantee::RootConfined] } else { &[] }
    }

    fn explains(&self) -> String {
        let words: Vec<_> = self.wanted.words().iter().map(LandlockWord::to_string).collect();
        format!("confine by Landlock, beside all else: {}", words.join(" "))
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        self.ready = self.restriction();
        let (needed, what) = self.ready.needs();
        let has = landlock::version().map_err(|errno| {
            Problem::call(NAME, "this kernel has no Landlock", errno)
                .help("leave --landlock out, or start the kernel with lsm=landlock,...")
        })?;
        if has < needed {
            let why = format!("it takes version {needed} of Landlock, and this kernel has {has}");
            return Err(Problem::new(NAME, format!("{what} can't be done"), why).into());
        }
        let root = scene.root.as_ref().ok_or_else(|| Problem::new(NAME, "no root is open", ""))?;
        for path in self.ready.write.iter().flatten() {
            landlock::find(Some(root.fd.as_fd()), path).map_err(|errno| {
                let what = format!("{} of the root can't be made writable", path.to_string_lossy());
                Problem::call(NAME, what, errno)
            })?;
        }
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        landlock::restrict(&self.ready).map_err(|Failed { errno, what }| Fault::call(errno, what))
    }
}
