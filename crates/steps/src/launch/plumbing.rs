//! The program's standard descriptors.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use isol_core::Stdio;
use isol_sys::pipe;

/// Both ends of the program's standard descriptors, where they are not the caller's.
pub(super) struct Plumbing {
    inner: [Option<OwnedFd>; 3],
    pub(super) outer: [Option<File>; 3],
}

impl Plumbing {
    pub(super) fn new(wanted: [Stdio; 3]) -> io::Result<Self> {
        let mut plumbing = Self { inner: [None, None, None], outer: [None, None, None] };
        for (place, stdio) in wanted.into_iter().enumerate() {
            match stdio {
                Stdio::Inherit => {}
                Stdio::Null => {
                    let null = File::options().read(true).write(true).open("/dev/null")?;
                    plumbing.inner[place] = Some(null.into());
                }
                Stdio::Piped => {
                    let (read, write) = pipe::new()?;
                    let (inner, outer) = if place == 0 { (read, write) } else { (write, read) };
                    plumbing.inner[place] = Some(inner);
                    plumbing.outer[place] = Some(outer.into());
                }
            }
        }
        Ok(plumbing)
    }

    pub(super) fn inner(&self) -> [Option<i32>; 3] {
        [0, 1, 2].map(|place: usize| self.inner[place].as_ref().map(AsRawFd::as_raw_fd))
    }
}
