//! The registry machine.
