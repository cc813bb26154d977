//! The gateway machine.
