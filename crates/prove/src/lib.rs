//! Attacks on each guarantee of isol, and the matrix that runs them.
//!
//! A [`Probe`] is the attacks on one guarantee. An attack runs inside an isolation, as the
//! confined uid, tries one thing, and says what it saw; whether that breaks the guarantee is
//! decided outside, by the [`Breach`] that the attack is listed with.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`probes`] | the attacks, one file for each guarantee |
//! | [`site`] | what they are made on: a root with traps in it, and things outside that must stay out of reach |
//! | [`agent`] | the processes that isol's own executable becomes: the caller in a bad state, the attacker inside, the victim outside |
//! | [`engine`] | one run: a caller is started, isolates, is attacked from inside, and what was seen comes back |
//! | [`matrix`] | guarantee × backend × mode |
//! | [`controls`] | the same attacks with no isolation: each one has to get through |
//! | [`mutations`] | the same attacks on plans that lack a step: each step has to be missed |
//! | [`faults`] | each step made to fail: nothing may start, nothing may stay behind |
//! | [`subject`] | who isolates: isol, nobody, or another tool |
//!
//! What it does not do: it shows that known attacks fail on this host, with this kernel, today. It is
//! no proof that there are no others.
#![forbid(unsafe_code)]

pub mod agent;
mod attack;
mod baits;
mod brief;
mod caller;
mod channel;
pub mod controls;
pub mod engine;
mod expected;
pub mod faults;
mod host;
mod interrupts;
mod launcher;
mod log;
pub mod matrix;
pub mod mutations;
pub mod probes;
mod scenario;
mod seen;
pub mod site;
pub mod subject;
mod taint;
mod trap;
mod verdict;

/// Leaves the host's mounts and IPC objects for copies of this process's own, where the system has such a thing:
/// what a proof makes of them goes with it, however it ends. To be called before a [`Site`] is made, in a process with
/// one thread.
///
/// # Errors
/// `ENOSYS` where there is no such thing; `EPERM` without the privilege.
pub fn own_surroundings() -> Result<(), isol_core::Errno> {
    isol_sys::attempts::own_mounts_and_ipc()
}

pub use attack::{Attack, Breach, Control, Inside, Setting};
pub use expected::Expected;
pub use host::Host;
pub use probes::{Probe, of};
pub use seen::Seen;
pub use site::Site;
pub use trap::Trap;
pub use verdict::{Row, Verdict};
