//! A producer whose process is gone: nobody knows any more what became of the events that it had.
//!
//! In: the clients' memories. Out: each event given up, with the cause; a log that has it after all overrules that.
//! Start at [`Producer::lose_memory`].

use super::sim::Producer;
use super::telling::settle;
use crate::engine::Ctx;
use crate::event::{EventMeta, Outcome, Reason};

const UNSENT: &str = "its producer crashed before it was sent";
const UNANSWERED: &str = "its producer crashed before it was answered";

impl Producer {
    /// Gives up every event that is not answered. Returns how many those were.
    pub fn lose_memory(&mut self, ctx: &mut Ctx<'_>) -> u64 {
        let mut gone: Vec<(EventMeta, bool)> = self.held.drain(..).map(|held| (held.meta, false)).collect();
        if let Some(client) = &mut self.kafka {
            self.lives += 1;
            client.stop_transactions();
            gone.extend(client.abandon(ctx.now, self.lives));
        }
        gone.extend(self.http.iter_mut().flat_map(|client| client.abandon()));
        gone.extend(self.queues.iter_mut().flat_map(|queues| queues.client.abandon()));
        self.lookups.forget();
        self.kinds.forget();
        self.poison_left = 0;
        self.abandoned += gone.len() as u64;
        for (event, was_sent) in &gone {
            let detail = if *was_sent { UNANSWERED } else { UNSENT };
            settle(ctx, *event, Outcome::Abandoned, Reason { code: "crash", detail: Some(detail.into()) }, None);
        }
        gone.len() as u64
    }
}
