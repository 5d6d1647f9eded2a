//! What isol's own executable becomes when the prover starts it.

use std::io::{Read, Write};

use isol_core::{Gid, ThreadScope, Uid};
use isol_sys::attempts;
use serde::{Deserialize, Serialize};

use crate::attack;
use crate::{channel::Channel, launcher};

mod inside;
pub use inside::Begun;
pub(crate) use inside::serve;

/// The words behind the executable's name that make it an agent.
pub const WORD: &str = "prove-agent";
/// The caller: gets itself into a bad state, and isolates.
pub(crate) const LAUNCH: &str = "launch";
/// The attacker inside.
pub(crate) const INSIDE: &str = "inside";
/// Somebody outside, under the attacker's uid.
pub(crate) const VICTIM: &str = "victim";
/// Says who it is: a program with a set-id bit on it, or with capabilities.
pub(crate) const IDENTIFY: &str = "identify";

/// Ends by a signal that leaves a core dump.
pub(crate) const CRASH: &str = "crash";

/// Does an agent's work; the status to exit with.
#[must_use]
pub fn main(words: &[String]) -> i32 {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [LAUNCH] => launcher::launch(),
        [INSIDE, channel] => {
            let begun = Begun::look();
            match channel.parse().map(Channel::numbered) {
                Ok(Ok(channel)) => serve(&channel, &begun),
                _ => 2,
            }
        }
        [VICTIM, id] => id.parse().map_or(2, victim),
        [IDENTIFY] => identify(),
        [CRASH] => {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGABRT);
            2
        }
        _ => 2,
    }
}

/// What a victim says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VictimSays {
    pub(crate) descriptor: i32,
    pub(crate) memory: (u64, usize),
}

/// The text in a victim's memory, and in its user keyring.
pub(crate) const VICTIM_TEXT: &str = "isol prove: the memory of a process outside";
/// The name under which keys are planted.
pub(crate) const KEY: &str = "isol-prove";

/// Takes the uid and waits until standard input ends.
fn victim(id: u32) -> i32 {
    let text = VICTIM_TEXT.to_owned();
    let Ok(descriptor) = attempts::open_at(attempts::HERE, c"/", 0) else { return 2 };
    let Ok(descriptor) = attempts::put_at(descriptor, 30, false) else { return 2 };
    let (Some(uid), Some(gid)) = (Uid::new(id), Gid::new(id)) else { return 2 };
    let groups = isol_sys::ids::GroupList::new(gid, &[]);
    let dropped = match crate::caller::ordinary() {
        Some(own) if own == id => Ok(()),
        _ => groups
            .set(ThreadScope::Alone)
            .and_then(|()| isol_sys::ids::set_gid(gid, ThreadScope::Alone))
            .and_then(|()| isol_sys::ids::set_uid(uid, ThreadScope::Alone)),
    }
    .and_then(|()| attempts::be_traceable());
    if dropped.is_err() {
        return 2;
    }
    let _ = attempts::add(attempts::Ring::User, &attack::raw(KEY), text.as_bytes());
    let says = VictimSays { descriptor, memory: (text.as_ptr() as u64, text.len()) };
    let Ok(line) = serde_json::to_string(&says) else { return 2 };
    let mut to = std::io::stdout();
    if writeln!(to, "{line}").and_then(|()| to.flush()).is_err() {
        return 2;
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(text);
    0
}

/// Ids and capabilities, in one line.
pub(crate) fn identity() -> String {
    let ids = attempts::ids();
    let capabilities = attempts::capabilities()
        .map_or_else(|_| String::new(), |c| format!(" capabilities {:x}", c.permitted));
    format!("uids {:?} gids {:?}{capabilities}", ids.uids, ids.gids)
}

fn identify() -> i32 {
    let mut to = std::io::stdout();
    i32::from(writeln!(to, "{}", identity()).and_then(|()| to.flush()).is_err())
}

/// The words behind the executable's name that make it the attacker inside.
pub(crate) fn inside_words() -> [String; 3] {
    [WORD.into(), INSIDE.into(), launcher::CHANNEL.to_string()]
}
