//! An allocator that counts: for proofs that nothing is allocated where nothing may be.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

thread_local! {
    /// Whether this thread has begun to count. Its children that share its memory have this too.
    static COUNTS: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, counting: the thread that calls [`Counting::begin`] is one, and every
/// process that shares its memory is another. Other threads are not counted.
#[derive(Debug, Default)]
pub struct Counting {
    own: AtomicI32,
    here: AtomicUsize,
    in_others: AtomicUsize,
}

/// How often something was allocated or freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// In the thread that counts.
    pub here: usize,
    /// In children that share its memory.
    pub in_others: usize,
}

impl Counting {
    /// One that does not count yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { own: AtomicI32::new(0), here: AtomicUsize::new(0), in_others: AtomicUsize::new(0) }
    }

    /// Counts from nought.
    pub fn begin(&self) {
        COUNTS.set(true);
        self.own.store(crate::process::Pid::own().get(), Ordering::SeqCst);
        self.here.store(0, Ordering::SeqCst);
        self.in_others.store(0, Ordering::SeqCst);
    }

    /// What was counted.
    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted {
            here: self.here.load(Ordering::SeqCst),
            in_others: self.in_others.load(Ordering::SeqCst),
        }
    }

    fn count(&self) {
        let own = self.own.load(Ordering::SeqCst);
        if own == 0 {
            return;
        }
        if own != crate::process::Pid::own().get() {
            self.in_others.fetch_add(1, Ordering::SeqCst);
        } else if COUNTS.get() {
            self.here.fetch_add(1, Ordering::SeqCst);
        }
    }
}

// SAFETY: every call is the system allocator's; counting touches three integers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.count();
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) };
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}
