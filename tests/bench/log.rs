//! The broker's log and its groups alone: `cargo bench --bench log`.
//!
//! 200-byte records in batches of 100 and 1,000: appended to a log in memory (checksum checked, as a broker does) and made
//! and appended, against this machine's memcpy in the same run; read back with their checksums. An append reads every byte
//! once, for the checksum, and copies none: the log holds the producer's bytes. So both are measured in both ways, from
//! memory (distinct batches, more than the caches hold) and from the caches (one batch, or one block, again and again).
//! Then what a rebalance of 1,000 members over 10,000 partitions costs under both group protocols. All by this thread's CPU time, but for the disk,
//! which is waited for. Figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time and writes files")]

#[path = "cpu.rs"]
mod cpu;

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use cpu::cpu_s;
use eventyard::adapters::log_store::PENDING_BYTES_MAX;
use eventyard::adapters::log_store::partition::{Access, PartitionDir};
use eventyard::event::{
    Assignor, CallId, EventId, EventMeta, GroupCall, GroupResult, MemberDetails, MemberEpoch, MemberHeartbeat, RecordBatch, RemoteAssignor,
    Subscription,
};
use eventyard::machines::broker::batch::{BatchBuilder, check, records, validated};
use eventyard::machines::broker::client::{Subscriber, assign};
use eventyard::machines::broker::group::{Group, GroupConfig};
use eventyard::machines::broker::log::{LogConfig, PartitionLog, ReadLimit};
use eventyard::units::{ComponentIx, SimDuration, SimTime, TopicIx};

const RECORD_BYTES: usize = 200;
/// Bytes that each measurement moves.
const VOLUME_BYTES: usize = 1 << 30;
/// Distinct batches that a measurement goes through: more than any cache holds, as a broker's own traffic.
const DISTINCT_BYTES: usize = 256 << 20;
/// A block that is copied within the caches.
const CACHED_BYTES: usize = 256 << 10;
const MEMBERS: usize = 1_000;
const PARTITIONS: u32 = 10_000;

fn main() {
    let (copied, copied_cached) = (best(|| memcpy_gb_s(DISTINCT_BYTES / 2)), best(|| memcpy_gb_s(CACHED_BYTES)));
    println!("memcpy: {copied:.1} GB/s from memory to memory, {copied_cached:.1} GB/s within the caches");
    for count in [100, 1_000] {
        let batches = distinct(count);
        let size = batches[0].bytes.len();
        let rounds = VOLUME_BYTES / size;
        let appended = best(|| gb_s(rounds * size, || append(rounds, |round| batches[round % batches.len()].clone())));
        let cached = best(|| gb_s(rounds * size, || append(rounds, |_| batches[0].clone())));
        let made = best(|| gb_s(rounds / 4 * size, || append(rounds / 4, |round| batch(count, round as u64))));
        println!(
            "append, {count} records a batch: {appended:.1} GB/s, {:.2} × memcpy (wanted: at least 0.35); from the caches {cached:.1} GB/s, {:.2} × memcpy there; with the records' making {made:.1} GB/s, {:.2} ×",
            appended / copied,
            cached / copied_cached,
            made / copied
        );
        let read = best(|| read_per_s(&batches));
        println!("read, {count} records a batch: {:.1} million records/s with checksums (wanted: at least 25)", read / 1e6);
        let (raw, kept) = (best(|| write_raw(&batches)), best(|| write_kept(&batches)));
        println!(
            "disk append, {count} records a batch: {kept:.2} GB/s with checksums and one sync, {:.2} × raw sequential write of {raw:.2} (wanted: at least 0.6)",
            kept / raw
        );
    }
    println!("a whole rebalance, joins and syncs: {}", whole_rebalance());
    for assignor in RemoteAssignor::ALL {
        println!("a whole rebalance under the consumer protocol, {}: {}", assignor.name(), modern_rebalance(assignor));
    }
    for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky] {
        println!("{}: {}", assignor.name(), rebalance(assignor));
    }
}

fn best(mut measure: impl FnMut() -> f64) -> f64 {
    (0..5).map(|_| measure()).fold(0.0, f64::max)
}

fn gb_s(bytes: usize, work: impl FnOnce()) -> f64 {
    let began = cpu_s();
    work();
    bytes as f64 / (cpu_s() - began) / 1e9
}

/// The same where a disk is waited for.
fn disk_gb_s(bytes: usize, work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    bytes as f64 / began.elapsed().as_secs_f64() / 1e9
}

/// So many bytes from one place to another, in blocks of 256 KiB at most.
fn memcpy_gb_s(bytes: usize) -> f64 {
    let from = vec![1u8; bytes];
    let mut to = vec![0u8; bytes];
    gb_s(VOLUME_BYTES, || {
        for round in 0..VOLUME_BYTES / CACHED_BYTES {
            let at = round * CACHED_BYTES % from.len();
            to[at..at + CACHED_BYTES].copy_from_slice(&from[at..at + CACHED_BYTES]);
            black_box(&mut to);
        }
    })
}

fn batch(count: u64, number: u64) -> RecordBatch {
    let mut builder = BatchBuilder::with_capacity(count as usize * (RECORD_BYTES + 60));
    let value = [number as u8; RECORD_BYTES];
    for seq in number * count..(number + 1) * count {
        let meta = EventMeta { id: EventId { producer: ComponentIx(1), seq }, ..EventMeta::default() };
        builder.push(&meta, None, &value, 0, false);
    }
    builder.finish()
}

fn distinct(count: u64) -> Vec<RecordBatch> {
    let size = batch(count, 0).bytes.len();
    (0..(DISTINCT_BYTES / size) as u64).map(|number| batch(count, number)).collect()
}

fn log() -> PartitionLog {
    PartitionLog::new(LogConfig {
        segment_bytes: 16 << 20,
        segment_time: SimDuration::from_secs(3_600),
        retention_time: None,
        retention_bytes: Some(64 << 20),
        deletes: true,
        compaction: None,
    })
}

fn append(rounds: usize, make: impl Fn(usize) -> RecordBatch) {
    let mut log = log();
    for round in 0..rounds {
        let batch = make(round);
        validated(&batch).expect("it is whole");
        let (_, rolled) = log.append(SimTime::ZERO, batch);
        if rolled {
            log.retain(SimTime::ZERO, log.next_offset());
        }
    }
    black_box(log.next_offset());
}

fn read_per_s(batches: &[RecordBatch]) -> f64 {
    let mut log = log();
    for batch in batches {
        log.append(SimTime::ZERO, batch.clone());
    }
    let (mut at, mut seen, mut found) = (log.log_start(), 0u64, Vec::new());
    let began = cpu_s();
    while at < log.next_offset() {
        found.clear();
        log.read(at, ReadLimit { below: u64::MAX, max_bytes: 1 << 20, at_least_one: true }, &mut found);
        for stored in &found {
            check(&stored.batch).expect("it is whole");
            seen += records(&stored.batch).map(|record| u64::from(black_box(record.value.len()) > 0)).sum::<u64>();
            at = stored.next_offset();
        }
    }
    seen as f64 / (cpu_s() - began)
}

/// The same bytes to one file, in blocks of 256 KiB, with one sync at the end.
fn write_raw(batches: &[RecordBatch]) -> f64 {
    const BLOCK: usize = 256 << 10;
    let folder = tempfile::tempdir().expect("there is room");
    let block = vec![7u8; BLOCK];
    let size: usize = batches.iter().map(|batch| batch.bytes.len()).sum();
    disk_gb_s(size, || {
        let mut file = File::create(folder.path().join("raw")).expect("there is room");
        for at in (0..size).step_by(BLOCK) {
            file.write_all(&block[..BLOCK.min(size - at)]).expect("there is room");
        }
        file.sync_all().expect("the disk takes it");
    })
}

/// Batches into a partition's folder as a run keeps them, each checked, with one sync at the end.
fn write_kept(batches: &[RecordBatch]) -> f64 {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("orders-0");
    let size: usize = batches.iter().map(|batch| batch.bytes.len()).sum();
    disk_gb_s(size, || {
        // One file, as the raw write has one.
        let (mut dir, _) = PartitionDir::open(&path, u64::MAX, Access::Write, |_| {}).expect("the folder is new");
        for batch in batches {
            check(batch).expect("it is whole");
            dir.append(dir.next_offset(), batch).expect("there is room");
            if dir.pending_bytes() > PENDING_BYTES_MAX {
                dir.flush().expect("there is room");
            }
        }
        dir.sync().expect("the disk takes it");
    })
}

fn group() -> Group<usize> {
    let cfg = GroupConfig { initial_rebalance_delay: SimDuration::ZERO, ..GroupConfig::default() };
    Group::new(cfg, Arc::from([(TopicIx(0), PARTITIONS)]))
}

/// A member joins a group of 999: partitions are dealt out, and heartbeats go round until everybody has its share.
fn modern_rebalance(assignor: RemoteAssignor) -> String {
    let mut group = group();
    let ids: Vec<Arc<str>> = (0..MEMBERS).map(|number| Arc::from(format!("member-{number:04}"))).collect();
    let mut members: Vec<Modern> = vec![Modern::default(); MEMBERS];
    beat_until_rest(&mut group, &ids[1..], &mut members[1..], assignor);
    let took = (0..5).map(|_| {
        let (mut group, mut members) = (group.clone(), members.clone());
        let began = cpu_s();
        let rounds = beat_until_rest(&mut group, &ids, &mut members, assignor);
        let took = (cpu_s() - began) * 1e3;
        assert_eq!(members.iter().map(|member| member.owned.len()).sum::<usize>(), PARTITIONS as usize);
        (took, rounds)
    });
    let (took, rounds) = took.fold((f64::INFINITY, 0), |best, one| if one.0 < best.0 { one } else { best });
    format!("{took:.1} ms of {MEMBERS} members over {PARTITIONS} partitions, {rounds} rounds of heartbeats (wanted: at most 50)")
}

/// A member of the consumer protocol, as far as a coordinator sees it.
#[derive(Clone, Default)]
struct Modern {
    epoch: Option<u32>,
    owned: Arc<[(TopicIx, u32)]>,
    says_owned: bool,
}

/// Everybody beats, again and again, until nobody is told anything new; how often.
fn beat_until_rest(group: &mut Group<usize>, ids: &[Arc<str>], members: &mut [Modern], assignor: RemoteAssignor) -> u32 {
    let topics: Arc<[TopicIx]> = Arc::from([TopicIx(0)]);
    let mut out = Vec::new();
    for round in 1.. {
        let mut is_at_rest = true;
        for (id, member) in ids.iter().zip(&mut *members) {
            let joins = member.epoch.is_none();
            let details =
                || MemberDetails { topics: Arc::clone(&topics), rebalance_timeout: SimDuration::from_secs(60), assignor: Some(assignor) };
            let beat = MemberHeartbeat {
                epoch: member.epoch.map_or(MemberEpoch::Joining, MemberEpoch::At),
                instance: None,
                details: joins.then(details),
                owned: (joins || std::mem::take(&mut member.says_owned)).then(|| Arc::clone(&member.owned)),
            };
            group.handle(SimTime::ZERO, (0, CallId(0)), id, GroupCall::MemberHeartbeat(Box::new(beat)), &mut out);
            for (_, reply) in out.drain(..) {
                let Ok(GroupResult::Heard { epoch, assignment, .. }) = reply.result else { continue };
                is_at_rest &= member.epoch == Some(epoch) && assignment.is_none();
                member.epoch = Some(epoch);
                if let Some(assignment) = assignment {
                    (member.owned, member.says_owned) = (assignment, true);
                }
            }
        }
        if is_at_rest {
            return round;
        }
    }
    0
}

/// A member joins a stable group of 999: everybody joins again, the leader deals out, everybody is told.
fn whole_rebalance() -> String {
    let topics = [(TopicIx(0), PARTITIONS)];
    let minute = SimDuration::from_secs(60);
    let mut group = group();
    let mut ids: Vec<Arc<str>> = vec![Arc::from(""); MEMBERS];
    let mut owned: Vec<Arc<[(TopicIx, u32)]>> = vec![Arc::from([]); MEMBERS];
    let mut took = f64::INFINITY;
    // The first two rounds bring everybody in.
    for round in 0..5 {
        let began = cpu_s();
        let mut out = Vec::new();
        // Whoever comes first makes the others come: the leader, or a newcomer.
        let order: Vec<usize> = match round {
            0 => vec![0],
            1 => (1..MEMBERS).chain([0]).collect(),
            _ => (0..MEMBERS).collect(),
        };
        for number in order {
            let assignors = Arc::from([Assignor::CooperativeSticky]);
            let subscription =
                Subscription { topics: Arc::from([TopicIx(0)]), assignors, owned: owned[number].clone(), ..Subscription::default() };
            let call = GroupCall::Join { client_id: Arc::from("reader"), subscription, session_timeout: minute, rebalance_timeout: minute };
            group.handle(SimTime::ZERO, (number, CallId(0)), &ids[number], call, &mut out);
        }
        let mut syncs = Vec::new();
        for (number, reply) in out.drain(..) {
            let Ok(GroupResult::Joined { member, generation, members, .. }) = reply.result else { continue };
            ids[number] = member;
            let assignments = if members.is_empty() { Vec::new() } else { assign(Assignor::CooperativeSticky, &members, &topics) };
            syncs.push((number, generation, assignments));
        }
        for (number, generation, assignments) in syncs {
            group.handle(SimTime::ZERO, (number, CallId(0)), &ids[number], GroupCall::Sync { generation, assignments }, &mut out);
        }
        let mut told = 0;
        for (number, reply) in out {
            if let Ok(GroupResult::Synced { partitions }) = reply.result {
                told += 1;
                owned[number] = Arc::from(partitions);
            }
        }
        if told == MEMBERS {
            took = took.min((cpu_s() - began) * 1e3);
        }
    }
    format!("{took:.1} ms of {MEMBERS} members over {PARTITIONS} partitions (wanted: at most 50)")
}

/// A member joins a group of 999 that owns 10,000 partitions of one topic.
fn rebalance(assignor: Assignor) -> String {
    let topics = [(TopicIx(0), PARTITIONS)];
    let subscriber = |number: usize, owned: &[(TopicIx, u32)]| -> Subscriber {
        let generation = (!owned.is_empty()).then_some(1);
        let subscription = Subscription { topics: Arc::from([TopicIx(0)]), owned: Arc::from(owned), generation, ..Subscription::default() };
        (Arc::from(format!("member-{number:04}")), subscription)
    };
    let first: Vec<Subscriber> = (1..MEMBERS).map(|number| subscriber(number, &[])).collect();
    let owned = assign(assignor, &first, &topics);
    let mut members: Vec<Subscriber> = (1..MEMBERS).zip(&owned).map(|(number, (_, owned))| subscriber(number, owned)).collect();
    members.push(subscriber(0, &[]));
    let took = (0..3).map(|_| {
        let began = cpu_s();
        black_box(assign(assignor, &members, &topics));
        (cpu_s() - began) * 1e3
    });
    format!("{:.1} ms for the {MEMBERS}th member over {PARTITIONS} partitions (wanted: at most 50)", took.fold(f64::INFINITY, f64::min))
}
