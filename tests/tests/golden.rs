//! The plans of the jail backend, word for word. They are made on every system, and are for FreeBSD.
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
    "jail-groups" "--root /srv/www --user 80:81 --groups 90,91 --umask 027 --workdir /data";
    "jail-limits" "--root /srv/www --user 80 --limit nofile=64:128 --limit core=0 --env LANG=C.UTF-8";
    "jail-supervised" "--root /srv/www --user 80 --timeout 30 --require root-clean";
    "jail-syslog" "--root /srv/www --user 80 --syslog";
    "jail-relaxed" "--root /srv/www --user 80 --allow shared-uid,terminal,scheduling --pass-fd 7";
}

#[test]
fn a_plan_is_word_for_word_what_it_was() {
    for (name, options, wanted) in PLANS {
        let mut command = isol();
        command.args(["plan", "--backend", "jail"]).args(options.split_whitespace());
        let got = run(command.args(["--", "/usr/bin/true"]));
        let got = got.succeeded();
        if std::env::var_os("ISOL_UPDATE_PLANS").is_some() {
            let path = format!("{}/plans/{name}.txt", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(&path, got).unwrap_or_else(|error| panic!("{path}: {error}"));
        } else {
            assert_eq!(got, *wanted, "{name}: isol plan --backend jail {options}");
        }
    }
}
