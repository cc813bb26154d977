//! Why things ended badly: counted by end, component, event type and code.

use super::{Ledger, NAMED_MAX, REASONS_MAX, ReasonKey};
use crate::event::{EventMeta, Reason};
use crate::units::{ComponentIx, SimTime};

impl Ledger {
    pub(super) fn count_reason(
        &mut self,
        end: &'static str,
        at: ComponentIx,
        event: &EventMeta,
        reason: &Reason,
        now: SimTime,
    ) -> ReasonKey {
        let mut key = (end, at, event.event_type, reason.code);
        if self.reasons.len() >= REASONS_MAX && !self.reasons.contains_key(&key) {
            key.3 = "other";
        }
        let total = self.reasons.entry(key).or_default();
        total.count += 1;
        if total.first.len() < NAMED_MAX {
            total.first.push((event.id, now));
            if total.detail.is_empty() {
                total.detail = reason.detail.as_deref().unwrap_or_default().to_owned();
            }
        }
        key
    }

    pub(super) fn uncount_reason(&mut self, key: ReasonKey) {
        if let Some(total) = self.reasons.get_mut(&key) {
            total.count -= 1;
        }
    }

    /// How many events ended in this way at a component (or anywhere), for expectations.
    pub fn reasons_at(&self, end: &str, at: Option<ComponentIx>) -> u64 {
        self.reasons.iter().filter(|((e, c, _, _), _)| *e == end && at.is_none_or(|at| at == *c)).map(|(_, total)| total.count).sum()
    }
}
