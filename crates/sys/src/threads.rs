//! How many threads this process has.

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        #[path = "threads/linux.rs"]
        mod system;
    } else if #[cfg(target_os = "freebsd")] {
        #[path = "threads/freebsd.rs"]
        mod system;
    } else if #[cfg(target_os = "macos")] {
        #[path = "threads/macos.rs"]
        mod system;
    } else {
        mod system {
            pub(super) fn others() -> std::io::Result<usize> {
                Err(std::io::Error::from_raw_os_error(libc::ENOSYS))
            }
        }
    }
}

/// How many threads there are beside the calling one.
///
/// # Errors
/// There are others, and they could not be counted.
///
/// # References
/// proc_pid_task(5), unshare(2); sysctl(3) on FreeBSD; proc_pidinfo on macOS
pub fn others() -> std::io::Result<usize> {
    system::others()
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_thread_more_is_counted() {
        let before = super::others().unwrap();
        let (stop, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || wait.recv());
        assert!(super::others().unwrap() > 0 && super::others().unwrap() >= before);
        drop(stop);
        thread.join().unwrap().unwrap_err();
    }
}
