//! What threads give each other to do: no more than there are idle ones, so that it stays short.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Whether a thread waits for whom nothing is there.
    wanting: AtomicBool,
    threads: usize,
}

struct State<T> {
    items: Vec<T>,
    idle: usize,
    ended: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            state: Mutex::new(State { items: Vec::new(), idle: 0, ended: false }),
            changed: Condvar::new(),
            wanting: AtomicBool::new(false),
            threads,
        }
    }

    pub(super) fn is_wanting(&self) -> bool {
        self.wanting.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, item: T) {
        let mut state = self.lock();
        state.items.push(item);
        self.wanting.store(state.idle > state.items.len(), Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Something to do; `None` when all threads are idle, and so all is done.
    pub(super) fn next(&self) -> Option<T> {
        let mut state = self.lock();
        state.idle += 1;
        loop {
            if let Some(item) = state.items.pop() {
                state.idle -= 1;
                self.wanting.store(state.idle > state.items.len(), Ordering::Relaxed);
                return Some(item);
            }
            if state.idle == self.threads || state.ended {
                state.ended = true;
                self.changed.notify_all();
                return None;
            }
            self.wanting.store(true, Ordering::Relaxed);
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread that panics must not leave the others waiting for it.
    pub(super) fn ends_with_this_thread(&self) -> impl Drop {
        EndOnPanic(self)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct EndOnPanic<'a, T>(&'a Queue<T>);

impl<T> Drop for EndOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().ended = true;
            self.0.changed.notify_all();
        }
    }
}
