//! `eventyard log`: what a data folder holds, as a table or record by record.

use std::fmt::Write;

use super::args::LogArgs;
use super::exit::{End, Stop, print};
use crate::adapters::log_store::look::{self, LogSeen, RecordSeen, What};
use crate::export::support::text;

/// Lists a folder's logs, or records of some of them.
///
/// # Errors
/// A folder or log that is not there, or cannot be read.
pub fn log(args: &LogArgs) -> Result<End, Stop> {
    let failed = |error: crate::run::StoreError| Stop::usage(error.to_string());
    let Some(wanted) = &args.log else {
        let logs = look::logs(&args.dir).map_err(failed)?;
        print(&if args.json { lines(&logs) } else { table(&logs) })?;
        let is_whole = logs.iter().all(|log| log.damage.is_empty());
        return Ok(if is_whole { End::Fine } else { End::Findings });
    };
    let records = look::records_of(&args.dir, wanted, args.from, args.most).map_err(failed)?;
    print(&if args.json { lines(&records) } else { records.iter().map(record).collect() })?;
    Ok(End::Fine)
}

/// One JSON object a line.
fn lines<T: serde::Serialize>(rows: &[T]) -> String {
    rows.iter().map(|row| serde_json::to_string(row).expect("names and numbers are JSON") + "\n").collect()
}

fn table(logs: &[LogSeen]) -> String {
    let width = logs.iter().map(|log| log.log.chars().count()).max().unwrap_or(0).max(3);
    let mut out = format!("{:width$} {:>12} {:>12} {:>12} {:>12} {:>9}\n", "log", "start", "end", "records", "size", "segments");
    for log in logs {
        let (start, end, records) = (text::count(log.log_start), text::count(log.log_end), text::count(log.records));
        let size = text::bytes(log.bytes as f64);
        let _ = writeln!(out, "{:width$} {start:>12} {end:>12} {records:>12} {size:>12} {:>9}", log.log, log.segments);
    }
    for damage in logs.iter().flat_map(|log| &log.damage) {
        let _ = writeln!(out, "damaged: {damage}");
    }
    out
}

fn record(seen: &RecordSeen) -> String {
    let run = seen.run.map_or_else(String::new, |run| format!(" run {run}"));
    let place = format!("{}@{}  {:.3} s{run}", seen.log, seen.offset, seen.time_s);
    match &seen.what {
        What::Event { event, event_type, key, value, transaction, .. } => {
            let key = key.as_deref().map_or_else(String::new, |key| format!("  key {key}"));
            let transaction = transaction.map_or_else(String::new, |id| format!("  transaction of {id}"));
            let value = if value.is_null() { "deleted".to_owned() } else { value.to_string() };
            format!("{place}  {event_type} {event}{key}{transaction}  {value}\n")
        }
        What::Marker { commit, producer } => {
            let of = producer.map_or_else(String::new, |id| format!(" of {id}"));
            format!("{place}  {}{of}\n", if *commit { "commit" } else { "abort" })
        }
    }
}
