//! A daemon in three lines: locks itself into a root and says what it finds there.
//!
//! `enter ROOT UID`, and the environment variable `THREADS` for how many others it starts first.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use isol::{Isolation, Policy, Uid, User};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let [_, root, uid] = words.as_slice() else { return ExitCode::from(2) };
    let uid = uid.parse().ok().and_then(Uid::new).expect("a uid");
    let others = std::env::var("THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    for _ in 0..others {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    let policy = Policy::confine(root).user(User::Id(uid)).build().expect("a policy");
    match Isolation::new(policy).enter() {
        Ok(confined) => {
            let held: Vec<_> = confined.guarantees().iter().map(isol::Guarantee::id).collect();
            say(&format!("held {}\n{}", held.join(" "), looks()))
        }
        Err(error) => {
            say(&format!("refused {}\n", error.problem()));
            ExitCode::from(1)
        }
    }
}

fn looks() -> String {
    let mut text = String::new();
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = fs::read_dir("/").into_iter().flatten().flatten().map(name).collect();
    names.sort();
    let _ = writeln!(text, "root {}", names.join(" "));
    let _ = writeln!(text, "cwd {:?}", std::env::current_dir().map_err(|e| e.kind()));
    let _ = writeln!(text, "shadow {:?}", fs::read("/etc/shadow").map(drop).map_err(|e| e.kind()));
    let _ = writeln!(
        text,
        "above {:?}",
        fs::read("../../../../../etc/shadow").map(drop).map_err(|e| e.kind())
    );
    let _ = writeln!(text, "uid {}", nix::unistd::geteuid());
    let _ = writeln!(text, "back {}", nix::unistd::setuid(nix::unistd::Uid::from_raw(0)).is_ok());
    let _ = writeln!(text, "groups {:?}", isol_sys::ids::groups().map(|g| g.len()));
    let _ = writeln!(text, "variables {}", std::env::vars_os().count());
    text
}

fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3),
    }
}
