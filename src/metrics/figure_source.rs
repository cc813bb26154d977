//! The recorder as the place where expectations find their figures.

use std::borrow::Cow;

use super::detectors::Anomaly;
use super::ledger::end_name;
use super::recorder::{Lane, Recorder};
use super::report::{Obligations, Submissions};
use super::sampling::value;
use crate::engine::Latencies;
use crate::event::ObligationEnd;
use crate::predicate::{FigureFn, FigureRef, FigureSource};
use crate::units::{ComponentIx, GroupIx, SimTime, TopicIx};

/// The recorder at one instant.
pub(super) struct Source<'a> {
    pub recorder: &'a Recorder,
}

/// What a target's name means: a component first, then a group, then a topic.
#[derive(Clone, Copy)]
enum Meaning {
    Whole,
    Component(ComponentIx),
    Group(GroupIx),
    Topic(TopicIx),
    Nothing,
}

impl FigureSource for Source<'_> {
    fn figure(&self, figure: &FigureRef) -> Option<f64> {
        use FigureFn as F;
        let target = self.meaning(figure.target.as_deref());
        let metric = figure.metric.as_deref().unwrap_or_default();
        match figure.function {
            F::P50 => self.quantile(metric, target, 0.5),
            F::P95 => self.quantile(metric, target, 0.95),
            F::P99 => self.quantile(metric, target, 0.99),
            F::P999 => self.quantile(metric, target, 0.999),
            F::Max => self.latencies(metric, target)?.max_s(),
            F::Mean if metric == "wait" => self.mean_wait(target).or_else(|| Latencies::mean_of(self.parts(metric, target))),
            F::Mean => Latencies::mean_of(self.parts(metric, target)),
            F::Rate => self.rate(metric, target),
            F::Count => self.count(metric, target),
            F::Lost => Some(self.terms(target).lost as f64 + self.bad_submissions(&["dropped", "abandoned"], target)),
            F::Dropped => Some(self.bad_submissions(&["dropped"], target)),
            F::Rejected => Some(self.bad_submissions(&["rejected"], target) + self.rejected_reading(target)),
            F::Duplicates => Some(self.terms(target).duplicate_deliveries as f64),
            F::DeadLettered => Some(self.terms(target).dead_lettered as f64),
            F::Expired => Some(self.terms(target).expired as f64),
            F::Skipped => Some(self.terms(target).skipped as f64),
            F::InFlight => Some(self.terms(target).in_flight as f64),
            F::DeliveredShare => {
                let terms = self.terms(target);
                (terms.owed() > 0).then(|| terms.delivered as f64 / terms.owed() as f64)
            }
            F::Lag => self.of_group(target, "lag"),
            F::Rebalances => self.of_group(target, "rebalances_count"),
            F::Paused => self.readers_of(target, "paused_partition_s").reduce(|sum, one| sum + one),
            F::LongestPause => self.readers_of(target, "longest_pause_s").reduce(f64::max),
            F::Queue => self.last(target, "queue_length"),
            F::Utilisation => self.utilisation(target),
            F::LogBytes => self.log_bytes(target),
            F::Submissions => Some(submissions_term(&self.recorder.ledger.submissions(), metric)),
            F::Obligations => Some(obligations_term(&self.terms(Meaning::Whole), metric)),
            F::Figure => self.last(target, metric),
            F::Guarantee => self.guarantee(metric, target),
        }
    }
}

impl Source<'_> {
    fn meaning(&self, target: Option<&str>) -> Meaning {
        let Some(target) = target else { return Meaning::Whole };
        let names = &self.recorder.options.names;
        if let Some(index) = names.components.iter().position(|name| **name == *target) {
            return Meaning::Component(ComponentIx(index as u32));
        }
        if let Some(index) = names.groups.iter().position(|(name, _)| **name == *target) {
            return Meaning::Group(GroupIx(index as u32));
        }
        let topic = names.topics.iter().position(|(name, ..)| **name == *target);
        topic.map_or(Meaning::Nothing, |index| Meaning::Topic(TopicIx(index as u32)))
    }

    /// Why a guarantee that an expectation states is broken: the first example of each anomaly that breaks it.
    pub fn counter_examples(&self, figure: &FigureRef) -> Vec<String> {
        let target = self.meaning(figure.target.as_deref());
        let breaking = Anomaly::breaking(figure.metric.as_deref().unwrap_or_default());
        let seen = self.recorder.detectors.sightings();
        let upstream = self.upstream(target);
        let seen = seen.filter(|one| {
            let is_gap_above = one.anomaly == Anomaly::Gap && upstream.contains(&one.group);
            breaking.contains(&one.anomaly) && (is_gap_above || self.takes(target, one.topic, one.group))
        });
        let mut words: Vec<String> = seen.map(|one| self.recorder.words_of(one)).collect();
        if breaking.contains(&Anomaly::Gap) {
            words.extend(self.first_cut_away(target));
        }
        words
    }

    /// Groups whose results a target reads.
    fn upstream(&self, target: Meaning) -> Vec<GroupIx> {
        self.recorder.names().upstream(self.lanes(target).map(|lane| lane.topic))
    }

    /// The first event that a log lost from where a target reads.
    fn first_cut_away(&self, target: Meaning) -> Option<String> {
        let names = &self.recorder.options.names;
        let reads = |topic: &str| self.lanes(target).any(|lane| *names.topics[lane.topic.index()].0 == *topic);
        let lost = self.recorder.ledger.lost_events(names);
        let first = lost.into_iter().find(|lost| reads(&lost.topic))?;
        let at = SimTime::from_secs_f64(first.at_s);
        Some(format!("{} lost from {}[{}] offset {} at {at}: {}", first.event, first.topic, first.partition, first.offset, first.why))
    }

    fn takes(&self, target: Meaning, topic: TopicIx, group: GroupIx) -> bool {
        let names = &self.recorder.options.names;
        match target {
            Meaning::Whole => true,
            Meaning::Component(component) => names.reads_with(component, group) || names.topics[topic.index()].2 == component,
            Meaning::Group(of) => of == group,
            Meaning::Topic(of) => of == topic,
            Meaning::Nothing => false,
        }
    }

    fn lanes(&self, target: Meaning) -> impl Iterator<Item = &Lane> {
        self.recorder.lanes.iter().filter(move |lane| self.takes(target, lane.topic, lane.group))
    }

    /// Histograms that make a metric; none until the warm-up ends, which is cut from these figures.
    fn parts(&self, metric: &str, target: Meaning) -> impl Iterator<Item = &Latencies> {
        self.lanes(target).filter(|_| self.recorder.warm).filter_map(move |lane| match metric {
            "latency" => Some(&lane.total),
            // Events made from none are their own root.
            "root_latency" => Some(if lane.root.count() > 0 { &lane.root } else { &lane.total }),
            "wait" => Some(&lane.waits),
            _ => None,
        })
    }

    fn latencies(&self, metric: &str, target: Meaning) -> Option<Cow<'_, Latencies>> {
        Latencies::sum(self.parts(metric, target).map(Cow::Borrowed))
    }

    fn quantile(&self, metric: &str, target: Meaning, quantile: f64) -> Option<f64> {
        self.latencies(metric, target)?.quantile_s(quantile)
    }

    /// Any component with a queue knows its own, gateways and brokers too.
    fn mean_wait(&self, target: Meaning) -> Option<f64> {
        let Meaning::Component(component) = target else { return None };
        let seen = &self.recorder.seen[component.index()];
        let since = |name| value(&seen.last, name, "").map(|now| now - value(&seen.base, name, "").unwrap_or(0.0));
        let served = since("served_count").filter(|served| *served > 0.0)?;
        Some(since("waited_s")? / served)
    }

    fn terms(&self, target: Meaning) -> Obligations {
        self.recorder.ledger.obligations_so_far(|topic, group| self.takes(target, topic, group))
    }

    fn bad_submissions(&self, ends: &[&str], target: Meaning) -> f64 {
        let at = match target {
            Meaning::Whole => None,
            Meaning::Component(component) => Some(component),
            Meaning::Group(_) | Meaning::Topic(_) | Meaning::Nothing => return 0.0,
        };
        ends.iter().map(|end| self.recorder.ledger.reasons_at(end, at) as f64).sum()
    }

    fn rejected_reading(&self, target: Meaning) -> f64 {
        match target {
            Meaning::Component(component) => {
                self.recorder.ledger.reasons_at(end_name(ObligationEnd::RejectedAtConsumer), Some(component)) as f64
            }
            _ => 0.0,
        }
    }

    fn last(&self, target: Meaning, name: &str) -> Option<f64> {
        let Meaning::Component(component) = target else { return None };
        value(&self.recorder.seen[component.index()].last, name, "")
    }

    fn count(&self, metric: &str, target: Meaning) -> Option<f64> {
        let submissions = self.recorder.ledger.submissions();
        match (metric, target) {
            ("delivered", _) => Some(self.terms(target).delivered as f64),
            ("produced", Meaning::Whole) => Some(submissions.created as f64),
            ("accepted", Meaning::Whole) => Some(submissions.accepted as f64),
            ("rejected", _) => Some(self.bad_submissions(&["rejected"], target) + self.rejected_reading(target)),
            ("produced", Meaning::Component(_)) => self.last(target, "produced_count"),
            ("accepted", Meaning::Component(_)) => self.last(target, "accepted_count"),
            _ => None,
        }
    }

    fn rate(&self, metric: &str, target: Meaning) -> Option<f64> {
        let (name, component): (&'static str, _) = match (metric, target) {
            ("produced", Meaning::Whole) => ("produced_per_s", None),
            ("delivered", Meaning::Whole) => ("delivered_per_s", None),
            ("rejected", Meaning::Whole) => ("rejected_per_s", None),
            ("produced", Meaning::Component(c)) => ("produced_per_s", Some(c)),
            ("delivered", Meaning::Component(c)) => ("delivered_per_s", Some(c)),
            ("rejected", Meaning::Component(c)) => ("rejected_per_s", Some(c)),
            _ => return None,
        };
        self.recorder.series.points(name, component, "").last().map(|point| point[1])
    }

    fn group_of(&self, target: Meaning) -> Option<GroupIx> {
        match target {
            Meaning::Component(component) => self.recorder.names().main_group(component),
            Meaning::Group(group) => Some(group),
            Meaning::Whole | Meaning::Topic(_) | Meaning::Nothing => None,
        }
    }

    /// What brokers tell of a group, summed over them.
    fn of_group(&self, target: Meaning, figure: &str) -> Option<f64> {
        let (name, _) = &self.recorder.options.names.groups[self.group_of(target)?.index()];
        let told = self.recorder.seen.iter().filter_map(|seen| value(&seen.last, figure, name));
        told.reduce(|sum, one| sum + one)
    }

    /// What the components that read with a group tell.
    fn readers_of(&self, target: Meaning, figure: &'static str) -> impl Iterator<Item = f64> {
        let group = self.group_of(target);
        let seen = self.recorder.options.names.groups_of.iter().zip(&self.recorder.seen);
        seen.filter(move |(of, _)| group.is_some() && of.first().copied() == group)
            .filter_map(move |(_, seen)| value(&seen.last, figure, ""))
    }

    fn utilisation(&self, target: Meaning) -> Option<f64> {
        let Meaning::Component(component) = target else { return None };
        self.recorder.series.points("utilisation_ratio", Some(component), "").last().map(|point| point[1])
    }

    fn log_bytes(&self, target: Meaning) -> Option<f64> {
        let names = &self.recorder.options.names;
        let mut sum = None;
        for (index, seen) in self.recorder.seen.iter().enumerate() {
            for figure in seen.last.iter().filter(|figure| figure.name == "log_bytes") {
                let wanted = match target {
                    Meaning::Whole => true,
                    Meaning::Component(component) => component.index() == index,
                    Meaning::Topic(topic) => {
                        names.topics[topic.index()].2.index() == index && *names.topics[topic.index()].0 == *figure.label
                    }
                    Meaning::Group(_) | Meaning::Nothing => false,
                };
                if wanted {
                    sum = Some(sum.unwrap_or(0.0) + figure.value);
                }
            }
        }
        sum
    }

    /// Promises as the ledger sees them: at most once is "no duplicate delivery", at least once is
    /// "nothing lost, expired or skipped by failure", exactly once is both. Ordered per key: no delivery came
    /// after a younger one of its producer and key. What a group upstream has lost gives no result, so that it is lost here too.
    fn guarantee(&self, metric: &str, target: Meaning) -> Option<f64> {
        let terms = self.terms(target);
        let upstream = self.upstream(target);
        let above = self.recorder.ledger.obligations_so_far(|_, group| upstream.contains(&group));
        let lost = |terms: &Obligations| terms.lost + terms.expired + terms.failed_skipped;
        let none_lost = lost(&terms) + lost(&above) == 0;
        let none_twice = terms.duplicate_deliveries == 0;
        let kept = match metric {
            "at_least_once" => none_lost,
            "at_most_once" => none_twice,
            "exactly_once" => none_lost && none_twice,
            "ordered_per_key" => self.recorder.detectors.disorders(|topic, group| self.takes(target, topic, group))? == 0,
            _ => return None,
        };
        Some(f64::from(u8::from(kept)))
    }
}

fn submissions_term(terms: &Submissions, name: &str) -> f64 {
    let open = terms.created - terms.accepted - terms.rejected - terms.dropped - terms.abandoned;
    let term = match name {
        "created" => terms.created,
        "accepted" => terms.accepted,
        "rejected" => terms.rejected,
        "dropped" => terms.dropped,
        "abandoned" => terms.abandoned,
        "in_flight" => open,
        "derived" => terms.derived,
        _ => terms.duplicate_appends,
    };
    term as f64
}

fn obligations_term(terms: &Obligations, name: &str) -> f64 {
    let term = match name {
        "created" => terms.created,
        "delivered" => terms.delivered,
        "failed_skipped" => terms.failed_skipped,
        "rejected_at_consumer" => terms.rejected_at_consumer,
        "dead_lettered" => terms.dead_lettered,
        "forwarded" => terms.forwarded,
        "filtered" => terms.filtered,
        "aborted" => terms.aborted,
        "expired" => terms.expired,
        "compacted" => terms.compacted,
        "skipped" => terms.skipped,
        "lost" => terms.lost,
        "in_flight" => terms.in_flight,
        _ => terms.duplicate_deliveries,
    };
    term as f64
}
