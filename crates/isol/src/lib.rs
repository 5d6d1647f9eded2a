//! Isolate a Unix daemon: chroot(2), jail(2) and namespaces behind one policy
