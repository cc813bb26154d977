//! What queues do to obligations by themselves: a message moved away ends one, a move back opens it again.

use super::{Lane, Ledger, end_name};
use crate::event::{Appended, Ended, ObligationEnd, Reason};
use crate::machines::broker::batch::events;

/// How a queue moves a message away, and the reason that it gives.
pub(super) const MOVES: [(ObligationEnd, &str); 2] =
    [(ObligationEnd::DeadLettered, Reason::RECEIVES), (ObligationEnd::Forwarded, Reason::REDRIVE)];

impl Ledger {
    /// A queue moved events here. One that it had moved away before is owed again.
    pub fn moved(&mut self, appended: &Appended) {
        for event in events(&appended.batch) {
            let origin = self.origins.of(&event);
            let (producer, seq) = (event.id.producer.index(), event.id.seq);
            let topic = &mut self.topics[appended.topic.index()];
            let reopened: Vec<_> = topic.lanes.iter_mut().filter_map(|lane| lane.reopen(origin, producer, seq)).collect();
            for (end, code) in reopened {
                self.uncount_reason((end_name(end), appended.cluster, event.event_type, code));
            }
        }
        // An event that comes back is no second append.
        let mut known = Vec::new();
        self.appended(appended, |event, _| known.push(event));
        for event in known {
            let origin = self.origins.of(&event);
            self.sent.at(origin).duplicate_appends -= 1;
        }
    }
}

impl Lane {
    /// The log itself has ended an obligation: a later word of a consumer, or a move back, may overrule it.
    pub(super) fn remember(&mut self, ended: &Ended) {
        let (producer, seq) = (ended.event.id.producer.index(), ended.event.id.seq);
        if ended.end == ObligationEnd::Expired {
            self.expired[producer].insert(seq);
        }
        if let Some(kind) = MOVES.iter().position(|(end, _)| *end == ended.end) {
            self.moved[kind][producer].insert(seq);
        }
    }

    /// Opens an obligation that a move had ended; says how it had, and with which reason.
    fn reopen(&mut self, origin: usize, producer: usize, seq: u64) -> Option<(ObligationEnd, &'static str)> {
        let kind = self.moved.iter_mut().position(|moved| moved[producer].remove(seq))?;
        self.ended[producer].remove(seq);
        let (end, code) = MOVES[kind];
        self.terms.at(origin).reopen(end);
        Some((end, code))
    }
}
