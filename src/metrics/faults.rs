//! What was done to a run: every fault and every change, when, to what, and what came of it.
//!
//! In: the driver's word that something begins, and what it does. Out: the report's list and the charts' bands.
//! Start at [`FaultLog::begin`].

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::report::{Fault, WhileOn};
use crate::units::SimTime;

/// Faults kept one by one; further ones are carried out and counted.
pub const FAULTS_MAX: usize = 1_000;

/// One of them, as charts show it.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultView {
    /// When it began.
    pub at: SimTime,
    /// When it ends, where it lasts.
    pub until: Option<SimTime>,
    /// `edge: freeze`.
    pub label: Arc<str>,
}

/// All that was done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultLog {
    kept: Vec<Kept>,
    dropped: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    view: FaultView,
    target: Arc<str>,
    action: String,
    params: IndexMap<String, String>,
    refused: Option<String>,
    effects: BTreeMap<&'static str, u64>,
    before: WhileOn,
    after: Option<WhileOn>,
}

impl FaultLog {
    /// Something is done; its number is what [`Self::effect`] wants.
    pub fn begin(&mut self, at: SimTime, target: &Arc<str>, action: &str, params: IndexMap<String, String>, before: WhileOn) -> usize {
        if self.kept.len() >= FAULTS_MAX {
            self.dropped += 1;
            return usize::MAX;
        }
        let view = FaultView { at, until: None, label: format!("{target}: {action}").into() };
        let target = Arc::clone(target);
        let action = action.to_owned();
        self.kept.push(Kept { view, target, action, params, refused: None, effects: BTreeMap::new(), before, after: None });
        self.kept.len() - 1
    }
    /// It ends at a known instant, or it was refused.
    pub fn settle(&mut self, number: usize, result: Result<Option<SimTime>, String>) {
        if let Some(kept) = self.kept.get_mut(number) {
            match result {
                Ok(until) => kept.view.until = until,
                Err(words) => kept.refused = Some(words),
            }
        }
    }
    /// It did something so many times more.
    pub fn effects(&mut self, number: usize, what: &'static str, count: u64) {
        if let Some(kept) = self.kept.get_mut(number).filter(|_| count > 0) {
            *kept.effects.entry(what).or_default() += count;
        }
    }
    /// Closes those that are over; `counts` is asked only then.
    pub fn close_ended(&mut self, now: SimTime, counts: impl Fn() -> WhileOn) {
        for kept in self.kept.iter_mut().filter(|kept| kept.after.is_none() && kept.view.until.is_some_and(|until| until <= now)) {
            kept.after = Some(counts());
        }
    }
    /// For charts, oldest first.
    pub fn views(&self) -> Vec<FaultView> {
        self.kept.iter().filter(|kept| kept.refused.is_none()).map(|kept| kept.view.clone()).collect()
    }
    /// How many were carried out and not kept.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
    /// For the report; those that never end count until now.
    pub fn report(&self, counts: &WhileOn) -> Vec<Fault> {
        let fault = |kept: &Kept| Fault {
            at_s: kept.view.at.as_secs_f64(),
            until_s: kept.view.until.map(SimTime::as_secs_f64),
            target: kept.target.to_string(),
            action: kept.action.clone(),
            params: kept.params.clone(),
            refused: kept.refused.clone(),
            effects: kept.effects.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            while_on: kept.after.as_ref().unwrap_or(counts).since(&kept.before),
        };
        self.kept.iter().map(fault).collect()
    }
}
