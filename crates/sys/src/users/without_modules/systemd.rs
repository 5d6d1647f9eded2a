//! What systemd's module for nsswitch.conf(5) would answer.
//!
//! It asks the services whose sockets are in a directory, and looks for records that somebody has put into a few
//! others. Of the numbers that the manager allots to units with `DynamicUser=`, a service of systemd's own answers for
//! those that are allotted, and each of them has a file.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::path::Path;

use super::files::Key;

/// The numbers that nobody but the manager gives away. Root's and nobody's, which the module makes up, are not among them.
const ALLOTTED: RangeInclusive<u32> = 61_184..=65_519;

/// The manager's own service; one that asks the others; one that looks into [`Systemd::records`]; one that asks the
/// other sources of nsswitch.conf(5).
const SERVICES: [&str; 4] = [
    "io.systemd.DynamicUser",
    "io.systemd.Multiplexer",
    "io.systemd.DropIn",
    "io.systemd.NameServiceSwitch",
];

/// Where to look.
pub(super) struct Systemd<'a> {
    /// A socket of each service.
    services: &'a str,
    /// `ID.user` and `ID.group`.
    records: &'a [&'a str],
    /// A file for each number that is allotted.
    allotted: &'a str,
}

pub(super) const HERE: Systemd<'_> = Systemd {
    services: "/run/systemd/userdb",
    records: &[
        "/etc/userdb",
        "/run/userdb",
        "/run/host/userdb",
        "/usr/local/lib/userdb",
        "/usr/lib/userdb",
        "/lib/userdb",
    ],
    allotted: "/run/systemd/dynamic-uid",
};

impl Systemd<'_> {
    /// Whether it is certain that the module has no answer. False means: ask it.
    ///
    /// # References
    /// nss-systemd(8), systemd-userdbd.service(8)
    pub(super) fn knows_nobody(&self, database: &str, key: Key<'_>) -> bool {
        let (Key::Id(id), Some(kind)) = (key, kind(database)) else { return false };
        ALLOTTED.contains(&id)
            && self.has_no_other_service().unwrap_or(false)
            && is_absent(&Path::new(self.allotted).join(id.to_string()))
            && self
                .records
                .iter()
                .all(|dir| is_absent(&Path::new(dir).join(format!("{id}.{kind}"))))
    }

    fn has_no_other_service(&self) -> io::Result<bool> {
        let services = match fs::read_dir(self.services) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            services => services?,
        };
        for service in services {
            let name = service?.file_name();
            if !SERVICES.iter().any(|known| name == OsStr::new(known)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn kind(database: &str) -> Option<&'static str> {
    match database {
        "passwd" => Some("user"),
        "group" => Some("group"),
        _ => None,
    }
}

/// Whatever can't be looked at may be there.
fn is_absent(path: &Path) -> bool {
    let looked = fs::symlink_metadata(path);
    looked.is_err_and(|e| matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the module would know of with these files.
    fn knows_nobody(files: &[&str], database: &str, key: Key<'_>) -> bool {
        let scratch = tempfile::tempdir().unwrap();
        let [services, etc, lib, allotted] =
            ["services", "etc", "lib", "allotted"].map(|name| scratch.path().join(name));
        for file in files {
            let path = scratch.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (etc, lib) = (text(&etc), text(&lib));
        let systemd = Systemd {
            services: &text(&services),
            records: &[&etc, &lib],
            allotted: &text(&allotted),
        };
        systemd.knows_nobody(database, key)
    }

    #[test]
    fn only_for_the_numbers_that_the_manager_allots() {
        let id = |id| knows_nobody(&[], "passwd", Key::Id(id));
        assert!(id(61_184) && id(65_519) && knows_nobody(&[], "group", Key::Id(62_000)));
        assert!(!id(0) && !id(1000) && !id(60_200) && !id(61_183) && !id(65_534) && !id(524_288));
        assert!(!knows_nobody(&[], "passwd", Key::Name("x")));
        assert!(!knows_nobody(&[], "shadow", Key::Id(62_000)));
    }

    #[test]
    fn a_record_an_allotted_number_or_a_service_is_asked_about() {
        let known = ["services/io.systemd.DynamicUser", "services/io.systemd.Multiplexer"];
        assert!(knows_nobody(&known, "passwd", Key::Id(62_000)));
        for file in [
            "services/io.systemd.Home",
            "services/org.example.Directory",
            "allotted/62000",
            "etc/62000.user",
            "lib/62000.user",
        ] {
            assert!(!knows_nobody(&[known[0], file], "passwd", Key::Id(62_000)), "{file}");
        }
        assert!(!knows_nobody(&["etc/62000.group"], "group", Key::Id(62_000)));
        assert!(knows_nobody(&["etc/62000.group", "etc/62001.user"], "passwd", Key::Id(62_000)));
        // What can't be listed may have anybody in it.
        assert!(!knows_nobody(&["services"], "passwd", Key::Id(62_000)));
    }
}
