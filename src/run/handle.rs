//! A run on a worker thread: commands in, snapshots out.

use std::sync::Arc;

use crate::compile::{Plan, TimedInput};
use crate::event::EventId;
use crate::metrics::RunView;

/// How virtual time follows wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Virtual seconds a wall second, 0.0001 and up.
    Ratio(f64),
    /// As fast as it goes.
    Unlimited,
    /// One visible hop a second, whatever its virtual length.
    Teaching,
}

/// What a person can tell a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunCommand {
    /// Go on.
    Play,
    /// Hold.
    Pause,
    /// To the next visible hop of an event, then hold.
    StepEvent,
    /// One virtual second, then hold.
    StepSecond,
    /// One turn of the kernel, then hold.
    StepKernel,
    /// End now and report what there is.
    Stop,
    /// Another pace.
    SetPace(Pace),
    /// Fill `RunView::inspected` with this event's story, and keep it up to date; `None` ends that.
    Inspect(Option<EventId>),
    /// A change to a component, stamped with the instant it is taken.
    Input(TimedInput),
}

/// A run that goes on elsewhere. Dropping it ends the run.
pub struct RunHandle {
    view: Arc<RunView>,
}

impl RunHandle {
    /// Starts a worker; `wake` is called (from the worker) whenever a new snapshot is there.
    #[must_use]
    pub fn start(plan: Plan, pace: Pace, paused: bool, wake: Box<dyn Fn() + Send>) -> Self {
        let _ = (plan, pace, paused, wake);
        unimplemented!("the driver is on its way")
    }
    /// Tells it something; does nothing after the end.
    pub fn send(&self, command: RunCommand) {
        let _ = command;
    }
    /// The newest snapshot; never waits for the worker.
    #[must_use]
    pub fn view(&self) -> Arc<RunView> {
        Arc::clone(&self.view)
    }
}
