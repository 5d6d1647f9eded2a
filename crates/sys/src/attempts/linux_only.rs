//! Stand-ins for what only Linux has.

use std::ffi::CStr;
use std::os::fd::{OwnedFd, RawFd};

use isol_core::Errno;

use super::super::{Capabilities, Namespace, Ring};

not_here! {
    may_pivot_root() -> ();
    bpf_map() -> OwnedFd;
    performance_counter() -> OwnedFd;
    hold_page_faults() -> OwnedFd;
    ring() -> OwnedFd;
    kernel_log() -> usize;
    reaches_terminals(RawFd) -> ();
    ask_as_i386() -> i32;
    ask_as_x32() -> i32;
    own_mounts_and_ipc() -> ();
    handle_of(&CStr) -> Vec<u8>;
    open_handle(&[u8], RawFd) -> OwnedFd;
    set_file_capabilities(&CStr, u64) -> ();
    queue_make(&CStr) -> ();
    queue_open(&CStr) -> ();
    queue_remove(&CStr) -> ();
    abstract_listen(&[u8]) -> OwnedFd;
    abstract_connect(&[u8]) -> OwnedFd;
    vsock() -> OwnedFd;
    add(Ring, &CStr, &[u8]) -> ();
    read_key(Ring, &CStr) -> Vec<u8>;
    new_user_namespace() -> ();
    join(RawFd, Namespace) -> ();
    read_memory(i32, u64, usize) -> Vec<u8>;
    pidfd(i32) -> OwnedFd;
    steal_descriptor(RawFd, i32) -> OwnedFd;
    set_affinity_of(i32) -> ();
    limit_of(i32) -> ();
    capabilities() -> Capabilities;
    set_capabilities(u64, u64, u64) -> ();
    raise_ambient(u32) -> ();
    securebits() -> i32;
    set_securebits(i32) -> ();
    keep_capabilities() -> ();
    setfsuid(u32) -> u32;
    setfsgid(u32) -> u32;
    scheduling_policy() -> i32;
    set_batch() -> ();
    affinity() -> Vec<u32>;
    pin_to(u32) -> ();
    io_priority() -> i32;
    set_io_priority(i32) -> ();
    execution_domain() -> u64;
    set_execution_domain(u64) -> ();
}

/// Not on this system.
#[must_use]
pub fn reaches_clone3() -> bool {
    false
}

/// Nothing keeps whoever has the same ids from tracing this process.
///
/// # Errors
/// Never.
pub fn be_traceable() -> Result<(), Errno> {
    Ok(())
}
