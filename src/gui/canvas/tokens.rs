//! Events on the wires: where each token of a snapshot is now, how it looks, and which one the pointer hits.
//!
//! In: one [`RunView`] after another, the wall clock of the frame, and a closure from link to the wire's
//! course. Out: painted tokens between wires and cards, and their places for [`TokenLayer::token_at`].
//! Must not know: cards, gestures, the camera (courses come in screen points).
//! Start at [`TokenLayer::advance`], then [`TokenLayer::paint`].
//!
//! A token takes as long as its virtual flight at the run's pace, but never less than
//! [`SHOWN_S_MIN`] of wall time, or nobody would see it.

use egui::{Color32, Painter, Pos2, Shape, Stroke, Vec2};

use super::course::Course;
use crate::event::EventId;
use crate::gui::theme::{Tokens, font};
use crate::metrics::{FLIGHTS_MAX, Flight, FlightStatus, RunPhase, RunView};
use crate::units::LinkIx;

/// Every token is seen at least this long.
pub const SHOWN_S_MIN: f64 = 0.25;
/// A snapshot older than this is not extrapolated further: the worker has held or fallen behind.
const EXTRAPOLATED_S_MAX: f64 = 0.15;
/// A pointer this near to a token's edge still hits it.
const HIT_MARGIN: f32 = 4.0;

/// Steps on each Bézier of a wire's dashes.
const FLOW_STEPS: usize = 24;

/// A token that is being shown.
#[derive(Clone, Copy, Debug)]
struct Live {
    flight: Flight,
    seen_s: f64,
}

/// Tokens from one frame to the next. It belongs to the view; nothing in it changes a run.
#[derive(Clone, Debug, Default)]
pub struct TokenLayer {
    live: Vec<Live>,
    version: u64,
    snapshot_s: f64,
    snapshot_now_s: f64,
    shown_now_s: f64,
    pace: f64,
    playing: bool,
    sampled_one_in: u64,
    in_flight: u64,
    moving: bool,
    placed: Vec<(Pos2, f32, EventId)>,
}

impl TokenLayer {
    /// Takes in the newest snapshot at wall second `wall_s`; forgets everything when there is no run.
    pub fn advance(&mut self, view: Option<&RunView>, wall_s: f64) {
        let Some(view) = view else {
            *self = Self::default();
            return;
        };
        // A new run counts its snapshots from the beginning again.
        if view.version < self.version {
            *self = Self::default();
        }
        let now_s = view.now.as_secs_f64();
        if view.version != self.version || self.live.is_empty() {
            self.snapshot_s = wall_s;
            self.snapshot_now_s = now_s;
            self.version = view.version;
            self.take_in(view, wall_s);
        }
        self.playing = view.phase == RunPhase::Playing;
        self.pace = if view.speed_ratio.is_finite() { view.speed_ratio.max(0.0) } else { 0.0 };
        let ahead_s = if self.playing { (wall_s - self.snapshot_s).clamp(0.0, EXTRAPOLATED_S_MAX) * self.pace } else { 0.0 };
        // Never backwards while the same run goes on: a token that jumps back looks like a second event.
        self.shown_now_s = (self.snapshot_now_s + ahead_s).max(if self.playing { self.shown_now_s } else { 0.0 });
        let pace = self.pace;
        let (shown_now_s, playing) = (self.shown_now_s, self.playing);
        self.live.retain(|live| live.progress(shown_now_s, wall_s, pace, playing) < 1.0);
        // A held run's tokens stand; only those that have arrived still finish their quarter of a second.
        self.moving = self.live.iter().any(|live| playing || live.flight.end.as_secs_f64() <= shown_now_s);
    }
    fn take_in(&mut self, view: &RunView, wall_s: f64) {
        self.sampled_one_in = view.sampled_one_in.max(1);
        self.in_flight = view.links.iter().map(|link| link.in_flight).sum();
        for flight in view.flights.iter().take(FLIGHTS_MAX) {
            let same = |live: &Live| {
                let known = &live.flight;
                known.event == flight.event
                    && known.link == flight.link
                    && known.start == flight.start
                    && known.backwards == flight.backwards
            };
            if let Some(known) = self.live.iter_mut().find(|live| same(live)) {
                known.flight = *flight;
            } else if self.live.len() < FLIGHTS_MAX {
                self.live.push(Live { flight: *flight, seen_s: wall_s });
            } else if flight.status != FlightStatus::Normal
                && let Some(plain) = self.live.iter_mut().find(|live| live.flight.status == FlightStatus::Normal)
            {
                // What went wrong is never hidden behind what went well.
                *plain = Live { flight: *flight, seen_s: wall_s };
            }
        }
    }
    /// How many tokens are shown.
    #[must_use]
    pub fn count(&self) -> usize {
        self.live.len()
    }
    /// Whether the next frame should follow soon for motion's sake.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.moving
    }
    /// `1 of 240` where tokens are a sample; none where every event has its token.
    #[must_use]
    pub fn sampling_note(&self) -> Option<String> {
        (self.sampled_one_in > 1).then(|| format!("1 of {}", self.sampled_one_in))
    }
    /// Draws every token on its wire; `zoom` scales it within bounds, so that it can be seen and clicked.
    pub fn paint<'a>(
        &mut self,
        painter: &Painter,
        tokens: &Tokens,
        course_of: &dyn Fn(LinkIx) -> Option<&'a Course>,
        wall_s: f64,
        zoom: f32,
    ) {
        self.placed.clear();
        let radius = (5.5 * zoom).clamp(3.5, 8.0);
        let clip = painter.clip_rect().expand(radius * 2.0);
        for live in &self.live {
            let Some(course) = course_of(live.flight.link) else { continue };
            let progress = live.progress(self.shown_now_s, wall_s, self.pace, self.playing).clamp(0.0, 1.0) as f32;
            let along = if live.flight.backwards { 1.0 - progress } else { progress };
            let at = course.point_at(along);
            if clip.contains(at) {
                paint_one(painter, tokens, &live.flight, at, radius, progress);
                self.placed.push((at, radius, live.flight.event));
            }
        }
    }
    /// The event whose token is under `position`; of several the one drawn last.
    #[must_use]
    pub fn token_at(&self, position: Pos2) -> Option<EventId> {
        let hit = |placed: &&(Pos2, f32, EventId)| placed.0.distance(position) <= placed.1 + HIT_MARGIN;
        self.placed.iter().rev().find(hit).map(|placed| placed.2)
    }
}

impl Live {
    fn virtual_s(&self) -> f64 {
        self.flight.end.since(self.flight.start).as_secs_f64()
    }
    /// Whether its flight at this pace lasts long enough to be seen.
    fn is_slow(&self, pace: f64) -> bool {
        self.virtual_s() >= SHOWN_S_MIN * pace
    }
    /// From 0 at departure to 1 at arrival; 1 and beyond means that it may go.
    fn progress(&self, shown_now_s: f64, wall_s: f64, pace: f64, playing: bool) -> f64 {
        let span_s = self.virtual_s();
        let by_wall = (wall_s - self.seen_s) / SHOWN_S_MIN;
        let by_time = if span_s > 0.0 { (shown_now_s - self.flight.start.as_secs_f64()) / span_s } else { 1.0 };
        if playing && !self.is_slow(pace) {
            return by_wall;
        }
        // Held in mid-flight: the token stands where the event is. Arrived: it still gets its quarter of a second.
        if by_time < 1.0 { by_time } else { by_wall }
    }
}

/// Width and dash length of a wire that carries `rate_per_s` when there are more events than tokens can show.
#[must_use]
pub fn flow_look(rate_per_s: f64, zoom: f32) -> (f32, Option<f32>) {
    if rate_per_s <= 0.0 {
        return (1.5 * zoom.clamp(0.6, 1.5), None);
    }
    // A decade of rate is one point of width; dashes shorten as the flow grows.
    let decades = libm::log10(1.0 + rate_per_s) as f32;
    ((1.5 + decades * 0.8).min(6.0) * zoom.clamp(0.6, 1.5), Some((18.0 - decades * 2.5).max(5.0)))
}

/// Dashes that move along a wire with the flow; `phase_s` is the wall clock, held while the run is.
pub fn paint_flow(painter: &Painter, course: &Course, colour: Color32, rate_per_s: f64, zoom: f32, phase_s: f64) {
    let (width, dash) = flow_look(rate_per_s, zoom);
    let Some(dash) = dash else { return };
    let points = course.points(FLOW_STEPS);
    let offset = ((phase_s * 40.0) % f64::from(dash * 2.0)) as f32;
    let mut shapes = Vec::new();
    let (lengths, gaps) = ([dash], [dash]);
    Shape::dashed_line_many_with_offset(&points, Stroke::new(width, colour), &lengths, &gaps, dash * 2.0 - offset, &mut shapes);
    painter.extend(shapes);
}

fn paint_one(painter: &Painter, tokens: &Tokens, flight: &Flight, at: Pos2, radius: f32, progress: f32) {
    let colour = tokens.series(usize::from(flight.event_type.0));
    let halo = Stroke::new(1.5, tokens.surface);
    match flight.status {
        FlightStatus::Normal if flight.backwards => {
            // An answer carries no event: a smaller, hollow token.
            painter.circle(at, radius * 0.6, tokens.surface, Stroke::new(1.5, colour));
        }
        FlightStatus::Normal => {
            painter.circle(at, radius, colour, halo);
        }
        FlightStatus::Rejected => {
            painter.circle(at, radius * 1.25, tokens.surface, Stroke::new(2.0, tokens.error));
            let arm = Vec2::splat(radius * 0.55);
            let other = Vec2::new(arm.x, -arm.y);
            for half in [arm, other] {
                painter.line_segment([at - half, at + half], Stroke::new(2.0, tokens.error));
            }
        }
        FlightStatus::Lost => {
            let fade = 1.0 - 0.75 * progress;
            painter.circle_stroke(at, radius * (1.0 + 0.4 * progress), Stroke::new(2.0, colour.gamma_multiply(fade)));
        }
        FlightStatus::Duplicate => {
            painter.circle(at, radius * 0.7, colour, Stroke::NONE);
            painter.circle_stroke(at, radius * 1.05, Stroke::new(1.2, tokens.surface));
            painter.circle_stroke(at, radius * 1.45, Stroke::new(1.6, colour));
        }
    }
}

/// The sampling note at a corner of the canvas: what one token stands for.
pub fn paint_note(painter: &Painter, tokens: &Tokens, corner: Pos2, note: &str) {
    let galley = painter.layout_no_wrap(format!("Tokens show {note} events in flight"), font(11.0), tokens.text_muted);
    let rect = egui::Rect::from_min_size(corner, galley.size() + Vec2::new(16.0, 8.0));
    painter.rect(rect, 6.0, tokens.surface, Stroke::new(1.0, tokens.border), egui::StrokeKind::Inside);
    painter.galley(rect.min + Vec2::new(8.0, 4.0), galley, tokens.text_muted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{EventTypeIx, SimDuration, SimTime};

    fn flight(start_ms: u64, span_ms: u64) -> Flight {
        let start = SimTime::ZERO + SimDuration::from_ms(start_ms);
        Flight {
            link: LinkIx(0),
            backwards: false,
            event: EventId::default(),
            event_type: EventTypeIx(0),
            start,
            end: start + SimDuration::from_ms(span_ms),
            status: FlightStatus::Normal,
        }
    }

    #[test]
    fn a_fast_flight_is_seen_for_a_quarter_of_a_second() {
        let live = Live { flight: flight(0, 2), seen_s: 10.0 };
        assert!(live.progress(5.0, 10.24, 1.0, true) < 1.0);
        assert!(live.progress(5.0, 10.26, 1.0, true) >= 1.0);
    }

    #[test]
    fn a_slow_flight_follows_virtual_time_and_stands_still_when_held() {
        let live = Live { flight: flight(1_000, 2), seen_s: 10.0 };
        assert!((live.progress(1.001, 99.0, 0.0001, true) - 0.5).abs() < 1e-6);
        assert!((live.progress(1.001, 500.0, 1.0, false) - 0.5).abs() < 1e-6);
    }
}
