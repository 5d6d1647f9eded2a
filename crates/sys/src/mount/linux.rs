//! Linux: the file system's magic number; and what its mount says of its user.

#[path = "by_number.rs"]
mod by_number;

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::Window;
use crate::errno::from_nix;

pub(super) fn is_proc(fd: BorrowedFd<'_>) -> nix::Result<bool> {
    fstatfs(fd).map(|found| found.filesystem_type() == PROC_SUPER_MAGIC)
}

pub(super) fn window(fd: BorrowedFd<'_>) -> nix::Result<Option<Window>> {
    // The number's type differs.
    Ok(window_of(fstatfs(fd)?.filesystem_type().0 as u64))
}

/// By the file system's magic number.
fn window_of(magic: u64) -> Option<Window> {
    match magic & 0xffff_ffff {
        PROC => Some(Window::Processes),
        MQUEUE => Some(Window::MessageQueues),
        CGROUP | CGROUP2 => Some(Window::ControlGroups),
        _ => None,
    }
}

pub(super) fn windows_below(path: &Path) -> nix::Result<Vec<(PathBuf, Window)>> {
    let mut found = match by_number::windows() {
        Some(found) => found,
        None => windows(&mountinfo()?).collect(),
    };
    found.retain(|(point, _)| point.starts_with(path));
    Ok(found)
}

/// Where something is mounted, in the order in which it was.
pub(crate) fn points() -> Result<Vec<PathBuf>, isol_core::Errno> {
    Ok(mounts(&mountinfo().map_err(from_nix)?).map(|(point, _)| point).collect())
}

fn mountinfo() -> nix::Result<Vec<u8>> {
    // It has no size, and the kernel makes the list anew for each piece of it that is read.
    let mut info = Vec::with_capacity(16 * 1024);
    fs::File::open("/proc/self/mountinfo")
        .and_then(|mut file| file.read_to_end(&mut info))
        .map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)))?;
    Ok(info)
}

/// Where they are mounted.
fn windows(mountinfo: &[u8]) -> impl Iterator<Item = (PathBuf, Window)> {
    mounts(mountinfo).filter_map(|(point, kind)| {
        let window = match kind {
            b"proc" => Window::Processes,
            b"mqueue" => Window::MessageQueues,
            b"cgroup" | b"cgroup2" => Window::ControlGroups,
            _ => return None,
        };
        Some((point, window))
    })
}

/// Where each is, and of what kind it is.
fn mounts(mountinfo: &[u8]) -> impl Iterator<Item = (PathBuf, &[u8])> {
    mountinfo.split(|&byte| byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|&byte| byte == b' ');
        let point = fields.by_ref().nth(4)?;
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        Some((PathBuf::from(OsString::from_vec(unescaped(point))), kind))
    })
}

/// Blanks, line ends and backslashes are three octal digits there.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut rest, mut plain) = (text, Vec::with_capacity(text.len()));
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|d| d.iter().all(|b| matches!(b, b'0'..=b'7')));
        match digits {
            Some(digits) if byte == b'\\' => {
                plain.push(digits.iter().fold(0_u8, |all, b| all.wrapping_mul(8) + (b - b'0')));
                rest = &behind[3..];
            }
            _ => {
                plain.push(byte);
                rest = behind;
            }
        }
    }
    plain
}

/// Of <linux/magic.h>.
const PROC: u64 = 0x9fa0;
const MQUEUE: u64 = 0x1980_0202;
const CGROUP: u64 = 0x0027_e0eb;
const CGROUP2: u64 = 0x6367_7270;
const FUSE_SUPER_MAGIC: u64 = 0x6573_5546;

pub(super) fn mounted_by(fd: BorrowedFd<'_>) -> nix::Result<Option<u32>> {
    // The number's type differs.
    let magic = fstatfs(fd)?.filesystem_type().0 as u64;
    // Only of these can a user without privilege decide what is in them.
    if magic & 0xffff_ffff != FUSE_SUPER_MAGIC {
        return Ok(None);
    }
    let read = |path: &str| {
        fs::read_to_string(path).map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)))
    };
    let info = read(&format!("/proc/self/fdinfo/{}", fd.as_raw_fd()))?;
    let id = info.lines().find_map(|line| line.strip_prefix("mnt_id:")).unwrap_or_default().trim();
    user_of(&read("/proc/self/mountinfo")?, id)
        .ok_or(Errno::ENOENT)
        .map(|uid| (uid != 0).then_some(uid))
}

/// The user in the options of the mount `id`.
fn user_of(mountinfo: &str, id: &str) -> Option<u32> {
    let line = mountinfo.lines().find(|line| line.split(' ').next() == Some(id))?;
    let options = line.rsplit(' ').next()?;
    options.split(',').find_map(|option| option.strip_prefix("user_id="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Window, by_number, mountinfo, user_of, window, windows, windows_below};

    #[test]
    fn the_user_of_a_mount_is_found() {
        let info = "22 1 8:1 / / rw - ext4 /dev/vda rw\n\
            31 22 0:40 / /mnt rw,nosuid - fuse.sshfs host:/ rw,user_id=1000,group_id=100\n";
        assert_eq!(user_of(info, "31"), Some(1000));
        assert_eq!(user_of(info, "22"), None);
        assert_eq!(user_of(info, "3"), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn what_shows_more_than_files_is_found() {
        let info = b"22 1 8:1 / / rw - ext4 /dev/vda rw\n\
            25 22 0:5 / /a\\040b/proc rw shared:7 master:1 - proc proc rw\n\
            26 22 0:6 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let found: Vec<_> = windows(info).collect();
        let expected = [
            ("/a b/proc".into(), Window::Processes),
            ("/sys/fs/cgroup".into(), Window::ControlGroups),
        ];
        assert_eq!(found, expected);
        let proc = std::fs::File::open("/proc/self").unwrap();
        assert_eq!(window(std::os::fd::AsFd::as_fd(&proc)), Ok(Some(Window::Processes)));
        let below = windows_below("/".as_ref()).unwrap();
        assert!(below.contains(&("/proc".into(), Window::Processes)), "{below:?}");
        assert_eq!(windows_below("/usr/bin".as_ref()), Ok(Vec::new()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls")]
    fn by_number_they_are_the_same() {
        // Others may mount meanwhile.
        let is_so = (0..100).any(|_| {
            let Some(mut found) = by_number::windows() else { return true };
            let mut written: Vec<_> = windows(&mountinfo().unwrap()).collect();
            assert!(!found.is_empty());
            found.sort_by(|a, b| a.0.cmp(&b.0));
            written.sort_by(|a, b| a.0.cmp(&b.0));
            found == written
        });
        assert!(is_so, "{:?}", by_number::windows());
    }
}
