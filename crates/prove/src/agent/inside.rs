//! The attacker inside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use isol_core::Errno;
use isol_sys::attempts::{self, Kind};
use isol_sys::privileges;
use isol_sys::process::Status;

use crate::brief::Brief;
use crate::channel::{Channel, Order, Report};
use crate::{Attack, Inside, Seen, attack, probes};

/// How long one attack may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says that it is there, makes the attacks that it is told to make, each in a process of its own,
/// and says what they saw. Returns the status to exit with.
pub(crate) fn serve(channel: &Channel, begun: &Begun) -> i32 {
    let made = channel.send(&Report::Inside).and_then(|()| channel.receive());
    let Ok(Some(Order::Attack(brief, list))) = made else { return 3 };
    let prefix = prefix(&brief);
    for (probe, name) in list {
        let seen = match probes::attack(&probe, &name) {
            Some(attack) => make(attack, &brief, channel, &prefix, begun),
            None => Seen::Lost("the executable inside has no such attack".into()),
        };
        if channel.send(&Report::Saw(probe, name, seen)).is_err() {
            return 3;
        }
    }
    i32::from(channel.send(&Report::Done).is_err())
}

/// Where the root is, seen from here.
fn prefix(brief: &Brief) -> PathBuf {
    match attack::read("/prove.token") {
        Seen::Got(token) if token == brief.token => PathBuf::new(),
        _ => brief.root.clone(),
    }
}

fn make(attack: &Attack, brief: &Brief, channel: &Channel, prefix: &Path, begun: &Begun) -> Seen {
    if let Some(os) = attack.only_on
        && os != isol_sys::os::HOST
    {
        return Seen::NotHere(format!("it is {os}'s"));
    }
    let ended = attempts::in_a_child(PATIENCE, &mut || {
        let inside = Inside { brief, channel, prefix: prefix.to_owned(), begun };
        serde_json::to_vec(&(attack.run)(&inside)).unwrap_or_default()
    });
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => return Seen::Lost(format!("no process to make it in: {error}")),
    };
    match (serde_json::from_slice(&ended.said), ended.status) {
        (Ok(seen), _) => seen,
        (Err(_), None) => Seen::Lost("it did not end".into()),
        (Err(_), Some(Status::Signalled(signal))) => {
            Seen::Lost(format!("signal {signal} ended it"))
        }
        (Err(_), Some(status)) => Seen::Lost(format!("it ended with status {}", status.code())),
    }
}

/// What the attacker was when it began: descriptors that nothing of the prover's has been added to,
/// and what no child has, in which the attacks are made.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Every open descriptor, and what it is of.
    pub opened: Vec<(i32, Kind)>,
    /// Whether an interval timer ran.
    pub armed: Result<bool, Errno>,
    /// The parent-death signal.
    pub parent_death_signal: Result<i32, Errno>,
}

impl Begun {
    /// Looks. To be called before anything is opened.
    pub(crate) fn look() -> Self {
        // Behind the highest number that a caller leaves open.
        const LAST: i32 = 8192;
        let kind = |fd| attempts::kind_of(fd).ok().map(|kind| (fd, kind));
        Self {
            opened: (0..LAST).filter_map(kind).collect(),
            armed: attempts::armed(),
            parent_death_signal: privileges::parent_death_signal(),
        }
    }
}
