//! Filters of system calls: programs that the kernel asks about each call (seccomp).
//!
//! What a program answers can be worked out on any system; making one and putting it in force is Linux's, on x86-64 and
//! AArch64. Elsewhere the stand-ins answer `ENOSYS`.

mod machine;
mod program;

cfg_if::cfg_if! {
    if #[cfg(all(
        any(target_os = "linux", target_os = "android"),
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))] {
        #[path = "filter/linux.rs"]
        mod system;
    } else {
        #[path = "filter/none.rs"]
        mod system;
    }
}

pub use machine::{Asked, Verdict};
pub use program::{Instruction, NotAProgram, Program};
pub use system::{
    BUILT_IN, Refusals, Scope, asked, available, compile, install, install_telling, is_in_force,
    name, number, read_json, receive, try_out,
};

/// A call that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its name, where that is known.
    pub call: Option<&'static str>,
    /// Its number.
    pub number: u32,
    /// Whether it was one of another architecture's.
    pub foreign: bool,
    /// Whether the process was ended for it.
    pub killed: bool,
}
