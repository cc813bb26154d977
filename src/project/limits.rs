//! How much a project file may hold. Beyond a limit there is a diagnostic, never a slow or a dead program.

/// Largest file.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Brackets within brackets.
pub const DEPTH_MAX: usize = 64;
/// Values and comments together.
pub const NODES_MAX: usize = 500_000;
/// Longest text, an inline schema for instance.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Problems reported for one file; the rest are left out with a note.
pub const PROBLEMS_MAX: usize = 200;
/// Largest schema file beside a project.
pub const SCHEMA_BYTES_MAX: usize = 1024 * 1024;
