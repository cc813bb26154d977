//! Faults by chance: which may strike a design, and a list of them drawn from a seed.
//!
//! In: a design. Out: timed faults as a scenario writes them. Must not know: how they are carried out.
//! Start at [`Candidates::of`], then [`Candidates::draw`].

use indexmap::IndexMap;

use crate::components::{self, ActionSpec, LINK_FAULTS};
use crate::model::{Default_, FaultTarget, ParamSpec, ParamType, Project, TimedFault, Value};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

/// Everything that may happen to a design.
pub(super) struct Candidates {
    all: Vec<(FaultTarget, &'static ActionSpec)>,
}

impl Candidates {
    /// All actions of components and links whose arguments can be drawn.
    pub fn of(project: &Project) -> Self {
        let mut all = Vec::new();
        for (id, component) in &project.components {
            let Some(kind) = components::by_id(&component.kind) else { continue };
            let drawable = kind.spec().all_actions().filter(|action| action.params.iter().all(is_drawable));
            all.extend(drawable.map(|action| (FaultTarget::Component(id.clone()), action)));
        }
        for link in &project.links {
            all.extend(LINK_FAULTS.iter().map(|action| (FaultTarget::Link(link.from.clone(), link.to.clone()), action)));
        }
        Self { all }
    }

    /// One to `count_max` faults in the order of time; `fits` says which the design takes.
    pub fn draw(
        &self,
        stream: &mut Stream,
        length: SimDuration,
        count_max: u32,
        mut fits: impl FnMut(&TimedFault) -> bool,
    ) -> Vec<TimedFault> {
        /// An action may not fit (a node that the cluster has not): another is drawn.
        const TRIES_MAX: u32 = 8;
        let count = 1 + stream.below(u64::from(count_max.max(1)));
        let mut faults: Vec<TimedFault> = Vec::new();
        for _ in 0..count {
            let drawn = (0..TRIES_MAX).filter_map(|_| self.draw_one(stream, length)).find(|fault| fits(fault));
            faults.extend(drawn);
        }
        faults.sort_by_key(|fault| fault.at);
        faults
    }

    fn draw_one(&self, stream: &mut Stream, length: SimDuration) -> Option<TimedFault> {
        if self.all.is_empty() {
            return None;
        }
        let (target, action) = &self.all[stream.below(self.all.len() as u64) as usize];
        // Not at the very beginning, where nothing runs yet, and with time left to see what comes of it.
        let share = 0.05 + 0.75 * stream.unit_f64();
        let at = SimTime::ZERO + whole_ms(length.as_secs_f64() * share);
        let params = action.params.iter().filter_map(|spec| Some((spec.name.to_owned(), draw_value(spec, stream, length)?)));
        let params: IndexMap<String, Value> = params.collect();
        Some(TimedFault { at, target: target.clone(), action: action.name.to_owned(), params })
    }
}

fn is_drawable(spec: &ParamSpec) -> bool {
    let by_chance = matches!(
        spec.ty,
        ParamType::Duration { .. } | ParamType::DurationDist | ParamType::Ratio { .. } | ParamType::Count { .. } | ParamType::Number { .. }
    );
    by_chance || matches!(spec.ty, ParamType::Choice(_)) || !matches!(spec.default, Default_::Required)
}

/// A value, or none where the default does.
fn draw_value(spec: &ParamSpec, stream: &mut Stream, length: SimDuration) -> Option<Value> {
    /// Of a count without another bound: nodes, instances.
    const COUNT_SPAN: i64 = 4;
    const FACTOR_MAX: f64 = 20.0;
    let text = |text: String| Some(Value::Text(text));
    match spec.ty {
        ParamType::Duration { .. } => text(log_uniform_ms(stream, 50.0, length.as_secs_f64() * 250.0).to_string()),
        ParamType::DurationDist => text(format!("exp({})", log_uniform_ms(stream, 5.0, 2_000.0))),
        ParamType::Ratio { min, max } => {
            let share = (0.05 + 0.75 * stream.unit_f64()).clamp(min, max);
            text(format!("{}%", libm::round(share * 100.0)))
        }
        ParamType::Count { min, max } => {
            // What need not be named is left to chance half of the time.
            let named = matches!(spec.default, Default_::Required) || stream.chance(0.5);
            named.then(|| Value::Int((min + stream.below(COUNT_SPAN as u64) as i64).min(max)))
        }
        ParamType::Number { min, max } => {
            let highest = max.min(FACTOR_MAX).max(min);
            Some(Value::Float(libm::round((min + (highest - min) * stream.unit_f64()) * 10.0) / 10.0))
        }
        ParamType::Choice(words) => text(words[stream.below(words.len() as u64) as usize].to_owned()),
        _ => None,
    }
}

/// Short spans as often as long ones.
fn log_uniform_ms(stream: &mut Stream, least_ms: f64, most_ms: f64) -> SimDuration {
    let most_ms = most_ms.max(least_ms);
    whole_ms(least_ms * libm::pow(most_ms / least_ms, stream.unit_f64()) / 1e3)
}

fn whole_ms(seconds: f64) -> SimDuration {
    SimDuration::from_ms(libm::round(seconds * 1e3).max(1.0) as u64)
}
