//! Observers: recorder, time series, histograms, traces, the event ledger; and what they show.

mod bits;
mod detectors;
mod faults;
mod figure_source;
mod latency;
mod ledger;
mod order;
mod partitions;
mod recorder;
mod report;
mod series;
pub mod stats;
mod summary;
mod trace;
mod view;
mod window;

pub use faults::{FAULTS_MAX, FaultView};
pub use partitions::PartitionView;
pub use recorder::{Names, Recorder, RecorderOptions};

pub use report::{
    EngineFigures, ExpectationResult, Fault, Interval, Ledger, LostEvent, Obligations, Provenance, ReasonCount, Repeats, Report, Series,
    Submissions, Wall, WhileOn,
};
pub use summary::ReportHead;
pub use view::{
    CardView, EventStory, ExpectationState, ExpectationView, FLIGHTS_MAX, Flight, FlightStatus, INCIDENTS_MAX, Incident, LinkView,
    RunPhase, RunView, SeriesView, StoryHop, Totals, VIEW_POINTS_MAX,
};
