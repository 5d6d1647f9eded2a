//! What the step that makes a root and the one that looks into it tell each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A file, by device and inode.
pub(super) type FileId = (u64, u64);

/// What is known of a throw-away root.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Knowledge>);

#[derive(Debug, Default)]
struct Knowledge {
    unchanged: OnceLock<FileId>,
    passed: AtomicBool,
}

impl Known {
    /// The root is one in which an earlier run has looked at the same program, and nothing in it has changed since.
    pub(super) fn is_unchanged(&self, root: FileId) {
        let _ = self.0.unchanged.set(root);
    }

    /// Whether this root has been looked at already.
    pub(super) fn was_looked_at(&self, root: FileId) -> bool {
        self.0.unchanged.get() == Some(&root)
    }

    /// The program can start, and only root can write to what it loads.
    pub(super) fn pass(&self) {
        self.0.passed.store(true, Ordering::Relaxed);
    }

    /// Whether the look is over and has found nothing.
    pub(super) fn has_passed(&self) -> bool {
        self.0.passed.load(Ordering::Relaxed)
    }
}
