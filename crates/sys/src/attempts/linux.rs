//! Linux's.

#[path = "linux/files.rs"]
mod files;
#[path = "linux/ipc.rs"]
mod ipc;
#[path = "linux/keys.rs"]
mod keys;
#[path = "linux/namespaces.rs"]
mod namespaces;
#[path = "linux/others.rs"]
mod others;
#[path = "linux/privileges.rs"]
mod privileges;
#[path = "linux/state.rs"]
mod state;

pub use files::*;
pub use ipc::*;
pub use keys::*;
pub use namespaces::*;
pub use others::*;
pub use privileges::*;
pub use state::*;
