//! The queue of an instance's pool of workers, between the thread that polls and them.
//!
//! ```text
//! buffer ─poll─► polling thread ─► pool queue ─► workers
//!                     └─ the queue is full: it waits, or the record is refused
//! ```
//!
//! Without one (`Executor` with a `SynchronousQueue`, or listeners that work on the polling thread, as Spring's and Micronaut's
//! containers do by themselves), the polling thread hands each record to a free worker, and waits while there is none. With
//! one it polls on, and so stays a member of its group, while records wait; what has been handed over is no longer the
//! polling thread's: a rebalance waits for it, and a crash takes it along. A full queue refuses as `ThreadPoolExecutor`'s
//! `AbortPolicy` does (Spring's `TaskRejectedException`). In: records that a poll has handed out. Out: records for workers.
//! Must not know: what work is. Start at [`Consumer::hand_over`].

use super::intake::Received;
use super::queue::spec::reads_queue;
use super::sim::Consumer;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures};
use crate::event::Reason;
use crate::model::{Default_, ParamSpec, ParamType as T};

use Default_::{Absent, Same};

/// Records that a pool may let wait.
pub(super) const QUEUE_MAX: i64 = 1_000_000;

pub(super) const PARAMS: [ParamSpec; 2] = [
    ParamSpec::new(
        "pool_queue",
        "Pool queue",
        T::Count { min: 1, max: QUEUE_MAX },
        Absent,
        "So many records may wait for a worker in each instance's pool while its thread polls on; without it the polling thread waits for a free worker",
    )
    .key("queueCapacity")
    .group("Work"),
    ParamSpec::new(
        "pool_full",
        "When it is full",
        T::Choice(&["wait", "refuse"]),
        Same("wait"),
        "With pool_queue: the polling thread waits for room, or the record is refused, to the dead letters if there are any, and it polls on",
    )
    .key("rejection-policy")
    .group("Work"),
];

/// How the pool of each instance queues.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    queue_max: usize,
    refuses: bool,
    refused: u64,
}

impl Pool {
    /// None where records go straight to workers.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<Self> {
        (params.is_given("pool_queue") && !reads_queue(ctx)).then(|| Self {
            queue_max: usize::try_from(params.count("pool_queue")).unwrap_or(1),
            refuses: params.text("pool_full") == "refuse",
            refused: 0,
        })
    }
}

/// Problems of the pool's queue.
pub(super) fn check(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if params.is_given("pool_full") && !params.is_given("pool_queue") {
        out.push(Diagnostic::warning("setting-unused", format!("{path}.pool_full"), "it counts only with pool_queue"));
    }
    if params.is_given("pool_queue") && params.text("read") == "snapshot" {
        let words = "a table is read by one thread, record by record";
        out.push(Diagnostic::warning("setting-unused", format!("{path}.pool_queue"), words));
    }
}

impl Consumer {
    /// Whether an instance's polling thread can get rid of a record now, to whomever.
    pub(super) fn takes_more(&self, index: usize) -> bool {
        let instance = &self.instances[index];
        let has_room = |pool: &Pool| pool.refuses || instance.pool.len() < pool.queue_max;
        instance.busy < self.concurrency || self.pool.as_ref().is_some_and(has_room)
    }

    /// A free worker takes what has waited longest in the pool; false where there is neither.
    pub(super) fn serve_pool(&mut self, ctx: &mut Ctx<'_>, index: usize) -> bool {
        let instance = &mut self.instances[index];
        if instance.busy >= self.concurrency {
            return false;
        }
        let Some(record) = instance.pool.pop_front() else { return false };
        self.station.begin(ctx.now);
        self.begin(ctx, index, record);
        true
    }

    /// The polling thread hands a record to the pool.
    pub(super) fn hand_over(&mut self, ctx: &mut Ctx<'_>, index: usize, mut record: Received) {
        let instance = &mut self.instances[index];
        let is_free = instance.busy < self.concurrency;
        if let Some(pool) = self.pool.as_mut().filter(|_| !is_free && record.refused.is_none()) {
            if instance.pool.len() < pool.queue_max {
                instance.pool.push_back(record);
                return;
            }
            pool.refused += 1;
            record.refused = Some(Box::new(Reason { code: "pool-full", detail: Some("the queue of its pool is full".into()) }));
        }
        self.station.begin(ctx.now);
        if record.refused.is_some() {
            self.refuse(ctx, index, record);
        } else {
            self.begin(ctx, index, record);
        }
    }

    /// Another length of the queue; what waits in a longer one goes on waiting.
    pub(super) fn set_pool_queue(&mut self, queue_max: usize) -> Result<(), String> {
        let pool = self.pool.as_mut().ok_or("its records go straight to workers: pool_queue was absent when it began")?;
        pool.queue_max = queue_max;
        Ok(())
    }

    pub(super) fn pool_figures(&self, out: &mut Figures) {
        if let Some(pool) = &self.pool {
            out.gauge("pool_queue_length", self.instances.iter().map(|instance| instance.pool.len()).sum::<usize>() as f64);
            out.counter("pool_refused_count", pool.refused);
        }
    }
}
