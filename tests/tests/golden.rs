//! Plans word for word: of the jail backend, for FreeBSD, and of the namespaces backend, for Linux. They are made on
//! every system.
//!
//! `ISOL_UPDATE_PLANS=1 cargo test -p isol-tests --test golden` writes them anew; look at the difference.

use isol_tests::{isol, run};

macro_rules! plans {
    ($($name:literal $options:literal;)*) => {
        /// (name, options, the plan as it was)
        const PLANS: &[(&str, &str, &str)] =
            &[$(($name, $options, include_str!(concat!("../plans/", $name, ".txt")))),*];
    };
}

plans! {
    "jail" "--root /srv/www --user 80";
    "jail-throw-away" "";
    "jail-no-network" "--root /srv/www --user 80 --network none --require network-confined";
    "jail-addresses" "--root /srv/www --user 80 --network 192.0.2.7,2001:db8::7";
    "jail-one-address" "--root /srv/www --user 80 --network 192.0.2.7";
    "jail-named" "--root /srv/www --user 80 --name web-1 --hostname www.example.org";
    "jail-parameters" "--root /srv/www --user 80 --jail-param allow.mlock --jail-param sysvshm=inherit";
    "jail-root" "--root /srv/www --user 0 --allow root-user";
    "jail-superuser" "--root /srv/www --user 0 --allow root-user,superuser";
    "jail-groups" "--root /srv/www --user 80:81 --groups 90,91 --umask 027 --workdir /data";
    "jail-limits" "--root /srv/www --user 80 --limit nofile=64:128 --limit core=0 --env LANG=C.UTF-8";
    "jail-supervised" "--root /srv/www --user 80 --timeout 30 --require root-clean";
    "jail-syslog" "--root /srv/www --user 80 --syslog";
    "jail-mounts" "--root /srv/www --user 80 --bind /srv/data:/data:ro --tmpfs /var/cache:64M --read-only";
    "jail-mounts-throw-away" "--bind /srv/data --tmpfs /var/tmp";
    "jail-relaxed" "--root /srv/www --user 80 --allow shared-uid,terminal,scheduling --pass-fd 7";
    "namespaces" "--root /srv/www --user 80";
    "namespaces-throw-away" "";
    "namespaces-no-network" "--root /srv/www --user 80 --network none --require ipc-private";
    "namespaces-no-filter" "--root /srv/www --user 80 --network none --seccomp default+vsock --require network-confined";
    "namespaces-named" "--root /srv/www --user 80 --hostname www.example.org";
    "namespaces-root" "--root /srv/www --user 0 --allow root-user";
    "namespaces-superuser" "--root /srv/www --user 0 --allow root-user,superuser";
    "namespaces-harmless" "--root /srv/www --user 80:81 --groups 90 --require root-harmless";
    "namespaces-mounts" "--root /srv/www --user 80 --bind /srv/data:/data:ro --tmpfs /var/cache:64M --read-only";
    "namespaces-host-pids" "--root /srv/www --user 80 --allow host-pids,terminal";
    "namespaces-all" "--root /srv/www --user 80 --network none --hostname a --require root-harmless,root-clean --syslog --seccomp default --umask 027";
}

/// An ordinary user's plans are others, and name him.
fn is_for_everybody(backend: &str) -> bool {
    backend == "jail" || nix::unistd::geteuid().is_root()
}

#[test]
fn a_plan_is_word_for_word_what_it_was() {
    for (name, options, wanted) in PLANS {
        let backend = name.split('-').next().unwrap_or(name);
        if !isol_tests::unless((!is_for_everybody(backend)).then_some("it takes root")) {
            continue;
        }
        let mut command = isol();
        command.args(["plan", "--backend", backend]).args(options.split_whitespace());
        let got = run(command.args(["--", "/usr/bin/true"]));
        let got = got.succeeded();
        if std::env::var_os("ISOL_UPDATE_PLANS").is_some() {
            let path = format!("{}/plans/{name}.txt", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(&path, got).unwrap_or_else(|error| panic!("{path}: {error}"));
        } else {
            assert_eq!(got, *wanted, "{name}: isol plan --backend {backend} {options}");
        }
    }
}
