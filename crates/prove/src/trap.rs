//! Something wrong outside that a run must refuse to walk into.

use std::io;

use crate::Site;
use crate::scenario::Scenario;

/// Something that is wrong before a run: it has to be refused, by a step that says what is wrong.
#[derive(Clone, Copy)]
pub struct Trap {
    /// Its name, unique within its probe.
    pub name: &'static str,
    /// The steps of which one has to refuse.
    pub refused_by: &'static [&'static str],
    pub(crate) lay: fn(&Site, &mut Scenario) -> io::Result<Laid>,
    /// Whether it is about the program, so that it means nothing where none is executed.
    pub of_the_program: bool,
    /// Whether another run is under way meanwhile.
    pub holds_a_run: bool,
}

impl Trap {
    pub(crate) const fn new(
        name: &'static str,
        refused_by: &'static [&'static str],
        lay: fn(&Site, &mut Scenario) -> io::Result<Laid>,
    ) -> Self {
        Self { name, refused_by, lay, of_the_program: false, holds_a_run: false }
    }

    pub(crate) const fn of_the_program(mut self) -> Self {
        self.of_the_program = true;
        self
    }

    pub(crate) const fn holds_a_run(mut self) -> Self {
        self.holds_a_run = true;
        self
    }
}

impl std::fmt::Debug for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trap").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A trap that is laid; taken away when this goes.
pub(crate) struct Laid {
    undo: Option<Box<dyn FnOnce()>>,
    /// Why it can't be laid on this system.
    pub(crate) not_here: Option<&'static str>,
}

impl Laid {
    pub(crate) fn nothing() -> Self {
        Self { undo: None, not_here: None }
    }

    pub(crate) fn not_here(why: &'static str) -> Self {
        Self { undo: None, not_here: Some(why) }
    }

    pub(crate) fn undone_by(undo: impl FnOnce() + 'static) -> Self {
        Self { undo: Some(Box::new(undo)), not_here: None }
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        if let Some(undo) = self.undo.take() {
            undo();
        }
    }
}
