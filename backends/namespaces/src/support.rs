//! What namespaces can hold, and why not the rest.

use isol_core::{Guarantee as G, Os, Support};

/// For root, or for an ordinary user, as whom a program runs then.
pub(crate) fn of(guarantee: G, as_caller: bool) -> Support {
    if as_caller && let Some(reason) = out_of_reach(guarantee) {
        return Support::not_offered(reason);
    }
    let on_request = |what: &str| Support::OnRequest(what.into());
    match guarantee {
        G::RootClean => on_request("the whole tree is walked before the run: --require root-clean"),
        G::SyslogWorks => isol_core::Syslog::support(Os::Linux),
        G::UidDedicated if !isol_sys::processes::all_are_seen(Os::Linux) => Support::not_offered(
            "isol runs in a container, outside of which it sees no process: run it on the host",
        ),
        G::NetworkConfined | G::IpcPrivate if !isol_sys::unconfined::CAN_BE_DENIED => {
            Support::not_offered("no filter of system calls is built in for this processor")
        }
        G::NetworkConfined => {
            on_request("the network is the host's unless --network none is asked for")
        }
        G::IpcPrivate => on_request(
            "System V IPC and POSIX message queues are private in every run; abstract sockets are the network's: --network none",
        ),
        G::RootHarmless => on_request(
            "a user namespace, in which files of others look like nobody's, is made for --require root-harmless and for --allow root-user",
        ),
        _ => Support::Held,
    }
}

/// What takes root to hold.
fn out_of_reach(guarantee: G) -> Option<&'static str> {
    match guarantee {
        G::GroupsExact => Some("an ordinary user can't change his groups: run it as root"),
        G::UidDedicated => Some("the program runs as the ordinary user who calls: run it as root"),
        G::RootSafe => Some("the root can be one of the ordinary user's who calls: run it as root"),
        G::SyslogWorks => Some("the relay's socket goes where only root can write: run it as root"),
        _ => None,
    }
}
