//! The parent shuts the jail behind the child.

use std::ffi::CString;

use isol_core::{
    Fault, Guarantee, Parameter, Phase, PrepareError, Problem, Scene, Step, step_names,
};
use isol_sys::jail::{self, Kind, Request};

use crate::nested;
use crate::setting::{Setting, Value};
use crate::typed::typed;

/// What would let uid 0 be the superuser in the jail. The child needs it to drop its own ids, and so it can't
/// turn it off before; behind, it can't reach its own jail.
const SUPERUSER: &str = "allow.suser";

/// Turns the superuser off in the jail, and reads its parameters back. A second line behind the child's own
/// `no_new_privs`: whatever made the program uid 0, it would be no superuser.
#[derive(Debug)]
pub(crate) struct Seal {
    /// What the jail was made with.
    pub(crate) settings: Vec<Setting>,
    /// What was asked for by name, in place of these.
    parameters: Vec<Parameter>,
    name: CString,
    /// Whether this kernel has the parameter.
    known: bool,
    /// (name, value) of what can be read back.
    numbers: Vec<(CString, i32)>,
}

impl Seal {
    pub(crate) fn new(settings: Vec<Setting>, parameters: Vec<Parameter>) -> Self {
        Self { settings, parameters, name: CString::default(), known: false, numbers: Vec::new() }
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
        &[Guarantee::NoPrivilegeGain]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let name = scene.jail_name.clone().and_then(|name| CString::new(name).ok());
        self.name = name.ok_or_else(|| Problem::new(self.name(), "no jail has been named", ""))?;
        self.known = jail::kind_of(SUPERUSER).is_some();
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
            let (Some(kind), Ok(name)) =
                (jail::kind_of(&setting.name), CString::new(setting.name.as_str()))
            else {
                continue;
            };
            match (&setting.value, kind) {
                (Value::Off, Kind::Boolean) => self.numbers.push((name, 0)),
                (Value::On, Kind::Boolean) => self.numbers.push((name, 1)),
                (Value::Number(value), Kind::Number) => self.numbers.push((name, *value)),
                (Value::Share(share), Kind::Inherited) => self.numbers.push((name, *share as i32)),
                _ => {}
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
        self.numbers.iter().try_for_each(|(name, wanted)| read(jail, name, *wanted))
    }
}

fn read(jail: i32, name: &CString, wanted: i32) -> Result<(), Fault> {
    let found =
        jail::read_back(jail, name).map_err(|errno| Fault::call(errno, "reading the jail back"))?;
    if found == wanted {
        return Ok(());
    }
    let mut fault = Fault::state("the jail has another ");
    fault.text.push(name.to_str().unwrap_or_default());
    Err(fault)
}
