//! What there is outside of the user who is to run in the root.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use isol_core::{Gid, Uid};
use isol_sys::brief::Brief;
use isol_sys::quote::shell;
use isol_sys::sysv;
use isol_sys::{mount, processes, users};
use nix::errno::Errno;

use super::crew::{Seen, Then, Visitor};
use super::finding::{Finding, What};
use super::place::Place;
use super::rules::{owned, path};
use super::{AuditError, Options, Report};
use crate::walk::Sysroot;

/// Who will run in the root.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct User {
    /// The uid.
    pub uid: Uid,
    /// The gid.
    pub gid: Gid,
    /// The accounts that have the uid.
    pub names: Vec<String>,
}

/// Where cron and at keep what is somebody's, on the systems that there are.
const TABLES: [&str; 5] = [
    "/var/spool/cron/crontabs",
    "/var/spool/cron/tabs",
    "/var/spool/cron",
    "/var/cron/tabs",
    "/usr/lib/cron/tabs",
];
const JOBS: [&str; 5] = [
    "/var/spool/cron/atjobs",
    "/var/spool/at",
    "/var/spool/atjobs",
    "/var/at/jobs",
    "/usr/lib/cron/jobs",
];
/// Tables that name a user in each line.
const SYSTEM_TABLES: [&str; 3] = ["/etc/crontab", "/etc/cron.d", "/usr/local/etc/cron.d"];
/// Accounts whose services are started when the system starts.
const LINGER: &str = "/var/lib/systemd/linger";

impl User {
    /// With the names of all accounts that the databases and `/etc/passwd` have for the uid.
    ///
    /// # Errors
    /// The databases could not be asked.
    ///
    /// # References
    /// getpwuid_r(3), passwd(5)
    pub fn new(uid: Uid, gid: Gid) -> Result<Self, isol_core::Errno> {
        let mut names: Vec<_> =
            users::by_uid(uid)?.map(|account| account.name).into_iter().collect();
        let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
        for line in text.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(number)) = (fields.next(), fields.nth(1))
                && number == uid.to_string()
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        Ok(Self { uid, gid, names })
    }

    /// Whether the mode of a file lets the user write to it, or change that mode.
    pub(super) fn can_write(&self, brief: &Brief) -> bool {
        self.uid.is_root()
            || brief.uid == self.uid.get()
            || (brief.gid == self.gid.get() && brief.mode & 0o020 != 0)
            || (brief.gid != self.gid.get() && brief.mode & 0o002 != 0)
    }

    pub(super) fn look(&self, report: Report<'_>) {
        self.processes(report);
        self.ipc(report);
        Scheduled { user: self, root: Path::new("/") }.look(report);
    }

    fn processes(&self, report: Report<'_>) {
        match processes::under(self.uid) {
            Ok(found) => found.iter().for_each(|process| {
                let detail = format!("process {} ({})", process.pid, process.name);
                let mend = Some(format!("kill {}", process.pid));
                report.send(Finding::new(What::Process, None, detail).mend(mend));
            }),
            Err(why) => {
                report.send(Finding::new(What::Unread, None, format!("the processes: {why}")));
            }
        }
    }

    fn ipc(&self, report: Report<'_>) {
        match sysv::of_user(self.uid) {
            Ok(found) => found.iter().for_each(|object| {
                let detail = format!("{} {}", object.kind, object.id);
                let mend = Some(format!("ipcrm -{} {}", object.kind.option(), object.id));
                report.send(Finding::new(What::Ipc, None, detail).mend(mend));
            }),
            // A kernel without them has none.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(why) => {
                let detail = format!("the System V objects: {why}");
                report.send(Finding::new(What::Unread, None, detail));
            }
        }
    }

    /// Walks `host`, but for the tree `root`, and tells of every file of the user's.
    pub(super) fn files_outside(
        &self,
        host: &Sysroot,
        root: &Sysroot,
        options: &Options,
        looked_at: &AtomicU64,
        report: Report<'_>,
    ) -> Result<(), AuditError> {
        let (uid, not) = (self.uid.get(), (root.meta().dev, root.meta().ino));
        let mut way = super::way(options);
        way.across = true;
        let outside = Outside { uid, not, host, looked_at, report };
        super::walk(host, (), way, &outside)
    }
}

struct Outside<'a> {
    uid: u32,
    /// The root, which is not outside.
    not: (u64, u64),
    host: &'a Sysroot,
    looked_at: &'a AtomicU64,
    report: Report<'a>,
}

impl Outside<'_> {
    fn tell(&self, place: &Place<()>, name: &std::ffi::CStr, brief: &Brief) {
        if brief.uid == self.uid {
            let path = self.host.path().join(path(place, name));
            self.report.send(Finding::new(What::FileOutside, Some(path), owned(brief)));
        }
    }
}

impl Visitor for Outside<'_> {
    type Mark = ();

    fn directory(
        &self,
        above: &Arc<Place<()>>,
        name: &std::ffi::CStr,
        dir: std::os::fd::BorrowedFd<'_>,
        brief: &Brief,
    ) -> Option<()> {
        // Every process's directory there is its uid's; processes have been told of.
        let mounted = brief.mounted.unwrap_or(brief.dev != above.id.0);
        if brief.id() == self.not || mounted && mount::is_proc(dir) != Ok(false) {
            return None;
        }
        self.tell(above, name, brief);
        Some(())
    }

    fn other(&self, seen: &Seen<'_, ()>) -> nix::Result<Then> {
        self.tell(seen.place, seen.name, &Brief::at(seen.dir, seen.name)?);
        Ok(Then::Done)
    }

    fn mount(&self, _: &Seen<'_, ()>) {}

    fn unread(&self, place: &Place<()>, name: &std::ffi::CStr, why: Errno) {
        // A mount of itself has been seen.
        if why != Errno::ELOOP {
            let path = self.host.path().join(path(place, name));
            self.report.send(Finding::new(What::Unread, Some(path), why.desc()));
        }
    }

    fn count(&self, names: u64) {
        self.looked_at.fetch_add(names, Ordering::Relaxed);
    }
}

/// What is started under the uid by itself.
struct Scheduled<'a> {
    user: &'a User,
    /// The host, or a test's.
    root: &'a Path,
}

impl Scheduled<'_> {
    fn look(&self, report: Report<'_>) {
        let named = TABLES.iter().flat_map(|dir| self.user.names.iter().map(move |n| (dir, n)));
        for (dir, name) in named {
            let path = self.path(dir).join(name);
            if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                let mend = format!("crontab -u {} -r", shell(name));
                self.tell(report, &path, "its crontab", Some(mend));
            }
        }
        for dir in JOBS {
            for path in self.files_in(dir, report) {
                let owner = path.symlink_metadata().map(|meta| (meta.is_file(), meta.uid()));
                if owner.is_ok_and(|owner| owner == (true, self.user.uid.get())) {
                    let mend = format!("rm {}", shell(&path));
                    self.tell(report, &path, "an at job", Some(mend));
                }
            }
        }
        for table in SYSTEM_TABLES {
            let mut paths = self.files_in(table, report);
            paths.extend(self.path(table).is_file().then(|| self.path(table)));
            paths.iter().for_each(|path| self.table(path, report));
        }
        for name in &self.user.names {
            let path = self.path(LINGER).join(name);
            if path.exists() {
                let mend = format!("loginctl disable-linger {}", shell(name));
                self.tell(report, &path, "its services start with the system", Some(mend));
            }
        }
    }

    /// The lines of a table of the system's that are run under the uid.
    fn table(&self, path: &Path, report: Report<'_>) {
        let mut text = Vec::new();
        let read = File::open(path).and_then(|f| f.take(1 << 20).read_to_end(&mut text));
        if let Err(why) = read {
            let finding = Finding::new(What::Unread, Some(path.to_owned()), why.to_string());
            return report.send(finding);
        }
        for (number, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            if user_of(line).is_some_and(|user| self.user.names.iter().any(|n| n == user)) {
                self.tell(report, path, &format!("line {}", number + 1), None);
            }
        }
    }

    fn files_in(&self, dir: &str, report: Report<'_>) -> Vec<PathBuf> {
        match fs::read_dir(self.path(dir)) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                Vec::new()
            }
            Err(why) => {
                let path = Some(self.path(dir));
                report.send(Finding::new(What::Unread, path, why.to_string()));
                Vec::new()
            }
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn tell(&self, report: Report<'_>, path: &Path, detail: &str, mend: Option<String>) {
        let path = Some(path.to_owned());
        report.send(Finding::new(What::Scheduled, path, detail).mend(mend));
    }
}

/// Whom a line of the system's crontab names: behind five times, or one word such as `@daily`.
fn user_of(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let first = words.next().filter(|word| !word.starts_with('#'))?;
    // An assignment has no user.
    let times = first.starts_with(|c: char| c.is_ascii_digit() || "*@".contains(c));
    let user = if first.starts_with('@') { words.next() } else { words.nth(4) };
    // With a group, or a login class, on FreeBSD.
    user.filter(|_| times).and_then(|user| user.split([':', '/']).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_of_a_line_is_found() {
        assert_eq!(user_of("17 * * * * www-data cd / && run"), Some("www-data"));
        assert_eq!(user_of("@daily\twww:staff/daemon x"), Some("www"));
        assert_eq!(user_of("# 17 * * * * www x"), None);
        assert_eq!(user_of("PATH = a b c d e www"), None);
        assert_eq!(user_of(""), None);
    }

    #[test]
    fn files_outside_are_found_and_those_inside_are_not() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/x")).unwrap();
        fs::create_dir_all(dir.path().join("home/y")).unwrap();
        fs::write(dir.path().join("home/y/f"), "").unwrap();
        fs::write(dir.path().join("root/f"), "").unwrap();
        let open = |path: &Path| Sysroot::open(path).unwrap();
        let (host, root) = (open(dir.path()), open(&dir.path().join("root")));
        let uid = Uid::new(fs::metadata(dir.path()).unwrap().uid()).unwrap();
        let look = |uid: Uid| {
            let user = User { uid, gid: Gid::new(70_000).unwrap(), names: Vec::new() };
            let found = std::sync::Mutex::new(Vec::new());
            let tell = |f: Finding| found.lock().unwrap().push((f.what, f.path.unwrap()));
            let (options, count) = (Options::default(), AtomicU64::new(0));
            user.files_outside(&host, &root, &options, &count, Report(&tell)).unwrap();
            let mut found = found.into_inner().unwrap();
            found.sort();
            found
        };
        let at = |path: &str| (What::FileOutside, dir.path().join(path));
        assert_eq!(look(uid), [at("home"), at("home/y"), at("home/y/f")]);
        assert_eq!(look(Uid::new(70_001).unwrap()), []);
    }

    #[test]
    fn what_is_scheduled_is_found_wherever_systems_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("var/spool/cron/crontabs/www", "");
        put("var/spool/cron/crontabs/other", "");
        put("var/spool/cron/atjobs/a0001", "");
        put("etc/crontab", "* * * * * root x\n* * * * * www x\n");
        put("etc/cron.d/job", "@reboot www x\n");
        put("var/lib/systemd/linger/www", "");
        let uid = fs::metadata(dir.path()).unwrap().uid();
        let user = User {
            uid: Uid::new(uid).unwrap(),
            gid: Gid::new(70_000).unwrap(),
            names: vec!["www".into()],
        };
        let found = std::sync::Mutex::new(Vec::new());
        let tell = |finding: Finding| {
            let path = finding.path.unwrap();
            let below = path.strip_prefix(dir.path()).unwrap().display().to_string();
            found.lock().unwrap().push((below, finding.detail, finding.mend.is_some()));
        };
        Scheduled { user: &user, root: dir.path() }.look(Report(&tell));
        let mut found = found.into_inner().unwrap();
        found.sort();
        let found: Vec<_> = found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), *c)).collect();
        assert_eq!(
            found,
            [
                ("etc/cron.d/job", "line 1", false),
                ("etc/crontab", "line 2", false),
                ("var/lib/systemd/linger/www", "its services start with the system", true),
                ("var/spool/cron/atjobs/a0001", "an at job", true),
                ("var/spool/cron/crontabs/www", "its crontab", true),
            ]
        );
    }
}
