//! Into new namespaces, with an init between them and the program.

use std::os::fd::AsRawFd;

use isol_core::{
    Allow, Errno, Fault, Gid, Guarantee as G, Mode, Phase, PrepareError, Problem, Record, Request,
    Scene, Stage, Step, Uid, step_names,
};
use isol_sys::namespaces::{self, InitImage, Inner, Kinds, Own, OwnIds, Split};
use isol_sys::{errno, pipe, session};

use crate::{denied, mounts};

const NAME: &str = step_names::NAMESPACES;

/// A user namespace.
#[derive(Debug)]
enum Users {
    /// One that a step before has made, by its descriptor.
    Made(i32),
    /// One that the ordinary user who calls makes himself.
    Own(OwnIds),
}

#[derive(Debug)]
pub(crate) struct Namespaces {
    kinds: Kinds,
    mode: Mode,
    keep_terminal: bool,
    /// Whether it is an ordinary user who calls.
    as_caller: bool,
    /// How to come into a user namespace, and as whom to make files there.
    users: Option<(Users, Uid, Gid)>,
    /// What tells those that are left from all others.
    outside: Vec<(Kinds, u64)>,
    /// Whether the program's root has no `/proc`, by which they could be read back at the end.
    blind: bool,
}

impl Namespaces {
    pub(crate) fn new(kinds: Kinds, request: &Request<'_>, as_caller: bool) -> Self {
        let keep_terminal = request.policy.allow.contains(Allow::Terminal);
        Self {
            kinds,
            mode: request.mode,
            keep_terminal,
            as_caller,
            users: None,
            outside: Vec::new(),
            blind: true,
        }
    }

    /// As what becomes the program.
    fn enter_pids(&self, stage: &Stage, image: Option<&InitImage>) -> Result<Inner, Fault> {
        let how = match stage.mode {
            Mode::Spawn => Split::Child { parent: stage.parent },
            Mode::Enter | Mode::Exec => Split::InPlace,
        };
        let tell = |init, program| match stage.report {
            Some(report) => {
                pipe::write_record(report, &Record::Replaced { init, program }.encode())
            }
            // Nobody could look after them.
            None if stage.mode == Mode::Spawn => Err(isol_sys::errno::BAD_DESCRIPTOR),
            None => Ok(()),
        };
        let mut told = Ok(());
        let loopback = self.kinds.has(Kinds::NET);
        let inner = namespaces::split(how, image, loopback, &mut |init| told = tell(init, 0))
            .map_err(|errno| Fault::call(errno, "making the init"))?;
        told.and_then(|()| tell(inner.init, inner.program))
            .map_err(|errno| Fault::call(errno, "telling the parent of the init"))?;
        // Its number inside is then its session's too, and not one that means nothing there.
        if !self.keep_terminal {
            session::start().map_err(|errno| Fault::call(errno, "setsid"))?;
        }
        Ok(inner)
    }
}

impl Namespaces {
    /// Compares them with those that were left.
    fn look(&self) -> Result<(), Fault> {
        let looking = |errno| Fault::call(errno, "looking at the namespaces");
        let own = Own::open().map_err(looking)?;
        for &(kind, outside) in &self.outside {
            if own.identity(kind).map_err(looking)? == outside {
                return Err(still_outside(kind));
            }
        }
        Ok(())
    }
}

impl Step for Namespaces {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        let names: Vec<_> = self.kinds.names().collect();
        let init = match (self.kinds.has(Kinds::PID), self.mode) {
            (false, _) => "",
            (true, Mode::Spawn) => {
                "; behind an init, pid 1 inside, that ends with the program, and with isol"
            }
            (true, Mode::Enter | Mode::Exec) => {
                "; go on in a child, behind an init, pid 1 inside, that ends with it, and with this process"
            }
        };
        let loopback = if self.kinds.has(Kinds::NET) { "; bring the loopback up" } else { "" };
        format!("new namespaces: {}{init}{loopback}", names.join(", "))
    }

    fn calls(&self) -> &'static [&'static str] {
        &[
            "memfd_create",
            "setns",
            "unshare",
            "pidfd_open",
            "clone",
            "execveat",
            "setsid",
            "open",
            "readlink",
        ]
    }

    fn establishes(&self) -> &'static [G] {
        macro_rules! these {
            ($($more:ident),*) => { &[G::HostnamePrivate, G::MountsPrivate $(, G::$more)*] };
        }
        let has = |kind| self.kinds.has(kind);
        match (has(Kinds::PID), has(Kinds::NET), self.as_caller) {
            (false, false, _) => these!(),
            (false, true, _) => these!(NetworkConfined, IpcPrivate),
            (true, false, false) => these!(PidsHidden, SignalsConfined),
            (true, true, false) => {
                these!(PidsHidden, SignalsConfined, NetworkConfined, IpcPrivate)
            }
            (true, false, true) => these!(PidsHidden, SignalsConfined, RootHarmless),
            (true, true, true) => {
                these!(PidsHidden, SignalsConfined, NetworkConfined, IpcPrivate, RootHarmless)
            }
        }
    }

    fn replaces_child(&self) -> bool {
        self.kinds.has(Kinds::PID)
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        if self.kinds.has(Kinds::USER) {
            let missing = |what| Problem::new(NAME, what, "");
            let ids = scene
                .ids
                .as_ref()
                .ok_or_else(|| missing("nobody has said who the program will be"))?;
            let users = match (&scene.user_namespace, &scene.outside) {
                (Some(made), _) => Users::Made(made.as_raw_fd()),
                (None, Some(outside)) if self.as_caller => Users::Own(OwnIds::new(
                    (ids.uid.get(), outside.uid.get()),
                    (ids.gid.get(), outside.gid.get()),
                )),
                _ => return Err(missing("no user namespace has been made").into()),
            };
            self.users = Some((users, ids.uid, ids.gid));
        }
        let cant = |kinds: Kinds| {
            move |errno| {
                let names: Vec<_> = kinds.names().collect();
                let what = format!("can't tell which namespaces these are: {}", names.join(", "));
                Problem::call(NAME, what, errno).help("mount -t proc proc /proc   (as root)")
            }
        };
        let own = Own::open().map_err(cant(self.kinds))?;
        for kind in self.kinds.iter() {
            self.outside.push((kind, own.identity(kind).map_err(cant(kind))?));
        }
        self.blind =
            !scene.root.as_ref().is_some_and(|root| mounts::has_proc(&root.fd, self.kinds));
        Ok(())
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        let has_pids = self.kinds.has(Kinds::PID);
        let image = if has_pids { InitImage::new() } else { None };
        if let Some((users, uid, gid)) = &self.users {
            match users {
                Users::Made(fd) => {
                    namespaces::enter_users(*fd).map_err(|errno| Fault::call(errno, "setns"))?;
                }
                Users::Own(ids) => {
                    namespaces::leave(Kinds::USER)
                        .map_err(|errno| Fault::call(errno, "unshare of the users"))?;
                    ids.write().map_err(|errno| Fault::call(errno, "mapping the ids"))?;
                }
            }
            namespaces::make_files_as(*uid, *gid)
                .map_err(|errno| Fault::call(errno, "setfsuid to somebody of the namespace"))?;
        }
        let kinds = self.kinds.without(Kinds::USER);
        namespaces::leave(kinds).map_err(|errno| Fault::call(errno, "unshare"))?;
        let inner = match has_pids {
            true => Some(self.enter_pids(stage, image.as_ref())?),
            false => None,
        };
        // The host's /proc is still there. Where the program has its own they are looked at once, when everything is
        // read back: what a process is told of itself by /proc is made for it then, and costs more than making the
        // namespace.
        if self.blind {
            self.look()?;
        }
        if self.kinds.has(Kinds::NET) && !inner.is_some_and(|inner| inner.loopback) {
            namespaces::loopback_up()
                .map_err(|errno| Fault::call(errno, "bringing the loopback up"))?;
        }
        match inner {
            Some(inner) => namespaces::await_init_later(inner.ready).map_err(no_init),
            None => Ok(()),
        }
    }

    fn help(&self, fault: &Fault) -> Option<String> {
        match fault.errno {
            errno::NO_SPACE => Some(denied::limit(self.kinds)),
            errno::NOT_HERE => Some(denied::no_such_call()),
            errno::NOT_PERMITTED => denied::by_a_filter(),
            _ => None,
        }
    }

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        if self.kinds.has(Kinds::PID) && !namespaces::parent_is_outside() {
            return Err(Fault::state("the parent is in the same pid namespace"));
        }
        // It has to be out of everybody's reach before the program is there to reach for it.
        if self.kinds.has(Kinds::PID) && stage.mode == Mode::Spawn {
            namespaces::await_init_now().map_err(no_init)?;
        }
        if !self.blind {
            self.look()?;
        }
        Ok(())
    }
}

fn no_init((errno, what): (Errno, &'static str)) -> Fault {
    Fault::call(errno, what)
}

fn still_outside(kind: Kinds) -> Fault {
    let mut fault = Fault::state("still in the caller's namespace: ");
    for name in kind.names() {
        fault.text.push(name);
    }
    fault
}
