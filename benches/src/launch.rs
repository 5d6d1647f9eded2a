//! `isol run` beside the floor and beside other launchers: whole processes.

use crate::Result;
use crate::contest::{Contestant, Outcome, by_turns};
use crate::site::{NAMES, Site, UID};

const ROUNDS: usize = 300;

pub(crate) const FLOOR: &str = "the floor: static C";
pub(crate) const BY_NUMBER: &str = "isol run --user UID:GID";
pub(crate) const BY_NAME: &str = "isol run --user NAME";
pub(crate) const MINIJAIL: &str = "minijail0 -C -u -g -n -c 0 --ambient";
pub(crate) const CHROOT: &str = "chroot --userspec (coreutils)";
pub(crate) const UNCHECKED: &str =
    "isol run --allow shared-uid: without the look for who has the uid";
pub(crate) const ID: &str = "bare exec of /usr/bin/id";
pub(crate) const ID_FLOOR: &str = "the floor, with /usr/bin/id in place of true";
pub(crate) const THROW_AWAY: &str = "isol run -- /usr/bin/id, in a throw-away root";

pub(crate) fn isol(site: &Site, options: &[&str]) -> Vec<String> {
    let fixed = [text(&site.isol), "run".to_owned(), "--root".to_owned(), text(&site.root)];
    let options = options.iter().map(|&o| o.to_owned());
    fixed.into_iter().chain(options).chain(["--".to_owned(), "/bin/true".to_owned()]).collect()
}

pub(crate) fn floor(site: &Site) -> Vec<String> {
    vec![text(&site.floor("launch")), text(&site.root), UID.to_owned(), "/bin/true".to_owned()]
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}

pub(crate) fn measure(site: &Site) -> Result<Vec<Outcome>> {
    let both = format!("{UID}:{UID}");
    let root = text(&site.root);
    let mut all = vec![
        Contestant::new(FLOOR, floor(site)),
        Contestant::new("bare exec of true", [text(&site.floor("true"))]),
        Contestant::new(BY_NUMBER, isol(site, &["--user", &both])),
        Contestant::new(UNCHECKED, isol(site, &["--user", &both, "--allow", "shared-uid"])),
    ];
    if let Some(name) = NAMES.iter().find(|name| is_free(site, name)) {
        all.push(Contestant::new(BY_NAME, isol(site, &["--user", name])));
    }
    let peer = |name: &str| Site::peer(name).map(|path| text(&path));
    if let Some(chroot) = peer("chroot") {
        let userspec = format!("--userspec={both}");
        all.push(Contestant::new(CHROOT, [&chroot, &userspec, &root, "/bin/true"]));
        if let Some(setpriv) = peer("setpriv") {
            let kept = "--bounding-set=-all,+sys_chroot,+setuid,+setgid";
            let words = [&setpriv, kept, "--no-new-privs", &chroot, &userspec, &root, "/bin/true"];
            all.push(Contestant::new("setpriv --bounding-set --no-new-privs chroot", words));
        }
    }
    if let Some(busybox) = peer("busybox") {
        let words = [&busybox, "chroot", &root, "/bin/true"];
        all.push(Contestant::new("busybox chroot: stays root", words));
    }
    if let Some(minijail) = peer("minijail0") {
        let words = [
            &minijail,
            "-C",
            &root,
            "-u",
            UID,
            "-g",
            UID,
            "-n",
            "-c",
            "0",
            "--ambient",
            "/bin/true",
        ];
        all.push(Contestant::new(MINIJAIL, words));
    }
    all.push(Contestant::new(ID, ["/usr/bin/id"]));
    let words = [&text(&site.floor("launch")), &text(&site.id_root), UID, "/usr/bin/id"];
    all.push(Contestant::new(ID_FLOOR, words));
    all.push(Contestant::new(THROW_AWAY, [&text(&site.isol), "run", "--", "/usr/bin/id"]));
    by_turns(&all, ROUNDS)
}

/// Whether isol runs something as this user: there is an account, and nobody runs under it.
fn is_free(site: &Site, name: &str) -> bool {
    let words = isol(site, &["--user", name]);
    let run = std::process::Command::new(&words[0])
        .args(&words[1..])
        .stderr(std::process::Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

pub(crate) fn median(outcomes: &[Outcome], name: &str) -> Option<f64> {
    outcomes.iter().find(|outcome| outcome.name == name).map(|outcome| outcome.wall.median())
}

pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let (wall, cpu) = (outcomes[0].wall.median(), outcomes[0].cpu.median());
    let mut table = String::from(
        "| launcher | wall, µs | quartiles | least | wall × | CPU, µs | CPU × |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for outcome in outcomes {
        let (w, c) = (&outcome.wall, &outcome.cpu);
        table += &format!(
            "| {} | {:.0} | {:.0} to {:.0} | {:.0} | {:.2} | {:.0} | {:.2} |\n",
            outcome.name,
            w.median(),
            w.at(0.25),
            w.at(0.75),
            w.at(0.0),
            w.median() / wall,
            c.median(),
            c.median() / cpu,
        );
    }
    table
}
