//! Exchanging segment files for thinner ones so that a kill at any instant leaves either the old or the new ones.
//!
//! New files are written whole beside the old ones (`.cleaned`), made durable, and named in `swap.json`; from the moment
//! that this file stands, the exchange will be completed, now or when the folder is opened next.
//! Source of the idea: Kafka's LogCleaner with its `.cleaned` and `.swap` files. Start at [`exchange`].

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::at;
use super::partition::{PartitionDir, Segment, file_name, fillers, remove};
use crate::event::{RecordBatch, StoredBatch};
use crate::run::StoreError;

const LIST: &str = "swap.json";
const CLEANED: &str = "cleaned";

#[derive(Debug, Serialize, Deserialize)]
struct Swap {
    old: Vec<String>,
    new: Vec<String>,
}

/// Writes `batches`, with what is missing of the `offsets` filled, in the place of some segments.
///
/// # Errors
/// What the file system says.
pub(super) fn exchange(
    dir: &PartitionDir,
    segments: Range<usize>,
    offsets: Range<u64>,
    batches: &[StoredBatch],
) -> Result<Vec<Segment>, StoreError> {
    let made = laid_out(dir.segment_bytes, offsets, batches);
    let old = dir.segments.range(segments).map(|segment| file_name(segment.base_offset)).collect();
    let new = made.iter().map(|(segment, _)| file_name(segment.base_offset)).collect();
    for (segment, bytes) in &made {
        write_durably(&dir.file(segment.base_offset).with_extension(CLEANED), bytes)?;
    }
    let list = serde_json::to_vec(&Swap { old, new }).expect("names are text");
    let (draft, file) = (dir.path.join("swap.draft"), dir.path.join(LIST));
    write_durably(&draft, &list)?;
    fs::rename(&draft, &file).map_err(|error| at(&file, error))?;
    complete(&dir.path)?;
    Ok(made.into_iter().map(|(segment, _)| segment).collect())
}

/// Completes an exchange that was begun, or clears away what was not.
///
/// # Errors
/// What the file system says.
pub(super) fn complete(path: &Path) -> Result<(), StoreError> {
    let list = path.join(LIST);
    match fs::read(&list) {
        Ok(bytes) => {
            let swap: Swap = serde_json::from_slice(&bytes).map_err(|error| StoreError {
                place: list.display().to_string(),
                words: format!("{error}: the list of an exchange of files is damaged"),
            })?;
            for name in &swap.new {
                let (cleaned, file) = (path.join(name).with_extension(CLEANED), path.join(name));
                if cleaned.exists() {
                    fs::rename(&cleaned, &file).map_err(|error| at(&file, error))?;
                }
            }
            for name in swap.old.iter().filter(|name| !swap.new.contains(name)) {
                remove(&path.join(name))?;
            }
            remove(&list)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => clear_away(path),
        Err(error) => Err(at(&list, error)),
    }
}

/// Files that were being written when the process was killed.
fn clear_away(path: &Path) -> Result<(), StoreError> {
    let Ok(entries) = fs::read_dir(path) else { return Ok(()) };
    for file in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if file.extension().is_some_and(|extension| extension == CLEANED || extension == "draft") {
            remove(&file)?;
        }
    }
    Ok(())
}

/// The batches as segments with their bytes.
fn laid_out(segment_bytes: u64, offsets: Range<u64>, batches: &[StoredBatch]) -> Vec<(Segment, Vec<u8>)> {
    let mut made: Vec<(Segment, Vec<u8>)> = Vec::new();
    let mut put = |base_offset: u64, batch: &RecordBatch| {
        if made.last().is_none_or(|(segment, _)| !segment.has_room(batch, segment_bytes)) {
            made.push((Segment::empty(base_offset), Vec::new()));
        }
        let (segment, bytes) = made.last_mut().expect("one was made if there was none");
        segment.take(base_offset, batch, bytes);
    };
    let mut next = offsets.start;
    for stored in batches {
        fillers(next, stored.base_offset).for_each(|(offset, filler)| put(offset, &filler));
        put(stored.base_offset, &stored.batch);
        next = stored.next_offset();
    }
    fillers(next, offsets.end).for_each(|(offset, filler)| put(offset, &filler));
    made
}

fn write_durably(file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || {
        let mut open = File::create(file)?;
        open.write_all(bytes)?;
        open.sync_all()
    };
    write().map_err(|error: std::io::Error| at(file, error))
}
