//! Model to plan: every diagnostic of a design, or something that can run.
//!
//! In: a [`Project`] and [`RunOptions`]. Out: a [`Plan`] of typed, densely numbered parts with built
//! processes, or every problem at once.
//! Must not know: files, drivers, the window. Start at [`check`] and [`compile`].
//!
//! ```text
//! Project ─ effective (scenario, --set) ─ structure (kinds, parameters, links) ─ names (dense numbers) ─ kinds' own checks
//!         ─ companions (topics that clients create) ─ names ─ build ─► Plan
//! ```

mod blast;
mod companions;
mod effective;
mod expectations;
mod faults;
mod names;
mod plan;
mod schemas;
mod structure;

pub use blast::{Blast, DrawnUse, Hit, Impact, blast_radius, schema_uses};
pub use faults::input_target;
pub use plan::{InputTarget, Plan, PlannedComponent, PlannedLink, RunOptions, TimedInput, WarmUp};

use std::sync::Arc;

use crate::components::{self, BuildCtx, LINK_PARAMS, Params};
use crate::diagnostics::{Diagnostic, has_errors};
use crate::engine::TraceSampling;
use crate::machines::codec::SchemaLibrary;
use crate::model::Project;
use crate::random::Stream;
use crate::units::{ComponentIx, SimDuration};
use names::Names;

/// A run without a scenario lasts this long.
pub const DEFAULT_LENGTH: SimDuration = SimDuration::from_secs(60);

/// Every problem of a design: as drawn, and under each of its scenarios; empty when all is well.
#[must_use]
pub fn check(project: &Project) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    // Each text is compiled once, whatever the scenarios change around it.
    let library = Arc::new(SchemaLibrary::default());
    check_as_drawn(project, &library, &mut out);
    for name in project.scenarios.keys() {
        let options = RunOptions { scenario: Some(name.clone()), ..RunOptions::default() };
        let mut under = Vec::new();
        let (effective, _) = effective::apply(project, &options, &mut under);
        check_as_drawn(&effective, &library, &mut under);
        // What is wrong with the drawing itself has been said once.
        for diagnostic in under {
            let said = |known: &Diagnostic| known.code == diagnostic.code && known.message == diagnostic.message;
            if !out.iter().any(said) {
                out.push(effective::relocate(diagnostic, project, name));
            }
        }
    }
    out
}

fn check_as_drawn(project: &Project, library: &Arc<SchemaLibrary>, out: &mut Vec<Diagnostic>) {
    structure::check(project, out);
    let names = Names::number(project);
    expectations::check(project, &names, out);
    schemas::check(project, library, out);
    for (index, (id, component)) in project.components.iter().enumerate() {
        let Some(kind) = components::by_id(&component.kind) else { continue };
        let ctx = build_ctx(project, &names, library, 0, index, id, component.stream_key(id));
        let params = Params::new(kind.spec().params, profile_of(component, kind), &component.params);
        kind.check(&ctx, &params, out);
    }
}

/// A plan to run.
///
/// # Errors
/// Every diagnostic (warnings too) when at least one is an error.
pub fn compile(project: &Project, options: &RunOptions) -> Result<Plan, Vec<Diagnostic>> {
    let mut remarks = Vec::new();
    let (mut effective, scenario) = effective::apply(project, options, &mut remarks);
    effective.expect.extend(expectations::of_guarantees(&effective));
    let schemas = Arc::new(SchemaLibrary::default());
    check_as_drawn(&effective, &schemas, &mut remarks);
    if has_errors(&remarks) {
        return Err(remarks);
    }
    companions::create(&mut effective);
    let names = Names::number(&effective);
    let seed = options.seed.unwrap_or(effective.seed);
    let mut planned = Vec::with_capacity(effective.components.len());
    for (index, (id, component)) in effective.components.iter().enumerate() {
        let kind = components::by_id(&component.kind).expect("an unknown kind is an error above");
        let key = component.stream_key(id);
        let ctx = build_ctx(&effective, &names, &schemas, seed, index, id, key);
        let params = Params::new(kind.spec().params, profile_of(component, kind), &component.params);
        match kind.build(&ctx, &params) {
            Ok(process) => planned.push(PlannedComponent {
                id: id.as_str().into(),
                key: key.into(),
                kind: kind.spec().id,
                process,
                groups: names.groups_of[index].clone(),
                results: names.results_of(index),
                ends: names.ends[index].iter().map(|facts| (facts.link, facts.role == components::EndRole::From)).collect(),
            }),
            Err(diagnostic) => remarks.push(diagnostic),
        }
    }
    if has_errors(&remarks) {
        return Err(remarks);
    }
    let scenario_data = effective.scenarios.get(&scenario).cloned().unwrap_or_default();
    let length = options.length.or(scenario_data.length).unwrap_or(DEFAULT_LENGTH);
    let warm_up = options.warm_up.unwrap_or(WarmUp::Fixed(scenario_data.warm_up.unwrap_or(SimDuration::ZERO)));
    let warm_up = match warm_up {
        WarmUp::Fixed(span) if !span.is_zero() && span >= length => {
            let message = format!("the warm-up of {span} is not shorter than the run of {length}; nothing is cut");
            remarks.push(Diagnostic::warning("warm-up-long", "", message).with_hint("run longer, or set a shorter warm-up"));
            WarmUp::Fixed(SimDuration::ZERO)
        }
        other => other,
    };
    Ok(Plan {
        links: links(&effective, &names, seed),
        inputs: faults::inputs(&effective, &scenario_data),
        tracing: options.tracing.unwrap_or_else(|| default_tracing(&effective, length)),
        overrides: effective::overrides(&scenario_data, options),
        topics: names.topics,
        groups: names.groups,
        retries: names.retries,
        event_types: names.event_types.iter().map(|name| name.as_str().into()).collect(),
        project: Arc::new(effective),
        scenario,
        seed,
        length,
        warm_up,
        components: planned,
        schemas,
        kept: Arc::default(),
        remarks,
    })
}

pub(crate) fn profile_of<'a>(component: &'a crate::model::Component, kind: &dyn components::Kind) -> Option<&'a str> {
    component.profile.as_deref().or_else(|| kind.spec().profiles.first().copied())
}

fn build_ctx<'a>(
    project: &'a Project,
    names: &'a Names,
    schemas: &'a Arc<SchemaLibrary>,
    seed: u64,
    index: usize,
    id: &'a str,
    key: &'a str,
) -> BuildCtx<'a> {
    BuildCtx {
        project,
        id,
        me: ComponentIx(u32::try_from(index).expect("the reader limits components")),
        key,
        seed,
        links: &names.ends[index],
        topics: &names.topics,
        groups: &names.groups,
        event_types: &names.event_type_of,
        schemas,
    }
}

fn links(project: &Project, names: &Names, seed: u64) -> Vec<PlannedLink> {
    let planned = |(index, link): (usize, &crate::model::Link)| {
        let params = Params::new(LINK_PARAMS, None, &link.params);
        let (from, to) = names.link_ends[index]?;
        // Streams hang on keys, so that renaming a component moves no latency.
        let key_of = |id: &String| project.components.get(id).map_or(id.as_str(), |component| component.stream_key(id)).to_owned();
        let key = format!("{}.{}→{}.{}", key_of(&link.from.component), link.from.port, key_of(&link.to.component), link.to.port);
        Some(PlannedLink {
            id: link.id().into(),
            from,
            to,
            latency: params.distribution("latency"),
            bandwidth_bytes_per_s: params.size("bandwidth"),
            loss_ratio: params.ratio("loss"),
            streams: [Stream::new(seed, &key, "forward"), Stream::new(seed, &key, "backward")],
            fault_stream: Stream::new(seed, &key, "faults"),
            is_reference: names.is_reference[index],
        })
    };
    // Invariant: an unresolved link is an error that `structure` reports, so none is dropped here.
    project.links.iter().enumerate().filter_map(planned).collect()
}

/// Follows about 200 events a virtual second over the whole design, all of them in small runs.
fn default_tracing(project: &Project, length: SimDuration) -> TraceSampling {
    const FOLLOWED_PER_S: f64 = 200.0;
    let rates = project.components.values().filter_map(|component| {
        let kind = components::by_id(&component.kind)?;
        kind.spec().params.iter().any(|spec| spec.name == "load").then_some(())?;
        let params = Params::new(kind.spec().params, profile_of(component, kind), &component.params);
        Some(params.arrival("load")?.mean_rate(length))
    });
    let rate: f64 = rates.sum();
    TraceSampling { one_in: (libm::ceil(rate / FOLLOWED_PER_S) as u64).max(1) }
}
