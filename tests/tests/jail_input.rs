//! Bad input for the jail backend, which is refused on every system when the plan is made.

use isol_tests::{Run, isol, run};

fn plan(options: &[&str]) -> Run {
    let mut command = isol();
    command.args(["plan", "--backend", "jail", "--root", "/srv/www", "--user", "80"]);
    run(command.args(options).args(["--", "/usr/bin/true"]))
}

#[test]
fn a_name_that_names_another_jail_or_none_is_refused() {
    let long = "a".repeat(256);
    for name in ["123", "-5", "web.1", "", &long] {
        plan(&[&format!("--name={name}")]).refused(125, &["can't name a jail"]);
    }
    plan(&["--name", "web-1"]).succeeded();
}

#[test]
fn addresses_that_no_jail_can_have_are_refused() {
    let many: Vec<_> = (0..256).map(|n| format!("10.0.{}.{}", n / 250, n % 250 + 1)).collect();
    plan(&["--network", &many.join(",")]).refused(125, &["256 IPv4 addresses", "255 of a kind"]);
    plan(&["--network", &many[1..].join(",")]).succeeded();
    for nobody_s in ["0.0.0.0", "255.255.255.255", "::", "10.0.0.1,::"] {
        plan(&["--network", nobody_s]).refused(125, &["it is the address of no host"]);
    }
    plan(&["--network", "10.0.0"]).refused(125, &["`10.0.0` is neither"]);
}

#[test]
fn what_is_mounted_is_mounted_in_the_root_by_a_parent_who_stays() {
    for wrong in ["--bind=/a:/", "--bind=/a:/b/../..", "--tmpfs=/"] {
        plan(&[wrong]).refused(125, &["nothing can be mounted on"]);
    }
    for wrong in ["--bind=a", "--tmpfs=/a:0"] {
        plan(&[wrong]).refused(125, &["is not of the form"]);
    }
    for option in ["--bind=/a:/b:ro", "--tmpfs=/a:1M", "--read-only"] {
        let said = plan(&[option]);
        let said = said.succeeded();
        let step = |name: &str| said.find(&format!("\n  {name} "));
        assert!(said.starts_with("backend     jail (FreeBSD), mode spawn\n"), "{said}");
        assert!(step("root-directory") < step("jail-mounts"), "{said}");
        assert!(step("jail-mounts").is_some() && step("jail-mounts") < step("jail"), "{said}");
    }
    assert!(!plan(&[]).succeeded().contains("jail-mounts"));
}

#[test]
fn a_parameter_that_isol_sees_to_is_refused_with_what_to_say_instead() {
    for (parameter, says) in [
        ("path=/", "--root sets it"),
        ("name=x", "--name sets it"),
        ("host.hostname=x", "--hostname sets it"),
        ("ip4.addr=10.0.0.1", "--network sets it"),
        ("vnet", "no network stack"),
        ("persist", "isol sees to it"),
        ("allow.nosuser", "isol sees to it"),
        ("jid=7", "isol sees to it"),
    ] {
        plan(&["--jail-param", parameter]).refused(125, &[says]);
    }
}

#[test]
fn what_a_parameter_gives_up_can_t_be_required() {
    let loose = ["--jail-param", "enforce_statfs=1"];
    let relaxed = plan(&loose);
    assert!(relaxed.succeeded().contains("relaxed     mounts-private"), "{relaxed:#?}");
    plan(&[&loose[..], &["--require", "mounts-private"]].concat()).refused(
        125,
        &["mounts-private", "--jail-param enforce_statfs=1 gives it up", "leave one out"],
    );
}

#[test]
fn network_confined_is_required_with_a_network_that_is() {
    plan(&["--require", "network-confined"]).refused(125, &["network-confined", "--network"]);
    plan(&["--require", "network-confined", "--network", "host"]).refused(125, &["--network"]);
    plan(&["--require", "network-confined", "--network", "none"]).succeeded();
}

#[test]
fn a_jail_s_options_are_refused_by_chroot() {
    for options in [
        ["--network", "none"],
        ["--network", "10.0.0.1"],
        ["--hostname", "x"],
        ["--name", "web"],
        ["--jail-param", "allow.mlock"],
    ] {
        let mut command = isol();
        command.args(["plan", "--backend", "chroot", "--root", "/srv/www", "--user", "80"]);
        run(command.args(options).args(["--", "/usr/bin/true"])).refused(125, &["chroot can't"]);
    }
}
