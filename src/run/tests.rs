//! Tests of the drivers.
