//! The portable steps of isol: root, ids, groups, descriptors, limits, signals, session
