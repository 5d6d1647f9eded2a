//! Signals that would end the prover: they are heard between two runs, so that what was made can be taken back.

use std::io;
use std::time::Duration;

use isol_sys::supervise::Signals;

/// SIGHUP, SIGINT, SIGQUIT, SIGTERM, which have these numbers everywhere.
const END: [i32; 4] = [1, 2, 3, 15];

/// Blocked signals.
#[derive(Debug)]
pub(crate) struct Interrupts(Signals);

impl Interrupts {
    pub(crate) fn block() -> io::Result<Self> {
        Signals::block().map(Self)
    }

    /// An error if one has come.
    pub(crate) fn check(&self) -> io::Result<()> {
        while let Some(arrival) = self.0.next(Some(Duration::ZERO))? {
            if END.contains(&arrival.signal) {
                let what = format!("interrupted by signal {}", arrival.signal);
                return Err(io::Error::new(io::ErrorKind::Interrupted, what));
            }
        }
        Ok(())
    }
}
