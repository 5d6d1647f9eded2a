//! The isol command
