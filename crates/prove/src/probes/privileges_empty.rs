//! `privileges-empty`: privilege beyond the uid's own.

use isol_core::{Guarantee, Os};
use isol_sys::attempts as sys;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

use super::needless_calls as calls;
use crate::attack::message;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::PrivilegesEmpty,
    attacks: &[
        Attack::new("capability-sets", sets, Breach::Unless(|_| NONE.into())).only_on(Os::Linux),
        Attack::new("securebits", securebits, Breach::When(|_, got| !locked(got)))
            .only_on(Os::Linux),
        Attack::new("unlock-securebits", |_| unlock(), Breach::Anything).only_on(Os::Linux),
        Attack::new("keep-capabilities", |_| keep(), Breach::Anything).only_on(Os::Linux),
        Attack::new("ambient-capability", |_| ambient(), Breach::Anything).only_on(Os::Linux),
        Attack::new("take-capability", |_| take(), Breach::Anything).only_on(Os::Linux),
        Attack::new("raw-socket", |_| raw_socket(), Breach::Anything),
        Attack::new("lower-nice-value", |_| nice(), Breach::Anything),
        Attack::new("give-a-file-away", give_away, Breach::Anything),
        calls::KEYS,
        calls::BPF,
        calls::PERF,
        calls::USERFAULTFD,
        calls::IO_URING,
        calls::PERSONALITY,
        calls::HANDLES,
        calls::TRACE,
        calls::TERMINAL,
        calls::VSOCK,
        calls::KERNEL_LOG,
        calls::CLONE3,
        calls::I386,
        calls::X32,
    ],
    traps: &[],
};

const NONE: &str = "effective 0 permitted 0 inheritable 0 ambient 0 bounding 0";

fn sets(_inside: &Inside<'_>) -> Seen {
    Seen::of(sys::capabilities(), |c| {
        format!(
            "effective {:x} permitted {:x} inheritable {:x} ambient {:x} bounding {:x}",
            c.effective, c.permitted, c.inheritable, c.ambient, c.bounding
        )
    })
}

fn securebits(_inside: &Inside<'_>) -> Seen {
    Seen::of(sys::securebits(), |bits| format!("{bits:#x}"))
}

/// Every lock, and root and ambient capabilities off; none kept over a change of the uid.
fn locked(got: &str) -> bool {
    const WANTED: i64 = 0b1110_1011;
    const KEEP_CAPS: i64 = 1 << 4;
    let bits = got.strip_prefix("0x").and_then(|hex| i64::from_str_radix(hex, 16).ok());
    bits.is_some_and(|bits| bits & WANTED == WANTED && bits & KEEP_CAPS == 0)
}

/// The bit by which uid 0 means no capability, the other way round.
fn unlock() -> Seen {
    let changed = sys::securebits().and_then(|bits| sys::set_securebits(bits ^ 1));
    Seen::of(changed, |()| "the securebits could be changed".into())
}

fn keep() -> Seen {
    Seen::of(sys::keep_capabilities(), |()| "capabilities can be kept over setuid(2)".into())
}

fn ambient() -> Seen {
    Seen::of(sys::raise_ambient(10), |()| "an ambient capability was raised".into())
}

const NET_ADMIN: u64 = 1 << 12;

fn take() -> Seen {
    Seen::of(sys::set_capabilities(NET_ADMIN, NET_ADMIN, NET_ADMIN), |()| {
        "CAP_NET_ADMIN was taken".into()
    })
}

fn raw_socket() -> Seen {
    let made = socket(AddressFamily::Inet, SockType::Raw, SockFlag::empty(), SockProtocol::Icmp);
    match made {
        Ok(_) => Seen::Got("a raw socket was made".into()),
        Err(errno) => Seen::Refused(errno.desc().into()),
    }
}

fn nice() -> Seen {
    Seen::of(sys::set_nice(-5), |()| "the nice value was lowered to -5".into())
}

/// chown(2) of one's own file to somebody else.
fn give_away(inside: &Inside<'_>) -> Seen {
    let path = inside.at("/tmp/given-away");
    let done =
        std::fs::write(&path, "").and_then(|()| std::os::unix::fs::chown(&path, Some(1), None));
    let _ = std::fs::remove_file(&path);
    match done {
        Ok(()) => Seen::Got("a file was given to uid 1".into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}
