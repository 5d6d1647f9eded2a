//! Linux: /proc, which must be a proc file system that hides nobody.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::{Pid, Process, Uid};

pub(super) fn under(uid: Uid) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    let mut seen_self = false;
    let mut seen_init = false;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|n| n.parse::<i32>().ok()) else {
            continue;
        };
        seen_init |= pid == 1;
        seen_self |= pid == Pid::own().get();
        // A process that is gone by now runs under no uid.
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
            continue;
        };
        if !has_ended(&status) && uids(&status).any(|u| u == uid.get()) {
            let name = status.lines().find_map(|l| l.strip_prefix("Name:")).unwrap_or_default();
            found.push(Process { pid: Pid::new(pid), name: name.trim().to_owned() });
        }
    }
    // An empty directory is not an empty list, nor is a list that `hidepid` has cut.
    if seen_self && seen_init { Ok(found) } else { Err(io::Error::from_raw_os_error(libc::ENOENT)) }
}

/// Real, effective, saved and file-system uid.
fn uids(status: &str) -> impl Iterator<Item = u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|n| n.parse().ok())
}

/// It waits to be waited for. A process whose first thread has ended looks the same, while others of its threads run on.
fn has_ended(status: &str) -> bool {
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim_start()
    };
    let threads: u32 = field("Threads:").trim_end().parse().unwrap_or(u32::MAX);
    field("State:").starts_with(['Z', 'X']) && threads <= 1
}

pub(super) fn root_identity(pid: Pid) -> io::Result<(u64, u64)> {
    let root = fs::metadata(format!("/proc/{pid}/root"))?;
    Ok((root.dev(), root.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_goes_on_without_its_first_thread() {
        let status =
            |state: &str, threads: u32| format!("State:\t{state} (x)\nThreads:\t{threads}\n");
        assert!(!has_ended(&status("S", 1)) && !has_ended(&status("Z", 2)));
        assert!(has_ended(&status("Z", 1)) && has_ended(&status("X", 0)));
        assert!(!has_ended("State:\tZ (zombie)\n"), "nobody knows");
    }

    #[test]
    fn one_is_found_that_has_lost_its_first_thread() {
        // The first thread ends by itself: exit, not exit_group.
        let script = format!(
            "import threading, ctypes, time; \
             threading.Thread(target=time.sleep, args=(60,)).start(); \
             ctypes.CDLL(None).syscall({}, 0)",
            libc::SYS_exit
        );
        let Ok(mut child) = std::process::Command::new("python3").args(["-c", &script]).spawn()
        else {
            assert!(std::env::var_os("ISOL_MUST_RUN").is_none(), "this test needs python3");
            return;
        };
        let state = |pid: u32| fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        while !state(child.id()).contains("State:\tZ") {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let own = Uid::new(crate::ids::effective_uid()).unwrap();
        let found = under(own).unwrap().iter().any(|p| p.pid.get() as u32 == child.id());
        let one_is_left = state(child.id()).contains("Threads:\t2");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found && one_is_left);
    }
}
