//! Trees that are kept: made whole or not at all, added to, compared with what they were made of, and brought up to
//! date.
//!
//! Beside the tree `DIR`, where nothing inside can reach it, stands its [`Manifest`], `DIR.isol-manifest.json`: what
//! the tree was asked to hold (the [`Recipe`]), and every file in it with mode, owner, digest and origin.
//!
//! - [`build`](build::build) fills a directory under a name of its own beside `DIR`, waits until it is on the disk, and
//!   renames it. Whoever is killed before has made nothing but a leftover, which the next call removes.
//! - [`add`](add::add) and [`update`](update::update) change a tree where it stands, because programs may be running in
//!   it, with files of their own in it, and something may be mounted there: another directory by the same name would
//!   be another tree. They stage every new file inside the tree in a directory that only root can enter, and write down
//!   what is to be done with them, beside the tree. With that note the change has happened: from then on every call
//!   finishes it first. Without it, what was staged is removed, and the tree is the old one.
//! - [`remove`](remove::remove) takes something out of what a tree is to hold, and updates it.
//! - [`verify`](verify::verify) says in what a tree differs from its manifest.
//!
//! One process at a time works on a tree, under a lock in isol's state directory.

pub mod add;
pub mod build;
mod contents;
mod devices;
mod error;
mod etc;
mod journal;
mod locale;
mod make;
mod manifest;
mod mounts;
mod nss;
mod path_text;
mod place;
mod real_paths;
mod recipe;
pub mod remove;
pub mod trace;
pub mod update;
pub mod verify;

pub use error::KeepError;
pub use manifest::{Entry, EntryType, Manifest};
pub use recipe::{ETC, Member, Recipe, Writable};
