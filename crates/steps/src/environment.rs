//! The environment.

use isol_core::{Environment, Fault, Mode, PrepareError, Problem, Scene, Stage, Step, step_names};
use isol_sys::environment::{self, CStrings};

use crate::tells::must;

#[derive(Debug)]
pub(crate) struct CleanEnvironment {
    pub(crate) wanted: Environment,
    entered: Option<&'static CStrings>,
}

impl CleanEnvironment {
    pub(crate) fn new(wanted: Environment) -> Self {
        Self { wanted, entered: None }
    }
}

impl Step for CleanEnvironment {
    tells!(Enter, step_names::ENVIRONMENT, [], [EnvironmentClean]);

    fn explains(&self) -> String {
        let names: Vec<_> = self.wanted.names().map(|n| n.to_string_lossy()).collect();
        if names.is_empty() {
            "an empty environment".into()
        } else {
            format!("an environment of {} only", names.join(", "))
        }
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let variables = self.wanted.resolve(|name| std::env::var_os(name));
        if scene.mode == Mode::Enter {
            let laid_ready = CStrings::environment(&variables).ok_or_else(|| {
                Problem::new(self.name(), "an environment variable has a NUL byte in it", "")
            })?;
            // A process locks itself in once, and the array is its environment from then on.
            self.entered = Some(Box::leak(Box::new(laid_ready)));
        }
        scene.environment = Some(variables);
        Ok(())
    }

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        if let Some(entered) = self.entered {
            environment::replace(entered);
        }
        Ok(())
    }

    fn verify(&self, _stage: &Stage) -> Result<(), Fault> {
        must(self.entered.is_none_or(environment::is_in_force), "the environment is another")
    }
}
