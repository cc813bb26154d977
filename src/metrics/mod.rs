//! Observers: recorder, time series, histograms, traces, the event ledger; and what they show.

mod report;
mod view;

pub use report::{
    EngineFigures, ExpectationResult, Interval, Ledger, Obligations, Provenance, ReasonCount, Repeats, Report, Series, Submissions, Wall,
};
pub use view::{
    CardView, EventStory, ExpectationState, ExpectationView, FLIGHTS_MAX, Flight, FlightStatus, INCIDENTS_MAX, Incident, LinkView,
    RunPhase, RunView, SeriesView, StoryHop, Totals, VIEW_POINTS_MAX,
};
