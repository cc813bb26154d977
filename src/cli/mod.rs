//! The command line: everything the program does but draw.
//!
//! In: arguments. Out: text, files, an exit code (0 fine, 1 findings, 2 usage or IO, 3 our own failure).
//! Must not know: how a project is read or run; it asks `project`, `compile`, `run` and `export`.
//! Start at [`main`]; [`args`] says what can be typed, [`End`] how a command ends.

mod args;
mod chaos;
mod documents;
mod exit;
mod log;
mod progress;
mod read_models;
#[cfg(feature = "serve")]
mod registry;
mod run;
mod schema;
mod set;
mod summary;
mod window;

pub use exit::End;
pub use window::OpenWindow;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use exit::{Stop, tell};

/// Runs the command that the process was started with; `window` opens the window where one is built in.
#[must_use]
pub fn main(window: Option<OpenWindow>) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as errors too; they go to standard output and are fine.
            let end = if error.use_stderr() { End::Usage } else { End::Fine };
            let _ = error.print();
            return end.into();
        }
    };
    init_log();
    // Components that fail inside a run are caught by the driver; whatever arrives here is ours.
    let end = panic::catch_unwind(AssertUnwindSafe(|| dispatch(cli, window))).unwrap_or_else(|_| {
        tell("eventyard failed; this is a bug in Eventyard, please report it with the lines above and the project");
        End::OurFailure
    });
    end.into()
}

fn dispatch(cli: Cli, window: Option<OpenWindow>) -> End {
    let result = match cli.command {
        None => window::starter(window),
        Some(Command::Open { file }) => window::open(&file, window),
        Some(Command::Check { files }) => documents::check(&files),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Chaos(args)) => chaos::chaos_command(&args),
        Some(Command::Log(args)) => log::log(&args),
        #[cfg(feature = "serve")]
        Some(Command::Registry { command }) => registry::registry(&command),
        Some(Command::Schema { command }) => schema::schema(&command),
        Some(Command::Fmt { file, check }) => documents::fmt(&file, check),
        Some(Command::Import { file, from, out }) => documents::import(&file, &from, out.as_deref()),
        Some(Command::Export { file, to, out }) => documents::export(&file, &to, out.as_deref()),
    };
    result.unwrap_or_else(|Stop { words, end }| {
        tell(&words);
        end
    })
}

/// `EVENTYARD_LOG=debug` shows what happens inside; silent otherwise.
fn init_log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("EVENTYARD_LOG") {
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    }
}

#[cfg(test)]
mod tests;
