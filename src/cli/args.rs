//! What can be typed: commands, options, help. Data for clap, nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::schema::SchemaCommand;
use crate::adapters::log_store::SyncPolicy;
use crate::adapters::log_store::load::KeptFrom;
use crate::compile::WarmUp;
use crate::units::SimDuration;

const EXAMPLES: &str = "\
Examples:
  eventyard                     the starter project in a window, or headless where there is no display
  eventyard open shop.ron       a project in a window
  eventyard check shop.ron      every problem at once, with line, column and hint
  eventyard run shop.ron        its first scenario, then a summary
  eventyard run shop.ron --scenario sale --for 10min --set billing.instances=4
  eventyard run shop.ron --repeats 20 --json report.json --report report.html
  eventyard chaos shop.ron      faults by chance, until something acknowledged is lost
  eventyard schema check new.avsc --against old.avsc
  eventyard export shop.ron --to mermaid

Exit codes:
  0  fine
  1  findings: problems in the project, an expectation missed
  2  wrong usage, or a file that cannot be read or written
  3  a failure of Eventyard itself: a ledger that does not balance, a panic";

const RUN_EXAMPLES: &str = "\
Durations are of virtual time and carry a unit: 500ms, 30s, 5min, 2h.

Examples:
  eventyard run shop.ron --for 5min --seed 7
  eventyard run shop.ron --set web.load='poisson(900/s)' --set shop.topics.orders.partitions=12
  eventyard run shop.ron --repeats 30 --warm-up auto
  eventyard run shop.ron --quiet --json - | jq .totals
  eventyard run shop.ron --data shop-data                topics outlive the run; the next one begins with them
  eventyard run shop.ron --data shop-data --from 30s     and replays what was born from then on";

const LOG_EXAMPLES: &str = "\
Exit code 1 says that something in the folder is damaged; nothing is changed by looking.

Examples:
  eventyard log shop-data                                every log with its offsets and size
  eventyard log shop-data orders --from 30s -n 50        records born from then on
  eventyard log shop-data orders-0 --json | jq .value";

#[cfg(feature = "serve")]
const REGISTRY_EXAMPLES: &str = "\
Everything is in memory and gone with the program. Compatibility is judged as `eventyard schema check` judges it.

Examples:
  eventyard registry serve                               empty, at http://127.0.0.1:8081
  eventyard registry serve --project shop.ron --port 0   with the project's subjects, at a free port
  curl http://127.0.0.1:8081/subjects";

const CHAOS_EXAMPLES: &str = "\
Without --expect it searches for acknowledged events that are lost and for keys whose events come out of order.

Examples:
  eventyard chaos shop.ron
  eventyard chaos shop.ron --runs 2000 --faults 3 --seed 7
  eventyard chaos shop.ron --scenario sale --for 30s --expect";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "eventyard",
    version,
    about = "Design event-driven systems, run them as real simulations, and check the numbers",
    after_help = EXAMPLES,
    max_term_width = 110
)]
pub struct Cli {
    /// What to do; nothing opens the starter project.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open a project in the window
    Open {
        /// The project (.ron or .json)
        file: PathBuf,
    },
    /// Say everything that is wrong with projects, with code, place and hint
    Check {
        /// The projects
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Run a project without a window and sum it up
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Search a project for faults that it does not survive: random ones, shrunk to the fewest
    #[command(after_help = CHAOS_EXAMPLES)]
    Chaos(ChaosArgs),
    /// Show what runs with --data have kept: the logs, or the records of one
    #[command(after_help = LOG_EXAMPLES)]
    Log(LogArgs),
    /// Ask about schemas as a registry would answer: check, diff, validate, sample, explain
    Schema {
        /// What to ask
        #[command(subcommand)]
        command: SchemaCommand,
    },
    /// A schema registry that real clients can talk to
    #[cfg(feature = "serve")]
    Registry {
        /// What to do
        #[command(subcommand)]
        command: RegistryCommand,
    },
    /// Write a project in its standard form, comments kept
    Fmt {
        /// The project
        file: PathBuf,
        /// Change nothing; exit 1 when the file is not in its standard form
        #[arg(long)]
        check: bool,
    },
    /// Make a project of what another tool printed
    Import {
        /// The text; `-` is standard input
        file: PathBuf,
        /// Its format
        #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(crate::import::formats()))]
        from: String,
        /// Where to; standard output when absent
        #[arg(short, long, value_name = "OUT")]
        out: Option<PathBuf>,
    },
    /// Write a project in another format
    Export {
        /// The project
        file: PathBuf,
        /// The format
        #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(crate::export::project_formats()))]
        to: String,
        /// Where to; standard output when absent
        #[arg(short, long, value_name = "OUT")]
        out: Option<PathBuf>,
    },
}

/// What can be done with a registry.
#[cfg(feature = "serve")]
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Serve Confluent's REST API until Ctrl-C
    #[command(after_help = REGISTRY_EXAMPLES)]
    Serve(ServeArgs),
}

/// Options of `registry serve`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Begin with the subjects of a project's registry; empty when absent
    #[arg(long, value_name = "FILE")]
    pub project: Option<PathBuf>,
    /// Which registry of the project, where it has several
    #[arg(long, value_name = "ID", requires = "project")]
    pub component: Option<String>,
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "P", default_value_t = 8081)]
    pub port: u16,
    /// Address to listen on; only this machine reaches the default
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The project (.ron or .json)
    pub file: PathBuf,
    /// Which scenario; the first of the project when absent
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Instead of the project's seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Instead of the scenario's length, in virtual time
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub length: Option<SimDuration>,
    /// Another value for a parameter, after the scenario's own; may be repeated
    #[arg(long, value_name = "COMPONENT.PARAM=VALUE")]
    pub set: Vec<String>,
    /// Independent repeats, spread over the cores; figures then carry 95 % intervals
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub repeats: u32,
    /// Cut from the head of the figures: a duration, or `auto` (MSER-5)
    #[arg(long = "warm-up", value_name = "DURATION|auto", value_parser = warm_up)]
    pub warm_up: Option<WarmUp>,
    /// Keep what topics hold in this folder, and begin with what earlier runs have left there
    #[arg(long, value_name = "DIR", conflicts_with = "repeats")]
    pub data: Option<PathBuf>,
    /// Begin with what is kept from here on: `earliest`, `latest`, an offset, or a time counted through all earlier runs
    #[arg(long, value_name = "OFFSET|TIME", default_value = "earliest", requires = "data")]
    pub from: KeptFrom,
    /// When the disk must have what was written: at the `end` of the run and of each segment, after each `slice` of some
    /// ten thousand steps, or after every `batch`
    #[arg(long, value_name = "WHEN", default_value = "end", requires = "data")]
    pub sync: SyncPolicy,
    /// Ask the read models' database when the run is over, and print the rows: a table is called like its component
    #[arg(long, value_name = "SELECT …", conflicts_with = "repeats")]
    pub sql: Option<String>,
    /// Write the report as JSON; `-` is standard output
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
    /// Write the report as one self-contained HTML page
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Neither progress nor summary; missed expectations are still told
    #[arg(short, long)]
    pub quiet: bool,
}

/// Options of `log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The folder
    pub dir: PathBuf,
    /// A topic or one partition of it: `orders`, `orders-0`, `shop/orders-0`; all logs in a table when absent
    pub log: Option<String>,
    /// From here on: `earliest`, `latest`, an offset, or a time counted through all runs
    #[arg(long, value_name = "OFFSET|TIME", default_value = "earliest")]
    pub from: KeptFrom,
    /// At most so many records
    #[arg(short = 'n', long = "most", value_name = "N", default_value_t = 20)]
    pub most: usize,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Options of `chaos`.
#[derive(Debug, Args)]
pub struct ChaosArgs {
    /// The project (.ron or .json)
    pub file: PathBuf,
    /// Which scenario the faults are added to; the first of the project when absent
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Runs to search
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub runs: u32,
    /// Most faults in one run
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub faults: u32,
    /// Another search; the project's seed when absent
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Length of each run in virtual time, instead of the scenario's
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub length: Option<SimDuration>,
    /// Search for what breaks the project's own expectations instead
    #[arg(long)]
    pub expect: bool,
    /// No progress
    #[arg(short, long)]
    pub quiet: bool,
}

fn duration(text: &str) -> Result<SimDuration, String> {
    let length: SimDuration = text.parse().map_err(|error: crate::units::UnitError| error.to_string())?;
    if length.is_zero() { Err("must be longer than nothing".to_owned()) } else { Ok(length) }
}

fn warm_up(text: &str) -> Result<WarmUp, String> {
    if text == "auto" {
        return Ok(WarmUp::Auto);
    }
    text.parse().map(WarmUp::Fixed).map_err(|error: crate::units::UnitError| format!("{error}, or `auto`"))
}
