//! What reaches outside of the program while a run goes: the disk.
//!
//! In: effects of a run. Out: files, and what they hold when a later run begins. Each adapter implements a trait of `run/`.
//! Must not know: the window, the command line. Start at [`log_store::DataDir`].

pub mod log_store;
