//! What chroot(2) can hold, and why not the rest.

use isol_core::{Guarantee as G, Os, Support, Tier};

pub(crate) fn of(guarantee: G, os: Os) -> Support {
    match guarantee {
        G::RootClean => Support::OnRequest(
            "the whole tree is walked before the run: --require root-clean".into(),
        ),
        G::SyslogWorks => isol_core::Syslog::support(os),
        G::UidDedicated if !isol_sys::processes::all_are_seen(os) => Support::not_offered(
            "isol runs in a container, outside of which it sees no process: run it on the host",
        ),
        G::NoPrivilegeGain if !isol_sys::privileges::has_no_privilege_gain(os) => {
            Support::not_offered(format!(
                "this {os} has nothing like no_new_privs: keep set-id files out of the root"
            ))
        }
        _ if guarantee.tier() == Tier::Base => Support::Held,
        G::PidsHidden => confines_files_only("processes are the host's"),
        G::SignalsConfined => {
            confines_files_only("whoever runs under the same uid can be signalled and traced")
        }
        G::IpcPrivate => {
            confines_files_only("System V IPC, message queues and abstract sockets are the host's")
        }
        G::NetworkConfined => confines_files_only("the network is the host's"),
        G::HostnamePrivate => confines_files_only("the host name is the host's"),
        G::MountsPrivate => confines_files_only("mounts are the host's"),
        _ => confines_files_only("uid 0 walks out of a chroot"),
    }
}

fn confines_files_only(what: &str) -> Support {
    Support::NotOffered(format!("chroot(2) confines the file system only: {what}"))
}
