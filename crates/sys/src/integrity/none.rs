//! Systems without such a protection.

use super::Protection;

pub(super) fn protection() -> Protection {
    Protection::Off
}
