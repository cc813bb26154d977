//! What strikes a link for a while: messages dropped, delayed, doubled, overtaken.
//!
//! In: a scenario's or a person's action on a link. Out: the fate of each message put on it meanwhile. All randomness
//! comes from a stream of its own, so that a fault moves no number that it does not touch.
//! Start at [`LinkFaults::begin`] and [`LinkFaults::strike`].

use indexmap::IndexMap;

use crate::components::{LINK_FAULTS, Params};
use crate::model::Value;
use crate::random::{Distribution, Stream};
use crate::units::{SimDuration, SimTime};

/// Faults on one link at once; further ones are refused.
const ACTIVE_MAX: usize = 100;

/// All that strikes one link now.
#[derive(Clone, Debug)]
pub(super) struct LinkFaults {
    active: Vec<Active>,
    stream: Stream,
}

#[derive(Clone, Debug)]
struct Active {
    until: SimTime,
    /// Forward, backward.
    directions: [bool; 2],
    what: What,
    /// Its number at the recorder.
    record: usize,
}

#[derive(Clone, Debug)]
enum What {
    Cut,
    Delay(Distribution),
    Lose(f64),
    Duplicate(f64, Distribution),
    Reorder(f64, Distribution),
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    /// It vanishes.
    pub lost: bool,
    /// On top of its latency.
    pub delay: SimDuration,
    /// Later messages may overtake it.
    pub overtaken: bool,
    /// A second one arrives so long after it.
    pub copy_after: Option<SimDuration>,
}

impl LinkFaults {
    pub fn new(stream: Stream) -> Self {
        Self { active: Vec::new(), stream }
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Begins one; gives when it ends.
    ///
    /// # Errors
    /// In words, when there is no such action, or too many are at work.
    pub fn begin(&mut self, now: SimTime, action: &str, params: &IndexMap<String, Value>, record: usize) -> Result<SimTime, String> {
        let spec = LINK_FAULTS.iter().find(|spec| spec.name == action).ok_or_else(|| format!("a link does not understand `{action}`"))?;
        if self.active.len() >= ACTIVE_MAX {
            return Err(format!("more than {ACTIVE_MAX} faults on one link"));
        }
        let params = Params::new(spec.params, None, params);
        let what = match action {
            "cut" => What::Cut,
            "delay" => What::Delay(params.distribution("by")),
            "lose" => What::Lose(params.ratio("ratio")),
            "duplicate" => What::Duplicate(params.ratio("ratio"), params.distribution("after")),
            _ => What::Reorder(params.ratio("ratio"), params.distribution("by")),
        };
        let direction = params.text("direction");
        let until = now + params.duration("for");
        self.active.push(Active { until, directions: [direction != "backward", direction != "forward"], what, record });
        Ok(until)
    }

    /// The fate of a message put on the link now; `tell` hears which fault did what.
    pub fn strike(&mut self, backwards: bool, now: SimTime, tell: &mut impl FnMut(usize, &'static str)) -> Fate {
        self.active.retain(|fault| fault.until > now);
        let mut fate = Fate::default();
        for fault in self.active.iter().filter(|fault| fault.directions[usize::from(backwards)]) {
            match &fault.what {
                What::Cut => {
                    fate.lost = true;
                    tell(fault.record, "messages_dropped");
                }
                What::Lose(share) => {
                    if self.stream.chance(*share) {
                        fate.lost = true;
                        tell(fault.record, "messages_dropped");
                    }
                }
                What::Delay(by) => {
                    fate.delay += by.sample(&mut self.stream);
                    tell(fault.record, "messages_delayed");
                }
                What::Duplicate(share, after) => {
                    if self.stream.chance(*share) {
                        fate.copy_after = Some(after.sample(&mut self.stream));
                        tell(fault.record, "messages_duplicated");
                    }
                }
                What::Reorder(share, by) => {
                    if self.stream.chance(*share) {
                        fate.delay += by.sample(&mut self.stream);
                        fate.overtaken = true;
                        tell(fault.record, "messages_held_back");
                    }
                }
            }
        }
        fate
    }
}
