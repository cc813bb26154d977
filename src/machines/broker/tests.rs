//! The log and the group against naive oracles.
