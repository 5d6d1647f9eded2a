//! The messages that wait for the host's syslogd: no more than fit, and no more than it can be asked to take.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use isol_sys::syslog::Sender;

/// How many bytes of messages wait, at most.
const ROOM: usize = 1024 * 1024;
/// What a message costs beside its bytes.
const OVERHEAD: usize = 64;
/// How many messages come at once, at most, and how many a second in the long run.
const BURST: u32 = 10_000;
const A_SECOND: u32 = 1000;

#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<(Vec<u8>, Option<Sender>)>,
    bytes: usize,
    /// What there was no room for, or what came too fast.
    lost: u64,
    leave: u32,
    counted: Instant,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, lost: 0, leave: BURST, counted: now }
    }

    /// Takes a message, or loses it: those that came first stay, because they tell what trouble began with.
    pub(super) fn push(&mut self, message: &[u8], sender: Option<Sender>, now: Instant) {
        self.count(now);
        let size = message.len() + OVERHEAD;
        if self.leave == 0 || self.bytes + size > ROOM {
            self.lost += 1;
            return;
        }
        self.leave -= 1;
        self.bytes += size;
        self.waiting.push_back((message.to_vec(), sender));
    }

    fn count(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.counted);
        let each = Duration::from_secs(1) / A_SECOND;
        let more = u32::try_from(gap.as_nanos() / each.as_nanos()).unwrap_or(BURST).min(BURST);
        // What is left of a fraction counts the next time.
        self.counted = if more == BURST { now } else { self.counted + each * more };
        self.leave = (self.leave + more).min(BURST);
    }

    pub(super) fn first(&self) -> Option<&(Vec<u8>, Option<Sender>)> {
        self.waiting.front()
    }

    /// The first one has been delivered.
    pub(super) fn pop(&mut self) {
        if let Some((message, _)) = self.waiting.pop_front() {
            self.bytes -= message.len() + OVERHEAD;
        }
    }

    /// The first one can't be delivered, ever.
    pub(super) fn lose_first(&mut self) {
        self.pop();
        self.lost += 1;
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// The loss has been told.
    pub(super) fn told(&mut self) {
        self.lost = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_no_more_than_fits_and_counts_the_rest() {
        let now = Instant::now();
        let mut queue = Queue::new(now);
        let message = [b'x'; 8192];
        for _ in 0..200 {
            queue.push(&message, None, now);
        }
        let fit = (ROOM / (8192 + OVERHEAD)) as u64;
        assert_eq!((queue.waiting.len() as u64, queue.lost()), (fit, 200 - fit));
        queue.pop();
        queue.push(b"short", None, now);
        assert_eq!((queue.waiting.len() as u64, queue.lost()), (fit, 200 - fit));
        while queue.first().is_some() {
            queue.pop();
        }
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn a_flood_is_held_to_its_rate() {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        let mut push = |ms| {
            let before = queue.lost();
            queue.push(b"", None, start + Duration::from_millis(ms));
            queue.pop();
            queue.lost() == before
        };
        assert!((0..BURST).all(|_| push(0)));
        assert!(!push(0));
        // One more each thousandth of a second, and no burst before ten seconds have passed.
        assert!(push(1) && !push(1));
        assert!((2..500).all(&mut push));
        assert_eq!((0..1000).filter(|_| push(1000)).count(), 501);
        assert_eq!((0..BURST * 2).filter(|_| push(3_600_000)).count() as u32, BURST);
    }
}
