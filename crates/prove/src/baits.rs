//! Things outside that an attacker must not reach: objects of every kind of IPC, listeners, a
//! process under its own uid.

use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use isol_sys::attempts;

use crate::agent::{VICTIM, VictimSays, WORD};
use crate::attack::raw;
use crate::brief::Brief;

/// What stands in every shared object.
pub(crate) const SHARED: &str = "isol prove: an object outside";

/// Listeners and IPC objects, for everybody to use; gone when this goes.
#[derive(Debug)]
pub(crate) struct Baits {
    tcp: TcpListener,
    udp: UdpSocket,
    key: i32,
    name: String,
    abstract_socket: Option<OwnedFd>,
    segment: Option<i32>,
    messages: Option<i32>,
    semaphore: Option<i32>,
}

impl Baits {
    pub(crate) fn new() -> io::Result<Self> {
        let pid = std::process::id();
        // A key that nobody else would take.
        let key = 0x1501_0000 | (pid as i32 & 0xffff);
        let name = format!("/isol-prove-{pid}");
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let _ = attempts::queue_make(&raw(&name));
        let _ = attempts::posix_shm_make(&raw(&name), SHARED.as_bytes());
        Ok(Self {
            tcp,
            udp,
            key,
            abstract_socket: attempts::abstract_listen(name.as_bytes()).ok(),
            name,
            segment: attempts::shm_make(key, SHARED.as_bytes()).ok(),
            messages: attempts::msg_make(key).ok(),
            semaphore: attempts::sem_make(key).ok(),
        })
    }

    /// Tells the attacker where they are.
    pub(crate) fn tell(&self, brief: &mut Brief) -> io::Result<()> {
        brief.tcp_port = self.tcp.local_addr()?.port();
        brief.udp_port = self.udp.local_addr()?.port();
        brief.sysv_key = self.key;
        brief.posix_name.clone_from(&self.name);
        if self.abstract_socket.is_some() {
            brief.abstract_socket.clone_from(&self.name);
        }
        Ok(())
    }
}

impl Drop for Baits {
    fn drop(&mut self) {
        // They are nobody else's: what fails is not there.
        let _ = self.segment.map(attempts::shm_remove);
        let _ = self.messages.map(attempts::msg_remove);
        let _ = self.semaphore.map(attempts::sem_remove);
        let _ = attempts::queue_remove(&raw(&self.name));
        let _ = attempts::posix_shm_remove(&raw(&self.name));
    }
}

/// A process outside, under the attacker's uid; gone when this goes.
#[derive(Debug)]
pub(crate) struct Victim {
    child: Child,
    pub(crate) says: VictimSays,
}

impl Victim {
    pub(crate) fn start(executable: &Path, uid: u32) -> io::Result<Self> {
        let mut child = Command::new(executable)
            .args([WORD, VICTIM, &uid.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        match serde_json::from_str(&line) {
            Ok(says) => Ok(Self { child, says }),
            Err(_) => {
                child.kill()?;
                child.wait()?;
                Err(io::Error::other("the process that is to be a victim does not start"))
            }
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
