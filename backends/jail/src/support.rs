//! What jail(2) can hold, and why not the rest.

use isol_core::{Guarantee as G, Os, Support};

/// On a system, and, where that is this one, on this kernel.
pub(crate) fn of(guarantee: G, os: Os) -> Support {
    match guarantee {
        G::RootClean => Support::OnRequest(
            "the whole tree is walked before the run: --require root-clean".into(),
        ),
        G::SyslogWorks => isol_core::Syslog::support(os),
        G::UidDedicated if !isol_sys::processes::all_are_seen(os) => Support::not_offered(
            "isol runs in a container, outside of which it sees no process: run it on the host",
        ),
        G::NetworkConfined => {
            Support::OnRequest("the network is the host's unless --network says otherwise".into())
        }
        G::NoPrivilegeGain if !isol_sys::privileges::has_no_privilege_gain(os) => {
            Support::not_offered(
                "this kernel has no PROC_NO_NEW_PRIVS_CTL: keep set-id files out of the root (--require root-clean)",
            )
        }
        _ => Support::Held,
    }
}
