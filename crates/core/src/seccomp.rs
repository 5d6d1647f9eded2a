//! Which system calls are refused inside.

mod rules;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::nearest;

pub use rules::{Answer, Case, RULES, Refusal, Rule};

/// The filter of system calls: Linux's.
///
/// ```
/// use isol_core::Seccomp;
/// assert_eq!("none".parse(), Ok(Seccomp::None));
/// let but: Seccomp = "default+io-uring".parse().unwrap();
/// assert_eq!(but.to_string(), "default+io-uring");
/// assert_eq!("./default".parse(), Ok(Seccomp::File("./default".into())));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seccomp {
    /// Not said: the default filter, where the backend and the system have one.
    #[default]
    Unsaid,
    /// The default filter, without these of its [rules](RULES).
    Default {
        /// The names of the rules that are left out.
        without: Vec<&'static str>,
    },
    /// No filter.
    None,
    /// The filter of a file, in place of the default one.
    File(PathBuf),
}

impl Seccomp {
    /// Whether somebody has asked for a filter, and not for none.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        matches!(self, Seccomp::Default { .. } | Seccomp::File(_))
    }

    /// Whether a rule of the default filter is in force.
    #[must_use]
    pub fn has(&self, rule: &str) -> bool {
        match self {
            Seccomp::Unsaid => true,
            Seccomp::Default { without } => !without.contains(&rule),
            Seccomp::None | Seccomp::File(_) => false,
        }
    }
}

/// A rule that the default filter has not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no rule of the default filter is called `{name}`")]
pub struct UnknownRule {
    /// What was given.
    pub name: String,
    /// The nearest name that there is.
    pub nearest: Option<&'static str>,
}

impl FromStr for Seccomp {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        match text {
            "default" => return Ok(Seccomp::Default { without: Vec::new() }),
            "none" => return Ok(Seccomp::None),
            _ => {}
        }
        let Some(names) = text.strip_prefix("default+") else {
            return Ok(Seccomp::File(text.into()));
        };
        let rule = |name: &str| {
            RULES.iter().map(|rule| rule.name).find(|&known| known == name).ok_or_else(|| {
                let nearest = nearest(name, RULES.iter().map(|rule| rule.name));
                UnknownRule { name: name.to_owned(), nearest }
            })
        };
        names
            .split('+')
            .map(rule)
            .collect::<Result<_, _>>()
            .map(|without| Seccomp::Default { without })
    }
}

impl fmt::Display for Seccomp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seccomp::Unsaid => f.write_str("default"),
            Seccomp::None => f.write_str("none"),
            // What would be read back as something else.
            Seccomp::File(file)
                if !matches!(file.to_string_lossy().parse(), Ok(Seccomp::File(_))) =>
            {
                write!(f, "./{}", file.display())
            }
            Seccomp::File(file) => file.display().fmt(f),
            Seccomp::Default { without } => {
                f.write_str("default")?;
                without.iter().try_for_each(|rule| write!(f, "+{rule}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_a_reason_and_calls() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(!rule.why.is_empty() && !rule.refuses.is_empty(), "{}", rule.name);
            assert!(!Seccomp::Default { without: vec![rule.name] }.has(rule.name));
            assert!(Seccomp::Unsaid.has(rule.name) && !Seccomp::None.has(rule.name));
        }
    }

    /// A call with an answer in one rule and another one in the next would get only the first.
    #[test]
    fn every_call_is_refused_in_one_way() {
        let all: Vec<_> = RULES.iter().flat_map(|r| r.refuses).collect();
        for (place, one) in all.iter().enumerate() {
            assert!(all[..place].iter().all(|other| other.call != one.call), "{}", one.call);
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_no_file() {
        let slip = "default+io_uring".parse::<Seccomp>().unwrap_err();
        assert_eq!(slip.nearest, Some("io-uring"));
        assert!("default+".parse::<Seccomp>().is_err());
        assert_eq!("filter.json".parse(), Ok(Seccomp::File("filter.json".into())));
        for name in ["none", "default", "default+x"] {
            let file = Seccomp::File(name.into()).to_string();
            assert_eq!(file.parse(), Ok(Seccomp::File(format!("./{name}").into())));
        }
    }
}
