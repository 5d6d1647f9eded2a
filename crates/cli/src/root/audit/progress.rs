//! How far the look has come, on a terminal.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress;

impl Progress {
    /// Does `work` and shows on standard error, if that is a terminal, what `count` has come to.
    pub(super) fn shown<T>(count: &AtomicU64, work: impl FnOnce() -> T) -> T {
        if !stderr().is_terminal() {
            return work();
        }
        let style =
            ProgressStyle::with_template("{spinner} {human_pos} files, {per_sec}, {elapsed}");
        let bar = ProgressBar::new_spinner();
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let (end, ended) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let ended = ended;
                while ended.recv_timeout(Duration::from_millis(100))
                    == Err(RecvTimeoutError::Timeout)
                {
                    bar.set_position(count.load(Ordering::Relaxed));
                    bar.tick();
                }
                bar.finish_and_clear();
            });
            let done = work();
            drop(end);
            done
        })
    }
}
