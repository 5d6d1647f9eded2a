//! ptrace(2): every system call of every process stops twice, and says what it was and how it ended.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{How, Opened};

#[path = "linux/apart.rs"]
mod apart;
#[path = "linux/stop.rs"]
mod stop;

use stop::Stop;

pub(super) const AVAILABLE: bool = true;

/// Every child, threads too, and nobody else's.
const WHOEVER: Option<Pid> = None;

/// A call that has begun.
enum Call {
    Open { dir: i32, path: u64, flags: u64 },
    Look { dir: i32, path: u64 },
    Execute { path: PathBuf },
}

/// How long there is between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// Every process and thread that is watched.
type Alive = Arc<Mutex<HashSet<Pid>>>;

pub(super) fn watch(
    command: &mut Command,
    limit: Option<Duration>,
    seen: &mut dyn FnMut(Opened),
) -> io::Result<ExitStatus> {
    let alive = Alive::default();
    let (done, told) = mpsc::channel();
    let timer = limit.map(|limit| {
        let alive = Arc::clone(&alive);
        thread::spawn(move || end_after(limit, &alive, &told))
    });
    let ended = run(command, &alive, seen);
    if ended.is_err() {
        end_all(&alive);
    }
    drop::<mpsc::Sender<()>>(done);
    if let Some(timer) = timer {
        let _ = timer.join();
    }
    ended
}

fn end_after(limit: Duration, alive: &Alive, told: &mpsc::Receiver<()>) {
    for (time, signal) in [(limit, Signal::SIGTERM), (GRACE, Signal::SIGKILL)] {
        if told.recv_timeout(time) != Err(mpsc::RecvTimeoutError::Timeout) {
            return;
        }
        let alive = alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.iter().for_each(|&pid| _ = kill(pid, signal));
    }
}

/// Kills what is watched, and what that has just started, and waits for it.
fn end_all(alive: &Alive) {
    let end = |pid| _ = kill(pid, Signal::SIGKILL);
    alive.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().for_each(end);
    loop {
        match waitpid(WHOEVER, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::EINTR) => {}
            Ok(status) => status.pid().into_iter().for_each(end),
            Err(_) => return,
        }
    }
}

fn run(
    command: &mut Command,
    alive: &Alive,
    seen: &mut dyn FnMut(Opened),
) -> io::Result<ExitStatus> {
    let alive = || alive.lock().unwrap_or_else(PoisonError::into_inner);
    apart::keep(command)?;
    // SAFETY: between fork and exec one system call is made; nothing is allocated, and no lock is taken.
    unsafe { command.pre_exec(|| ptrace::traceme().map_err(io::Error::from)) };
    let child = command.spawn()?;
    let main = Pid::from_raw(child.id() as i32);
    alive().insert(main);
    // It stops at its first execve.
    match waitpid(main, None)? {
        WaitStatus::Stopped(..) => {}
        WaitStatus::Exited(_, code) => return Ok(ExitStatus::from_raw(code << 8)),
        _ => return Err(Errno::ECHILD.into()),
    }
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_EXITKILL
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE;
    ptrace::setoptions(main, options)?;
    ptrace::syscall(main, None)?;
    let mut watch = Watch { begun: HashMap::new(), seen };
    let mut ended = None;
    loop {
        let status = waitpid(WHOEVER, Some(WaitPidFlag::__WALL));
        if let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) = status {
            alive().remove(&pid);
        } else if let Ok(Some(pid)) = status.map(|status| status.pid()) {
            alive().insert(pid);
        }
        match status {
            Ok(WaitStatus::Exited(pid, code)) if pid == main => {
                ended = Some(ExitStatus::from_raw(code << 8));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => {
                ended = Some(ExitStatus::from_raw(signal as i32));
            }
            Ok(WaitStatus::PtraceSyscall(pid)) => {
                watch.system_call(pid)?;
                go_on(pid, None)?;
            }
            Ok(WaitStatus::PtraceEvent(pid, ..)) => go_on(pid, None)?,
            Ok(WaitStatus::Stopped(pid, signal)) => {
                // A new process begins with a stop that is the tracer's; the others are the program's own.
                go_on(
                    pid,
                    (signal != Signal::SIGSTOP && signal != Signal::SIGTRAP).then_some(signal),
                )?;
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => return ended.ok_or_else(|| Errno::ECHILD.into()),
            Err(e) => return Err(e.into()),
        }
    }
}

/// One that has been killed meanwhile is told of by waitpid.
fn go_on(pid: Pid, signal: Option<Signal>) -> nix::Result<()> {
    match ptrace::syscall(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(e) => Err(e),
    }
}

struct Watch<'a> {
    begun: HashMap<Pid, Call>,
    seen: &'a mut dyn FnMut(Opened),
}

impl Watch<'_> {
    fn system_call(&mut self, pid: Pid) -> nix::Result<()> {
        match stop::of(pid) {
            Ok(Stop::Entry { number, arguments }) => match call(pid, number, &arguments) {
                Some(call) => drop(self.begun.insert(pid, call)),
                None => drop(self.begun.remove(&pid)),
            },
            Ok(Stop::Exit { value, failed }) => {
                if let Some(call) = self.begun.remove(&pid).filter(|_| !failed) {
                    self.done(pid, call, value);
                }
            }
            // One that has been killed meanwhile is told of by waitpid.
            Ok(Stop::Other) | Err(Errno::ESRCH) => {}
            // A kernel that can't say would be one on which no program opens anything.
            Err(Errno::EIO) => return Err(Errno::ENOTSUP),
            Err(errno) => return Err(errno),
        }
        Ok(())
    }

    fn done(&mut self, pid: Pid, call: Call, value: i64) {
        let at = |dir, path| text(pid, path).and_then(|path| absolute(pid, dir, path));
        let opened = match call {
            Call::Execute { path } => Some(Opened { path, how: How::Executed }),
            Call::Look { dir, path } => at(dir, path).map(|path| Opened { path, how: How::Looked }),
            Call::Open { dir, path, flags } => {
                let how = match flags {
                    flags if flags & (libc::O_ACCMODE | libc::O_CREAT) as u64 != 0 => How::Written,
                    flags if flags & libc::O_PATH as u64 != 0 => How::Looked,
                    _ => How::Read,
                };
                at(dir, path).filter(|_| value >= 0).map(|path| Opened { path, how })
            }
        };
        if let Some(opened) = opened {
            (self.seen)(opened);
        }
    }
}

/// The calls that are of interest, as they begin. A path to execute is read at once: afterwards the memory is another's.
fn call(pid: Pid, number: u64, args: &[u64; 6]) -> Option<Call> {
    let number = i64::try_from(number).ok()?;
    let execute =
        |dir, path| absolute(pid, dir, text(pid, path)?).map(|path| Call::Execute { path });
    match number {
        libc::SYS_openat => Some(Call::Open { dir: args[0] as i32, path: args[1], flags: args[2] }),
        libc::SYS_openat2 => {
            let flags = words(pid, args[2])?;
            Some(Call::Open { dir: args[0] as i32, path: args[1], flags })
        }
        libc::SYS_execve => execute(libc::AT_FDCWD, args[0]),
        libc::SYS_execveat => execute(args[0] as i32, args[1]),
        libc::SYS_newfstatat
        | libc::SYS_statx
        | libc::SYS_faccessat
        | libc::SYS_faccessat2
        | libc::SYS_readlinkat => Some(Call::Look { dir: args[0] as i32, path: args[1] }),
        number => old_call(number, args),
    }
}

/// Those that newer machines don't have.
fn old_call(number: i64, args: &[u64; 6]) -> Option<Call> {
    cfg_if::cfg_if! {
        if #[cfg(target_arch = "x86_64")] {
            let (dir, path) = (libc::AT_FDCWD, args[0]);
            match number {
                libc::SYS_open => Some(Call::Open { dir, path, flags: args[1] }),
                libc::SYS_stat | libc::SYS_lstat | libc::SYS_access | libc::SYS_readlink => {
                    Some(Call::Look { dir, path })
                }
                _ => None,
            }
        } else {
            let _ = (number, args);
            None
        }
    }
}

/// `struct open_how` begins with the flags.
fn words(pid: Pid, at: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    memory(pid)?.read_exact_at(&mut bytes, at).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

fn memory(pid: Pid) -> Option<File> {
    File::open(format!("/proc/{pid}/mem")).ok()
}

/// The text at an address, which ends with a NUL.
fn text(pid: Pid, at: u64) -> Option<PathBuf> {
    const PAGE: u64 = 4096;
    let memory = memory(pid)?;
    let mut text = Vec::new();
    while text.len() <= libc::PATH_MAX as usize {
        // No further than to the end of the page: the next one may not be there.
        let from = at + text.len() as u64;
        let mut part = vec![0; (PAGE - from % PAGE) as usize];
        let len = memory.read_at(&mut part, from).ok().filter(|&len| len > 0)?;
        match part[..len].iter().position(|&b| b == 0) {
            Some(end) => {
                text.extend_from_slice(&part[..end]);
                return Some(PathBuf::from(OsStr::from_bytes(&text)));
            }
            None => text.extend_from_slice(&part[..len]),
        }
    }
    None
}

fn absolute(pid: Pid, dir: i32, path: PathBuf) -> Option<PathBuf> {
    // The descriptor itself is meant.
    if path.as_os_str().is_empty() {
        return None;
    }
    if path.is_absolute() {
        return Some(path);
    }
    let base = match dir {
        libc::AT_FDCWD => format!("/proc/{pid}/cwd"),
        dir => format!("/proc/{pid}/fd/{dir}"),
    };
    let base = std::fs::read_link(Path::new(&base)).ok().filter(|base| base.is_absolute())?;
    Some(base.join(path))
}
