//! What a thread knows of one directory on the way to where it is.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use isol_sys::listing::Listing;

use super::super::place::Place;

/// An open directory; threads may share it.
pub(super) struct Open<M> {
    pub(super) listing: Listing,
    pub(super) place: Arc<Place<M>>,
}

impl<M> Open<M> {
    pub(super) fn new(listing: Listing, place: Arc<Place<M>>) -> Arc<Self> {
        Arc::new(Self { listing, place })
    }
}

impl<M> AsFd for Open<M> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listing.as_fd()
    }
}

pub(super) struct Level<M> {
    /// `None` while it is closed to save descriptors.
    pub(super) dir: Option<Arc<Open<M>>>,
    pub(super) place: Arc<Place<M>>,
    /// The directories in it that have been listed and not been entered.
    pub(super) names: Names,
    /// Whether all of it has been listed, as far as this thread knows.
    pub(super) listed: bool,
    /// Whether the last piece had room for no more.
    pub(super) full: bool,
}

impl<M> Level<M> {
    pub(super) fn new(dir: Arc<Open<M>>) -> Self {
        let place = Arc::clone(&dir.place);
        Self { dir: Some(dir), place, names: Names::default(), listed: false, full: false }
    }

    /// Whether it has more pieces, so that another thread can have some of them.
    pub(super) fn is_large(&self) -> bool {
        !self.listed && self.full
    }
}

/// A stack of names, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<u8>);

impl Names {
    pub(super) fn push(&mut self, name: &CStr) {
        self.0.extend_from_slice(name.to_bytes_with_nul());
    }

    pub(super) fn pop(&mut self) -> Option<CString> {
        let end = self.0.len().checked_sub(1)?;
        let start = self.0[..end].iter().rposition(|&b| b == 0).map_or(0, |nul| nul + 1);
        let name = CStr::from_bytes_with_nul(&self.0[start..]).ok().map(CStr::to_owned);
        self.0.truncate(start);
        if self.0.is_empty() {
            // One large directory must not cost its names' room for good.
            self.0 = Vec::new();
        }
        name
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}
