//! Designs made in code: components, links and faults, compiled and run to a balanced ledger.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, TimedFault, Value};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
use indexmap::IndexMap;
use serde_json::Value as Json;

pub(crate) fn values(json: Json) -> IndexMap<String, Value> {
    serde_json::from_value(json).expect("parameters are plain data")
}

/// A project with one scenario.
pub(crate) struct Design {
    pub(crate) project: Project,
    pub(crate) scenario: Scenario,
}

impl Design {
    pub(crate) fn new(name: &str, seed: u64, length: SimDuration) -> Self {
        let scenario = Scenario { length: Some(length), ..Scenario::default() };
        Self { project: Project { name: name.to_owned(), seed, ..Project::default() }, scenario }
    }
    pub(crate) fn add(&mut self, id: &str, kind: &str, params: Json) {
        let component = Component { kind: kind.to_owned(), params: values(params), ..Component::default() };
        self.project.components.insert(id.to_owned(), component);
    }
    pub(crate) fn link(&mut self, from: &str, to: &str, params: Json) {
        let end = |text: &str| Endpoint::parse(text).expect("component.port");
        self.project.links.push(Link { from: end(from), to: end(to), params: values(params) });
    }
    /// Something happens to a component or to a link (`web.out -> shop.orders`).
    pub(crate) fn fault(mut self, at_s: u64, target: &str, action: &str, params: Json) -> Self {
        let at = SimTime::ZERO + SimDuration::from_secs(at_s);
        let target = FaultTarget::link(target).unwrap_or_else(|| FaultTarget::Component(target.to_owned()));
        self.scenario.faults.push(TimedFault { at, target, action: action.to_owned(), params: values(params) });
        self
    }
    pub(crate) fn run(mut self) -> Report {
        let seed = self.project.seed;
        self.project.scenarios.insert("test".to_owned(), self.scenario);
        let plan = compile(&self.project, &RunOptions::default())
            .unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
        let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        assert!(report.ledger.balanced, "seed {seed}: {:#?}", report.ledger);
        assert!(!report.remarks.iter().any(|remark| remark.contains("cannot be changed")), "{:?}", report.remarks);
        report
    }
}
