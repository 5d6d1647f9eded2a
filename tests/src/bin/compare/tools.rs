//! The tools, each by the command line that its manual would have an administrator write.

use std::process::Command;

use isol_prove::subject::Tool;

/// (name, Debian package, command line, whether it looks names up)
const TOOLS: &[(&str, &str, &str, bool)] = &[
    (
        "chroot --userspec",
        "coreutils",
        "/usr/sbin/chroot --userspec={user} --groups={groups} {root}",
        true,
    ),
    (
        "setpriv, chroot",
        "util-linux",
        "/usr/bin/setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all \
         --bounding-set=-all,+sys_chroot,+setuid,+setgid \
         /usr/sbin/chroot --userspec={user} --groups={groups} {root}",
        true,
    ),
    (
        "bwrap",
        "bubblewrap",
        "/usr/bin/bwrap --unshare-all --new-session --die-with-parent --cap-drop ALL --clearenv \
         --setenv KEPT yes --uid {user} --gid {user} --bind {root} / --proc /proc --dev /dev \
         --chdir /var",
        false,
    ),
    (
        "unshare",
        "util-linux",
        "/usr/bin/unshare --mount --pid --ipc --uts --net --cgroup --fork --kill-child \
         --setgid={user} --setuid={user} --root={root} --wd=/var",
        false,
    ),
    (
        "firejail",
        "firejail",
        concat!(env!("CARGO_MANIFEST_DIR"), "/compare/firejail {root}"),
        false,
    ),
    (
        "crun",
        "crun",
        concat!(env!("CARGO_MANIFEST_DIR"), "/compare/crun {root} {user} {groups}"),
        false,
    ),
];

/// Those that are installed, with their versions.
pub(crate) fn all() -> Vec<(Tool, String)> {
    let there = TOOLS.iter().filter(|(_, package, _, _)| !version(package).is_empty());
    there
        .map(|&(name, package, line, names)| (Tool::new(name, line, names), version(package)))
        .collect()
}

fn version(package: &str) -> String {
    let asked = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
    match asked {
        Ok(output) if output.status.success() => {
            format!("{package} {}", String::from_utf8_lossy(&output.stdout))
        }
        _ => String::new(),
    }
}
