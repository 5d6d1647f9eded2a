//! A daemon that brings in what it needs, locks itself in, serves, and logs.
//!
//!     daemon ROOT USER HOST:PORT
//!
//! As root. It says on standard output where it listens, and answers each connection with the addresses of HOST:PORT, as
//! they were looked up before the door was shut, and with what it finds inside. ROOT may be an empty directory of root's.

use std::error::Error;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use isol::{Confined, Isolation, Level, Policy, Preload, Preloaded, User};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, user, host] = words.as_slice() else {
        return Err("usage: daemon ROOT USER HOST:PORT".into());
    };

    // What takes privilege, or the host's files: now.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let preloaded = Preload::new()
        .syslog("isol-daemon")
        .time_zone()
        .user(user)
        .host(host)
        .resolver()
        .certificates()
        .null()
        .load()?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", listener.local_addr()?)?;
    out.flush()?;

    // The listener stays open under its number; those of `preloaded` need no word.
    let policy = Policy::confine(root)
        .user(User::Name(user.clone()))
        .pass_fds([listener.as_raw_fd()])
        .build()?;
    let confined = Isolation::new(policy).preloaded(&preloaded).enter()?;

    preloaded.log(Level::Notice, "locked in");
    for connection in listener.incoming() {
        match connection.and_then(|to| answer(to, host, &preloaded, &confined)) {
            Ok(()) => preloaded.log(Level::Info, "served"),
            Err(error) => preloaded.log(Level::Warning, &format!("not served: {error}")),
        }
    }
    Ok(())
}

fn answer(
    mut to: TcpStream,
    host: &str,
    preloaded: &Preloaded,
    confined: &Confined,
) -> std::io::Result<()> {
    writeln!(to, "addresses {:?}", preloaded.host(host))?;
    writeln!(to, "time zone {}", std::env::var("TZ").unwrap_or_default())?;
    writeln!(to, "certificates {}", preloaded.certificates().len())?;
    writeln!(to, "null {}", preloaded.null().is_some())?;
    let inside = std::fs::read_dir("/")?.filter_map(Result::ok).map(|entry| entry.file_name());
    writeln!(to, "inside {:?}", inside.collect::<Vec<_>>())?;
    writeln!(to, "holds {}", confined.holds(isol::Guarantee::RootConfined))
}
