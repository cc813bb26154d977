//! How long nodes and the network between them take: the cluster's cost model.

use crate::components::Params;
use crate::event::Message;
use crate::random::{Distribution, Stream};
use crate::units::{SimDuration, UnitError};

/// The parameters of time, and the stream that they draw from.
#[derive(Clone, Debug)]
pub(super) struct Costs {
    request_time: Distribution,
    kib_time: SimDuration,
    replication_latency: Distribution,
    rng: Stream,
}

impl Costs {
    pub fn new(params: &Params<'_>, rng: Stream) -> Self {
        Self {
            request_time: params.distribution("request_service_time"),
            kib_time: params.duration("byte_service_time"),
            replication_latency: params.distribution("replication_latency"),
            rng,
        }
    }

    /// A node's work on one request.
    pub fn service(&mut self, message: &Message) -> SimDuration {
        let base = self.request_time.sample(&mut self.rng);
        if self.kib_time.is_zero() {
            return base;
        }
        base + self.kib_time.per_kib(message.wire_bytes())
    }

    /// A follower asks, the leader answers with the bytes: one round trip.
    pub fn replication(&mut self, bytes: u64) -> SimDuration {
        let trip = self.replication_latency.sample(&mut self.rng) + self.replication_latency.sample(&mut self.rng);
        trip + self.kib_time.per_kib(bytes)
    }

    /// Another value for one parameter, while running.
    pub fn set(&mut self, param: &str, text: &str) -> Result<(), String> {
        match param {
            "request_service_time" => self.request_time = text.parse()?,
            "byte_service_time" => self.kib_time = text.parse().map_err(|error: UnitError| error.to_string())?,
            "replication_latency" => self.replication_latency = text.parse()?,
            other => {
                return Err(format!(
                    "`{other}` cannot change while it runs; `request_service_time`, `byte_service_time`, `replication_latency`, \
                     `producer_byte_rate` and `consumer_byte_rate` can"
                ));
            }
        }
        Ok(())
    }
}
