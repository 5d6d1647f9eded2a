//! `nsswitch.conf`: whom the C library asks for the names of users and hosts.

use std::collections::BTreeSet;
use std::path::Path;

use isol_sys::quote::shell;

/// The databases that nearly every program asks.
const DATABASES: [&str; 6] = ["passwd", "group", "hosts", "networks", "services", "protocols"];

/// The modules that a configuration names for users, groups and hosts, each once.
///
/// # References
/// nsswitch.conf(5)
pub(crate) fn modules(text: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((database, services)) = line.split_once(':') else { continue };
        if !DATABASES.contains(&database.trim()) {
            continue;
        }
        // `[NOTFOUND=return]` says what to do, and may have blanks in it.
        let mut inside = false;
        let services = services.replace('[', " [").replace(']', "] ");
        for word in services.split_whitespace() {
            inside |= word.starts_with('[');
            if !inside {
                found.insert(word.to_owned());
            }
            inside &= !word.ends_with(']');
        }
    }
    found.into_iter().collect()
}

/// The file that glibc loads for a module.
pub(crate) fn file_name(module: &str) -> String {
    format!("libnss_{module}.so.2")
}

/// The command that takes a module that nobody has out of the configuration `path`, with what is to be done after it.
pub(crate) fn without_command(module: &str, path: &Path) -> Option<String> {
    let is_name = module.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    is_name.then(|| {
        let actions = r"([[:space:]]*\[[^]]*\])*";
        let path = shell(path);
        format!(r"sed -E -i 's/([:[:space:]]){module}{actions}([[:space:]]|$)/\1\3/g' {path}")
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn modules_are_named_once_and_actions_are_none() {
        let text = "# x: y\npasswd: files systemd\nhosts: files mdns4_minimal [ NOTFOUND=return ] dns # z\n\
                    hosts:files[!UNAVAIL=return]\nsudoers: sss\ngroup:\tfiles  [SUCCESS=merge] systemd\nbad";
        let found = super::modules(text);
        assert_eq!(found, ["dns", "files", "mdns4_minimal", "systemd"]);
    }
}
