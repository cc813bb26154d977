//! What queues do to obligations by themselves: a message moved away ends one, a move back opens it again. So does the
//! redrive of a dead-letter topic to what a consumer made a dead letter of.

use super::{Lane, Ledger, ReasonKey, end_name};
use crate::event::{Appended, Ended, EventMeta, ObligationEnd, Reason};
use crate::machines::broker::batch::events;
use crate::units::ComponentIx;

/// Dead letters of one group that a redrive can find; later ones stay dead letters in the books.
const LETTERS_MAX: usize = 1_000_000;

/// How a queue moves a message away, and the reason that it gives.
pub(super) const MOVES: [(ObligationEnd, &str); 2] =
    [(ObligationEnd::DeadLettered, Reason::RECEIVES), (ObligationEnd::Forwarded, Reason::REDRIVE)];

impl Ledger {
    /// A queue moved events here. One that it had moved away before is owed again.
    pub fn moved(&mut self, appended: &Appended) {
        for event in events(&appended.batch) {
            let origin = self.origins.of(&event);
            let topic = &mut self.topics[appended.topic.index()];
            let reopened: Vec<_> = topic.lanes.iter_mut().filter_map(|lane| lane.reopen(origin, appended.cluster, &event)).collect();
            for reason in reopened {
                self.uncount_reason(reason);
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

impl Ledger {
    /// A consumer has made a dead letter of an event: a redrive may bring it back.
    pub(super) fn remember_letter(&mut self, ended: &Ended, reason: ReasonKey) {
        let mut lanes = self.topics[ended.topic.index()].lanes.iter_mut();
        if let Some(lane) = lanes.find(|lane| lane.group == ended.group && lane.letters.len() < LETTERS_MAX) {
            lane.letters.insert(ended.event.id, reason);
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

    /// Opens an obligation that a move or a dead letter had ended; says with which reason it had.
    fn reopen(&mut self, origin: usize, cluster: ComponentIx, event: &EventMeta) -> Option<ReasonKey> {
        let (producer, seq) = (event.id.producer.index(), event.id.seq);
        let (end, reason) = match self.letters.remove(&event.id) {
            Some(reason) => (ObligationEnd::DeadLettered, reason),
            None => {
                let kind = self.moved.iter_mut().position(|moved| moved[producer].remove(seq))?;
                let (end, code) = MOVES[kind];
                (end, (end_name(end), cluster, event.event_type, code))
            }
        };
        self.ended[producer].remove(seq);
        self.terms.at(origin).reopen(end);
        Some(reason)
    }
}
