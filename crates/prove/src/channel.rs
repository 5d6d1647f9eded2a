//! The socket between the prover and the processes that it starts: whole messages, one at a time.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use isol_core::Problem;
use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Seen;
use crate::brief::{Brief, Want};
use crate::scenario::Scenario;

/// What the prover says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// To the caller: do this.
    Scenario(Box<Scenario>),
    /// To the attacker inside: this is what you know; make these attacks, (probe, attack).
    Attack(Box<Brief>, Vec<(String, String)>),
    /// To the attacker inside: what was asked for.
    Answer(String),
}

/// What the prover hears.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// From the caller: the session that it is in.
    Caller(i32),
    /// From the caller: nothing was started.
    Refused(Refusal),
    /// From inside: here I am.
    Inside,
    /// From inside: what an attack saw.
    Saw(String, String, Seen),
    /// From inside: somebody is to do this.
    Want(Want),
    /// From inside: that was all.
    Done,
}

/// Why nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The step.
    pub step: String,
    /// The whole message.
    pub message: String,
    /// The errno behind it.
    pub errno: Option<i32>,
}

impl From<&Problem> for Refusal {
    fn from(problem: &Problem) -> Self {
        Self {
            step: problem.step.clone().into_owned(),
            message: problem.to_string(),
            errno: problem.errno.map(|e| e.0),
        }
    }
}

/// One end.
#[derive(Debug)]
pub(crate) struct Channel(UnixStream);

impl Channel {
    /// Both ends; the second one is for a process that is started with it as standard input.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self(ours), theirs.into()))
    }

    /// The end that this process was started with.
    pub(crate) fn standard_input() -> io::Result<Self> {
        Ok(Self(io::stdin().as_fd().try_clone_to_owned()?.into()))
    }

    /// The end that is open under a number.
    pub(crate) fn numbered(fd: RawFd) -> io::Result<Self> {
        let fd = isol_sys::attempts::duplicate(fd)?;
        Ok(Self(fd.into()))
    }

    pub(crate) fn as_raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0.into()
    }

    /// Fails from now on with an error rather than waiting longer than this.
    pub(crate) fn patience(&self, patience: Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(patience))
    }

    pub(crate) fn send(&self, message: &impl Serialize) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        let mut whole = (bytes.len() as u32).to_ne_bytes().to_vec();
        whole.extend(bytes);
        (&self.0).write_all(&whole)
    }

    /// The next message; `None` at the end.
    pub(crate) fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<T>> {
        let mut length = [0; 4];
        match (&self.0).read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = vec![0; u32::from_ne_bytes(length) as usize];
        (&self.0).read_exact(&mut bytes)?;
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    /// Asks for something and waits for the answer; an error is an answer too.
    pub(crate) fn ask(&self, want: Want) -> String {
        let answer = self.send(&Report::Want(want)).and_then(|()| self.receive());
        match answer {
            Ok(Some(Order::Answer(answer))) => answer,
            Ok(other) => format!("unexpected: {other:?}"),
            Err(error) => format!("nobody answers: {error}"),
        }
    }

    /// Hands a descriptor over, with one byte.
    pub(crate) fn send_descriptor(&self, fd: &OwnedFd) -> io::Result<()> {
        let fds = [fd.as_raw_fd()];
        let control = [ControlMessage::ScmRights(&fds)];
        let byte = [io::IoSlice::new(b"d")];
        sendmsg::<()>(self.as_raw(), &byte, &control, MsgFlags::empty(), None)?;
        Ok(())
    }

    /// The number of a descriptor that was handed over.
    pub(crate) fn receive_descriptor(&self) -> io::Result<Option<RawFd>> {
        let mut byte = [0];
        let mut space = cmsg_space!([RawFd; 1]);
        let mut parts = [io::IoSliceMut::new(&mut byte)];
        let got = recvmsg::<()>(self.as_raw(), &mut parts, Some(&mut space), MsgFlags::empty())?;
        let fds = got.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
            _ => None,
        });
        Ok(fds)
    }
}
