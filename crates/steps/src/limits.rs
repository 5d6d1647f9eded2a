//! Resource limits.

use isol_core::{Fault, Limit, PrepareError, Problem, Scene, Stage, Step, step_names};
use isol_sys::limits::RawLimit;

use crate::tells::{doing, must};

#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) limits: Vec<Limit>,
    raw: Vec<RawLimit>,
}

impl Limits {
    pub(crate) fn new(limits: Vec<Limit>) -> Self {
        Self { limits, raw: Vec::new() }
    }
}

impl Step for Limits {
    tells!(Enter, step_names::LIMITS, ["setrlimit"], [LimitsSet]);

    fn explains(&self) -> String {
        let limits: Vec<_> = self.limits.iter().map(Limit::to_string).collect();
        format!("resource limits {}", limits.join(" "))
    }

    fn prepare(&mut self, _scene: &mut Scene) -> Result<(), PrepareError> {
        for limit in &self.limits {
            let raw = RawLimit::new(limit).ok_or_else(|| {
                Problem::new(
                    self.name(),
                    format!("can't set {limit}"),
                    "this system has no such limit",
                )
                .help(format!("leave out --limit {}", limit.resource))
            })?;
            self.raw.push(raw);
        }
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        for (raw, limit) in self.raw.iter().zip(&self.limits) {
            raw.set().map_err(doing(limit.resource.id()))?;
        }
        Ok(())
    }

    fn help(&self, fault: &Fault) -> Option<String> {
        let help = "a hard limit is lowered by anybody, and raised with CAP_SYS_RESOURCE only: `ulimit -H -a` shows those in force";
        (fault.errno == isol_sys::errno::NOT_PERMITTED).then(|| help.to_owned())
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        for raw in &self.raw {
            must(raw.is_in_force().map_err(doing("reading a limit"))?, "a limit is another")?;
        }
        Ok(())
    }
}
