//! From what was recorded so far to the snapshot that the window reads.

use super::recorder::Recorder;
use super::sampling::value;
use super::summary::{SUMS, state_of};
use super::trace::status_of;
use super::view::{CardView, EventStory, ExpectationView, Freshness, LinkView, RunPhase, RunView, StoryHop, Totals};
use crate::engine::{Figure, Figures, Process};
use crate::event::{EventId, EventMeta, HeldRecord, Placed};
use crate::machines::codec::{cloud_events, iso_time};
use crate::units::{ComponentIx, SimTime};

/// How a story's payload becomes text: pretty JSON, or hex with the reason; and the schema's name.
pub type Decode<'a> = &'a dyn Fn(&[u8]) -> (String, Option<String>);

impl Recorder {
    /// The window's snapshot at `shown` (which may lag behind the run's own now while a hop is being shown).
    pub fn view(
        &mut self,
        shown: SimTime,
        end: SimTime,
        steps: u64,
        phase: RunPhase,
        processes: &[Box<dyn Process>],
        one_in: u64,
    ) -> RunView {
        let ended = phase == RunPhase::Finished;
        let mut figures = Figures::default();
        let mut cards = Vec::with_capacity(processes.len());
        for (index, process) in processes.iter().enumerate() {
            figures.list.clear();
            process.figures(shown.max(self.sampled_at), &mut figures);
            cards.push(self.card(ComponentIx(index as u32), &figures, ended));
        }
        let (flights, thinned) = self.traces.in_the_air(shown);
        let links = self.links.iter().map(|seen| {
            let mean = || (seen.events - seen.events_base) as f64 / self.measured_s();
            LinkView { rate_per_s: if ended { mean() } else { seen.rate_per_s }, in_flight: seen.in_flight, lost: seen.lost }
        });
        let links = links.collect();
        let expectations = self.judges.iter().zip(&self.options.texts).map(|(judge, text)| ExpectationView {
            text: text.clone(),
            state: state_of(judge.state()),
            figure: self.figure_text(judge),
            broke_at: judge.broke_at(),
        });
        RunView {
            version: 0,
            phase,
            now: shown,
            end,
            steps,
            speed_ratio: 0.0,
            totals: self.totals_so_far(),
            cards,
            links,
            flights,
            sampled_one_in: thinned * one_in.max(1),
            incidents: self.traces.incidents(),
            faults: self.faults.views(),
            expectations: expectations.collect(),
            series: self.series.views(),
            inspected: None,
            browsed: None,
            report: None,
        }
    }

    /// Virtual seconds since the warm-up, as far as was looked.
    fn measured_s(&self) -> f64 {
        let measured = self.sampled_at.as_secs_f64() - self.options.warm_up.as_secs_f64();
        measured.max(self.interval.as_secs_f64())
    }

    fn totals_so_far(&self) -> Totals {
        let submissions = self.ledger.submissions();
        let terms = self.ledger.obligations_so_far(|_, _| true);
        let open = submissions.created - submissions.accepted - submissions.rejected - submissions.dropped - submissions.abandoned;
        Totals {
            produced: submissions.created,
            accepted: submissions.accepted,
            rejected: submissions.rejected,
            delivered: terms.delivered,
            duplicates: terms.duplicate_deliveries + submissions.duplicate_appends,
            lost: terms.lost + terms.expired + submissions.dropped + submissions.abandoned,
            dead_lettered: terms.dead_lettered,
            in_flight: terms.in_flight + open,
        }
    }

    fn card(&self, component: ComponentIx, live: &Figures, ended: bool) -> CardView {
        let seen = &self.seen[component.index()];
        let now = |name: &str| value(&live.list, name, "");
        // The last interval while it goes; when it has ended, everything measured: the end of a run is no news.
        let (old, span_s) = if ended { (&seen.base, self.measured_s()) } else { (&seen.before, self.interval.as_secs_f64()) };
        let gain = |name: &str| Some(value(&seen.last, name, "")? - value(old, name, "").unwrap_or(0.0));
        let rate = |name: &str| gain(name).map(|gain| gain / span_s);
        let servers = value(&seen.last, "servers", "").filter(|servers| *servers > 0.0);
        let busy = servers.and_then(|servers| Some((rate("busy_s")? / servers).clamp(0.0, 1.0)));
        // The last two are those of connectors that read a table or a queue.
        let heads = ["processed_count", "produced_count", "appended_count", "requests_count", "records_count", "bridged_count"];
        let headline = heads.iter().find_map(|name| rate(name));
        let lag = self.options.names.main_group(component).and_then(|group| {
            let name = &self.options.names.groups[group.index()].0;
            let lags = self.seen.iter().filter_map(|other| value(&other.last, "lag", name));
            lags.fold(None, |sum: Option<f64>, lag| Some(sum.unwrap_or(0.0) + lag))
        });
        let (queue, queue_label) = match (lag, now("queue_length"), now("buffered_count")) {
            (Some(lag), ..) => (lag, "lag"),
            (None, Some(queue), _) => (queue, "queue"),
            (None, None, Some(buffered)) => (buffered, "buffered"),
            (None, None, None) => (0.0, ""),
        };
        let stale_ratio = || now("stale_reads_ratio").filter(|_| now("reads_count").is_some_and(|reads| reads > 0.0));
        let freshness = now("projection_lag_ms").map(|lag_ms| Freshness { lag_ms, stale_ratio: stale_ratio() });
        let shown = |figure: &&Figure| !SUMS.contains(&figure.name) && !is_of_a_partition(figure);
        let details = live.list.iter().filter(shown).map(|figure| {
            let name = if figure.label.is_empty() { figure.name.to_owned() } else { format!("{} · {}", figure.name, figure.label) };
            (name, show(figure.value))
        });
        CardView {
            rate_per_s: headline.unwrap_or(0.0),
            queue,
            queue_label,
            utilisation_ratio: busy,
            is_down: now("instances") == Some(0.0),
            freshness,
            trouble: seen.trouble[0] + seen.trouble[1] > 0,
            schemas: Vec::new(),
            details: details.collect(),
        }
    }

    /// What is known of one event; none when it was not followed.
    #[must_use]
    pub fn story(&self, id: EventId, decode: Decode<'_>) -> Option<EventStory> {
        let story = self.traces.story(id)?;
        Some(self.told(&story.meta, story.key.as_deref(), story.payload.as_deref().unwrap_or_default(), decode))
    }

    /// The story of a record that somebody keeps: its path is there if the event was followed.
    #[must_use]
    pub fn story_of(&self, record: &HeldRecord, decode: Decode<'_>) -> EventStory {
        let told = self.told(&record.event, record.key.as_deref(), record.value.as_deref().unwrap_or_default(), decode);
        let tombstone = || "No value: it deletes its key".to_owned();
        EventStory { payload: if record.value.is_some() { told.payload } else { tombstone() }, ..told }
    }

    fn told(&self, event: &EventMeta, key: Option<&[u8]>, payload: &[u8], decode: Decode<'_>) -> EventStory {
        let (text, schema) = decode(payload);
        let name = self.names().event(event.id);
        let followed = self.traces.story(event.id);
        EventStory {
            headers: self.headers(&name, event, cloud_events::is_envelope(payload)),
            name,
            id: event.id,
            event_type: self.names().event_type(event.event_type),
            born: event.born,
            key: key.map(|key| String::from_utf8_lossy(key).into_owned()),
            schema,
            payload: text,
            payload_bytes: payload.len(),
            hops: followed.iter().flat_map(|story| &story.hops).map(|hop| self.story_hop(hop)).collect(),
            hops_dropped: followed.map_or(0, |story| story.hops_dropped),
        }
    }

    fn story_hop(&self, hop: &crate::event::Hop) -> StoryHop {
        let place =
            |placed: Placed| format!("{}[{}] @ {}", self.options.names.topics[placed.topic.index()].0, placed.partition, placed.offset);
        StoryHop {
            component: self.names().component(hop.component),
            at: hop.queued,
            waited: hop.served.since(hop.queued),
            worked: hop.done.since(hop.served),
            place: hop.placed.map(place),
            words: hop.words.to_string(),
            status: status_of(hop.kind),
        }
    }

    /// CloudEvents 1.0 attributes in Kafka's binary mode, or the content type of its structured mode, and a W3C trace context, as
    /// they are counted in wire sizes.
    fn headers(&self, name: &str, event: &EventMeta, is_structured: bool) -> Vec<(String, String)> {
        let id = event.id;
        let trace = format!("{:08x}{:024x}", id.producer.0, id.seq);
        let trace = ("traceparent", format!("00-{trace}-{:016x}-01", id.seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        if is_structured {
            return [("content-type", cloud_events::CONTENT_TYPE.to_owned()), trace].map(named).to_vec();
        }
        let list = [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", name.to_owned()),
            ("ce_source", format!("/{}", self.names().component(id.producer))),
            ("ce_type", self.names().event_type(event.event_type)),
            ("ce_time", iso_time(event.born)),
            trace,
        ];
        list.map(named).to_vec()
    }
}

/// Whether a figure is of one partition or replica of many: the window has a table for those.
fn is_of_a_partition(figure: &Figure) -> bool {
    figure.name.starts_with("partition_") || figure.name == "replica_in_sync"
}

fn show(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number}") } else { format!("{number:.3}") }
}
