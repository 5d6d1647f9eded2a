//! The parent shuts the jail behind the child.

use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};

use isol_core::{
    Fault, Guarantee, Parameter, Phase, PrepareError, Problem, Scene, Step, step_names,
};
use isol_sys::jail::{self, Kind, Request};

use crate::nested;
use crate::setting::{Setting, Share, Value};
use crate::typed::typed;

/// What would let uid 0 be the superuser in the jail. The child needs it to drop its own ids, and so it can't
/// turn it off before; behind, it can't reach its own jail.
const SUPERUSER: &str = "allow.suser";

/// Turns the superuser off in the jail, and reads its parameters back. A second line behind the child's own
/// `no_new_privs`: whatever made the program uid 0, it would be no superuser. Where it is uid 0 from the start, this is
/// the only one.
#[derive(Debug)]
pub(crate) struct Seal {
    /// What the jail was made with.
    pub(crate) settings: Vec<Setting>,
    /// What was asked for by name, in place of these.
    parameters: Vec<Parameter>,
    /// Whether the program is uid 0.
    is_root: bool,
    name: CString,
    /// Whether this kernel has the parameter.
    known: bool,
    /// (name, value) of what can be read back.
    numbers: Vec<(CString, i32)>,
    /// (name, members, bytes in each) of lists that can be.
    lists: Vec<(CString, Vec<u8>, usize)>,
}

impl Seal {
    pub(crate) fn new(settings: Vec<Setting>, parameters: Vec<Parameter>, is_root: bool) -> Self {
        Self {
            settings,
            parameters,
            is_root,
            name: CString::default(),
            known: false,
            numbers: Vec::new(),
            lists: Vec::new(),
        }
    }
}

impl Step for Seal {
    fn name(&self) -> &'static str {
        step_names::JAIL_SEAL
    }

    fn phase(&self) -> Phase {
        Phase::Seal
    }

    fn explains(&self) -> String {
        "from the parent, while the child waits: allow.nosuser, and read the jail's parameters back"
            .into()
    }

    fn calls(&self) -> &'static [&'static str] {
        &["jail_get", "jail_set"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        match self.is_root {
            false => &[Guarantee::NoPrivilegeGain],
            true => &[Guarantee::NoPrivilegeGain, Guarantee::PrivilegesEmpty, Guarantee::NoNewRoot],
        }
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let name = scene.jail_name.clone().and_then(|name| CString::new(name).ok());
        self.name = name.ok_or_else(|| Problem::new(self.name(), "no jail has been named", ""))?;
        self.known = jail::kind_of(SUPERUSER).is_some();
        if !self.known && self.is_root {
            let what = "nothing takes a superuser's powers from uid 0";
            let why = format!("this kernel has no jail parameter {SUPERUSER}");
            let problem = Problem::new(self.name(), what, why);
            return Err(problem.help("run as another user, or --allow root-user,superuser").into());
        }
        if !self.known {
            scene.notes.push(format!("this kernel has no jail parameter {SUPERUSER}"));
        }
        // One that makes no sense has been refused when the jail was prepared.
        let asked: Vec<_> =
            self.parameters.iter().filter_map(|p| typed(p, jail::kind_of).ok()).collect();
        let mut settings = self.settings.clone();
        nested::fit(&mut settings, &self.parameters, &mut Vec::new());
        let tight = settings.iter().filter(|s| asked.iter().all(|a| a.name != s.name));
        for setting in tight.chain(&asked) {
            if let Some(kind) = jail::kind_of(&setting.name) {
                self.expect(setting, kind);
            }
        }
        Ok(())
    }

    fn needs_parent(&self) -> bool {
        true
    }

    fn seal_from_parent(&self) -> Result<(), Fault> {
        let jail = jail::find(&self.name)
            .map(|found| found.number)
            .map_err(|errno| Fault::call(errno, "jail_get"))?;
        if self.known {
            let off = Setting::new(SUPERUSER, Value::Off);
            let jid = (c"jid".to_owned(), Some(jail.to_ne_bytes().to_vec()));
            let request = Request::new([Some(jid), off.encode()].into_iter().flatten().collect());
            jail::update(&request).map_err(|errno| Fault::call(errno, "jail_set allow.nosuser"))?;
            read(jail, &c"allow.suser".to_owned(), 0)?;
        }
        self.numbers.iter().try_for_each(|(name, wanted)| read(jail, name, *wanted))?;
        self.lists.iter().try_for_each(|(name, members, width)| {
            match jail::has_members(jail, name, members, *width) {
                Ok(true) => Ok(()),
                Ok(false) => Err(another(name)),
                Err(errno) => Err(Fault::call(errno, READING)),
            }
        })
    }
}

impl Seal {
    /// Notes down what is to be read of a setting.
    fn expect(&mut self, setting: &Setting, kind: Kind) {
        let Ok(name) = CString::new(setting.name.as_str()) else { return };
        match (&setting.value, kind) {
            (Value::Off, Kind::Boolean) => self.numbers.push((name, 0)),
            (Value::On, Kind::Boolean) => self.numbers.push((name, 1)),
            (Value::Number(value), Kind::Number) => self.numbers.push((name, *value)),
            // Of addresses the kernel tells only whether they are the host's: its own, or none, both read as none. Which of
            // the two it is, the list of them says.
            (Value::Share(Share::New), Kind::Inherited)
                if ["ip4", "ip6"].contains(&&*setting.name) =>
            {
                self.numbers.push((name, Share::Disable as i32));
            }
            (Value::Share(share), Kind::Inherited) => self.numbers.push((name, *share as i32)),
            (Value::Addresses4(all), Kind::Addresses4) => {
                self.lists.push((name, all.iter().flat_map(Ipv4Addr::octets).collect(), 4));
            }
            (Value::Addresses6(all), Kind::Addresses6) => {
                self.lists.push((name, all.iter().flat_map(Ipv6Addr::octets).collect(), 16));
            }
            _ => {}
        }
    }
}

const READING: &str = "reading the jail back";

fn read(jail: i32, name: &CString, wanted: i32) -> Result<(), Fault> {
    let found = jail::read_back(jail, name).map_err(|errno| Fault::call(errno, READING))?;
    if found == wanted { Ok(()) } else { Err(another(name)) }
}

fn another(name: &CString) -> Fault {
    let mut fault = Fault::state("the jail has another ");
    fault.text.push(name.to_str().unwrap_or_default());
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_back_as_the_kernel_tells_them() {
        let mut seal = Seal::new(Vec::new(), Vec::new(), false);
        let mut expect = |name, value, kind| seal.expect(&Setting::new(name, value), kind);
        expect("ip4", Value::Share(Share::New), Kind::Inherited);
        expect("ip6", Value::Share(Share::Inherit), Kind::Inherited);
        expect("sysvshm", Value::Share(Share::New), Kind::Inherited);
        let one = Value::Addresses4(vec![Ipv4Addr::new(192, 0, 2, 7)]);
        expect("ip4.addr", one, Kind::Addresses4);
        let numbers = [("ip4", 0), ("ip6", 2), ("sysvshm", 1)];
        let numbers = numbers.map(|(name, value)| (CString::new(name).unwrap(), value));
        assert_eq!(seal.numbers, numbers);
        assert_eq!(seal.lists, [(c"ip4.addr".to_owned(), vec![192, 0, 2, 7], 4)]);
    }
}
