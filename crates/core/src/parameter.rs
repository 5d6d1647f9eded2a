//! What only one backend understands.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A parameter of one backend's own, for which there is no portable option: `NAME` or `NAME=VALUE`.
///
/// ```
/// let parameter: isol_core::Parameter = "allow.mlock".parse().unwrap();
/// assert_eq!((parameter.name.as_str(), parameter.value), ("allow.mlock", None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, if it has one.
    pub value: Option<String>,
}

impl FromStr for Parameter {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once('=') {
            Some((name, value)) => Self { name: name.to_owned(), value: Some(value.to_owned()) },
            None => Self { name: text.to_owned(), value: None },
        })
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
