//! The host's name.

use std::io;

/// The name that this process sees.
///
/// # Errors
/// As gethostname(3); a name that is not UTF-8.
///
/// # References
/// gethostname(3)
pub fn own() -> io::Result<String> {
    let name = nix::unistd::gethostname()?;
    name.into_string().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}
