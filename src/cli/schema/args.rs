//! What can be typed after `eventyard schema`. Data for clap, nothing else.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::machines::codec::Policy;
use crate::machines::registry::Compatibility;

const CHECK_EXAMPLES: &str = "\
Exit codes: 0 it may follow, 1 it may not, 2 something cannot be read.

Examples:
  eventyard schema check order-v2.avsc --against order-v1.avsc
  eventyard schema check order-v3.json --against order-v1.json order-v2.json --mode full-transitive --policy lenient
  eventyard schema check order.proto --against old/order.proto --ref money.proto=money.proto --json
  eventyard schema check order-v2.avsc --project shop.ron --subject orders-value    who of the design breaks";

const DIFF_EXAMPLES: &str = "\
Each change once: BREAKS names the levels that refuse it.

Examples:
  eventyard schema diff order-v1.avsc order-v2.avsc
  eventyard schema diff order-v1.json order-v2.json --json";

const VALIDATE_EXAMPLES: &str = "\
Data is JSON, one value or one on each line, or bytes with or without a registry's header; `-` is standard input.
Exit codes: 0 valid, 1 not, 2 something cannot be read.

Examples:
  eventyard schema validate order.json event.json
  eventyard schema validate order.avsc payload.bin
  eventyard schema sample order.json -n 1000 | eventyard schema validate order.json -";

const SAMPLE_EXAMPLES: &str = "\
The same seed gives the same events.

Examples:
  eventyard schema sample order.avsc
  eventyard schema sample order.json -n 1000 --seed 7 > orders.jsonl
  eventyard schema sample order.avsc -n 1 --hex     the bytes that go over the wire";

const EXPLAIN_EXAMPLES: &str = "\
With a second schema: what the change breaks, the smallest event that shows it, how to mend it, and the way there in steps.
Exit codes as of `check`.

Examples:
  eventyard schema explain order.avsc
  eventyard schema explain order-v1.avsc order-v2.avsc --mode full";

/// One command on schemas.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Say whether a schema may follow older ones, as a registry would
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Show every change between two schemas and what it breaks
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Say what is wrong with data
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Make valid random events, one a line
    #[command(after_help = SAMPLE_EXAMPLES)]
    Sample(SampleArgs),
    /// Say in words what a schema says, or what a change of it means
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
}

/// How schema files are read.
#[derive(Debug, Default, Args)]
pub struct Reading {
    /// The schema language; guessed from the file's name and text when absent
    #[arg(long = "type", value_name = "avro|json|protobuf", value_parser = schema_type)]
    pub schema_type: Option<&'static str>,
    /// A schema that others name, and its file; what a reference itself refers to stands before it. May be repeated
    #[arg(long = "ref", value_name = "NAME=FILE")]
    pub references: Vec<String>,
}

/// Under which rules schemas are compared.
#[derive(Debug, Args)]
pub struct Judging {
    /// What must hold: none, backward, forward, full, each also with -transitive
    #[arg(long, value_name = "MODE", default_value = "backward", value_parser = mode)]
    pub mode: Compatibility,
    /// Of JSON Schemas: `lenient` lets optional properties come and go in open content models
    #[arg(long, value_name = "strict|lenient", default_value = "strict", value_parser = policy)]
    pub policy: Policy,
}

/// Options of `schema check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The new schema
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// The older versions, oldest first
    #[arg(long, value_name = "OLD", num_args = 1.., required_unless_present = "project")]
    pub against: Vec<PathBuf>,
    /// Instead of files: the versions that a design has registered, and which of its components would break
    #[arg(long, value_name = "FILE", requires = "subject", conflicts_with_all = ["against", "mode", "policy"])]
    pub project: Option<PathBuf>,
    /// Which subject of the design
    #[arg(long, value_name = "NAME", requires = "project")]
    pub subject: Option<String>,
    #[command(flatten)]
    pub judging: Judging,
    #[command(flatten)]
    pub reading: Reading,
    /// The answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `schema diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The older schema
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The newer schema
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Of JSON Schemas: `lenient` lets optional properties come and go in open content models
    #[arg(long, value_name = "strict|lenient", default_value = "strict", value_parser = policy)]
    pub policy: Policy,
    #[command(flatten)]
    pub reading: Reading,
    /// The changes as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `schema validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The schema
    #[arg(value_name = "SCHEMA")]
    pub schema: PathBuf,
    /// The data; `-` is standard input
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    #[command(flatten)]
    pub reading: Reading,
}

/// Options of `schema sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The schema
    #[arg(value_name = "SCHEMA")]
    pub schema: PathBuf,
    /// How many events
    #[arg(short = 'n', long = "count", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Another seed, other events
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// The payloads' bytes in hexadecimal instead of JSON
    #[arg(long)]
    pub hex: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// Options of `schema explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The schema, or the older of two
    #[arg(value_name = "SCHEMA")]
    pub schema: PathBuf,
    /// The newer one
    #[arg(value_name = "NEW")]
    pub new: Option<PathBuf>,
    #[command(flatten)]
    pub judging: Judging,
    #[command(flatten)]
    pub reading: Reading,
}

fn schema_type(text: &str) -> Result<&'static str, String> {
    match text.to_ascii_lowercase().as_str() {
        "avro" => Ok("AVRO"),
        "json" => Ok("JSON"),
        "protobuf" => Ok("PROTOBUF"),
        _ => Err("expected avro, json or protobuf".to_owned()),
    }
}

/// A level in any spelling: `full-transitive`, `FULL_TRANSITIVE`, Glue's `FULL_ALL`.
fn mode(text: &str) -> Result<Compatibility, String> {
    let word = text.to_ascii_uppercase().replace('-', "_");
    let word = word.strip_suffix("_ALL").map_or(word.clone(), |stem| format!("{stem}_TRANSITIVE"));
    word.parse()
}

fn policy(text: &str) -> Result<Policy, String> {
    text.parse()
}
