//! Whether a marker is that of a program that is fully confined.

use std::collections::BTreeMap;

/// What a marker has to say under one key.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// This.
    Exactly(String),
    /// Anything that this accepts.
    That(fn(&str) -> bool),
}

impl Wanted {
    fn is_met_by(&self, found: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == found,
            Self::That(accepts) => accepts(found),
        }
    }
}

/// What a marker has to say, key by key: no key more and none less.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected(BTreeMap<&'static str, Wanted>);

impl Expected {
    /// What holds under every policy.
    pub(crate) fn confined() -> Self {
        let mut expected = Self::default();
        expected.that("root", is_identity);
        for (key, value) in [
            ("cwd", "/"),
            ("reaches-absolute", "false"),
            ("reaches-upwards", "false"),
            ("all-ids-the-same", "true"),
            ("capabilities-empty", "true"),
            ("bounding-set-empty", "true"),
            ("securebits-locked", "true"),
            ("no-new-privileges", "true"),
            ("plain-execution-domain", "true"),
            ("plain-scheduling", "true"),
            ("no-timer", "true"),
            ("no-signal-blocked", "true"),
            ("ignored-signal", "0"),
            ("leads-session", "true"),
            ("controlling-terminal", "false"),
            ("core", "0:0"),
            ("chroot-again", "false"),
            ("root-regained", "false"),
            ("root-group-regained", "false"),
            ("complete", "yes"),
        ] {
            expected.exactly(key, value);
        }
        expected
    }

    pub(crate) fn exactly(&mut self, key: &'static str, value: impl Into<String>) {
        self.0.insert(key, Wanted::Exactly(value.into()));
    }

    pub(crate) fn that(&mut self, key: &'static str, accepts: fn(&str) -> bool) {
        self.0.insert(key, Wanted::That(accepts));
    }

    /// In which keys a marker is another than that of a confined program; none for a
    /// program that is confined.
    pub(crate) fn differences(&self, marker: &str) -> Vec<String> {
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        let mut differences = Vec::new();
        for line in marker.lines() {
            match line.split_once('=') {
                Some((key, value)) if found.insert(key, value).is_none() => {}
                _ => differences.push(format!("not a line of a marker: {line}")),
            }
        }
        // The root is what `..` of it and the working directory are.
        for same in ["above-root", "here"] {
            if found.remove(same) != found.get("root").copied() {
                differences.push(format!("{same} is not the root"));
            }
        }
        for (key, wanted) in &self.0 {
            match found.remove(key) {
                Some(value) if wanted.is_met_by(value) => {}
                Some(value) => differences.push(format!("{key} is {value}, not {wanted:?}")),
                None => differences.push(format!("{key} is missing")),
            }
        }
        differences.extend(found.keys().map(|key| format!("{key} is not known")));
        differences
    }
}

impl Expected {
    /// The keys under which a marker says what it is to say.
    pub(crate) fn not_different(&self, marker: &str) -> Vec<&'static str> {
        let met = |(key, wanted): (&&'static str, &Wanted)| {
            let value = marker.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.is_some_and(|value| wanted.is_met_by(value)).then_some(*key)
        };
        self.0.iter().filter_map(met).collect()
    }
}

fn is_identity(found: &str) -> bool {
    found.split_once(':').is_some_and(|(device, inode)| {
        device.parse::<u64>().is_ok() && inode.parse::<u64>().is_ok()
    })
}
