//! The faults.

use std::os::unix::net::UnixListener;

use isol_root::audit::What::{self, *};
use nix::sys::stat::SFlag;

use super::{Fault, Planted, STRANGER};

macro_rules! faults {
    ($($name:literal, |$tree:ident| $plant:expr, [$(($what:ident, $path:literal)),*];)*) => {
        pub(crate) const FAULTS: &[Fault] = &[$(Fault {
            name: $name,
            plant: |$tree: &Planted| { $plant; },
            found: &[$(($what, $path)),*] as &[(What, &str)],
        },)*];
    };
}

/// A libc that says of itself that it is so old, or so new, and a configuration with a module.
fn name_service(tree: &Planted, libc: &str, services: &str) {
    tree.dir("lib/x86_64-linux-gnu", 0o755);
    std::fs::write(tree.at("lib/x86_64-linux-gnu/libc.so.6"), libc).unwrap();
    std::fs::write(tree.at("etc/nsswitch.conf"), format!("hosts: {services}\n")).unwrap();
}

faults! {
    "a set-uid program", |t| t.file("bin/su", 0o4755), [(SetUid, "bin/su")];
    "one that only root can read", |t| t.file("bin/su", 0o4700), [(SetUid, "bin/su")];
    "a set-uid bit without an x bit", |t| t.file("var/su", 0o4644), [(SetUid, "var/su")];
    "a set-gid program", |t| t.file("usr/bin/mail", 0o2755), [(SetGid, "usr/bin/mail")];
    "a set-gid bit without an x bit", |t| t.file("var/mail", 0o2644), [(SetGid, "var/mail")];
    "both bits", |t| t.file("bin/both", 0o6755), [(SetUid, "bin/both"), (SetGid, "bin/both")];
    "a set-uid program in a closed directory",
        |t| { t.dir("var/closed", 0o700); t.file("var/closed/su", 0o4755) }, [(SetUid, "var/closed/su")];
    "a hidden one", |t| { t.dir("var/.h", 0o755); t.file("var/.h/.su", 0o4755) }, [(SetUid, "var/.h/.su")];
    "one with a name that is no text", |t| t.odd("bin", b"s\xff\\u", 0o4755), [(SetUid, "bin/s\\377\\\\u")];
    "one with a line's end in its name", |t| t.odd("bin", b"a\n$(id)'", 0o4755), [(SetUid, "bin/a\\012$(id)'")];
    "a deep one", |t| { t.dir("a/b/c/d/e/f/g/h/i/j/k/l/m", 0o755); t.file("a/b/c/d/e/f/g/h/i/j/k/l/m/su", 0o4755) },
        [(SetUid, "a/b/c/d/e/f/g/h/i/j/k/l/m/su")];
    "a stranger's, who could replace it", |t| { t.file("bin/x", 0o755); t.own("bin/x", STRANGER); super::chmod(t.at("bin/x"), 0o4755) },
        [(SetUid, "bin/x"), (WritableProgram, "bin/x")];

    "capabilities", |t| { t.file("bin/ping", 0o755); t.run("setcap", &["cap_net_raw+ep"], t.at("bin/ping")) },
        [(Capabilities, "bin/ping")];
    "capabilities on what only root executes",
        |t| { t.file("var/tool", 0o700); t.run("setcap", &["cap_sys_admin+p"], t.at("var/tool")) }, [(Capabilities, "var/tool")];

    "a disk", |t| t.node("dev/sda", SFlag::S_IFBLK, 8, 0), [(Device, "dev/sda")];
    "memory", |t| t.node("dev/mem", SFlag::S_IFCHR, 1, 1), [(Device, "dev/mem")];
    "the kernel's log by the name of null", |t| t.node("var/null", SFlag::S_IFCHR, 1, 11), [(Device, "var/null")];
    "a console", |t| t.node("dev/tty1", SFlag::S_IFCHR, 4, 1), [(Device, "dev/tty1")];
    "a multiplexer of terminals", |t| t.node("dev/ptmx", SFlag::S_IFCHR, 5, 2), [(Device, "dev/ptmx")];
    "a disk with the number of null", |t| t.node("dev/zero", SFlag::S_IFBLK, 1, 3), [(Device, "dev/zero")];
    "fuse", |t| t.node("dev/fuse", SFlag::S_IFCHR, 10, 229), [(Device, "dev/fuse")];

    "a program that all can write to", |t| t.file("bin/x", 0o757), [(WritableProgram, "bin/x")];
    "one that its group can write to", |t| t.file("bin/x", 0o775), [(WritableProgram, "bin/x")];
    "one that only its group executes", |t| t.file("var/x", 0o672), [(WritableProgram, "var/x")];
    "a stranger's program", |t| { t.file("bin/x", 0o555); t.own("bin/x", STRANGER) }, [(WritableProgram, "bin/x")];
    "another stranger's", |t| { t.file("bin/x", 0o755); t.own("bin/x", 1) }, [(WritableProgram, "bin/x")];
    "a library", |t| t.file("lib/liby.so.2.1", 0o664), [(WritableProgram, "lib/liby.so.2.1")];
    "a module without a version", |t| t.file("lib/mod.so", 0o646), [(WritableProgram, "lib/mod.so")];
    "the loader's cache", |t| t.file("etc/ld.so.cache", 0o666), [(WritableProgram, "etc/ld.so.cache")];
    "a part of the loader's configuration",
        |t| { t.dir("etc/ld.so.conf.d", 0o755); t.file("etc/ld.so.conf.d/x.conf", 0o664) }, [(WritableProgram, "etc/ld.so.conf.d/x.conf")];
    "musl's configuration", |t| t.file("etc/ld-musl-x86_64.path", 0o606), [(WritableProgram, "etc/ld-musl-x86_64.path")];
    "the users", |t| t.file("etc/passwd", 0o646), [(WritableProgram, "etc/passwd")];
    "the name service", |t| { t.file("etc/nsswitch.conf", 0o644); t.own("etc/nsswitch.conf", STRANGER) },
        [(WritableProgram, "etc/nsswitch.conf")];
    "an access list", |t| t.run("setfacl", &["-m", "u:12345:rwx"], t.file("bin/x", 0o755)), [(WritableProgram, "bin/x")];

    "a directory of programs", |t| super::chmod(t.at("bin"), 0o775), [(WritableDirectory, "bin")];
    "a stranger's directory of libraries", |t| t.own("lib", STRANGER), [(WritableDirectory, "lib")];
    "a directory above one of programs", |t| { t.dir("opt/a/bin", 0o755); t.file("opt/a/bin/x", 0o755); t.own("opt", STRANGER) },
        [(WritableDirectory, "opt")];
    "two of them", |t| { t.dir("opt/a/bin", 0o775); t.file("opt/a/bin/x", 0o755); t.own("opt", STRANGER) },
        [(WritableDirectory, "opt"), (WritableDirectory, "opt/a/bin")];
    "an empty directory that is searched", |t| t.dir("usr/local/lib", 0o775), [(WritableDirectory, "usr/local/lib")];
    "Debian's", |t| t.dir("usr/lib/aarch64-linux-gnu", 0o775), [(WritableDirectory, "usr/lib/aarch64-linux-gnu")];
    "the configuration's", |t| super::chmod(t.at("etc"), 0o775), [(WritableDirectory, "etc")];
    "a program in /tmp", |t| t.file("tmp/x", 0o755), [(WritableDirectory, "tmp")];
    "an access list on a directory", |t| t.run("setfacl", &["-m", "g:12345:rwx"], t.at("bin")), [(WritableDirectory, "bin")];
    "a directory of programs for all", |t| super::chmod(t.at("bin"), 0o777), [(WritableDirectory, "bin"), (NoSticky, "bin")];

    "a directory for all, without the sticky bit", |t| t.dir("var/spool", 0o777), [(NoSticky, "var/spool")];
    "one that can't be read", |t| t.dir("var/in", 0o733), [(NoSticky, "var/in")];
    "a file for all", |t| t.file("var/state", 0o666), [(WorldWritable, "var/state")];
    "one that only others can write to", |t| t.odd("var", b"\xe9", 0o602), [(WorldWritable, "var/\\351")];

    "a file of all with a name outside", |t| { t.file("var/f", 0o666); t.link_out("var/f") },
        [(OutsideLink, "var/f"), (WorldWritable, "var/f")];
    "a stranger's", |t| { t.file("var/f", 0o444); t.own("var/f", STRANGER); t.link_out("var/f") }, [(OutsideLink, "var/f")];
    "root's", |t| { t.file("var/f", 0o644); t.link_out("var/f") }, [(SharedFile, "var/f")];
    "two names inside, one outside", |t| { t.link_out("var/twice"); std::fs::remove_file(t.at("var/data/twice")).unwrap(); std::fs::hard_link(t.at("var/twice"), t.at("var/thrice")).unwrap(); std::fs::rename(t.at("var/thrice"), t.at("bin/thrice")).unwrap(); std::fs::remove_file(t.at("bin/thrice")).unwrap() },
        [(SharedFile, "var/twice")];
    "a program with a name outside", |t| { t.file("bin/x", 0o775); t.link_out("bin/x") },
        [(OutsideLink, "bin/x"), (WritableProgram, "bin/x")];

    "another file system", |t| { t.dir("mnt", 0o755); t.mount(&["-t", "tmpfs", "isol-test"], "mnt") }, [(Mount, "mnt")];
    "the same one, bound", |t| { t.dir("mnt", 0o755); let var = t.at("var"); t.mount(&["--bind", var.to_str().unwrap()], "mnt") },
        [(Mount, "mnt")];
    "a file, bound", |t| { t.file("var/f", 0o644); let sh = t.at("bin/sh"); t.mount(&["--bind", sh.to_str().unwrap()], "var/f") },
        [(Mount, "var/f")];
    "the tree, bound in itself", |t| { t.dir("self", 0o755); let root = t.root.clone(); t.mount(&["--bind", root.to_str().unwrap()], "self") },
        [(Mount, "self")];
    "proc", |t| { t.dir("proc", 0o755); t.mount(&["-t", "proc", "isol-test"], "proc") }, [(Proc, "proc")];

    "a socket", |t| UnixListener::bind(t.at("var/s")).unwrap(), [(Socket, "var/s")];
    "a socket called log that is nobody's log", |t| UnixListener::bind(t.at("var/log")).unwrap(), [(Socket, "var/log")];
    "a stranger's log", |t| { drop(UnixListener::bind(t.at("dev/log")).unwrap()); t.own("dev/log", STRANGER) }, [(Socket, "dev/log")];
    "a pipe", |t| nix::unistd::mkfifo(&t.at("var/p"), nix::sys::stat::Mode::S_IRUSR).unwrap(), [(Fifo, "var/p")];

    "a link to the host's file", |t| t.link("/etc/hostname", "etc/hostname"), [(OutsideSymlink, "etc/hostname")];
    "a link to the host's directory", |t| t.link("/usr/share", "var/share"), [(OutsideSymlink, "var/share")];
    "a link that climbs", |t| t.link("../../../../../../../../etc/hostname", "var/h"), [(OutsideSymlink, "var/h")];
    "a link beside the root", |t| { std::fs::write(t.outside("beside"), "").unwrap(); t.link("../../../beside", "var/b") }, [(OutsideSymlink, "var/b")];

    "a preloaded library", |t| std::fs::write(t.at("etc/ld.so.preload"), "# none\n/lib/evil.so\n").unwrap(),
        [(Preload, "etc/ld.so.preload")];
    "a module that is missing", |t| name_service(t, "GLIBC_2.34\0", "files isol_test_none [NOTFOUND=return] dns"),
        [(MissingModule, "etc/nsswitch.conf")];
    "one that older libraries do not have in themselves", |t| name_service(t, "GLIBC_2.33\0", "dns"), [(MissingModule, "etc/nsswitch.conf")];

    "a root for its group", |t| super::chmod(&t.root, 0o775), [(UnsafeRoot, "")];
    "a stranger's root", |t| t.own("", STRANGER), [(UnsafeRoot, "")];
    "a directory above for all", |t| super::chmod(t.above(), 0o777), [(UnsafeAbove, "..")];
    "a sticky one", |t| super::chmod(t.above(), 0o1777), [(UnsafeAbove, "..")];
    "a stranger's above", |t| std::os::unix::fs::chown(t.above(), Some(STRANGER), None).unwrap(), [(UnsafeAbove, "..")];
    "an access list above", |t| t.run("setfacl", &["-m", "u:12345:rwx"], t.above()), [(UnsafeAbove, "..")];
    "a link above",
        |t| { std::fs::rename(t.above(), t.outside("real")).unwrap(); std::os::unix::fs::symlink("real", t.above()).unwrap() }, [(LinkAbove, "..")];
    "an access list for what is to come", |t| t.run("setfacl", &["-d", "-m", "u:12345:rwx"], &t.root), [(DefaultAccessList, "")];
    "nothing can be executed", |t| t.mount(&["-t", "tmpfs", "-o", "noexec,mode=755", "isol-test"], ""), [(NoExec, "")];

    "a process", |t| t.process(STRANGER), [(Process, "-")];
    "shared memory", |t| t.memory(), [(Ipc, "-")];
}
