use object::elf;

use super::*;
use crate::elf::{Class, Kind};

const X86_64: Machine =
    Machine { number: elf::EM_X86_64, class: Class::Elf64, little_endian: true };

fn object(path: &str, rpath: Option<&str>, runpath: Option<&str>) -> Object {
    Object {
        path: path.into(),
        origin: Path::new(path).parent().map(Path::to_owned),
        elf: Elf {
            machine: X86_64,
            os_abi: 0,
            kind: Kind::Shared,
            interpreter: None,
            dynamic: true,
            needed: Vec::new(),
            soname: None,
            rpath: rpath.map(Into::into),
            runpath: runpath.map(Into::into),
            no_default_dirs: false,
            abi_note: None,
        },
    }
}

fn library(name: &str, path: &str) -> Library {
    Library { name: name.into(), path: path.into(), machine: X86_64 }
}

fn loader(flavour: Flavour) -> Loader {
    Loader {
        flavour,
        machine: X86_64,
        names: vec!["ld.so".into()],
        builtin_dirs: vec!["/lib".into()],
        configured_dirs: if flavour == Flavour::Glibc { Vec::new() } else { vec!["/conf".into()] },
        cache: LdCache::parse(&LdCache::write(&[library("x", "/cached/x")], true), X86_64).unwrap(),
        config: vec!["/etc/ld.so.cache".into()],
        tokens: Tokens::default(),
    }
}

fn order(flavour: Flavour, chain: &[&Object]) -> Vec<String> {
    let found = loader(flavour).candidates("x".as_ref(), chain);
    found.iter().filter(|c| !c.variant).map(|c| c.path.to_str().unwrap().to_owned()).collect()
}

#[test]
fn rpath_is_inherited_and_runpath_is_not() {
    let program = object("/bin/p", Some("/p-rpath"), None);
    let middle = object("/lib/m", Some("$ORIGIN/m-rpath"), None);
    let modern = object("/lib/n", Some("/ignored"), Some("/n-runpath"));
    assert_eq!(
        order(Flavour::Glibc, &[&middle, &program]),
        ["/lib/m-rpath/x", "/p-rpath/x", "/cached/x", "/lib/x"]
    );
    assert_eq!(
        order(Flavour::Glibc, &[&modern, &program]),
        ["/n-runpath/x", "/cached/x", "/lib/x"]
    );
    assert_eq!(
        order(Flavour::Glibc, &[&middle, &modern]),
        ["/lib/m-rpath/x", "/cached/x", "/lib/x"]
    );
}

#[test]
fn musl_inherits_both_and_freebsd_looks_at_the_program() {
    let program = object("/bin/p", Some("/p-rpath"), None);
    let modern = object("/lib/n", Some("/ignored"), Some("/n-runpath"));
    let middle = object("/lib/m", Some("/m-rpath"), None);
    assert_eq!(
        order(Flavour::Musl, &[&program, &modern]),
        ["/p-rpath/x", "/n-runpath/x", "/conf/x"]
    );
    assert_eq!(
        order(Flavour::FreeBsd, &[&program, &middle, &program]),
        ["/p-rpath/x", "/p-rpath/x", "/conf/x", "/lib/x"]
    );
    assert_eq!(
        order(Flavour::FreeBsd, &[&modern, &program]),
        ["/n-runpath/x", "/conf/x", "/lib/x"]
    );
}

#[test]
fn no_default_dirs_leaves_the_defaults_out() {
    let mut program = object("/bin/p", None, Some("/own"));
    program.elf.no_default_dirs = true;
    assert_eq!(order(Flavour::Glibc, &[&program]), ["/own/x", "/cached/x"]);
    assert_eq!(order(Flavour::FreeBsd, &[&program]), ["/own/x", "/conf/x"]);
}

#[test]
fn names_with_a_slash_are_paths() {
    let program = object("/bin/p", None, None);
    let found = loader(Flavour::Glibc).candidates("$ORIGIN/../l/x".as_ref(), &[&program]);
    assert_eq!(found, [Candidate { path: "/bin/../l/x".into(), variant: false }]);
}

#[test]
fn variants_come_before_the_plain_build() {
    let program = object("/bin/p", None, None);
    let found = loader(Flavour::Glibc).candidates("y".as_ref(), &[&program]);
    let paths: Vec<_> = found.iter().map(|c| c.path.to_str().unwrap()).collect();
    assert_eq!(paths[0], "/lib/glibc-hwcaps/x86-64-v4/y");
    assert_eq!(paths[3], "/lib/y");
}

#[test]
fn loaders_are_known_by_name() {
    let by_name = |name: &str| flavour_by_name(name.as_ref());
    assert_eq!(by_name("ld-linux-x86-64.so.2"), Some(Flavour::Glibc));
    assert_eq!(by_name("ld64.so.2"), Some(Flavour::Glibc));
    assert_eq!(by_name("ld-musl-x86_64.so.1"), Some(Flavour::Musl));
    assert_eq!(by_name("libc.musl-x86_64.so.1"), Some(Flavour::Musl));
    assert_eq!(by_name("ld-elf.so.1"), Some(Flavour::FreeBsd));
    assert_eq!(by_name("linker64"), None);
}

#[test]
fn glibcs_own_directories_are_read_from_its_image() {
    let image =
        b"\x01\x02junk/usr/lib/\0/etc/\0\x7f/opt/lib64/\0/usr/lib64/\0other\0/x/etc/ld.so.cache\0";
    assert_eq!(glibc::builtin_dirs(image, X86_64), ["/opt/lib64", "/usr/lib64"].map(PathBuf::from));
    assert_eq!(glibc::cache_path(image), Path::new("/x/etc/ld.so.cache"));
    assert_eq!(glibc::builtin_dirs(b"", X86_64)[0], Path::new("/lib/x86_64-linux-gnu"));
    if let Ok(image) = std::fs::read("/lib64/ld-linux-x86-64.so.2") {
        let dirs = glibc::builtin_dirs(&image, X86_64);
        assert!(
            dirs.contains(&"/usr/lib".into()) || dirs.contains(&"/usr/lib64".into()),
            "{dirs:?}"
        );
        assert_eq!(glibc::cache_path(&image), Path::new("/etc/ld.so.cache"));
    }
}

#[test]
fn only_stray_libraries_need_a_configuration() {
    let loader = Rc::new(loader(Flavour::Glibc));
    let library = |path: &str| (Rc::clone(&loader), library("x", path));
    assert!(configurations(&[library("/lib/x")]).is_empty());
    let [(path, text)] = &configurations(&[library("/opt/x")])[..] else { panic!() };
    assert_eq!(path, Path::new("/etc/ld.so.cache"));
    assert_eq!(LdCache::parse(text, X86_64).unwrap().find("x".as_ref()).count(), 1);
}
