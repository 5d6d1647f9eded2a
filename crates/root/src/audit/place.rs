//! Where a directory stands in the tree, without a path for each.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

/// A directory, and what the visitor wants to remember of it for as long as anything below is to be looked at.
#[derive(Debug)]
pub(super) struct Place<M> {
    above: Option<Arc<Place<M>>>,
    name: Box<CStr>,
    /// Device and inode number.
    pub(super) id: (u64, u64),
    pub(super) depth: usize,
    pub(super) mark: M,
}

impl<M> Place<M> {
    /// The tree's root.
    pub(super) fn root(id: (u64, u64), mark: M) -> Arc<Self> {
        Arc::new(Self { above: None, name: Box::default(), id, depth: 0, mark })
    }

    pub(super) fn below(above: &Arc<Self>, name: &CStr, id: (u64, u64), mark: M) -> Arc<Self> {
        let (name, depth) = (name.into(), above.depth + 1);
        Arc::new(Self { above: Some(Arc::clone(above)), name, id, depth, mark })
    }

    pub(super) fn name(&self) -> &CStr {
        &self.name
    }

    pub(super) fn above(&self) -> Option<&Arc<Self>> {
        self.above.as_ref()
    }

    /// This one and all above it, the tree's root last.
    pub(super) fn upwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |place| place.above.as_deref())
    }

    /// From the tree's root, without a slash at the beginning.
    pub(super) fn path(&self) -> PathBuf {
        let mut names: Vec<_> = self.upwards().map(|place| place.name.to_bytes()).collect();
        // The root has none.
        names.pop();
        names.reverse();
        PathBuf::from(OsStr::from_bytes(&names.join(&b'/')))
    }
}

impl<M> Drop for Place<M> {
    // One after the other: a tree may be deeper than a stack.
    fn drop(&mut self) {
        let mut next = self.above.take();
        while let Some(mut place) = next.and_then(Arc::into_inner) {
            next = place.above.take();
        }
    }
}
