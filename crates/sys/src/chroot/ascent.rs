//! The way up from the working directory: from inside it ends at the root directory,
//! from outside it goes past it.

use std::ffi::CStr;

use isol_core::Errno;

type Identity = (u64, u64);

/// As deep as a path of `PATH_MAX` bytes, 1024 on macOS, goes.
const DEEPEST: usize = 341;

/// `../../..` and so on, that deep. Its end, from any step on, is a path that is less deep.
const UP: [u8; 3 * DEEPEST] = {
    let mut up = [0; 3 * DEEPEST];
    let mut at = 0;
    while at < up.len() - 1 {
        up[at] = b"../"[at % 3];
        at += 1;
    }
    up
};

/// Whether the way up from `.` ends at `root`, by what `identity` says of each place.
/// Async-signal-safe if that is.
///
/// The root directory is its own parent for whoever stands in it or below it. For whoever
/// stands outside it is a directory like any other, and the way up ends elsewhere.
pub(super) fn meets(
    root: Identity,
    identity: impl Fn(&CStr) -> Result<Identity, Errno>,
) -> Result<bool, Errno> {
    let mut here = identity(c".")?;
    for steps in 1..=DEEPEST {
        let path = CStr::from_bytes_until_nul(&UP[3 * (DEEPEST - steps)..]);
        let above = identity(path.map_err(|_| Errno(libc::EINVAL))?)?;
        if above == here {
            return Ok(here == root);
        }
        here = above;
    }
    Err(Errno(libc::ENAMETOOLONG))
}

#[cfg(test)]
mod tests {
    use super::super::identity;
    use super::*;

    /// A chain of directories from the real root down, by their inodes; one stands in the last.
    fn chain(inodes: &[u64]) -> impl Fn(&CStr) -> Result<Identity, Errno> {
        move |path| {
            let up = path.to_bytes().split(|&b| b == b'/').filter(|part| part == b"..").count();
            Ok((7, inodes[inodes.len().saturating_sub(up + 1)]))
        }
    }

    #[test]
    fn a_way_up_that_ends_at_the_root_is_inside() {
        assert_eq!(meets((7, 2), chain(&[2, 3, 4])), Ok(true));
        assert_eq!(meets((7, 2), chain(&[2])), Ok(true));
    }

    #[test]
    fn a_way_up_that_goes_past_the_root_or_beside_it_is_outside() {
        assert_eq!(meets((7, 3), chain(&[2, 3, 4])), Ok(false));
        assert_eq!(meets((7, 9), chain(&[2, 3, 4])), Ok(false));
        assert_eq!(meets((8, 2), chain(&[2, 3, 4])), Ok(false));
    }

    #[test]
    fn what_cannot_be_looked_at_is_an_error_and_not_an_answer() {
        let refused = |path: &CStr| match path.to_bytes() {
            b"../.." => Err(Errno(libc::EACCES)),
            other => Ok((7, other.len() as u64)),
        };
        assert_eq!(meets((7, 2), refused), Err(Errno(libc::EACCES)));
        let endless = |path: &CStr| Ok((7, path.to_bytes().len() as u64));
        assert_eq!(meets((7, 2), endless), Err(Errno(libc::ENAMETOOLONG)));
    }

    #[test]
    fn this_process_is_inside_of_the_real_root() {
        assert_eq!(meets(identity(c"/").unwrap(), identity), Ok(true));
        assert_eq!(meets(identity(c"/usr").unwrap(), identity), Ok(false));
    }
}
