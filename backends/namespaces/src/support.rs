//! What namespaces can hold, and why not the rest.

use isol_core::{Guarantee as G, Os, Support};

/// For root, or for an ordinary user, as whom a program runs then.
pub(crate) fn of(guarantee: G, as_caller: bool) -> Support {
    if as_caller && let Some(support) = of_caller(guarantee) {
        return support;
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

/// What takes root to hold, or other ids than the caller's own.
fn of_caller(guarantee: G) -> Option<Support> {
    let with_ids = |what: &str, without: &str| match crate::given::given_lately() {
        Ok(_) => Support::OnRequest(what.into()),
        Err(crate::Lacking { why, help }) => {
            Support::not_offered(format!("{without}: {why}; {help}, or run it as root"))
        }
    };
    Some(match guarantee {
        G::GroupsExact => with_ids(
            "the groups stay the ordinary user's who calls, unless --user or --groups asks for ids of /etc/subuid and /etc/subgid",
            "an ordinary user can't change his groups without ids that he has been given",
        ),
        G::UidDedicated => with_ids(
            "the program runs as the ordinary user who calls, unless --user asks for an id of /etc/subuid",
            "the program runs as the ordinary user who calls, without ids that he has been given",
        ),
        G::RootSafe => Support::not_offered(
            "the root can be one of the ordinary user's who calls: run it as root",
        ),
        _ => return None,
    })
}
