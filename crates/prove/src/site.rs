//! What the attacks are made on: a root with traps in it, and things outside that must stay out of
//! reach.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink,
};
use std::path::{Path, PathBuf};

use isol_core::{Os, Problem};
use isol_root::{Resolver, Sysroot, throwaway};
use isol_sys::attempts;
use isol_sys::state::{Lock, StateDir};

use crate::attack::raw;
use crate::baits::Baits;
use crate::caller::{Attacker, ordinary};
use crate::interrupts::Interrupts;
use crate::log::Log;
use crate::trap::Laid;

/// What stands in files that must stay out of reach.
const SECRET: &str = "isol prove: a file outside of the root";
/// What stands in a file of the root that only root may read.
pub(crate) const ROOT_ONLY: &str = "isol prove: a file of root's";
/// What stands in the file that is the caller's standard output.
pub(crate) const WRITTEN: &str = "isol prove: what was written before";
/// What a file says that is mounted late.
pub(crate) const LATE: &str = "isol prove: mounted outside, after the start";
/// The owner, beside root, of set-id files.
const OTHER: u32 = 4242;
/// The disk that device nodes lead to.
const DISK: (u32, u32) = (8, 0);

/// The parts of the root that a root should not have.
const UNCLEAN: &str = "opt";

/// The directory of the root that everybody can write to.
const EVERYBODY_S: &str = "/tmp";

/// What a site's lock is called, before its number. Whoever finds one that nobody holds removes the directory that
/// is noted in it.
pub const LOCK: &str = isol::PROOF_LOCK;

/// A root with isol's own executable in it, and with traps, and a directory outside of it; both removed when this
/// value goes or, if its process was killed, by the next sweep.
#[derive(Debug)]
pub struct Site {
    executable: PathBuf,
    base: PathBuf,
    root: PathBuf,
    outside: PathBuf,
    uid: Attacker,
    token: String,
    planted: Vec<String>,
    /// A mount outside, where one can be made.
    mounted: Option<PathBuf>,
    pub(crate) baits: Baits,
    log: Option<Log>,
    lock: Option<Lock>,
    interrupts: Interrupts,
}

impl Site {
    /// Makes one, for an executable that answers as isol's own does.
    ///
    /// # Errors
    /// It can't be made: it takes root, and room for a few copies of the executable.
    pub fn new(executable: &Path) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::new("prove", "can't make a root", why);
        let io = |error: io::Error| Problem::io("prove", "can't make what to attack", &error);
        // The root has a directory like the host's, at the same path, and no program in it would be started.
        if executable.starts_with(EVERYBODY_S) {
            let problem =
                wrong(format!("{} is where everybody can put a file", executable.display()));
            return Err(problem.help(format!("call an isol that is not below {EVERYBODY_S}")));
        }
        let uid = Attacker::find()?;
        let token = format!("isol prove: the root of {}", uid.uid());
        let state = StateDir::open().map_err(|error| wrong(error.to_string()))?;
        let number = format!("{}-{}", std::process::id(), uid.uid());
        let base = place(&state).join(format!("{}{number}", isol::PROOF_DIRECTORY));
        // First the lock, then what it stands for.
        let lock = state
            .try_lock(&format!("{LOCK}{number}"))
            .map_err(|error| wrong(error.to_string()))?
            .ok_or_else(|| wrong("somebody has it already".into()))?;
        lock.set_payload(&base.display().to_string()).map_err(|e| wrong(e.to_string()))?;
        let mut site = Self {
            executable: executable.to_owned(),
            root: base.join("root"),
            outside: base.join("outside"),
            base,
            uid,
            token,
            planted: Vec::new(),
            mounted: None,
            baits: Baits::new().map_err(io)?,
            log: None,
            lock: Some(lock),
            interrupts: Interrupts::block().map_err(io)?,
        };
        for dir in [&site.base, &site.root, &site.outside] {
            dir_at(dir, 0o755).map_err(io)?;
        }
        let tree = Sysroot::open(&site.root).map_err(|error| wrong(error.to_string()))?;
        let host = Sysroot::open("/".as_ref()).map_err(|error| wrong(error.to_string()))?;
        let closure = Resolver::new(&host).closure(executable, &[]);
        let closure = closure.map_err(|error| wrong(error.to_string()))?;
        throwaway::copy_into(&tree, &host, &closure).map_err(|error| wrong(error.to_string()))?;
        site.plant().map_err(io)?;
        site.fill_outside().map_err(io)?;
        Ok(site)
    }

    /// isol's executable, at the same path on the host and in the root.
    #[must_use]
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// The root, on the host.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The root's device and inode number.
    ///
    /// # Errors
    /// As stat(2).
    pub fn root_id(&self) -> io::Result<(u64, u64)> {
        let meta = fs::metadata(self.root())?;
        Ok((meta.dev(), meta.ino()))
    }

    /// The uid that the attackers get, and the gid of the same number.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid.uid()
    }

    /// A directory outside.
    #[must_use]
    pub fn outside(&self) -> &Path {
        &self.outside
    }

    /// A mount point outside of the root: one of its own or, where nothing can be mounted, one of the host's.
    pub(crate) fn mount_point(&self) -> PathBuf {
        let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
        let differs =
            |path: &&Path| device(path).is_some_and(|d| Some(d) != device(Path::new("/")));
        // Those first that are not there inside, too.
        let hosts = ["/sys", "/run", "/dev", "/proc", "/tmp"].map(Path::new);
        let one = self.mounted.as_deref().or_else(|| hosts.into_iter().find(differs));
        one.map(Path::to_owned).unwrap_or_default()
    }

    /// The socket on which somebody outside takes messages to syslog.
    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// A file outside that everybody may read, and what stands in it.
    #[must_use]
    pub fn secret(&self) -> (PathBuf, &'static str) {
        (self.outside().join("secret"), SECRET)
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn planted(&self) -> &[String] {
        &self.planted
    }

    pub(crate) const DISK: (u32, u32) = DISK;

    fn plant(&mut self) -> io::Result<()> {
        let root = self.root().to_owned();
        let at = |path: &str| root.join(path);
        put(&at("prove.token"), self.token.as_bytes(), 0o644)?;
        dir_at(&at("tmp"), 0o1777)?;
        for dir in
            ["home", "mnt", "yard", "yard/pen", "links", UNCLEAN, "etc", "dev", "var", "var/run"]
        {
            dir_at(&at(dir), 0o755)?;
        }
        let (secret, _) = self.secret();
        symlink(&secret, at("links/absolute"))?;
        let up = "../".repeat(40);
        symlink(format!("{up}{}", secret.display()), at("links/relative"))?;
        let me = format!(
            "root:x:0:0::/:/bin/sh\nnobody:x:0:0::/:/bin/sh\nprove:x:{0}:{0}::/:/bin/sh\n",
            self.uid()
        );
        put(&at("etc/passwd"), me.as_bytes(), 0o644)?;
        if ordinary().is_none() {
            put(&at("opt/root-only"), ROOT_ONLY.as_bytes(), 0o600)?;
        }
        // Where devices are in devfs only, a root without one has no /dev/tty.
        if isol_sys::os::HOST == Os::Linux {
            for (name, number) in [("null", (1, 3)), ("tty", (5, 0))] {
                let path = at("dev").join(name);
                let _ = attempts::mknod(&raw(&path), false, number.0, number.1)
                    .map(|()| fs::set_permissions(&path, Permissions::from_mode(0o666)));
            }
        }
        let _ = attempts::mknod(&raw(at("opt/disk")), true, DISK.0, DISK.1);
        let _ = attempts::mknod(&raw(at("opt/mem")), false, 1, 1);
        for (name, owner, group, mode) in [
            ("set-uid-root", 0, 0, 0o4755),
            ("set-uid-other", OTHER, 0, 0o4755),
            ("set-gid-other", 0, OTHER, 0o2755),
        ] {
            if ordinary().is_some() {
                continue;
            }
            let path = self.copy(&root, name)?;
            chown(&path, Some(owner), Some(group))?;
            fs::set_permissions(&path, Permissions::from_mode(mode))?;
        }
        let path = self.copy(&root, "file-capabilities")?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        // CAP_NET_RAW. Elsewhere, and on a file system without attributes, there are none.
        if attempts::set_file_capabilities(&raw(&path), 1 << 13).is_err() {
            fs::remove_file(&path)?;
            self.planted.pop();
        }
        Ok(())
    }

    fn copy(&mut self, root: &Path, name: &str) -> io::Result<PathBuf> {
        let path = root.join(UNCLEAN).join(name);
        fs::copy(&self.executable, &path)?;
        self.planted.push(format!("/{UNCLEAN}/{name}"));
        Ok(path)
    }

    /// Where something is that a root should not have, while it is [taken out](Self::cleaned).
    pub(crate) fn unclean(&self, name: &str) -> PathBuf {
        self.aside().join(name)
    }

    fn aside(&self) -> PathBuf {
        self.base.join("aside")
    }

    /// Takes what a root should not have out of it, for as long as the answer lives.
    pub(crate) fn cleaned(&self) -> io::Result<Laid> {
        let (from, aside) = (self.root().join(UNCLEAN), self.aside());
        fs::rename(&from, &aside)?;
        Ok(Laid::undone_by(move || drop(fs::rename(aside, from))))
    }

    /// Moves `/yard/pen` out of the root, and says where it is.
    pub(crate) fn move_out(&self) -> io::Result<PathBuf> {
        let to = self.outside().join("pen");
        fs::rename(self.root().join("yard/pen"), &to).map(|()| to)
    }

    /// Whether something is mounted on the root's `/mnt`, seen from outside.
    pub(crate) fn has_mount(&self) -> io::Result<bool> {
        let device = |path: PathBuf| fs::metadata(path).map(|meta| meta.dev());
        Ok(device(self.root().join("mnt"))? != device(self.root().to_owned())?)
    }

    /// Mounts something in the root, as somebody outside.
    pub(crate) fn mount_late(&self) -> io::Result<()> {
        let at = self.root().join("mnt");
        attempts::mount_tmpfs(&raw(&at))?;
        put(&at.join("late"), LATE.as_bytes(), 0o644)
    }

    /// Puts back what a run has changed.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let pen = self.outside().join("pen");
        if pen.exists() {
            fs::rename(pen, self.root().join("yard/pen"))?;
        }
        if self.has_mount()? {
            attempts::unmount(&raw(self.root().join("mnt")))?;
        }
        Ok(())
    }

    /// An error once somebody wants this process to end.
    pub(crate) fn check_interrupts(&self) -> io::Result<()> {
        self.interrupts.check()
    }

    fn fill_outside(&mut self) -> io::Result<()> {
        let outside = self.outside.clone();
        put(&outside.join("secret"), SECRET.as_bytes(), 0o644)?;
        // An ordinary user's own may not be readable even to himself.
        let mode = if ordinary().is_some() { 0o200 } else { 0o600 };
        put(&outside.join("stdout"), WRITTEN.as_bytes(), mode)?;
        // Where the program starts is there, too: whoever takes this for the root notices nothing.
        for dir in ["home", "dev", "tmp", "proc", "var"] {
            dir_at(&outside.join(dir), 0o755)?;
        }
        dir_at(&outside.join("loose"), 0o777)?;
        self.log = Some(Log::listen(outside.join("log"))?);
        let point = outside.join("mounted");
        dir_at(&point, 0o755)?;
        self.mounted = attempts::mount_tmpfs(&raw(&point)).ok().map(|()| point);
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What can't be put back or removed now is found by the next sweep.
        let _ = self.tidy();
        if let Some(mounted) = &self.mounted {
            let _ = attempts::unmount(&raw(mounted));
        }
        let removed = fs::remove_dir_all(&self.base);
        if let Some(lock) = self.lock.take() {
            let _ = if removed.is_ok() {
                lock.release()
            } else {
                lock.abandon();
                Ok(())
            };
        }
    }
}

/// Where a site is made: everybody can come there, and what is executed there keeps its set-id bits. Beside the second
/// place for isol's own state.
fn place(state: &StateDir) -> PathBuf {
    if ordinary().is_some() {
        return state.path().to_owned();
    }
    let last = StateDir::CANDIDATES.last().map_or("/var/lib/isol", |last| last);
    Path::new(last).parent().unwrap_or(Path::new("/var")).to_owned()
}

pub(crate) fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file =
        fs::File::options().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn dir_at(path: &Path, mode: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}
