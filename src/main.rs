//! Starts the command line, and lends it the window where one is built in.

use std::process::ExitCode;

use eventyard::cli::{self, OpenWindow};

#[cfg(feature = "gui")]
const WINDOW: Option<OpenWindow> = Some(eventyard::gui::open);
#[cfg(not(feature = "gui"))]
const WINDOW: Option<OpenWindow> = None;

fn main() -> ExitCode {
    cli::main(WINDOW)
}
