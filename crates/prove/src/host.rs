//! The host that was proved on.

use serde::Serialize;

/// The host that was proved on.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// The operating system.
    pub os: String,
    /// Its kernel's release.
    pub release: String,
    /// The machine's kind.
    pub machine: String,
    /// The uid that proved.
    pub uid: u32,
    /// isol's version.
    pub isol: &'static str,
}

impl Host {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let name = nix::sys::utsname::uname().ok();
        let text = |part: Option<&std::ffi::OsStr>| {
            part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
        };
        Self {
            os: isol_sys::os::HOST.to_string(),
            release: text(name.as_ref().map(|n| n.release())),
            machine: text(name.as_ref().map(|n| n.machine())),
            uid: isol_sys::ids::effective_uid(),
            isol: env!("CARGO_PKG_VERSION"),
        }
    }
}
