//! Numbers that nobody can guess.

use std::io::{self, Read};

/// One, from the kernel's generator.
///
/// # Errors
/// `/dev/urandom` can't be read.
///
/// # References
/// random(4)
pub fn number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}
