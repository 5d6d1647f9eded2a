//! Filters of system calls: programs that the kernel asks about each call (seccomp).
//!
//! What a program answers can be worked out on any system; making one and putting it in force is Linux's, on the
//! architectures that the compiler knows, with the feature `seccomp`. Elsewhere the stand-ins answer `ENOSYS`.

mod machine;
mod program;

cfg_if::cfg_if! {
    if #[cfg(all(
        feature = "seccomp",
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
    BUILT_IN, Scope, asked, available, compile, install, is_in_force, name, number, read_json,
    try_out,
};
