//! `syslog-works`: whether a message gets out. Here it is the guarantee's own failure that is looked for.

use std::os::unix::net::UnixDatagram;

use isol_core::Guarantee;

use crate::attack::message;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::SyslogWorks,
    attacks: &[Attack::new("message-lost", lost, Breach::Anything)
        .exempt("without isolation a message gets to whatever listens: a root without a relay is its control")],
    traps: &[],
};

/// The sockets on which a syslogd listens: Linux, FreeBSD, macOS.
const SOCKETS: [&str; 3] = ["/dev/log", "/var/run/logpriv", "/var/run/syslog"];

fn lost(_inside: &Inside<'_>) -> Seen {
    let send = |path: &str| {
        let socket = UnixDatagram::unbound()?;
        socket.send_to(b"<14>isol-prove: a message from inside", path)
    };
    let answers: Vec<_> = SOCKETS.iter().map(|path| (path, send(path))).collect();
    match answers.iter().find(|(_, answer)| answer.is_ok()) {
        Some((path, _)) => Seen::Refused(format!("{path} took the message")),
        None => {
            let words = answers.iter().filter_map(|(path, answer)| {
                answer.as_ref().err().map(|error| format!("{path}: {}", message(error)))
            });
            Seen::Got(words.collect::<Vec<_>>().join("; "))
        }
    }
}
