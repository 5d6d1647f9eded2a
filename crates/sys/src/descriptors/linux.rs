//! Linux: close_range(2) since 5.9, before that the listing in /proc.

use std::os::fd::RawFd;

use isol_core::Errno;
use libc::c_ulong;

use crate::errno::{check, check_long};

pub(super) fn close_between(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: takes three numbers. Nothing in this process relies on the descriptors:
    // it is about to become another program, or has named those that it keeps.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first as u32, last as u32, 0) };
    match check_long(closed) {
        Err(Errno(libc::ENOSYS | libc::EPERM)) => close_listed(first, last),
        result => result.map(drop),
    }
}

pub(super) fn part_from_parent(last: RawFd) -> Result<(), Errno> {
    let (first, all) = (last.saturating_add(1) as u32, u32::MAX);
    let unshare = libc::CLOSE_RANGE_UNSHARE;
    // SAFETY: takes three numbers. The caller relies on no descriptor above `last`; its parent
    // keeps all of them.
    let parted = unsafe { libc::syscall(libc::SYS_close_range, first, all, unshare) };
    match check_long(parted) {
        Err(Errno(libc::ENOSYS | libc::EPERM)) => {
            // SAFETY: takes a number, and gives this process a copy of its table.
            check(unsafe { libc::unshare(libc::CLONE_FILES) }).map(drop)
        }
        result => result.map(drop),
    }
}

/// Closes what /proc/self/fd lists. Fails where there is no /proc: better not to
/// start than to guess where the descriptors end.
fn close_listed(first: RawFd, last: RawFd) -> Result<(), Errno> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path is a NUL-terminated literal.
    let listing = check(unsafe { libc::open(c"/proc/self/fd".as_ptr(), flags) })?;
    let result = close_entries(listing, first, last);
    // SAFETY: the listing was opened above and is closed once.
    unsafe { libc::close(listing) };
    result
}

/// The highest number that is looked at: 256 polls, for a table that has been that large.
const LOOKED_AT: RawFd = 0xffff;

/// Whether the process's table of descriptors ends below this number, so that none from there on can be open. True also
/// behind the last one that is looked at. The kernel cuts the sets of select(2) off at the end of the table, and refuses
/// a number in them that has a place there and is not open.
///
/// # References
/// select(2)
pub(super) fn none_is_open_from(first: RawFd) -> Result<bool, Errno> {
    match first {
        0..0x1000 => Ok(table_ends_by::<{ 0x1000 / c_ulong::BITS as usize }>(first)),
        0x1000..=LOOKED_AT => Ok(table_ends_by::<{ 0x1_0000 / c_ulong::BITS as usize }>(first)),
        _ => Ok(true),
    }
}

#[inline(never)]
fn table_ends_by<const WORDS: usize>(first: RawFd) -> bool {
    let mut set = [0 as c_ulong; WORDS];
    set[first as usize / c_ulong::BITS as usize] = 1 << (first as usize % c_ulong::BITS as usize);
    let (none, now) = (std::ptr::null_mut(), libc::timespec { tv_sec: 0, tv_nsec: 0 });
    let to = set.as_mut_ptr().cast::<libc::fd_set>();
    // SAFETY: the kernel reads and writes the words of the set up to that of the number `first`, which it has; it need
    // not be as large as the C library's, which looks at nothing of it.
    let found = unsafe { libc::pselect(first + 1, to, none, none, &now, std::ptr::null()) };
    // An open one that nothing can be read from is answered 0 too.
    found == 0 && !super::is_open(first)
}

fn close_entries(listing: RawFd, first: RawFd, last: RawFd) -> Result<(), Errno> {
    // Eight-byte cells: the kernel aligns its entries so.
    let mut buffer = [0_u64; 512];
    loop {
        let size = size_of_val(&buffer);
        // SAFETY: the buffer is writable and its size in bytes is given.
        let got =
            unsafe { libc::syscall(libc::SYS_getdents64, listing, buffer.as_mut_ptr(), size) };
        let got = check_long(got)? as usize;
        if got == 0 {
            return Ok(());
        }
        // SAFETY: any byte may be read as a byte, and `got` of them were written.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), got) };
        let mut rest = bytes;
        while let Some((entry, next)) = split_entry(rest) {
            if let Some(fd) =
                number(entry).filter(|fd| (first..=last).contains(fd) && *fd != listing)
            {
                // SAFETY: as in `close_between`.
                unsafe { libc::close(fd) };
            }
            rest = next;
        }
    }
}

/// One `linux_dirent64`'s name, and what comes behind it.
pub(crate) fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    const NAME: usize = 19;
    let length = usize::from(u16::from_ne_bytes(bytes.get(16..18)?.try_into().ok()?));
    let entry = bytes.get(NAME..length)?;
    let end = entry.iter().position(|&b| b == 0).unwrap_or(entry.len());
    Some((&entry[..end], &bytes[length..]))
}

pub(crate) fn number(name: &[u8]) -> Option<RawFd> {
    if name.is_empty() {
        return None;
    }
    name.iter().try_fold(0_i32, |n, &b| {
        b.is_ascii_digit().then(|| n.checked_mul(10)?.checked_add(i32::from(b - b'0')))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn the_listing_closes_what_close_range_would() {
        // In a child: the test's other threads have descriptors of their own.
        // SAFETY: the child only opens and closes descriptors, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let file = std::fs::File::open("/dev/null").unwrap();
            // SAFETY: a fresh number.
            let high = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD, 300) };
            let ok = close_listed(3, RawFd::MAX).is_ok()
                && !super::super::is_open(high)
                && !super::super::is_open(file.as_raw_fd())
                && super::super::is_open(2);
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!ok)) };
        }
        let mut status = -1;
        // SAFETY: waits for the child made above.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        assert_eq!(status, 0);
    }
    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn one_is_found_wherever_it_stands_and_the_table_ends_behind_it() {
        let numbers = [3, 63, 64, 255, 256, 1023, 1024, 4095, 4096, 19_000];
        // Which of these goes wrong; 0 if none does.
        let mut wrong = 0;
        let child = crate::spawn::child(crate::spawn::Table::Copied, &mut || {
            for number in numbers {
                let made = super::super::part_from_parent(2).is_ok()
                    && super::super::close_between(3, RawFd::MAX).is_ok()
                    && super::super::first_open(3, &[], None, false) == Ok(None)
                    // SAFETY: takes numbers; what stands there is nobody's.
                    && unsafe { libc::dup2(2, number) } == number;
                if !made
                    || super::super::first_open(3, &[], None, false) != Ok(Some(number))
                    || super::super::first_open(3, &[number], None, false) != Ok(None)
                    || super::super::first_open(3, &[], Some(number), false) != Ok(None)
                {
                    wrong = number;
                    return 1;
                }
            }
            0
        });
        crate::process::wait(child.unwrap()).unwrap();
        assert_eq!(wrong, 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn a_path_s_descriptor_is_one_too() {
        let flags = libc::O_PATH | libc::O_CLOEXEC;
        // In a child: the test's other threads have descriptors of their own.
        // SAFETY: the child only opens and closes descriptors, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: the path is a NUL-terminated literal.
            let opened = unsafe { libc::open(c"/".as_ptr(), flags) };
            let ok = [opened, 100, 1023].into_iter().all(|wanted| {
                // SAFETY: takes numbers.
                let copied = wanted == opened || unsafe { libc::dup2(opened, wanted) } == wanted;
                let keep: Vec<_> = (3..wanted).collect();
                let found = super::super::first_open(3, &keep, None, false);
                copied && found == Ok(Some(wanted))
            });
            // SAFETY: ends the child, and nothing else.
            unsafe { libc::_exit(i32::from(!ok)) };
        }
        let ended = crate::process::wait(crate::process::Pid::new(pid)).unwrap();
        assert_eq!(ended, crate::process::Status::Exited(0));
    }
}
