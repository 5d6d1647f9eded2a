//! Steps that fail, and steps that lie.

use isol_core::{Fault, Guarantee, Phase, PrepareError, Scene, Stage, Step};

use crate::scenario::{FaultAt, Point};

macro_rules! tells_as_the_step {
    () => {
        fn name(&self) -> &'static str {
            self.step().name()
        }
        fn phase(&self) -> Phase {
            self.step().phase()
        }
        fn explains(&self) -> String {
            self.step().explains()
        }
        fn calls(&self) -> &'static [&'static str] {
            self.step().calls()
        }
        fn establishes(&self) -> &'static [Guarantee] {
            self.step().establishes()
        }
        fn serves_one_program(&self) -> bool {
            self.step().serves_one_program()
        }
        fn prepare_again(&self, scene: &Scene) -> Result<(), PrepareError> {
            self.step().prepare_again(scene)
        }
        fn replaces_child(&self) -> bool {
            self.step().replaces_child()
        }
        fn stop(&mut self) {
            self.step_mut().stop();
        }
        fn undo(&mut self) {
            self.step_mut().undo();
        }
    };
}

/// A step whose calls do nothing, and say that they did.
#[derive(Debug)]
pub(crate) struct Lying(pub(crate) Box<dyn Step>);

impl Lying {
    fn step(&self) -> &dyn Step {
        &*self.0
    }

    fn step_mut(&mut self) -> &mut dyn Step {
        &mut *self.0
    }
}

impl Step for Lying {
    tells_as_the_step!();

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        self.0.prepare(scene)
    }

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        self.0.verify(stage)
    }
}

/// A step of which one part fails.
#[derive(Debug)]
pub(crate) struct Failing {
    step: Box<dyn Step>,
    fault: FaultAt,
}

impl Failing {
    pub(crate) fn new(step: Box<dyn Step>, fault: &FaultAt) -> Self {
        Self { step, fault: fault.clone() }
    }

    fn step(&self) -> &dyn Step {
        &*self.step
    }

    fn step_mut(&mut self) -> &mut dyn Step {
        &mut *self.step
    }

    fn fails(&self, point: Point) -> Result<(), Fault> {
        if self.fault.point == point {
            return Err(Fault::call(self.fault.errno(), "a fault that was asked for"));
        }
        Ok(())
    }
}

impl Step for Failing {
    tells_as_the_step!();

    /// Fails when it is done already: what it has made has to go.
    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        self.step.prepare(scene)?;
        self.fails(Point::Prepare).map_err(|fault| {
            let error = std::io::Error::from_raw_os_error(fault.errno.0);
            PrepareError::system(self.step.name(), fault.text.as_str(), error)
        })
    }

    fn apply(&self, stage: &Stage) -> Result<(), Fault> {
        self.fails(Point::Apply)?;
        self.step.apply(stage)
    }

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        self.fails(Point::Verify)?;
        self.step.verify(stage)
    }
}
