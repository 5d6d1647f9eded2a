//! The chroot(2) backend of isol
