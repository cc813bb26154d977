//! Time series at one fixed virtual interval, chosen so that a whole run fits.

use std::sync::Arc;

use indexmap::IndexMap;

use super::view::SeriesView;
use crate::units::{ComponentIx, SimDuration, SimTime};

/// Points of one series over a whole run, at most.
pub(crate) const POINTS_MAX: u64 = 600;
/// Series kept, at most; further ones are not kept, and the report says so.
const SERIES_MAX: usize = 4_000;

/// What a series shows: metric, component (none for the whole design), label.
pub(crate) type SeriesKey = (&'static str, Option<ComponentIx>, Arc<str>);

/// All series of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesSet {
    series: IndexMap<SeriesKey, One, ahash::RandomState>,
    dropped: bool,
}

#[derive(Clone, Debug)]
struct One {
    kind: &'static str,
    points: Vec<[f64; 2]>,
    /// The last view of it; rebuilt only when a point came.
    view: Option<Arc<[[f64; 2]]>>,
}

/// The interval for a run of this length: the smallest of 1, 2, 5 × 10ⁿ that gives at most [`POINTS_MAX`] points, never below 1 ms.
pub(crate) fn interval_for(length: SimDuration) -> SimDuration {
    let wanted = (length.as_ns() / POINTS_MAX).max(1_000_000);
    let mut step = 1_000_000u64;
    loop {
        for factor in [1, 2, 5] {
            if step.saturating_mul(factor) >= wanted {
                return SimDuration::from_ns(step.saturating_mul(factor));
            }
        }
        step = step.saturating_mul(10);
    }
}

impl SeriesSet {
    /// Adds a point; NaN and infinities are left out.
    pub fn push(
        &mut self,
        metric: &'static str,
        kind: &'static str,
        component: Option<ComponentIx>,
        label: &Arc<str>,
        at: SimTime,
        value: f64,
    ) {
        if !value.is_finite() {
            return;
        }
        let key = (metric, component, Arc::clone(label));
        if self.series.len() >= SERIES_MAX && !self.series.contains_key(&key) {
            self.dropped = true;
            return;
        }
        let one = self.series.entry(key).or_insert_with(|| One { kind, points: Vec::new(), view: None });
        one.points.push([at.as_secs_f64(), value]);
        one.view = None;
    }
    /// Whether some series were not kept.
    pub fn dropped(&self) -> bool {
        self.dropped
    }
    /// The points of one series.
    pub fn points(&self, metric: &'static str, component: Option<ComponentIx>, label: &str) -> &[[f64; 2]] {
        self.series.get(&(metric, component, Arc::from(label))).map_or(&[], |one| &one.points)
    }
    /// What the window reads; shares the points with earlier views while nothing came.
    pub fn views(&mut self) -> Vec<SeriesView> {
        let view = |((metric, component, label), one): (&SeriesKey, &mut One)| SeriesView {
            metric: Arc::from(*metric),
            component: *component,
            label: Arc::clone(label),
            points: Arc::clone(one.view.get_or_insert_with(|| one.points.as_slice().into())),
        };
        self.series.iter_mut().map(view).collect()
    }
    /// What the report says.
    pub fn report(&self, interval: SimDuration, component: impl Fn(ComponentIx) -> String) -> Vec<super::report::Series> {
        let one = |((metric, of, label), one): (&SeriesKey, &One)| super::report::Series {
            metric: (*metric).to_owned(),
            component: of.map(&component).unwrap_or_default(),
            label: label.to_string(),
            kind: one.kind.to_owned(),
            interval_s: interval.as_secs_f64(),
            points: one.points.clone(),
        };
        self.series.iter().map(one).collect()
    }
}
