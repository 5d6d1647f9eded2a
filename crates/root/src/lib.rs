//! Root trees: what a program needs in order to start, a throw-away tree that holds it, and checks of a tree.
//!
//! - [`closure`] finds, by reading alone, every file that a program needs before its `main` begins;
//! - [`throwaway`] builds a root that holds these and nothing else, and takes it away again;
//! - `keep`, with the feature of that name, makes trees that stay, and changes and verifies them;
//! - [`diagnose`] says everything that keeps a program from running in a root, and what mends it;
//! - [`safety`] is the quick look at what will be executed or loaded, before each start;
//! - [`audit`] is the slow look at the whole of a tree, and at the directories above it;
//! - [`walk`] resolves paths as they will be resolved inside, without ever leaving the tree, and [`elf`] reads programs.
//!
//! What this crate does not do: it runs nothing (no `ldd`, no loader), mounts nothing, and does not enter a root.
//! It knows no operating system at compile time: which loader's rules apply is seen from the program itself.

pub mod audit;
pub mod closure;
pub mod diagnose;
pub mod elf;
mod host;
#[cfg(feature = "keep")]
pub mod keep;
mod loader;
#[cfg_attr(not(feature = "keep"), allow(dead_code))]
mod nsswitch;
mod rights;
pub mod safety;
mod script;
pub mod throwaway;
pub mod walk;

pub use closure::{Closure, ClosureError, Resolver, find_program};
pub use isol_sys::quote;
pub use throwaway::{Throwaway, sweep};
pub use walk::Sysroot;
