//! FreeBSD's, and stand-ins for what only Linux has.

#[path = "elsewhere.rs"]
mod elsewhere;
#[path = "freebsd/mounts.rs"]
mod mounts;
#[path = "freebsd/others.rs"]
mod others;

pub use elsewhere::{
    abstract_connect, abstract_listen, add, affinity, be_traceable, capabilities, execution_domain,
    handle_of, io_priority, join, keep_capabilities, limit_of, new_session, new_user_namespace,
    no_new_privileges, open_handle, parent_death_signal, pidfd, pin_to, pivot_root, queue_make,
    queue_open, queue_remove, raise_ambient, read_key, read_memory, scheduling_policy, securebits,
    set_affinity_of, set_batch, set_capabilities, set_execution_domain, set_file_capabilities,
    set_io_priority, set_parent_death_signal, set_securebits, setfsgid, setfsuid, steal_descriptor,
    vsock,
};
pub use mounts::{mount_tmpfs, mounts, new_jail, unmount};
pub use others::{list, trace};
