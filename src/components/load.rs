//! The load of a source: when its next event comes, under a load that may be changed while it runs.
//!
//! In: the parameter `load`, changes of it. Out: instants. Must not know: what comes then. Start at [`Load::next`].

use super::Params;
use crate::random::{Arrival, ArrivalState, Stream};
use crate::units::SimTime;

/// A load, or none.
#[derive(Clone, Debug)]
pub(in crate::components) struct Load {
    arrival: Option<Arrival>,
    state: ArrivalState,
    generation: u64,
}

impl Load {
    pub fn new(params: &Params<'_>) -> Self {
        Self { arrival: params.arrival("load"), state: ArrivalState::default(), generation: 0 }
    }
    /// When the next event comes, if one does.
    pub fn next(&mut self, now: SimTime, rng: &mut Stream) -> Option<SimTime> {
        self.arrival.as_ref()?.next(&mut self.state, now, rng)
    }
    /// Stands in the timers of a load: those of another generation are stale.
    pub fn generation(&self) -> u64 {
        self.generation
    }
    /// Timers that were armed so far count no more.
    pub fn renew(&mut self) {
        self.generation += 1;
    }
    /// Another load from now on.
    ///
    /// # Errors
    /// In words, when the text is none.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        self.arrival = Some(text.parse::<Arrival>().map_err(|error| error.to_string())?);
        self.state = ArrivalState::default();
        self.renew();
        Ok(())
    }
}
