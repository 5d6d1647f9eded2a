//! `syslog-works`: messages that don't arrive, or arrive as what they are not, and a relay that can be shut.

use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use isol_core::{Guarantee, Syslog};

use crate::attack::message;
use crate::brief::Want;
use crate::log::END;
use crate::{Attack, Breach, Inside, Probe, Seen};

const A_RELAY_S: &str = "it is of the relay that it has to be shown, and without isolation there is none; the relay's own \
                         tests show it";

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::SyslogWorks,
    attacks: &[
        Attack::new("message-lost", lost, Breach::Anything),
        Attack::new("socket-taken", take, Breach::Anything),
        Attack::new("forged-as-the-kernel-s", forge, Breach::Anything).exempt(A_RELAY_S),
        Attack::new("one-message-as-two", split, Breach::Anything).exempt(A_RELAY_S),
        // The last one, because it leaves the most behind.
        Attack::new("made-to-wait", wait, Breach::Anything).exempt(A_RELAY_S),
    ],
    traps: &[],
};

/// Where the C library sends messages.
fn socket(inside: &Inside<'_>) -> PathBuf {
    inside.at(&format!("/{}", Syslog::inside(inside.os()).unwrap_or("dev/log")))
}

/// What tells the messages of one attack from all others.
fn word() -> String {
    format!("isol-prove-{}", std::process::id())
}

/// Sends messages, and a last one; what of them has arrived.
fn send(inside: &Inside<'_>, messages: &[String]) -> Result<Vec<String>, String> {
    let word = word();
    let send = || {
        let socket = connect(inside)?;
        for message in messages {
            socket.send(message.as_bytes())?;
        }
        socket.send(format!("<14>{word} {END}").as_bytes())
    };
    send().map_err(|error: io::Error| message(&error))?;
    serde_json::from_str(&inside.ask(Want::Logged(word))).map_err(|error| error.to_string())
}

fn connect(inside: &Inside<'_>) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(self::socket(inside))?;
    socket.set_write_timeout(Some(Duration::from_secs(5)))?;
    Ok(socket)
}

fn lost(inside: &Inside<'_>) -> Seen {
    let wanted = format!("<14>isol: {}: a message from inside", word());
    match send(inside, std::slice::from_ref(&wanted)) {
        Ok(arrived) if arrived.first() == Some(&wanted) && arrived.len() == 2 => {
            Seen::Refused("it arrived".into())
        }
        Ok(arrived) => Seen::Got(format!("of two messages these arrived: {arrived:?}")),
        Err(why) => Seen::Got(format!("it could not be sent: {why}")),
    }
}

/// Who has the socket's name has the messages.
fn take(inside: &Inside<'_>) -> Seen {
    let path = socket(inside);
    if fs::remove_file(&path).is_ok() {
        return Seen::Got("the socket could be removed".into());
    }
    match UnixDatagram::bind(&path) {
        Ok(_) => {
            let _ = fs::remove_file(&path);
            Seen::Got("a socket could be put there".into())
        }
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn forge(inside: &Inside<'_>) -> Seen {
    let forged = [0, 2, 7].map(|priority| format!("<{priority}>{}: an oops", word()));
    match send(inside, &forged) {
        Ok(arrived) => {
            let is_forged = |text: &&String| forged.contains(text);
            match arrived.iter().find(is_forged) {
                Some(text) => Seen::Got(format!("it arrived as the kernel's: {text}")),
                None => Seen::Refused(format!("{} arrived, as somebody else's", arrived.len())),
            }
        }
        Err(why) => Seen::Refused(why),
    }
}

fn split(inside: &Inside<'_>) -> Seen {
    let word = word();
    match send(inside, &[format!("<14>{word}: one\n<0>{word}: two\0<0>{word}: three")]) {
        Ok(arrived)
            if arrived.len() > 2 || arrived.iter().any(|text| text.contains(['\n', '\0'])) =>
        {
            Seen::Got(format!("{arrived:?}"))
        }
        Ok(_) => Seen::Refused("it is one message".into()),
        Err(why) => Seen::Refused(why),
    }
}

/// While nobody outside takes anything: the helper there waits for this one.
fn wait(inside: &Inside<'_>) -> Seen {
    // More than any socket holds by default.
    let many = vec![format!("<15>{}: one of many", word()); 600];
    match send(inside, &many) {
        Ok(_) => Seen::Refused("every message was taken at once".into()),
        Err(why) if is_time_out(&why) => {
            Seen::Got("a message was not taken for five seconds".into())
        }
        Err(why) => Seen::Refused(why),
    }
}

fn is_time_out(why: &str) -> bool {
    why == message(&io::Error::from(nix::errno::Errno::EAGAIN))
}
