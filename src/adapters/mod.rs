//! What reaches outside of the program: the disk while a run goes, sockets that real clients talk to.
//!
//! In: effects of a run, requests of clients. Out: files, and what they hold when a later run begins; answers. An adapter of a
//! run implements a trait of `run/`; one with sockets is a Cargo feature.
//! Must not know: the window, the command line. Start at [`log_store::DataDir`].

pub mod log_store;
#[cfg(feature = "serve")]
pub mod registry_server;
#[cfg(feature = "sqlite")]
pub mod state_store;
