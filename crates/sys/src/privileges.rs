//! What the kernel grants beside the ids: capabilities, securebits, `no_new_privs`,
//! the session keyring, the execution domain, the parent-death signal.
//!
//! All of it Linux's. Elsewhere the stand-ins answer `ENOSYS`.

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "privileges/linux.rs"]
        mod system;
    } else {
        #[path = "privileges/none.rs"]
        mod system;
    }
}

pub use system::*;
