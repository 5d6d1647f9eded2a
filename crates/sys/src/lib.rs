//! The system calls that isol stands on, wrapped once
