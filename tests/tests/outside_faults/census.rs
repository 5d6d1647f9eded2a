//! How often each system call is made between the start of isol and the execve of the program,
//! and by isol after that.

use std::collections::BTreeMap;
use std::fs;

use crate::caller::{BLOCKED, Caller, WORK};

/// How often each call is made, by its name.
pub(crate) type Counts = BTreeMap<String, usize>;

/// What one command line's processes do.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// isol itself, to its end or to the execve by which it becomes the program.
    pub(crate) isol: Counts,
    /// The child that becomes the program, if there is one, up to execve.
    pub(crate) child: Counts,
    /// The call that makes the child.
    pub(crate) birth: Option<String>,
}

impl Census {
    /// Traces a run without a fault.
    pub(crate) fn take(caller: &mut Caller, line: &str) -> Self {
        let prefix = format!("{WORK}/census");
        let line = format!("{BLOCKED} strace -D -ff --detach-on=execve -o {prefix} {line}");
        assert_eq!(caller.run(&line), Some(42), "{}", caller.read(&format!("{WORK}/err")));
        assert_eq!(caller.left_running(), Vec::<String>::new());
        let mut census = Self::default();
        let entries = fs::read_dir(caller.path(WORK)).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("census.")) {
                continue;
            }
            let text = fs::read(&path).expect("a trace");
            let text = String::from_utf8_lossy(&text);
            fs::remove_file(&path).expect("a trace");
            let mut counts = Counts::new();
            for name in text.lines().filter_map(|line| line.split_once('(').map(|(name, _)| name)) {
                *counts.entry(name.to_owned()).or_default() += 1;
            }
            // strace itself has isol executed; its count for `when` begins behind that.
            if text.starts_with("execve(") {
                if let Some(count) = counts.get_mut("execve") {
                    *count -= 1;
                }
                census.birth = text.lines().find_map(birth);
                census.isol = counts;
            } else {
                census.child = counts;
            }
        }
        census.isol.retain(|name, &mut count| count > 0 && may_fail(name));
        census.child.retain(|name, _| may_fail(name));
        assert!(census.isol.contains_key("openat"), "nothing was traced");
        assert_eq!(census.birth.is_some(), !census.child.is_empty());
        census
    }
}

/// The call by which a child was made, if the line is one. A filter is tried with calls that can't succeed.
fn birth(line: &str) -> Option<String> {
    let (name, rest) = line.split_once('(')?;
    let makes_a_child = ["clone", "clone3", "fork", "vfork"].contains(&name);
    (makes_a_child && !rest.contains("= -1 ")).then(|| name.to_owned())
}

/// A process that has called exit_group is gone, whatever is answered.
fn may_fail(name: &str) -> bool {
    !["exit_group", "exit"].contains(&name)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
