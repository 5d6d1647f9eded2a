//! User and group ids that can't be mistaken for each other or for a plain number.

use std::fmt;

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = concat!("A ", $what, " id: any 32-bit number but 4294967295, which the kernels read as 'no change'.")]
        ///
        /// ```
        #[doc = concat!("use isol_core::", stringify!($name), ";")]
        #[doc = concat!("assert_eq!(", stringify!($name), "::new(33).unwrap().get(), 33);")]
        #[doc = concat!("assert!(", stringify!($name), "::new(u32::MAX).is_none());")]
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The superuser's.
            pub const ROOT: Self = Self(0);

            /// `None` for 4294967295.
            #[must_use]
            pub const fn new(id: u32) -> Option<Self> {
                if id == u32::MAX { None } else { Some(Self(id)) }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }

            /// Whether it is the superuser's.
            #[must_use]
            pub const fn is_root(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id!(Uid, "user");
id!(Gid, "group");
