//! The ordered list of steps.

use std::fmt;

use crate::{Guarantee, GuaranteeSet, Os, Step};

/// How a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// This process locks itself in and goes on.
    Enter,
    /// This process becomes the program.
    Exec,
    /// A child becomes the program, and this process stays.
    Spawn,
}

impl Mode {
    /// The name that plans print.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Mode::Enter => "enter",
            Mode::Exec => "exec",
            Mode::Spawn => "spawn",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// What will be done, in order, and what will hold when it is done.
///
/// A plan is a value: it can be printed, cut, compared and run. Made by the
/// assembler in `isol-steps`.
#[derive(Debug)]
#[must_use]
pub struct Plan {
    backend: &'static str,
    os: Os,
    mode: Mode,
    guarantees: GuaranteeSet,
    relaxed: GuaranteeSet,
    steps: Vec<Box<dyn Step>>,
    cut: Vec<&'static str>,
}

impl Plan {
    /// Puts a plan together, unchecked: [`Plan::check`] comes next.
    pub fn new(
        backend: &'static str,
        os: Os,
        mode: Mode,
        guarantees: GuaranteeSet,
        relaxed: GuaranteeSet,
        steps: Vec<Box<dyn Step>>,
    ) -> Self {
        Self { backend, os, mode, guarantees, relaxed, steps, cut: Vec::new() }
    }

    /// The backend's name.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// The operating system that it is for.
    #[must_use]
    pub fn os(&self) -> Os {
        self.os
    }

    /// How it is carried out.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What will hold.
    #[must_use]
    pub fn guarantees(&self) -> GuaranteeSet {
        self.guarantees
    }

    /// What was given up by `--allow`.
    #[must_use]
    pub fn relaxed(&self) -> GuaranteeSet {
        self.relaxed
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &dyn Step> {
        self.steps.iter().map(|s| &**s)
    }

    pub(crate) fn steps_mut(&mut self) -> &mut [Box<dyn Step>] {
        &mut self.steps
    }

    /// The names of the steps that were cut out.
    #[must_use]
    pub fn cut(&self) -> &[&'static str] {
        &self.cut
    }

    /// The plan without one of its steps, its read-back included; `None` if there is
    /// no such step. For proofs that a step is needed: never for use.
    ///
    /// What the step establishes is no longer claimed.
    pub fn without(mut self, name: &str) -> Option<Self> {
        let place = self.steps.iter().position(|s| s.name() == name)?;
        let gone = self.steps.remove(place);
        self.cut.push(gone.name());
        for &guarantee in gone.establishes() {
            self.guarantees.remove(guarantee);
        }
        Some(self)
    }

    /// The plan with one of its steps replaced by what `change` makes of it; `None`
    /// if there is no such step. For fault injection.
    pub fn replace(
        mut self,
        name: &str,
        change: impl FnOnce(Box<dyn Step>) -> Box<dyn Step>,
    ) -> Option<Self> {
        let place = self.steps.iter().position(|s| s.name() == name)?;
        let step = self.steps.remove(place);
        self.steps.insert(place, change(step));
        Some(self)
    }

    /// The steps that establish a guarantee.
    pub fn founded_on(&self, guarantee: Guarantee) -> impl Iterator<Item = &dyn Step> {
        self.steps().filter(move |s| s.establishes().contains(&guarantee))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |set: GuaranteeSet| set.iter().map(Guarantee::id).collect::<Vec<_>>().join(" ");
        writeln!(f, "backend     {} ({}), mode {}", self.backend, self.os, self.mode)?;
        writeln!(f, "guarantees  {}", list(self.guarantees))?;
        if !self.relaxed.is_empty() {
            writeln!(f, "relaxed     {}", list(self.relaxed))?;
        }
        let mut phase = None;
        for step in self.steps() {
            if phase != Some(step.phase()) {
                phase = Some(step.phase());
                writeln!(f, "{}", step.phase())?;
            }
            writeln!(f, "  {:<22}{}", step.name(), step.explains())?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        #[derive(serde::Serialize)]
        struct StepView<'a> {
            name: &'a str,
            phase: &'a str,
            explains: String,
            calls: &'a [&'a str],
            establishes: &'a [Guarantee],
        }

        let steps: Vec<_> = self
            .steps()
            .map(|step| StepView {
                name: step.name(),
                phase: step.phase().id(),
                explains: step.explains(),
                calls: step.calls(),
                establishes: step.establishes(),
            })
            .collect();
        let mut fields = s.serialize_struct("Plan", 5)?;
        fields.serialize_field("backend", self.backend)?;
        fields.serialize_field("mode", self.mode.id())?;
        fields.serialize_field("guarantees", &self.guarantees)?;
        fields.serialize_field("relaxed", &self.relaxed)?;
        fields.serialize_field("steps", &steps)?;
        fields.end()
    }
}
