//! The relay: a thread that takes messages in the root and gives them to the host's syslogd.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use isol_sys::{errno, pipe, signals, syslog};

use super::message::{LONGEST, clean};
use super::queue::Queue;

/// How long to wait where the host's syslogd has no room, and where there is none.
const FULL: Duration = Duration::from_millis(5);
const AWAY: Duration = Duration::from_millis(100);
/// How long the last messages may take, once the program has ended.
const LAST: Duration = Duration::from_secs(1);
/// How often a loss is told, at most: a flood must not be answered by another.
const TELL: Duration = Duration::from_secs(1);
/// How many messages are taken before the host is given some.
const BATCH: usize = 64;
/// `syslog.warning`
const WARNING: u32 = 5 << 3 | 4;

/// A relay that runs; it ends when this goes.
#[derive(Debug)]
pub(super) struct Relay {
    /// Closing it tells the thread to end.
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts one from a socket inside to the first of some sockets of the host's that answers.
    pub(super) fn start(inside: UnixDatagram, host: Host, root: String) -> io::Result<Self> {
        let (asked, stop) = pipe::new()?;
        // Signals are for the thread that waits for them, and handlers of the caller's own not for this one.
        let mask = signals::block_all()?;
        let thread = std::thread::Builder::new()
            .name("isol-syslog".into())
            .spawn(move || Worker::new(inside, host, root).work(&asked));
        signals::restore(&mask)?;
        Ok(Self { stop: Some(stop), thread: Some(thread?) })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The host's end.
#[derive(Debug)]
pub(super) struct Host {
    sockets: Vec<PathBuf>,
    open: Option<UnixDatagram>,
}

impl Host {
    /// Connects to the first of some sockets that answers.
    pub(super) fn connect(sockets: Vec<PathBuf>) -> Result<Self, (PathBuf, io::Error)> {
        let mut host = Self { sockets, open: None };
        host.reconnect().map(|()| host)
    }

    /// To the first one that answers; the error is that of the first one that is there at all.
    fn reconnect(&mut self) -> Result<(), (PathBuf, io::Error)> {
        let mut failed: Option<(PathBuf, io::Error)> = None;
        for path in &self.sockets {
            match syslog::connect(path) {
                Ok(socket) => {
                    self.open = Some(socket);
                    return Ok(());
                }
                Err(error) => {
                    let says_more =
                        failed.as_ref().is_none_or(|(_, e)| e.kind() == io::ErrorKind::NotFound);
                    if says_more && error.kind() != io::ErrorKind::NotFound || failed.is_none() {
                        failed = Some((path.clone(), error));
                    }
                }
            }
        }
        Err(failed.unwrap_or_else(|| (PathBuf::new(), io::ErrorKind::NotFound.into())))
    }

    fn send(&mut self, message: &[u8], sender: Option<syslog::Sender>) -> Sent {
        // Once more on a new connection: the old one's syslogd may have been followed by another.
        for _ in 0..2 {
            if self.open.is_none() && self.reconnect().is_err() {
                return Sent::Away;
            }
            let Some(open) = &self.open else { return Sent::Away };
            match syslog::send(open, message, sender) {
                Ok(()) => return Sent::Done,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Sent::Full,
                Err(error)
                    if error.raw_os_error().is_some_and(|number| NEVER.contains(&number)) =>
                {
                    return Sent::Never;
                }
                Err(_) => self.open = None,
            }
        }
        Sent::Away
    }
}

/// What it means that a message is none for this socket.
const NEVER: [i32; 2] = [errno::MESSAGE_TOO_LONG.0, errno::NOT_PERMITTED.0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Done,
    Full,
    Away,
    /// It is too long, or can't be sent as its sender's, which no further attempt changes.
    Never,
}

struct Worker {
    inside: UnixDatagram,
    host: Host,
    queue: Queue,
    /// Where the messages come from, for the one that tells of a loss.
    root: String,
    /// When a loss was told last.
    told: Option<Instant>,
    buffer: Vec<u8>,
    line: Vec<u8>,
}

impl Worker {
    fn new(inside: UnixDatagram, host: Host, root: String) -> Self {
        Self {
            inside,
            host,
            queue: Queue::new(Instant::now()),
            root,
            told: None,
            buffer: vec![0; LONGEST],
            line: Vec::with_capacity(LONGEST),
        }
    }

    fn work(mut self, asked: &OwnedFd) {
        loop {
            let pause = self.deliver();
            let Ok((_, stop)) = syslog::wait(&self.inside, asked, pause) else { return };
            // Also where there is no room: a program that logs is never made to wait.
            self.take();
            if stop {
                return self.end();
            }
        }
    }

    /// What has come by now, up to a batch; whether that was all.
    fn take(&mut self) -> bool {
        for _ in 0..BATCH {
            match syslog::receive(&self.inside, &mut self.buffer) {
                Ok((0, _)) => {}
                Ok((length, sender)) => {
                    clean(&self.buffer[..length], &mut self.line);
                    self.queue.push(&self.line, sender, Instant::now());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
        }
        false
    }

    /// Gives the host what it takes; how long to wait before it is asked again, if it is to be.
    fn deliver(&mut self) -> Option<Duration> {
        for _ in 0..BATCH {
            let Some((message, sender)) = self.queue.first() else {
                return self.tell_of_losses();
            };
            match self.host.send(message, *sender) {
                Sent::Done => self.queue.pop(),
                Sent::Never => self.queue.lose_first(),
                Sent::Full => return Some(FULL),
                Sent::Away => return Some(AWAY),
            }
        }
        Some(Duration::ZERO)
    }

    fn tell_of_losses(&mut self) -> Option<Duration> {
        let lost = self.queue.lost();
        if lost == 0 {
            return None;
        }
        let since = self.told.map_or(TELL, |told| told.elapsed());
        if since < TELL {
            return Some(TELL - since);
        }
        let text = format!(
            "<{WARNING}>isol[{}]: {lost} messages from {} were lost: they came too fast, the syslogd was away, or nobody could be named as their sender",
            std::process::id(),
            self.root
        );
        clean(text.as_bytes(), &mut self.line);
        match self.host.send(&self.line, None) {
            Sent::Full => Some(FULL),
            Sent::Away => Some(AWAY),
            Sent::Done | Sent::Never => {
                self.queue.told();
                self.told = Some(Instant::now());
                None
            }
        }
    }

    /// The last messages of a program that has ended.
    fn end(mut self) {
        self.told = None;
        let until = Instant::now() + LAST;
        while !self.take() && Instant::now() < until {
            self.deliver();
        }
        while let Some(pause) = self.deliver() {
            if Instant::now() >= until {
                return;
            }
            std::thread::sleep(pause);
        }
    }
}
