//! The work of `pipeline.ron` as one loop: no components, no calendar, no network, no protocol.
//!
//! Per message: an arrival, a key and its partition, an Avro payload generated and validated, a place in a batch; per batch a
//! checksum written, checked and checked again, an append; then each record is read, unframed, validated, its service
//! drawn, its latency recorded, and its submission and obligation written down as bits.

use std::hint::black_box;

use eventyard::event::{EventId, EventMeta};
use eventyard::machines::broker::batch::{BatchBuilder, check, records, validated};
use eventyard::machines::broker::client::positive_hash;
use eventyard::machines::broker::log::{LogConfig, PartitionLog, ReadLimit};
use eventyard::machines::codec::{Schema, SchemaLibrary, digits, frame, unframe};
use eventyard::model::Project;
use eventyard::random::{Distribution, Stream};
use eventyard::units::{ComponentIx, SimDuration, SimTime};
use hdrhistogram::Histogram;

const MESSAGES: u64 = 1_000_000;
const PARTITIONS: u32 = 12;
const BATCH_BYTES: u64 = 16 << 10;
const LINGER: SimDuration = SimDuration::from_ms(5);
const SCHEMA_ID: u32 = 1;

/// Messages a second of this thread's CPU time.
pub fn per_s(project: &Project) -> f64 {
    let schema = SchemaLibrary::default().compile("AVRO", &project.schemas["measured"].text).expect("the bench's schema is sound");
    let began = super::cpu_s();
    let mut loop_ = Loop::new();
    loop_.run(&schema);
    black_box(&loop_.latencies);
    MESSAGES as f64 / (super::cpu_s() - began)
}

struct Loop {
    rng: Stream,
    service: Distribution,
    logs: Vec<PartitionLog>,
    /// Where the readers are.
    positions: Vec<u64>,
    latencies: Histogram<u64>,
    accepted: Vec<u64>,
    delivered: Vec<u64>,
}

impl Loop {
    fn new() -> Self {
        let cfg = LogConfig {
            segment_bytes: 1 << 20,
            segment_time: SimDuration::from_secs(3_600),
            retention_time: None,
            retention_bytes: Some(5_461 << 10),
            deletes: true,
            compaction: None,
        };
        let bits = vec![0; MESSAGES as usize / 64 + 1];
        Self {
            rng: Stream::new(1, "by-hand", "all"),
            service: "exp(20us)".parse().expect("it is a distribution"),
            logs: (0..PARTITIONS).map(|_| PartitionLog::new(cfg)).collect(),
            positions: vec![0; PARTITIONS as usize],
            latencies: Histogram::new(3).expect("three digits are few enough"),
            accepted: bits.clone(),
            delivered: bits,
        }
    }

    fn run(&mut self, schema: &Schema) {
        let gaps: Distribution = "exp(4.1667us)".parse().expect("it is a distribution");
        let mut builders: Vec<BatchBuilder> = (0..PARTITIONS).map(|_| BatchBuilder::with_capacity(BATCH_BYTES as usize)).collect();
        let (mut now, mut flush_at) = (SimTime::ZERO, SimTime::ZERO + LINGER);
        let (mut payload, mut key) = (Vec::new(), Vec::new());
        for seq in 0..MESSAGES {
            now += gaps.sample(&mut self.rng);
            key.clear();
            key.extend_from_slice(b"key-");
            digits(self.rng.below(100_000), &mut key);
            payload.clear();
            frame(SCHEMA_ID, &mut payload);
            schema.generate(&mut self.rng, now, &mut payload);
            schema.validate(&payload[5..]).expect("what a schema generates is valid");
            let partition = (positive_hash(&key) % PARTITIONS) as usize;
            let meta = EventMeta { id: EventId { producer: ComponentIx(0), seq }, born: now, root_born: now, ..EventMeta::default() };
            builders[partition].push(&meta, Some(&key), &payload, 200, false);
            if builders[partition].wire_bytes() >= BATCH_BYTES {
                self.deliver(now, partition, &mut builders[partition], schema);
            }
            if now >= flush_at {
                flush_at = now + LINGER;
                for (partition, builder) in builders.iter_mut().enumerate().filter(|(_, builder)| !builder.is_empty()) {
                    self.deliver(now, partition, builder, schema);
                }
            }
        }
    }

    fn deliver(&mut self, now: SimTime, partition: usize, builder: &mut BatchBuilder, schema: &Schema) {
        let batch = builder.finish();
        let readable = validated(&batch).expect("it was just made");
        for record in records(&readable) {
            set(&mut self.accepted, record.meta.id.seq);
        }
        let log = &mut self.logs[partition];
        let (_, rolled) = log.append(now, batch.clone());
        if rolled {
            log.retain(now, log.next_offset());
        }
        let mut found = Vec::new();
        log.read(self.positions[partition], ReadLimit { below: log.next_offset(), max_bytes: 1 << 20, at_least_one: true }, &mut found);
        let mut at = now;
        for stored in &found {
            check(&stored.batch).expect("it is whole");
            for record in records(&stored.batch) {
                let (_, body) = unframe(record.value).expect("it is framed");
                schema.validate(body).expect("it is valid");
                at += self.service.sample(&mut self.rng);
                self.latencies.record(at.since(record.meta.born).as_ns() / 1_000).expect("it is within range");
                set(&mut self.delivered, record.meta.id.seq);
            }
            self.positions[partition] = stored.next_offset();
        }
    }
}

fn set(bits: &mut [u64], seq: u64) {
    bits[seq as usize / 64] |= 1 << (seq % 64);
}
