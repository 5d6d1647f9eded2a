//! What it was measured on.

use std::fs;
use std::process::Command;

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("not known").trim().to_owned()
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once([':', '='])
        .map_or("not known", |(_, value)| value)
        .trim()
        .trim_matches('"')
        .to_owned()
}

/// The load of the last minute: how many programs wanted a processor.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

pub(crate) fn processes() -> usize {
    let is_pid = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().parse::<u32>().is_ok();
    fs::read_dir("/proc").map_or(0, |list| list.flatten().filter(is_pid).count())
}

pub(crate) fn gibibytes_available() -> u64 {
    let text = field("/proc/meminfo", "MemAvailable");
    text.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) >> 20
}

pub(crate) fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{processors} × {}, Linux {}, {}, {}, {} processes.",
        field("/proc/cpuinfo", "model name"),
        first_line("uname", &["-r"]),
        field("/etc/os-release", "PRETTY_NAME"),
        first_line("rustc", &["--version"]),
        processes(),
    )
}

pub(crate) fn date() -> String {
    first_line("date", &["--utc", "+%Y-%m-%d %H:%M UTC"])
}
