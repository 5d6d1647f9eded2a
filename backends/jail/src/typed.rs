//! `--jail-param`: a text becomes what the kernel says that the parameter is.

use isol_core::Parameter;
use isol_sys::jail::Kind;

use crate::setting::{Setting, Share, Value};

/// Why a text is no value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TypeError {
    #[error("this kernel has no such parameter")]
    Unknown,
    #[error("it is on or off: give no value, true or false")]
    Boolean,
    #[error("it is disable, new or inherit")]
    Inherited,
    #[error("it takes a number")]
    Number,
    #[error("it takes a text")]
    Text,
    #[error("it takes addresses, with commas between them")]
    Addresses,
    #[error("it is of a kind that isol can't set: {0}")]
    Other(String),
}

/// The setting that a parameter asks for, by what `kind_of` says of names.
pub(crate) fn typed(
    parameter: &Parameter,
    kind_of: impl Fn(&str) -> Option<Kind>,
) -> Result<Setting, TypeError> {
    let (name, value) = (parameter.name.as_str(), parameter.value.as_deref());
    let setting = |value| Ok(Setting::new(name, value).required());
    let Some(kind) = kind_of(name) else {
        // `allow.nomount`, and the like, as jail(8) has them.
        return match (without_no(name), value) {
            (Some(base), None) if kind_of(&base) == Some(Kind::Boolean) => {
                Ok(Setting::new(base, Value::Off).required())
            }
            _ => Err(TypeError::Unknown),
        };
    };
    match (kind, value) {
        (Kind::Boolean, None | Some("true" | "1")) => setting(Value::On),
        (Kind::Boolean, Some("false" | "0")) => setting(Value::Off),
        (Kind::Boolean, Some(_)) => Err(TypeError::Boolean),
        (Kind::Inherited, Some("disable")) => setting(Value::Share(Share::Disable)),
        (Kind::Inherited, Some("new")) => setting(Value::Share(Share::New)),
        (Kind::Inherited, Some("inherit")) => setting(Value::Share(Share::Inherit)),
        (Kind::Inherited, _) => Err(TypeError::Inherited),
        (Kind::Number, Some(text)) => {
            text.parse().map_err(|_| TypeError::Number).and_then(|n| setting(Value::Number(n)))
        }
        (Kind::Number, None) => Err(TypeError::Number),
        (Kind::Text, Some(text)) => setting(Value::Text(text.to_owned())),
        (Kind::Text, None) => Err(TypeError::Text),
        (Kind::Addresses4, text) => list(text).and_then(|all| setting(Value::Addresses4(all))),
        (Kind::Addresses6, text) => list(text).and_then(|all| setting(Value::Addresses6(all))),
        (Kind::Other(format), _) => Err(TypeError::Other(format)),
    }
}

fn without_no(name: &str) -> Option<String> {
    match name.rsplit_once('.') {
        Some((path, last)) => Some(format!("{path}.{}", last.strip_prefix("no")?)),
        None => name.strip_prefix("no").map(str::to_owned),
    }
}

fn list<T: std::str::FromStr>(text: Option<&str>) -> Result<Vec<T>, TypeError> {
    let parse = |part: &str| part.trim().parse().map_err(|_| TypeError::Addresses);
    text.ok_or(TypeError::Addresses)?.split(',').map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(name: &str) -> Option<Kind> {
        match name {
            "allow.mlock" | "allow.mount.tmpfs" => Some(Kind::Boolean),
            "sysvshm" => Some(Kind::Inherited),
            "osreldate" => Some(Kind::Number),
            "osrelease" => Some(Kind::Text),
            "cpuset.mask" => Some(Kind::Other("S,cpuset".into())),
            _ => None,
        }
    }

    fn of(text: &str) -> Result<String, TypeError> {
        let Ok(parameter) = text.parse();
        typed(&parameter, kinds).map(|setting| setting.to_string())
    }

    #[test]
    fn a_text_becomes_what_the_kernel_says_that_it_is() {
        assert_eq!(of("allow.mlock"), Ok("allow.mlock".into()));
        assert_eq!(of("allow.mlock=false"), Ok("allow.nomlock".into()));
        assert_eq!(of("allow.mount.notmpfs"), Ok("allow.mount.notmpfs".into()));
        assert_eq!(of("sysvshm=inherit"), Ok("sysvshm=inherit".into()));
        assert_eq!(of("osreldate=1500000"), Ok("osreldate=1500000".into()));
        assert_eq!(of("osrelease=15.0"), Ok("osrelease=15.0".into()));
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        assert_eq!(of("allow.mlok"), Err(TypeError::Unknown));
        assert_eq!(of("allow.mlock=maybe"), Err(TypeError::Boolean));
        assert_eq!(of("sysvshm"), Err(TypeError::Inherited));
        assert_eq!(of("osreldate=x"), Err(TypeError::Number));
        assert_eq!(of("cpuset.mask=1"), Err(TypeError::Other("S,cpuset".into())));
    }
}
