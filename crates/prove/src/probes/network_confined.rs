//! `network-confined`: addresses that nobody asked for.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use isol_core::{Guarantee, Os};
use isol_sys::attempts as sys;

use crate::attack::message;
use crate::brief::Want;
use crate::{Attack, Breach, Inside, Probe, Seen};

pub(crate) const PROBE: Probe = Probe {
    guarantee: Guarantee::NetworkConfined,
    attacks: &[
        Attack::new("connect", connect, Breach::Anything),
        Attack::new("send", send, Breach::Anything),
        Attack::new("be-reached", be_reached, Breach::Anything),
        Attack::new(
            "vsock",
            |_| Seen::of(sys::vsock(), |_| "a socket was made".into()),
            Breach::Anything,
        )
        .only_on(Os::Linux)
        .exempt("whether there are such sockets is the kernel's configuration"),
    ],
    traps: &[],
};

fn told<T>(answer: io::Result<T>, got: &str) -> Seen {
    match answer {
        Ok(_) => Seen::Got(got.into()),
        Err(error) => Seen::Refused(message(&error)),
    }
}

fn connect(inside: &Inside<'_>) -> Seen {
    let to = SocketAddr::from(([127, 0, 0, 1], inside.brief.tcp_port));
    told(TcpStream::connect_timeout(&to, Duration::from_secs(2)), "somebody outside was reached")
}

fn send(inside: &Inside<'_>) -> Seen {
    let to = SocketAddr::from(([127, 0, 0, 1], inside.brief.udp_port));
    let sent = UdpSocket::bind("127.0.0.1:0").and_then(|socket| {
        socket.connect(to)?;
        socket.send(b"isol prove")?;
        // A port on which nobody listens is told by the next call.
        std::thread::sleep(Duration::from_millis(20));
        socket.send(b"isol prove")
    });
    told(sent, "somebody outside was reached")
}

/// Somebody outside is asked to connect to where somebody inside listens.
fn be_reached(inside: &Inside<'_>) -> Seen {
    match listen() {
        Ok((listener, port)) => match inside.ask(Want::Connect(port)).as_str() {
            "done" if listener.accept().is_ok() => {
                Seen::Got("somebody outside could connect".into())
            }
            "done" => Seen::Refused("another listens on that port outside".into()),
            why => Seen::Refused(why.to_owned()),
        },
        Err(error) => Seen::Refused(message(&error)),
    }
}

/// Whoever has connected is there to be accepted: nobody is waited for.
fn listen() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}
