//! Observers: recorder, time series, histograms, traces, the event ledger; and what they show.

mod bits;
mod browse;
mod detectors;
mod faults;
mod figure_source;
mod ledger;
mod lineage;
mod names;
mod order;
mod recorder;
mod report;
mod sampling;
mod series;
pub mod stats;
mod summary;
mod trace;
mod traffic;
mod view;
mod window;

pub use browse::{BrowseWish, Browsed};
pub use faults::{FAULTS_MAX, FaultView};
pub use names::Names;
pub use recorder::{Recorder, RecorderOptions};

pub use report::{
    Anomaly, EngineFigures, ExpectationResult, Fault, Interval, Ledger, LostEvent, Obligations, OfEventType, OfPath, Provenance,
    ReasonCount, Repeats, Report, Series, Submissions, Wall, WhileOn,
};
pub use summary::{ReportHead, SUMS};
pub use view::{
    CardView, EventStory, ExpectationState, ExpectationView, FLIGHTS_MAX, Flight, FlightStatus, Freshness, INCIDENTS_MAX, Incident,
    LinkView, RunPhase, RunView, SeriesView, StoryHop, Totals, VIEW_POINTS_MAX,
};
