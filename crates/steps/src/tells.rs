//! What a step tells of itself, in one line each.

/// The four constant methods of a [`isol_core::Step`]: name, phase, system calls, guarantees.
macro_rules! tells {
    ($phase:ident, $name:expr, [$($call:literal),*], [$($guarantee:ident),*]) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn phase(&self) -> isol_core::Phase {
            isol_core::Phase::$phase
        }

        fn calls(&self) -> &'static [&'static str] {
            &[$($call),*]
        }

        fn establishes(&self) -> &'static [isol_core::Guarantee] {
            &[$(isol_core::Guarantee::$guarantee),*]
        }
    };
}

/// A fault unless the condition holds.
pub(crate) fn must(holds: bool, otherwise: &str) -> Result<(), isol_core::Fault> {
    if holds { Ok(()) } else { Err(isol_core::Fault::state(otherwise)) }
}

/// Turns an errno into the fault of what was being done.
pub(crate) fn doing(what: &'static str) -> impl Fn(isol_core::Errno) -> isol_core::Fault {
    move |errno| isol_core::Fault::call(errno, what)
}
