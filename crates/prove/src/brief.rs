//! What the attacker inside is told, and what it may ask for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the attacker inside is told about the outside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Brief {
    /// The root, on the host.
    pub root: PathBuf,
    /// isol's executable, at the same path on the host and in the root.
    pub executable: PathBuf,
    /// A text that stands in a file of the root: where it can be read, the root is `/`.
    pub token: String,
    /// A file outside that everybody may read.
    pub secret: PathBuf,
    /// A file handle of the secret, as open_by_handle_at(2) takes it.
    pub handle: Vec<u8>,
    /// The device number that a disk would have: (major, minor).
    pub disk: (u32, u32),
    /// A process outside, of root's.
    pub outsider: i32,
    /// The leader of the caller's session.
    pub caller_session: i32,
    /// A process outside under the same uid, that came later; 0 if there is none.
    pub victim: i32,
    /// The number of a directory descriptor in it.
    pub victim_descriptor: i32,
    /// Where in its memory the secret is, and how long it is.
    pub victim_memory: (u64, usize),
    /// A TCP port on 127.0.0.1 on which somebody outside listens.
    pub tcp_port: u16,
    /// The same for UDP.
    pub udp_port: u16,
    /// An abstract socket on which somebody outside listens.
    pub abstract_socket: String,
    /// The key of a System V shared memory segment, message queue and semaphore.
    pub sysv_key: i32,
    /// The name of a POSIX message queue and shared memory object.
    pub posix_name: String,
    /// A mount point outside of the root.
    pub mount_point: PathBuf,
    /// The host's name.
    pub hostname: String,
    /// Whether the kernel hands core dumps to a program of the host's.
    pub core_is_piped: bool,
    /// Descriptors that the policy passes.
    pub passed: Vec<i32>,
    /// The programs with set-id bits and capabilities that were planted, as paths of the root.
    pub planted: Vec<String>,
}

/// What the attacker inside may ask somebody outside to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Want {
    /// Hand a descriptor of the host's `/` over.
    Directory,
    /// Move the directory `/yard/pen` out of the root; answers where it is.
    Move,
    /// Connect to this TCP port on 127.0.0.1; answers whether it was done.
    Connect(u16),
    /// Say which messages to syslog with this word in them have arrived, the last of them with `end` in it: a list in
    /// JSON.
    Logged(String),
    /// Say whether something is mounted on `/mnt`, seen from outside.
    LookForMount,
    /// Mount something with a file `late` in it on `/mnt`; answers whether it was done.
    Mount,
}
