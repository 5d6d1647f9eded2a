//! The operating system that this was compiled for.

use isol_core::Os;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        /// This one.
        pub const HOST: Os = Os::Linux;
    } else if #[cfg(target_os = "freebsd")] {
        /// This one.
        pub const HOST: Os = Os::FreeBsd;
    } else if #[cfg(target_os = "macos")] {
        /// This one.
        pub const HOST: Os = Os::MacOs;
    } else if #[cfg(unix)] {
        /// This one.
        pub const HOST: Os = Os::OtherUnix;
    } else {
        compile_error!("isol isolates Unix processes: this target is not a Unix");
    }
}
