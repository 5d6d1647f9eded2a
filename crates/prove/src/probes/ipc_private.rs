//! `ipc-private`: objects that somebody outside has made for everybody to use.

use isol_core::{Guarantee, Os};
use isol_sys::attempts::{self as sys, Ring};

use crate::agent::{KEY, VICTIM_TEXT};
use crate::attack::raw;
use crate::baits::SHARED;
use crate::{Attack, Breach, Inside, Probe, Seen};

const TEXT: Breach = Breach::When(|_, got| got.starts_with(SHARED));

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::IpcPrivate,
    attacks: &[
        Attack::new("system-v-memory", segment, TEXT),
        Attack::new(
            "system-v-messages",
            |i| Seen::of(sys::msg_send(i.brief.sysv_key), |()| "a message was sent".into()),
            Breach::Anything,
        ),
        Attack::new(
            "system-v-semaphore",
            |i| Seen::of(sys::sem_change(i.brief.sysv_key), |()| "it was changed".into()),
            Breach::Anything,
        ),
        Attack::new(
            "posix-messages",
            |i| Seen::of(sys::queue_open(&raw(&i.brief.posix_name)), |()| "it was opened".into()),
            Breach::Anything,
        )
        .only_on(Os::Linux),
        Attack::new("posix-memory", posix, TEXT),
        Attack::new("abstract-socket", abstract_socket, Breach::Anything).only_on(Os::Linux),
        Attack::new("user-keyring", |_| keyring(), Breach::When(|_, got| got == VICTIM_TEXT))
            .only_on(Os::Linux),
    ],
    traps: &[],
};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()
}

fn segment(inside: &Inside<'_>) -> Seen {
    Seen::of(sys::shm_read(inside.brief.sysv_key), text)
}

fn posix(inside: &Inside<'_>) -> Seen {
    Seen::of(sys::posix_shm_read(&raw(&inside.brief.posix_name)), text)
}

fn abstract_socket(inside: &Inside<'_>) -> Seen {
    if inside.brief.abstract_socket.is_empty() {
        return Seen::NotHere("this system has no abstract sockets".into());
    }
    let connected = sys::abstract_connect(inside.brief.abstract_socket.as_bytes());
    Seen::of(connected, |_| "it was connected to".into())
}

/// The keyring of everybody with this uid.
fn keyring() -> Seen {
    Seen::of(sys::read_key(Ring::User, &raw(KEY)), text)
}
