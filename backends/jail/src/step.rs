//! The jail is made, and this process is in it.

use std::ffi::CStr;
use std::net::{IpAddr, UdpSocket};
use std::os::unix::ffi::OsStrExt;

use isol_core::{
    Fault, Guarantee as G, Network, Parameter, Phase, Policy, PrepareError, Problem, Scene, Stage,
    Step, step_names,
};
use isol_sys::{chroot, hostname, jail};

use crate::refused::{explain, mend};
use crate::setting::{Setting, Value};
use crate::typed::typed;
use crate::{inside, named, nested};

/// The longest path, its NUL included, that the kernel keeps for a jail: `MAXPATHLEN`.
const LONGEST_PATH: usize = 1024;

const HOSTNAME: &str = "host.hostname";

#[derive(Debug)]
pub(crate) struct Jail {
    pub(crate) settings: Vec<Setting>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) name: Option<String>,
    pub(crate) network: Network,
    /// Whether a step behind turns the superuser off.
    pub(crate) sealed: bool,
    /// Whether a step before mounts what it enters.
    pub(crate) mounted: bool,
    /// What the jail is made of, the directory that it has to be, and what is to be seen inside.
    pub(crate) request: Option<jail::Request>,
    pub(crate) identity: (u64, u64),
    pub(crate) shown: Vec<(&'static CStr, i32)>,
}

impl Jail {
    /// Without what `prepare` finds out.
    pub(crate) fn new(policy: &Policy, settings: Vec<Setting>, sealed: bool) -> Self {
        Self {
            settings,
            parameters: policy.parameters.clone(),
            name: policy.name.clone(),
            network: policy.network.clone(),
            sealed,
            mounted: policy.mounts().is_some(),
            request: None,
            identity: (0, 0),
            shown: Vec::new(),
        }
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
        nested::fit(&mut known, &self.parameters, notes);
        if !known.iter().any(|setting| setting.name == HOSTNAME) {
            // A name of its own is an empty one.
            let name = hostname::own().map_err(|error| {
                Problem::io(step_names::JAIL, "can't tell this host's name", &error)
            })?;
            known.push(Setting::new(HOSTNAME, Value::Text(name)).required());
        }
        Ok(known)
    }
}

fn missing(setting: &str, name: &str) -> Problem {
    let help = match name.split('.').next() {
        Some("ip4") => "a kernel with `options INET`, or --network host",
        Some("ip6") => "a kernel with `options INET6`, or --network without IPv6 addresses",
        _ => "sysctl -d security.jail.param   (lists those that there are)",
    };
    Problem::new(
        step_names::JAIL,
        format!("can't set {setting}"),
        "this kernel has no such jail parameter",
    )
    .help(help)
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
        let hostname = match self.settings.iter().any(|setting| setting.name == HOSTNAME) {
            true => "",
            false => " host.hostname=(as the host's)",
        };
        let superuser = if self.sealed { "" } else { "; nothing turns allow.suser off behind it" };
        format!(
            "make the jail {name} of the checked directory, without persist, and enter it: {}{hostname}{}{superuser}",
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
        if self.mounted && scene.entered.is_none() {
            return Err(
                Problem::new(self.name(), "what was asked for has not been mounted", "").into()
            );
        }
        let root = scene
            .entered
            .as_ref()
            .or(scene.root.as_ref())
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
        let name = self.name.get_or_insert_with(named::own).clone();
        named::check(&name, &mut scene.notes)?;
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
        self.shown = inside::expected(&settings);
        // 13.2 shows no children.max: what a kernel does not show can't be read from inside.
        self.shown.retain(|(sysctl, _)| jail::control(sysctl).is_some());
        scene.jail_name = Some(name);
        Ok(())
    }

    fn serves_one_program(&self) -> bool {
        true
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

    fn help(&self, fault: &Fault) -> Option<String> {
        mend(fault.errno, jail::is_inside(), &self.network).map(str::to_owned)
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        inside::compare(&self.shown)?;
        let root = chroot::identity(c"/").map_err(|errno| Fault::call(errno, "stat /"))?;
        if root == self.identity {
            Ok(())
        } else {
            Err(Fault::state("the root directory is not the one that was checked"))
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
