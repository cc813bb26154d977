//! Properties of the client machines.
