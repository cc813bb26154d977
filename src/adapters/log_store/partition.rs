//! One partition's folder: segment files, written at the end, cut, thinned out, and put in order when they are opened.
//!
//! In: changes of a log. Out: files named as Kafka names them (`00000000000000001045.log`), and what they hold. Batches
//! wait in memory until there is enough to write, so that any number of partitions needs no open files; what a killed
//! process has not written yet is the end of the log. Must not know: topics, runs. Start at [`PartitionDir::open`].

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::scan::{Damage, scan};
use super::{at, swap};
use crate::event::{RecordBatch, StoredBatch};
use crate::machines::broker::stored::{encode, filler};
use crate::run::StoreError;

/// A partition's folder.
#[derive(Debug)]
pub struct PartitionDir {
    pub(super) path: PathBuf,
    pub(super) segment_bytes: u64,
    pub(super) segments: VecDeque<Segment>,
    next_offset: u64,
    /// Of the last segment: appended and not written.
    pending: Vec<u8>,
    /// The last segment's file has bytes that no sync has covered.
    unsynced: bool,
}

/// One file, and where its batches are.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub base_offset: u64,
    /// Size, with what is pending.
    pub bytes: u64,
    /// Offset and position of every batch.
    pub index: Vec<(u64, u64)>,
}

impl Segment {
    pub fn empty(base_offset: u64) -> Self {
        Self { base_offset, bytes: 0, index: Vec::new() }
    }
    /// An empty one has room for any batch.
    pub fn has_room(&self, batch: &RecordBatch, segment_bytes: u64) -> bool {
        self.bytes == 0 || self.bytes + batch.bytes.len() as u64 <= segment_bytes
    }
    /// Takes a batch at its end, which is the end of `bytes` too.
    pub fn take(&mut self, base_offset: u64, batch: &RecordBatch, bytes: &mut Vec<u8>) {
        self.index.push((base_offset, self.bytes));
        self.bytes += batch.bytes.len() as u64;
        encode(base_offset, batch, bytes);
    }
}

/// What was damaged in a folder that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The file.
    pub file: PathBuf,
    /// What was wrong with it.
    pub damage: Damage,
}

impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.display();
        match self.damage {
            Damage::Torn { position, bytes } => {
                write!(f, "{file}: the last {bytes} bytes, from {position} on, are no whole batch: cut off")
            }
            Damage::Hole { position, bytes, from, to } => {
                write!(f, "{file}: {bytes} bytes at {position} are damaged: offsets {from} to {} cannot be read", to.saturating_sub(1))
            }
            Damage::Offset { position, said, is } => {
                write!(f, "{file}: the batch at {position} said offset {said} and is at {is}: put right")
            }
        }
    }
}

/// Whether damage may be mended in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Somebody only looks.
    Read,
    /// A run goes on writing.
    Write,
}

impl PartitionDir {
    /// Opens a folder, or says what it would be when there is none. Calls `visit` for every whole batch in order.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(
        path: &Path,
        segment_bytes: u64,
        access: Access,
        mut visit: impl FnMut(StoredBatch),
    ) -> Result<(Self, Vec<Repair>), StoreError> {
        let mut dir =
            Self { path: path.to_owned(), segment_bytes, segments: VecDeque::new(), next_offset: 0, pending: Vec::new(), unsynced: false };
        let mut repairs = Vec::new();
        if access == Access::Write {
            swap::complete(path)?;
        }
        let names = segment_names(path)?;
        for (index, base_offset) in names.iter().enumerate() {
            let file = dir.file(*base_offset);
            let bytes = Bytes::from(fs::read(&file).map_err(|error| at(&file, error))?);
            let scanned = scan(&bytes, *base_offset);
            let end = names.get(index + 1).copied();
            let mut repair = |damage| repairs.push(Repair { file: file.clone(), damage });
            if index > 0 && dir.next_offset < *base_offset {
                repair(Damage::Hole { position: 0, bytes: 0, from: dir.next_offset, to: *base_offset });
            }
            for damage in scanned.damage {
                match (damage, end) {
                    // In the middle of a log nothing is cut: the bytes may be worth something to a person.
                    (Damage::Torn { position, bytes }, Some(to)) => repair(Damage::Hole { position, bytes, from: scanned.next_offset, to }),
                    (Damage::Torn { position, .. }, None) => {
                        if access == Access::Write {
                            cut(&file, position)?;
                        }
                        repair(damage);
                    }
                    (Damage::Offset { position, is, .. }, _) => {
                        if access == Access::Write {
                            write_offset(&file, position, is)?;
                        }
                        repair(damage);
                    }
                    (damage, _) => repair(damage),
                }
            }
            let index: Vec<(u64, u64)> = scanned.found.iter().map(|found| (found.stored.base_offset, found.position)).collect();
            let bytes = if end.is_none() { scanned.whole_bytes } else { bytes.len() as u64 };
            dir.segments.push_back(Segment { base_offset: *base_offset, bytes, index });
            dir.next_offset = scanned.next_offset;
            scanned.found.into_iter().for_each(|found| visit(found.stored));
        }
        Ok((dir, repairs))
    }

    /// Offset of the next record.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.next_offset
    }
    /// First offset kept.
    #[must_use]
    pub fn first_offset(&self) -> u64 {
        self.segments.front().map_or(self.next_offset, |segment| segment.base_offset)
    }
    /// Size of its files, with what is to be written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
    /// How many files.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.segments.len()
    }
    /// Appended and not written.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Appends a batch; whether a segment was closed, and with it everything before made durable.
    ///
    /// # Errors
    /// What the file system says; a batch that belongs further back is a defect of ours.
    pub fn append(&mut self, base_offset: u64, batch: &RecordBatch) -> Result<bool, StoreError> {
        if base_offset < self.next_offset {
            let words = format!("a batch for offset {base_offset} came when {} was next: this is a bug in Eventyard", self.next_offset);
            return Err(StoreError { place: self.path.display().to_string(), words });
        }
        let mut rolled = false;
        if !self.segments.is_empty() {
            for (offset, filler) in fillers(self.next_offset, base_offset) {
                rolled |= self.put(offset, &filler)?;
            }
        }
        rolled |= self.put(base_offset, batch)?;
        Ok(rolled)
    }

    fn put(&mut self, base_offset: u64, batch: &RecordBatch) -> Result<bool, StoreError> {
        let full = self.segments.back().is_some_and(|active| !active.has_room(batch, self.segment_bytes));
        if full {
            self.sync()?;
        }
        if full || self.segments.is_empty() {
            self.segments.push_back(Segment::empty(base_offset));
        }
        let active = self.segments.back_mut().expect("one was made if there was none");
        active.take(base_offset, batch, &mut self.pending);
        self.next_offset = base_offset + u64::from(batch.offsets);
        Ok(full)
    }

    /// Writes what is pending.
    ///
    /// # Errors
    /// What the file system says.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let base_offset = self.segments.back().map_or(0, |active| active.base_offset);
        let file = self.file(base_offset);
        fs::create_dir_all(&self.path).map_err(|error| at(&self.path, error))?;
        let mut open = OpenOptions::new().create(true).append(true).open(&file).map_err(|error| at(&file, error))?;
        open.write_all(&self.pending).map_err(|error| at(&file, error))?;
        self.pending.clear();
        self.unsynced = true;
        Ok(())
    }

    /// Writes what is pending, and waits until the disk has it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        if self.unsynced
            && let Some(active) = self.segments.back()
        {
            let file = self.file(active.base_offset);
            File::open(&file).and_then(|open| open.sync_all()).map_err(|error| at(&file, error))?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Drops files of which nothing is at `log_start` or above; the last one stays, for its name says where the log goes on.
    ///
    /// # Errors
    /// What the file system says.
    pub fn start(&mut self, log_start: u64) -> Result<(), StoreError> {
        while self.segments.get(1).is_some_and(|next| next.base_offset <= log_start) {
            let gone = self.segments.pop_front().expect("there are two");
            remove(&self.file(gone.base_offset))?;
        }
        Ok(())
    }

    /// Cuts everything from the batch at `offset` on.
    ///
    /// # Errors
    /// What the file system says.
    pub fn truncate(&mut self, offset: u64) -> Result<(), StoreError> {
        if offset >= self.next_offset {
            return Ok(());
        }
        self.flush()?;
        // From the end on, so that a kill in between leaves no gap.
        while let Some(last) = self.segments.pop_back() {
            let file = self.file(last.base_offset);
            let keep = last.index.partition_point(|(base_offset, _)| *base_offset < offset);
            if keep == 0 && !self.segments.is_empty() {
                remove(&file)?;
                continue;
            }
            let bytes = last.index.get(keep).map_or(last.bytes, |(_, position)| *position);
            cut(&file, bytes)?;
            let base_offset = if keep == 0 { self.renamed(last.base_offset, offset)? } else { last.base_offset };
            self.segments.push_back(Segment { base_offset, bytes, index: last.index[..keep].to_vec() });
            break;
        }
        self.next_offset = offset;
        self.unsynced = true;
        Ok(())
    }

    /// An empty file takes the name of the offset at which it goes on.
    fn renamed(&self, from: u64, to: u64) -> Result<u64, StoreError> {
        let (old, new) = (self.file(from), self.file(to));
        if old != new {
            fs::rename(&old, &new).map_err(|error| at(&old, error))?;
        }
        Ok(to)
    }

    /// Puts what compaction has left in the place of `from` up to `to`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn replace(&mut self, from: u64, to: u64, kept: &[StoredBatch]) -> Result<(), StoreError> {
        self.flush()?;
        let first = self.segments.partition_point(|segment| segment.base_offset <= from).saturating_sub(1);
        let behind = self.segments.partition_point(|segment| segment.base_offset < to);
        if first >= behind {
            return Ok(());
        }
        let mut batches = Vec::new();
        for segment in self.segments.range(first..behind) {
            let file = self.file(segment.base_offset);
            let bytes = Bytes::from(fs::read(&file).map_err(|error| at(&file, error))?);
            batches.extend(scan(&bytes, segment.base_offset).found.into_iter().map(|found| found.stored));
        }
        let stays_before = batches.partition_point(|stored| stored.next_offset() <= from);
        let stays_behind = batches.partition_point(|stored| stored.base_offset < to);
        let begin = self.segments[first].base_offset;
        let end = batches.last().map_or(begin, StoredBatch::next_offset);
        let mut all: Vec<StoredBatch> = batches[..stays_before].to_vec();
        all.extend(kept.iter().cloned());
        all.extend_from_slice(&batches[stays_behind..]);
        let made = swap::exchange(self, first..behind, begin..end, &all)?;
        self.segments.drain(first..behind);
        for (index, segment) in made.into_iter().enumerate() {
            self.segments.insert(first + index, segment);
        }
        Ok(())
    }

    pub(super) fn file(&self, base_offset: u64) -> PathBuf {
        self.path.join(file_name(base_offset))
    }
}

/// `00000000000000001045.log`.
pub(super) fn file_name(base_offset: u64) -> String {
    format!("{base_offset:020}.log")
}

/// Batches without records that take the offsets of a range.
pub(super) fn fillers(from: u64, to: u64) -> impl Iterator<Item = (u64, RecordBatch)> {
    const MOST: u64 = i32::MAX as u64;
    let count = to.saturating_sub(from).div_ceil(MOST);
    (0..count).map(move |number| {
        let offset = from + number * MOST;
        (offset, filler((to - offset).min(MOST) as u32))
    })
}

/// Base offsets of a folder's segment files, in order; none when there is no folder.
pub(super) fn segment_names(path: &Path) -> Result<Vec<u64>, StoreError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(path, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| at(path, error))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".log")).filter(|digits| digits.len() == 20);
        names.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    names.sort_unstable();
    Ok(names)
}

fn cut(file: &Path, bytes: u64) -> Result<(), StoreError> {
    OpenOptions::new().write(true).open(file).and_then(|open| open.set_len(bytes)).map_err(|error| at(file, error))
}

/// Puts the offset in a batch's header right.
fn write_offset(file: &Path, position: u64, offset: u64) -> Result<(), StoreError> {
    let write = || {
        let mut open = OpenOptions::new().write(true).open(file)?;
        open.seek(SeekFrom::Start(position))?;
        open.write_all(&offset.to_be_bytes())
    };
    write().map_err(|error: std::io::Error| at(file, error))
}

pub(super) fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(file, error)),
        _ => Ok(()),
    }
}
