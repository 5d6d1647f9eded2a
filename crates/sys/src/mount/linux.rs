//! Linux: the file system's magic number; and what its mount says of its user.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

pub(super) fn is_proc(fd: BorrowedFd<'_>) -> nix::Result<bool> {
    fstatfs(fd).map(|found| found.filesystem_type() == PROC_SUPER_MAGIC)
}

/// Of <linux/magic.h>.
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
    use super::user_of;

    #[test]
    fn the_user_of_a_mount_is_found() {
        let info = "22 1 8:1 / / rw - ext4 /dev/vda rw\n\
            31 22 0:40 / /mnt rw,nosuid - fuse.sshfs host:/ rw,user_id=1000,group_id=100\n";
        assert_eq!(user_of(info, "31"), Some(1000));
        assert_eq!(user_of(info, "22"), None);
        assert_eq!(user_of(info, "3"), None);
    }
}
