//! Somebody outside who takes messages to syslog, as the host's syslogd does.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The word in the last message of an attack.
pub(crate) const END: &str = "isol-prove-end";

/// A socket, and where it is.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    socket: UnixDatagram,
}

impl Log {
    pub(crate) fn listen(path: PathBuf) -> io::Result<Self> {
        let socket = UnixDatagram::bind(&path)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        Ok(Self { path, socket })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The messages that have arrived with a word in them, up to the one with [`END`] in it too, as a list in JSON.
    pub(crate) fn arrived(&self, word: &str) -> String {
        let start = Instant::now();
        let mut found = Vec::new();
        let mut buffer = [0; 16 * 1024];
        while start.elapsed() < PATIENCE {
            let Ok(length) = self.socket.recv(&mut buffer) else { continue };
            let text = String::from_utf8_lossy(&buffer[..length]);
            if !text.contains(word) {
                continue;
            }
            let is_last = text.contains(END);
            found.push(text.into_owned());
            if is_last {
                break;
            }
        }
        serde_json::to_string(&found).unwrap_or_default()
    }
}
