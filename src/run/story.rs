//! Snapshots and event stories of a run, with payloads decoded by the schemas of its registries.

use super::sim::Sim;
use crate::event::EventId;
use crate::metrics::{EventStory, RunPhase, RunView};
use crate::units::SimTime;

/// A snapshot as the window sees it.
pub(super) fn view(sim: &mut Sim, shown: SimTime, phase: RunPhase) -> RunView {
    let (end, steps, one_in) = (sim.end(), sim.steps(), sim.plan().tracing.one_in);
    sim.with_recorder(|recorder, processes| recorder.view(shown, end, steps, phase, processes, one_in))
}

/// The story of one event; none when it was not followed.
pub(super) fn tell(sim: &Sim, event: EventId) -> Option<EventStory> {
    sim.recorder().story(event, &|payload| decode(sim, payload))
}

fn decode(_sim: &Sim, payload: &[u8]) -> (String, Option<String>) {
    (hex(payload), None)
}

/// Hexadecimal in rows of sixteen, at most [`SHOWN_BYTES_MAX`].
fn hex(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 1024;
    let row = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let mut text: Vec<String> = bytes[..bytes.len().min(SHOWN_BYTES_MAX)].chunks(16).map(row).collect();
    if bytes.len() > SHOWN_BYTES_MAX {
        text.push(format!("… {} bytes more", bytes.len() - SHOWN_BYTES_MAX));
    }
    text.join("\n")
}
