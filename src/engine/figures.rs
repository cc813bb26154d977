//! Counters and gauges that a process shows to observers.

use std::sync::Arc;

/// How a figure behaves over time, in Prometheus' and OpenTelemetry's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FigureKind {
    /// Only grows; charts show its rate.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A time integral in unit·seconds (busy servers, queue length); charts show its derivative, the mean over an interval.
    Integral,
}

/// One figure at one instant.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Metric name with its unit last (`produced_count`, `queue_length`, `busy_s`).
    pub name: &'static str,
    /// What it is of, within the component: a topic, a group, a route, a status. Empty for the whole component.
    pub label: Arc<str>,
    /// How it behaves.
    pub kind: FigureKind,
    /// Value.
    pub value: f64,
}

/// The list that a process fills. Names in common use, so that cards and expectations find them:
/// counters `produced_count`, `accepted_count`, `rejected_count`, `retried_count`, `dropped_count`,
/// `abandoned_count`, `processed_count`, `failed_count`, `requests_count`, `in_bytes`, `out_bytes`;
/// gauges `queue_length`, `in_service`, `lag` (label: group), `log_bytes` (label: topic), `buffered_count`;
/// integrals `busy_s`, `queue_s` (waiting), `system_s` (waiting and served); gauge `servers`
/// (utilisation is d(busy_s)/dt ÷ servers).
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// In the process's own fixed order.
    pub list: Vec<Figure>,
    empty: Option<Arc<str>>,
}

impl Figures {
    /// A counter of the whole component.
    pub fn counter(&mut self, name: &'static str, value: u64) {
        self.push(name, FigureKind::Counter, value as f64);
    }
    /// A gauge of the whole component.
    pub fn gauge(&mut self, name: &'static str, value: f64) {
        self.push(name, FigureKind::Gauge, value);
    }
    /// A time integral of the whole component.
    pub fn integral(&mut self, name: &'static str, value: f64) {
        self.push(name, FigureKind::Integral, value);
    }
    /// A figure of a part of the component.
    pub fn of(&mut self, name: &'static str, label: &Arc<str>, kind: FigureKind, value: f64) {
        self.list.push(Figure { name, label: Arc::clone(label), kind, value });
    }
    fn push(&mut self, name: &'static str, kind: FigureKind, value: f64) {
        let label = Arc::clone(self.empty.get_or_insert_with(|| Arc::from("")));
        self.list.push(Figure { name, label, kind, value });
    }
}
