//! The balances as a report tells them: of the whole design, of each event type, of each path.
//!
//! Counted twice: by counters as facts came, and bit by bit here, so that a lost or doubled fact shows.

use std::collections::BTreeMap;

use super::terms::Terms;
use super::{Lane, Ledger, Producer, Topic};
use crate::metrics::Names;
use crate::metrics::bits::SeqSet;
use crate::metrics::report;
use crate::units::{ComponentIx, EventTypeIx, GroupIx, TopicIx};

impl Ledger {
    /// All submissions so far, by counters only.
    pub fn submissions(&self) -> report::Submissions {
        self.sent.sum().told()
    }

    /// All obligations so far, by counters only (cheap enough for every sample).
    pub fn obligations_so_far(&self, matching: impl Fn(TopicIx, GroupIx) -> bool) -> report::Obligations {
        let mut all = Terms::default();
        for (_, lane) in self.lanes().filter(|(topic, lane)| matching(*topic, lane.group)) {
            all += &lane.terms.sum();
        }
        all.told()
    }

    fn lanes(&self) -> impl Iterator<Item = (TopicIx, &Lane)> {
        (0..).map(TopicIx).zip(&self.topics).flat_map(|(index, topic)| topic.lanes.iter().map(move |lane| (index, lane)))
    }

    /// Both balances, counted twice.
    pub fn close(&self, names: &Names) -> report::Ledger {
        let mut submissions = self.submissions();
        // Invariant: born but not settled, bit by bit; the counters know nothing of this number.
        submissions.in_flight = self.producers.iter().map(|p| p.born - p.accepted.count_in_either(&p.refused, p.born)).sum();
        let ended = submissions.accepted + submissions.rejected + submissions.dropped + submissions.abandoned;
        let settled_unborn =
            |p: &Producer| p.accepted.count_in_either(&p.refused, u64::MAX) - p.accepted.count_in_either(&p.refused, p.born);
        let stray_settled: u64 = self.producers.iter().map(settled_unborn).sum();
        submissions.balanced = submissions.created == ended + submissions.in_flight && stray_settled == 0;
        let mut obligations = self.obligations_so_far(|_, _| true);
        obligations.balanced &= self.topics.iter().all(|topic| topic.lanes.iter().all(|lane| is_balanced(topic, lane)));
        let reasons = self.reasons.iter().filter(|(_, total)| total.count > 0).map(|((end, at, ty, code), total)| report::ReasonCount {
            end: (*end).to_owned(),
            at: names.component(*at),
            event_type: names.event_type(*ty),
            code: (*code).to_owned(),
            detail: total.detail.clone(),
            count: total.count,
            first: total.first.iter().map(|(id, at)| (names.event(*id), at.as_secs_f64())).collect(),
        });
        report::Ledger {
            balanced: submissions.balanced && obligations.balanced && self.strays == 0,
            submissions,
            obligations,
            event_types: self.event_types(names),
            paths: self.paths(names),
            reasons: reasons.collect(),
            lost: self.lost_events(names),
        }
    }

    fn event_types(&self, names: &Names) -> Vec<report::OfEventType> {
        let mut numbers: BTreeMap<EventTypeIx, Vec<usize>> = BTreeMap::new();
        for (number, _, event_type) in self.origins.iter() {
            numbers.entry(event_type).or_default().push(number);
        }
        let told = |(event_type, numbers): (EventTypeIx, Vec<usize>)| {
            let (mut sent, mut terms) = (super::Sent::default(), Terms::default());
            for number in numbers {
                sent += &self.sent.get(number);
                self.lanes().for_each(|(_, lane)| terms += &lane.terms.get(number));
            }
            report::OfEventType { event_type: names.event_type(event_type), submissions: sent.told(), obligations: terms.told() }
        };
        numbers.into_iter().map(told).collect()
    }

    /// From each producer over each topic to each group, where anything went.
    fn paths(&self, names: &Names) -> Vec<report::OfPath> {
        let mut paths = Vec::new();
        for (topic, lane) in self.lanes() {
            let mut by_producer: BTreeMap<ComponentIx, Terms> = BTreeMap::new();
            for (number, producer, _) in self.origins.iter() {
                *by_producer.entry(producer).or_default() += &lane.terms.get(number);
            }
            let used = by_producer.into_iter().filter(|(_, terms)| terms.created > 0);
            paths.extend(used.map(|(producer, terms)| report::OfPath {
                producer: names.component(producer),
                topic: names.topic(topic),
                group: names.group(lane.group),
                obligations: terms.told(),
            }));
        }
        paths
    }
}

/// Invariant: what was appended but has not ended, bit by bit, is what the counters say, and nothing ended that was not
/// appended.
fn is_balanced(topic: &Topic, lane: &Lane) -> bool {
    let ended_known: u64 = topic.appended.iter().zip(&lane.ended).map(|(appended, ended)| appended.count_in_both(ended)).sum();
    let ended: u64 = lane.ended.iter().map(SeqSet::count).sum();
    let appended: u64 = topic.appended.iter().map(SeqSet::count).sum();
    let terms = lane.terms.sum();
    ended == ended_known && terms.created == terms.ended() + (appended - ended_known)
}
