//! A gateway whose process is gone: requests in it are answered by nobody, what it counted and knew is forgotten.
//!
//! Out: a hop for each request that observers follow; their clients tell the ends. Start at [`GatewaySim::lose_memory`].

use std::sync::Arc;

use super::schemas::Schemas;
use super::sim::{GatewaySim, Job};
use crate::engine::Ctx;
use crate::event::HopKind;

impl GatewaySim {
    /// Forgets every request. Returns how many those were.
    pub fn lose_memory(&mut self, ctx: &mut Ctx<'_>) -> u64 {
        let mut jobs: Vec<Job> = self.queue.drain(..).collect();
        jobs.extend(std::mem::take(&mut self.serving).into_items());
        jobs.extend(std::mem::take(&mut self.answering).into_items().map(|(job, _)| job));
        jobs.extend(self.pools.forget());
        jobs.extend(self.integrations.forget());
        jobs.extend(std::mem::take(&mut self.storing).into_items().map(|(job, _)| job));
        jobs.extend(self.schemas.iter_mut().flat_map(Schemas::forget));
        jobs.extend(self.upstream.abandon(ctx.now));
        self.station.clear(ctx.now);
        self.machine.forget(None);
        let words: Arc<str> = "lost: the gateway crashed before it answered".into();
        let tracing = ctx.tracing;
        for job in jobs.iter().filter(|job| tracing.takes(job.request.event.id)) {
            self.answers.hop(ctx, job, HopKind::Lost, &words);
        }
        jobs.len() as u64
    }
}
