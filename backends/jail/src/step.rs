//! The jail is made, and this process is in it.

use std::net::{IpAddr, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU32, Ordering};

use isol_core::{
    Errno, Fault, Guarantee as G, Network, Parameter, Phase, PrepareError, Problem, Scene, Stage,
    Step, step_names,
};
use isol_sys::{chroot, errno, jail, process::Pid};

use crate::setting::{Setting, Value};
use crate::typed::typed;

/// The longest path, its NUL included, that the kernel keeps for a jail: `MAXPATHLEN`.
const LONGEST_PATH: usize = 1024;

#[derive(Debug)]
pub(crate) struct Jail {
    pub(crate) settings: Vec<Setting>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) name: Option<String>,
    pub(crate) network: Network,
    /// Where it is made, and whether that is where this is.
    pub(crate) request: Option<jail::Request>,
    pub(crate) identity: (u64, u64),
}

impl Jail {
    pub(crate) fn new(
        settings: Vec<Setting>,
        parameters: Vec<Parameter>,
        name: Option<String>,
        network: Network,
    ) -> Self {
        Self { settings, parameters, name, network, request: None, identity: (0, 0) }
    }

    /// What this kernel knows of the settings; a note on what it doesn't.
    fn known(&self, notes: &mut Vec<String>) -> Result<Vec<Setting>, Problem> {
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for setting in &self.settings {
            match jail::kind_of(&setting.name) {
                Some(_) => known.push(setting.clone()),
                None if setting.required => {
                    return Err(missing(&setting.to_string(), &setting.name));
                }
                None => unknown.push(setting.name.as_str()),
            }
        }
        if !unknown.is_empty() {
            notes.push(format!("this kernel has no jail parameter {}", unknown.join(", ")));
        }
        for parameter in &self.parameters {
            let asked = typed(parameter, jail::kind_of).map_err(|error| {
                Problem::new(
                    step_names::JAIL,
                    format!("can't set the jail parameter {parameter}"),
                    error.to_string(),
                )
                .help("sysctl -d security.jail.param   (lists those that there are)")
            })?;
            known.retain(|setting| setting.name != asked.name);
            known.push(asked);
        }
        Ok(known)
    }
}

fn missing(setting: &str, name: &str) -> Problem {
    let help = match name.split('.').next() {
        Some("ip4") => "a kernel with `options INET`, or --network host",
        Some("ip6") => "a kernel with `options INET6`, or --network without IPv6 addresses",
        Some("vnet") => "a kernel with `options VIMAGE`",
        _ => "sysctl -d security.jail.param   (lists those that there are)",
    };
    Problem::new(
        step_names::JAIL,
        format!("can't set {setting}"),
        "this kernel has no such jail parameter",
    )
    .help(help)
}

/// A name that no other run of this process, and no other process, gives.
fn own_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("isol-{}-{}", Pid::own(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Step for Jail {
    fn name(&self) -> &'static str {
        step_names::JAIL
    }

    fn phase(&self) -> Phase {
        Phase::Enter
    }

    fn explains(&self) -> String {
        let name = self.name.as_deref().unwrap_or("isol-PID-N");
        let settings: Vec<_> = self.settings.iter().map(Setting::to_string).collect();
        let asked: Vec<_> = self.parameters.iter().map(|p| format!(" {p}")).collect();
        format!(
            "make the jail {name} of the checked directory, without persist, and enter it: {}{}",
            settings.join(" "),
            asked.concat()
        )
    }

    fn calls(&self) -> &'static [&'static str] {
        &["jail_set", "stat", "sysctl"]
    }

    fn establishes(&self) -> &'static [G] {
        match self.network {
            Network::Unsaid | Network::Host => &[
                G::RootConfined,
                G::NoNewRoot,
                G::PidsHidden,
                G::SignalsConfined,
                G::IpcPrivate,
                G::HostnamePrivate,
                G::MountsPrivate,
                G::RootHarmless,
            ],
            Network::None | Network::Addresses(_) => &[
                G::RootConfined,
                G::NoNewRoot,
                G::PidsHidden,
                G::SignalsConfined,
                G::IpcPrivate,
                G::NetworkConfined,
                G::HostnamePrivate,
                G::MountsPrivate,
                G::RootHarmless,
            ],
        }
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let root = scene
            .root
            .as_ref()
            .ok_or_else(|| Problem::new(self.name(), "no root has been opened", ""))?;
        let (path, identity) = (root.path.clone(), (root.device, root.inode));
        if path.as_os_str().as_bytes().len() >= LONGEST_PATH {
            return Err(Problem::new(
                self.name(),
                format!("{} can't be a jail's path", path.display()),
                format!("the kernel keeps {} bytes of it", LONGEST_PATH - 1),
            )
            .help("move the root to a shorter path")
            .into());
        }
        let Some(text) = path.to_str() else {
            return Err(Problem::new(
                self.name(),
                format!("{} can't be a jail's path", path.display()),
                "it is not UTF-8",
            )
            .into());
        };
        let name = self.name.get_or_insert_with(own_name).clone();
        let mut settings = vec![
            Setting::new("path", Value::Text(text.to_owned())).required(),
            Setting::new("name", Value::Text(name.clone())).required(),
        ];
        settings.extend(self.known(&mut scene.notes)?);
        note_foreign_addresses(&self.network, &mut scene.notes);
        let pairs: Option<Vec<_>> = settings.iter().map(Setting::encode).collect();
        let pairs = pairs.ok_or_else(|| {
            Problem::new(step_names::JAIL, "a parameter has a NUL byte in it", "")
        })?;
        self.request = Some(jail::Request::new(pairs));
        self.identity = identity;
        scene.jail_name = Some(name);
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        let request = self.request.as_ref().ok_or(Fault::state("not prepared"))?;
        jail::create_and_attach(request).map_err(|errno| explain(errno, request))?;
        // The path was resolved by the kernel, and not by the descriptor that was checked.
        let here = chroot::identity(c".").map_err(|errno| Fault::call(errno, "stat ."))?;
        if here == self.identity {
            Ok(())
        } else {
            Err(Fault::state("the jail's directory is not the one that was checked"))
        }
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        if !jail::is_inside() {
            return Err(Fault::state("this process is in no jail"));
        }
        let root = chroot::identity(c"/").map_err(|errno| Fault::call(errno, "stat /"))?;
        if root == self.identity {
            Ok(())
        } else {
            Err(Fault::state("the root directory is not the one that was checked"))
        }
    }
}

/// What the kernel says, and where it says nothing, what it means. Async-signal-safe.
fn explain(errno: Errno, request: &jail::Request) -> Fault {
    let message = request.message();
    let directory = (0..1024).find(|&fd| isol_sys::descriptors::is_directory(fd) == Ok(true));
    if let (errno::NOT_PERMITTED, Some(fd)) = (errno, directory) {
        let mut fault =
            Fault::call(errno, "jail_set: a directory is open, which leads out: descriptor ");
        fault.text.push_number(fd as u64);
        return fault;
    }
    match (message.as_str(), errno) {
        ("", errno::NOT_PERMITTED) => {
            Fault::call(errno, "jail_set, as in a jail that may have no children")
        }
        ("", errno::EXISTS) => {
            Fault::call(errno, "jail_set: a jail of this name is there, or still dying (jls -d)")
        }
        ("", _) => Fault::call(errno, "jail_set"),
        (said, _) => {
            let mut fault = Fault::call(errno, "jail_set: ");
            fault.text.push(said);
            fault
        }
    }
}

/// The kernel lets a jail have addresses that the host has not.
fn note_foreign_addresses(network: &Network, notes: &mut Vec<String>) {
    let Network::Addresses(all) = network else { return };
    let has = |address: &&IpAddr| UdpSocket::bind((**address, 0)).is_ok();
    for foreign in all.iter().filter(|address| !has(address)) {
        notes.push(format!("no interface of this host has the address {foreign}"));
    }
}
