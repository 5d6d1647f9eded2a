//! What the command passes on to the program, and what comes back.

use std::process::Command;

use isol_tests::{TestRoot, isol, must_be_root, own_uid, run};

/// `isol run --root ROOT --user UID OPTIONS -- PROGRAM`
fn in_root(root: &TestRoot, user: &str, options: &[&str], program: &[&str]) -> Command {
    let mut command = isol();
    command.args(["run", "--root", root.text(), "--user", user]);
    command.args(options).arg("--").args(program);
    command
}

/// What a shell inside prints.
fn shell(options: &[&str], script: &str) -> String {
    let root = TestRoot::new();
    let user = own_uid().to_string();
    let got = run(&mut in_root(&root, &user, options, &["/bin/sh", "-c", script]));
    got.succeeded().to_owned()
}

#[test]
fn the_exit_status_is_the_program_s() {
    if must_be_root() {
        let root = TestRoot::new();
        for user in [&*own_uid().to_string(), "auto"] {
            for status in [0, 1, 7, 125, 127, 255] {
                let script = format!("exit {status}");
                let ended = run(&mut in_root(&root, user, &[], &["/bin/sh", "-c", &script]));
                assert_eq!((ended.status, ended.err.as_str()), (Some(status), ""), "{ended:#?}");
            }
        }
    }
}

#[test]
fn a_signal_that_ends_the_program_is_128_and_its_number_where_isol_supervises() {
    if must_be_root() {
        let root = TestRoot::new();
        // Not SIGQUIT: a shell of busybox's ignores it.
        for signal in [1, 2, 6, 9, 13, 14, 15, 64] {
            let script = format!("kill -{signal} $$");
            let program = ["/bin/sh", "-c", &script];
            let supervised = run(&mut in_root(&root, "auto", &[], &program));
            assert_eq!(supervised.status, Some(128 + signal), "{supervised:#?}");
            let timed = ["--timeout", "600"];
            let supervised = run(&mut in_root(&root, &own_uid().to_string(), &timed, &program));
            assert_eq!(supervised.status, Some(128 + signal), "{supervised:#?}");
            // Else isol has become the program, and the signal ended it.
            let became = run(&mut in_root(&root, &own_uid().to_string(), &[], &program));
            assert_eq!(became.signal, Some(signal), "{became:#?}");
        }
    }
}

#[test]
fn a_program_whose_time_is_up_is_told_to_end() {
    if must_be_root() {
        let root = TestRoot::new();
        let user = own_uid().to_string();
        let options = ["--timeout", "0.1"];
        let ended = run(&mut in_root(&root, &user, &options, &["/bin/sleep", "1000"]));
        assert_eq!(ended.status, Some(128 + 15), "{ended:#?}");
        assert!(ended.err.contains("timeout: the time is up"), "{ended:#?}");
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    if must_be_root() {
        let root = TestRoot::new();
        let user = own_uid().to_string();
        let arguments = ["", " ", "--json", "--", "-v", "--user=0", "a\nb", "*", "é"];
        let program = ["/bin/printf", "[%s]"];
        let got = run(&mut in_root(&root, &user, &[], &[&program, &arguments[..]].concat()));
        let want: String = arguments.iter().map(|a| format!("[{a}]")).collect();
        assert_eq!(got.succeeded(), want);
    }
}

#[test]
fn a_program_without_a_slash_is_looked_for_inside() {
    if must_be_root() {
        let root = TestRoot::new();
        let user = own_uid().to_string();
        let got = run(&mut in_root(&root, &user, &[], &["sh", "-c", "echo $0 $1", "inside", "x"]));
        assert_eq!(got.succeeded(), "inside x\n");
        // It sees the name by which it was called: busybox goes by it.
        let got = run(&mut in_root(&root, &user, &[], &["echo", "x"]));
        assert_eq!(got.succeeded(), "x\n");
    }
}

#[test]
fn limits_are_in_force_inside() {
    if must_be_root() {
        let limit = |options: &[&str], flags| shell(options, &format!("ulimit {flags}"));
        let open_files = ["--limit", "nofile=64:128"];
        assert_eq!(limit(&open_files, "-Sn"), "64\n");
        assert_eq!(limit(&open_files, "-Hn"), "128\n");
        assert_eq!(limit(&["--limit=nofile=77"], "-Hn"), "77\n");
        assert_eq!(limit(&["--limit=nofile=64:128", "--limit=cpu=9"], "-t"), "9\n");
        // No core dumps, if not asked for.
        assert_eq!(limit(&[], "-Hc"), "0\n");
        assert_eq!(limit(&["--limit=core=unlimited"], "-Hc"), "unlimited\n");
        assert_eq!(limit(&["--limit=core=1M"], "-Hc"), "2048\n");
    }
}

#[test]
fn of_a_limit_named_twice_the_last_one_wins() {
    if must_be_root() {
        let options = ["--limit=nofile=64:128", "--limit=nofile=32:48", "--limit=core=0"];
        assert_eq!(shell(&options, "ulimit -Sn; ulimit -Hn"), "32\n48\n");
    }
}

#[test]
fn the_umask_is_in_force_inside() {
    if must_be_root() {
        assert_eq!(shell(&[], "umask"), "0022\n");
        assert_eq!(shell(&["--umask", "077"], "umask"), "0077\n");
        assert_eq!(shell(&["--umask", "0"], "umask"), "0000\n");
        let mode = "touch /tmp/x && stat -c %a /tmp/x";
        assert_eq!(shell(&["--umask", "027"], mode), "640\n");
    }
}

#[test]
fn the_program_starts_in_its_working_directory() {
    if must_be_root() {
        assert_eq!(shell(&[], "pwd"), "/\n");
        assert_eq!(shell(&["--workdir", "/tmp"], "pwd"), "/tmp\n");
        assert_eq!(shell(&["--workdir", "/tmp/../../.."], "pwd"), "/\n");
    }
}

#[test]
fn a_working_directory_that_is_not_there_is_refused() {
    if must_be_root() {
        let root = TestRoot::new();
        for user in [&*own_uid().to_string(), "auto"] {
            let options = ["--workdir", "/missing"];
            run(&mut in_root(&root, user, &options, &["/bin/true"])).refused(
                125,
                &["isol: working-directory: ", "chdir to the working directory", "No such file"],
            );
        }
    }
}

#[test]
fn the_environment_is_empty_but_for_what_is_named() {
    if must_be_root() {
        let root = TestRoot::new();
        let user = own_uid().to_string();
        let env = |options: &[&str]| {
            let mut command = in_root(&root, &user, options, &["/bin/env"]);
            command.env("ISOL_TEST_A", "from outside").env("ISOL_TEST_B", "b").env("LANG", "C");
            run(&mut command).succeeded().to_owned()
        };
        assert_eq!(env(&[]), "");
        assert_eq!(env(&["--env", "A=1", "--env=B=x=y", "--env", "C="]), "A=1\nB=x=y\nC=\n");
        assert_eq!(env(&["--env", "A=1", "--env", "A=2"]), "A=2\n");
        assert_eq!(env(&["--keep-env", "ISOL_TEST_A"]), "ISOL_TEST_A=from outside\n");
        assert_eq!(env(&["--keep-env", "ISOL_TEST_ABSENT"]), "");
        assert_eq!(env(&["--keep-env=ISOL_TEST_A", "--env=ISOL_TEST_A=set"]), "ISOL_TEST_A=set\n");
        let both = env(&["--env", "Z=1", "--keep-env", "ISOL_TEST_B"]);
        let mut both: Vec<_> = both.lines().collect();
        both.sort_unstable();
        assert_eq!(both, ["ISOL_TEST_B=b", "Z=1"]);
    }
}

#[test]
fn the_groups_are_those_asked_for_and_no_others() {
    if must_be_root() {
        let root = TestRoot::new();
        let uid = own_uid();
        let ids = |user: &str, options: &[&str]| {
            let got = run(&mut in_root(&root, user, options, &["/bin/id", "-G"]));
            let mut ids: Vec<u32> =
                got.succeeded().split_whitespace().map(|id| id.parse().unwrap()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&uid.to_string(), &[]), [uid]);
        assert_eq!(ids(&format!("{uid}:70001"), &[]), [70001]);
        assert_eq!(
            ids(&format!("{uid}:70001"), &["--groups", "70003,70002"]),
            [70001, 70002, 70003]
        );
        assert_eq!(
            ids(&format!("{uid}:70001"), &["--groups", "70002,70001,70002"]),
            [70001, 70002]
        );
        assert_eq!(
            ids(&format!("{uid}:70001"), &["--groups=70002", "--groups=3"]),
            [3, 70001, 70002]
        );
        // A group of the host's by its name.
        assert_eq!(ids(&uid.to_string(), &["--groups", "daemon"]), [1, uid]);
    }
}

#[test]
fn the_user_is_the_one_asked_for() {
    if must_be_root() {
        let root = TestRoot::new();
        let uid = own_uid();
        let id = |user: &str, options: &[&str]| {
            let script = "id -u; id -g; id -ru; id -rg";
            let got = run(&mut in_root(&root, user, options, &["/bin/sh", "-c", script]));
            got.succeeded().to_owned()
        };
        assert_eq!(id(&uid.to_string(), &[]), format!("{uid}\n{uid}\n{uid}\n{uid}\n"));
        assert_eq!(id(&format!("{uid}:70001"), &[]), format!("{uid}\n70001\n{uid}\n70001\n"));
        // Something of the host's may run as nobody.
        let nobody = id("nobody", &["--allow", "shared-uid"]);
        assert_eq!(nobody, "65534\n65534\n65534\n65534\n");
        let auto = id("auto", &[]);
        let auto: Vec<u32> = auto.lines().map(|id| id.parse().unwrap()).collect();
        assert!((61184..=65519).contains(&auto[0]), "{auto:?}");
        assert!(auto.iter().all(|id| id == &auto[0]), "{auto:?}");
    }
}

#[test]
fn a_program_reads_and_writes_where_the_caller_does() {
    if must_be_root() {
        let root = TestRoot::new();
        for user in [&*own_uid().to_string(), "auto"] {
            let command = in_root(&root, user, &[], &["/bin/sh", "-c", "cat; echo err >&2"]);
            let mut piped = Command::new("sh");
            piped.args(["-c", "echo in | \"$@\"", "sh"]);
            piped.arg(command.get_program()).args(command.get_args());
            let got = run(&mut piped);
            assert_eq!((got.out.as_str(), got.err.as_str()), ("in\n", "err\n"), "{got:#?}");
        }
    }
}

#[test]
fn what_is_in_force_is_said_when_asked_for() {
    if must_be_root() {
        let root = TestRoot::new();
        for user in [&*own_uid().to_string(), "auto"] {
            let options = ["-v", "--allow", "scheduling"];
            let said = run(&mut in_root(&root, user, &options, &["/bin/true"]));
            assert_eq!((said.status, said.out.as_str()), (Some(0), ""), "{said:#?}");
            for text in [
                "isol: in force on chroot: root-confined descriptors-closed ",
                "isol: given up: state-reset\n",
                "isol: not in force: pids-hidden: chroot(2) confines the file system only",
            ] {
                assert!(said.err.contains(text), "{text}: {said:#?}");
            }
            let line = said.err.lines().find(|l| l.starts_with("isol: in force")).unwrap();
            assert!(!line.contains("state-reset"), "{said:#?}");
        }
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["run", "--help"], &["plan", "-h"], &["backends", "--help"]]
    {
        let help = run(isol().args(arguments));
        assert!(help.succeeded().contains("Usage: isol"), "{help:#?}");
    }
    assert!(run(isol().arg("--version")).succeeded().starts_with("isol "));
}

#[test]
fn the_help_has_every_limit_of_what_can_be_allowed() {
    let help = run(isol().args(["run", "--help"]));
    let help: Vec<_> = help.succeeded().split_whitespace().map(|w| w.trim_matches(',')).collect();
    for allow in isol::Allow::ALL {
        let pointless = matches!(allow, isol::Allow::Threads | isol::Allow::UncheckedProgram);
        assert_eq!(help.contains(&allow.id()), !pointless, "{allow}");
    }
}

#[test]
fn each_command_has_a_manual_page_and_the_completions_name_them_all() {
    let commands = ["run", "plan", "backends", "prove", "root", "completions", "man"];
    for command in commands {
        let page = run(isol().args(["man", command])).succeeded().to_owned();
        assert!(page.contains(&format!(".TH ISOL-{} 8", command.to_uppercase())), "{page}");
    }
    let page = run(isol().args(["man", "run"])).succeeded().to_owned();
    assert!(page.contains(r"\-\-require"), "{page}");
    let unknown = run(isol().args(["man", "rum"]));
    assert_eq!(unknown.status, Some(125), "{unknown:#?}");
    for shell in ["bash", "zsh", "fish"] {
        let words = run(isol().args(["completions", shell])).succeeded().to_owned();
        for command in commands {
            assert!(words.contains(command), "{shell} knows no {command}");
        }
        assert!(!words.contains("prove-agent"), "{shell} offers what is not for people");
    }
}

#[test]
fn a_reader_that_has_seen_enough_gets_no_error() {
    use std::process::Stdio;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = isol().args(["man", "run"]).stdout(writer).stderr(Stdio::piped()).output();
    let ended = ended.expect("isol starts");
    assert_eq!(ended.status.code(), Some(141), "{ended:#?}");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
