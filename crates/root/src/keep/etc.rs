//! Configuration that many programs look for: users, hosts, the resolver, the time zone, certificates.

use std::path::{Component, Path, PathBuf};

use isol_core::nearest;
use nix::dir::Dir;
use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::Mode;

use super::contents::{Contents, What};
use super::{ETC, KeepError, Member, Recipe};
use crate::closure::Why;
use crate::walk::{Kind, Sysroot, WalkError};

const NOLOGIN: &str = "/usr/sbin/nologin";

/// Where certificates are that many are looked for in, on one system or another.
const CERTIFICATES: [&str; 3] =
    ["/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/share/certs/trusted"];
/// What else OpenSSL opens on one system or another. Never a private key.
const SSL_FILES: [&str; 3] =
    ["/etc/ssl/openssl.cnf", "/etc/ssl/cert.pem", "/etc/pki/tls/openssl.cnf"];
/// Links through which it looks for these on Debian.
const SSL_LINKS: [&str; 2] = ["/usr/lib/ssl/certs", "/usr/lib/ssl/openssl.cnf"];

pub(super) fn add(
    name: &str,
    host: &Sysroot,
    recipe: &Recipe,
    contents: &mut Contents,
) -> Result<(), KeepError> {
    let nothing = |what: &str| KeepError::CantHonour {
        what: format!("there is nothing to copy for `--etc {name}`"),
        why: format!("{what} is not on this host"),
        help: None,
    };
    let found = match name {
        "users" => return users(recipe.user.as_ref(), contents),
        "hosts" => copy(host, "/etc/hosts", contents)?.then_some(()).ok_or("/etc/hosts"),
        "resolv" => {
            copy(host, "/etc/resolv.conf", contents)?.then_some(()).ok_or("/etc/resolv.conf")
        }
        "localtime" => {
            copy(host, "/etc/timezone", contents)?;
            copy(host, "/etc/localtime", contents)?.then_some(()).ok_or("/etc/localtime")
        }
        "ssl" => ssl(host, contents)?.then_some(()).ok_or("a directory of certificates"),
        _ => {
            return Err(KeepError::CantHonour {
                what: format!("`--etc {name}` is not known"),
                why: format!("there are {}", ETC.join(", ")),
                help: nearest(name, ETC).map(|near| format!("did you mean `{near}`?")),
            });
        }
    };
    found.map_err(nothing)
}

fn copy(host: &Sysroot, path: &str, contents: &mut Contents) -> Result<bool, KeepError> {
    contents.put_copy(host, Path::new(path), Path::new(path), Why::Etc)
}

/// Root and one other: nobody else is known inside.
fn users(user: Option<&Member>, contents: &mut Contents) -> Result<(), KeepError> {
    let mut passwd = format!("root:x:0:0::/:{NOLOGIN}\n");
    let mut group = String::from("root:x:0:\n");
    if let Some(Member { name, uid, gid }) = user {
        if *uid != 0 {
            passwd += &format!("{name}:x:{uid}:{gid}::/:{NOLOGIN}\n");
        }
        if *gid != 0 {
            group += &format!("{name}:x:{gid}:\n");
        }
    }
    for (path, text) in [("/etc/passwd", passwd), ("/etc/group", group)] {
        contents.put(Path::new(path), What::Text { text: text.into_bytes() }, Why::Etc)?;
    }
    Ok(())
}

fn ssl(host: &Sysroot, contents: &mut Contents) -> Result<bool, KeepError> {
    let mut any = false;
    for dir in CERTIFICATES {
        any |= certificates(host, Path::new(dir), contents)?;
    }
    for file in SSL_FILES {
        any |= copy(host, file, contents)?;
    }
    for link in SSL_LINKS {
        if let Some(target) = link_target(host, Path::new(link))? {
            contents.put(Path::new(link), What::Symlink { target }, Why::Etc)?;
        }
    }
    Ok(any)
}

fn link_target(host: &Sysroot, path: &Path) -> Result<Option<PathBuf>, KeepError> {
    match host.walk(path) {
        // Only the link itself, and not through another one to get there.
        Ok(trail) => {
            Ok(trail.met().iter().find(|met| met.path == path).and_then(|met| match &met.kind {
                Kind::Symlink { target } => Some(target.clone()),
                _ => None,
            }))
        }
        Err(e) if e.is_missing() => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The files of a directory. Links to names in the directory itself stay links, as those that are called by a
/// certificate's hash; what another link leads to comes as a file.
fn certificates(host: &Sysroot, dir: &Path, contents: &mut Contents) -> Result<bool, KeepError> {
    let trail = match host.walk(dir) {
        Ok(trail) => trail,
        Err(e) if e.is_missing() => return Ok(false),
        Err(e) => return Err(e.into()),
    };
    let Some(held) = trail.dir() else { return Ok(false) };
    let io = |source| WalkError::Io { path: dir.to_owned(), source };
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut open = Dir::openat(held, ".", flags, Mode::empty()).map_err(io)?;
    let mut any = false;
    for entry in open.iter() {
        use std::os::unix::ffi::OsStrExt;
        let name = entry.map_err(io)?.file_name().to_owned();
        let name = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let at = dir.join(name);
        let inner = readlinkat(held, name).ok().map(PathBuf::from).filter(|to| is_name(to));
        match inner {
            Some(target) => contents.put(&at, What::Symlink { target }, Why::Etc)?,
            None => any |= contents.put_copy(host, &trail.path().join(name), &at, Why::Etc)?,
        }
    }
    Ok(any)
}

fn is_name(path: &Path) -> bool {
    let mut parts = path.components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}
