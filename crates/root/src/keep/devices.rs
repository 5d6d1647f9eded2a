//! Devices by their names.

use isol_core::nearest;
use isol_sys::device::Harmless;

use super::KeepError;

/// The device of that name; only those that harm nobody have one.
pub(super) fn by_name(name: &str) -> Result<Harmless, KeepError> {
    let names = || Harmless::ALL.iter().map(|device| device.name());
    let found = Harmless::ALL.into_iter().find(|device| device.name() == name);
    let device = found.ok_or_else(|| KeepError::CantHonour {
        what: format!("no device is called `{name}`"),
        why: format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        help: nearest(name, names()).map(|near| format!("did you mean `{near}`?")),
    })?;
    if device.number().is_none() {
        return Err(KeepError::CantHonour {
            what: format!("/dev/{name} can't be made"),
            why: String::from("devices work in a devfs only on this system"),
            help: Some(String::from("mount -t devfs devfs DIR/dev")),
        });
    }
    Ok(device)
}
