//! The producing client lets go of everything at once: its process has crashed, or its transaction is aborted.

use super::accumulator::ProducerClient;
use super::batches::Partition;
use crate::event::{EventMeta, RecordBatch};
use crate::machines::broker::batch;
use crate::units::SimTime;

impl ProducerClient {
    /// Forgets every event that is not acknowledged, and gives them back, each with whether it had been sent: then
    /// nobody here will know what became of it. The client goes on as another `producer`, whose batches brokers
    /// do not take for old ones.
    pub fn abandon(&mut self, now: SimTime, producer: u64) -> Vec<(EventMeta, bool)> {
        let mut events = Vec::new();
        let mut add = |batch: &RecordBatch, sent| events.extend(batch::events(batch).into_iter().map(|event| (event, sent)));
        for lane in &mut self.lanes {
            lane.ready.clear();
            for (_, batch) in lane.in_flight.drain(..).flat_map(|request| request.batches) {
                add(&batch.batch, true);
            }
        }
        let compression = self.packing.compression;
        for partition in &mut self.partitions {
            partition.seal(now, &mut self.packing);
            for batch in partition.queue.drain(..) {
                add(&batch.batch, batch.attempts > 0);
            }
            *partition = Partition::new((partition.topic, partition.place), partition.partition, partition.lane, compression);
        }
        events.extend(self.blocked.drain(..).map(|waiting| (waiting.meta, false)));
        self.lingering.clear();
        self.reserved_bytes = 0;
        self.unsent_batches = 0;
        self.next_expiry = SimTime::MAX;
        self.counts.buffered = 0;
        if self.cfg.producer != producer {
            self.fatal = None;
        }
        self.cfg.producer = producer;
        events
    }
}
