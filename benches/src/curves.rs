//! How the time of a launch grows with what the host and the caller have.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};

use crate::Result;
use crate::contest::{Contestant, by_turns};
use crate::launch::{floor, isol};
use crate::machine;
use crate::site::{Site, UID};

const ROUNDS: usize = 60;

pub(crate) struct Curve {
    pub(crate) id: &'static str,
    pub(crate) over: &'static str,
    /// What there was, the median of the floor, and of isol, in microseconds.
    pub(crate) points: Vec<(f64, f64, f64)>,
}

pub(crate) fn measure(site: &Site) -> Result<Vec<Curve>> {
    Ok(vec![processes(site)?, mounts(site)?, descriptors(site)?, environment(site)?, groups(site)?])
}

fn pair(site: &Site, options: &[&str], environment: &[(String, String)]) -> Result<(f64, f64)> {
    let both = format!("{UID}:{UID}");
    let options: Vec<&str> = ["--user", &both].iter().chain(options).copied().collect();
    let contestants = [
        Contestant::new("floor", floor(site)).with_environment(environment.to_vec()),
        Contestant::new("isol", isol(site, &options)).with_environment(environment.to_vec()),
    ];
    let outcomes = by_turns(&contestants, ROUNDS)?;
    Ok((outcomes[0].wall.median(), outcomes[1].wall.median()))
}

fn processes(site: &Site) -> Result<Curve> {
    let mut points = Vec::new();
    for more in [0, 300, 1000, 3000, 10_000_usize] {
        let before = machine::processes();
        let mut crowd = Command::new(site.floor("crowd"))
            .arg(more.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It ends its whole group.
            .process_group(0)
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = crowd.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        if line.trim() != "ready" {
            return Err(format!("{more} processes can't be started").into());
        }
        let there = machine::processes();
        let (floor, isol) = pair(site, &[], &[])?;
        points.push((there as f64, floor, isol));
        drop(crowd.stdin.take());
        crowd.wait()?;
        // They are nobody's children by now: what is measured next would wait for their end too.
        for _ in 0..600 {
            if machine::processes() <= before + 20 {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(Curve { id: "processes", over: "processes on the host", points })
}

fn mounts(site: &Site) -> Result<Curve> {
    let mut points = Vec::new();
    for more in [0, 100, 300, 1000] {
        // In a mount namespace of its own, which goes with the shell.
        let script = r#"
            cd "$1" && mkdir -p mounts && mount -t tmpfs isol-bench mounts && cd mounts || exit
            i=0
            while [ $i -lt "$2" ]; do mkdir $i && mount --bind "$1/bin" $i || exit; i=$((i + 1)); done
            cd / && wc -l </proc/self/mounts && exec "$3" point "$4" "$5""#;
        let output = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            .arg(&site.root)
            .arg(more.to_string())
            .arg(std::env::current_exe()?)
            .args([&site.floors, &site.isol])
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers = text
            .split_whitespace()
            .map(str::parse)
            .collect::<std::result::Result<Vec<f64>, _>>()?;
        let &[there, floor, isol] = numbers.as_slice() else {
            return Err(format!("{more} mounts: {}", output.status).into());
        };
        points.push((there, floor, isol));
    }
    let _ = fs::remove_dir(site.root.join("mounts"));
    Ok(Curve { id: "mounts", over: "mounts in the caller's namespace", points })
}

/// For a process with surroundings of its own: measures there, prints the two medians.
pub(crate) fn point(site: &Site) -> Result<()> {
    let (floor, isol) = pair(site, &[], &[])?;
    Ok(writeln!(std::io::stdout(), "{floor} {isol}")?)
}

fn descriptors(site: &Site) -> Result<Curve> {
    let mut points = Vec::new();
    for wanted in [10, 1000, 5000, 10_000, 19_900] {
        let mut open = Vec::new();
        while open.len() + 10 < wanted {
            // Not close-on-exec: the launcher inherits them.
            match fcntl(std::io::stdin(), FcntlArg::F_DUPFD(3)) {
                Ok(fd) => open.push(fd),
                // The limit of this machine: what is open is what is measured.
                Err(nix::errno::Errno::EMFILE) => {
                    open.split_off(open.len().saturating_sub(20))
                        .into_iter()
                        .try_for_each(nix::unistd::close)?;
                    break;
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        let (floor, isol) = pair(site, &[], &[])?;
        points.push((open.len() as f64 + 10.0, floor, isol));
        open.into_iter().try_for_each(nix::unistd::close)?;
    }
    Ok(Curve { id: "descriptors", over: "open descriptors that the launcher inherits", points })
}

fn environment(site: &Site) -> Result<Curve> {
    let mut points = Vec::new();
    for kibibytes in [0, 64, 256, 1024] {
        let variables: Vec<_> =
            (0..kibibytes).map(|n| (format!("VARIABLE_{n:04}"), "x".repeat(1008))).collect();
        let (floor, isol) = pair(site, &[], &variables)?;
        points.push((f64::from(kibibytes), floor, isol));
    }
    Ok(Curve { id: "environment", over: "KiB of environment in the caller", points })
}

fn groups(site: &Site) -> Result<Curve> {
    let mut points = Vec::new();
    let profile = site.root.join("groups.toml");
    for count in [0, 1000, 10_000, 65_536] {
        let list: Vec<String> = (0..count).map(|n| format!("\"{}\"", 100_000 + n)).collect();
        fs::write(&profile, format!("groups = [{}]\n", list.join(",")))?;
        let (floor, isol) = pair(site, &["--profile", &profile.display().to_string()], &[])?;
        points.push((f64::from(count), floor, isol));
    }
    fs::remove_file(&profile)?;
    Ok(Curve {
        id: "groups",
        over: "supplementary groups, read from a profile (the floor sets none)",
        points,
    })
}
