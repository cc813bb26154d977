//! Where a report's figures come from: program, hashes, profiles, defaults that matter.

use std::collections::BTreeMap;

use super::sim::Sim;
use crate::components::{self, LINK_PARAMS, Params};
use crate::metrics::{Provenance, ReportHead};
use crate::model::{ParamSpec, Project, Provenance as Source};

/// The head of a run's report.
pub(super) fn head(sim: &Sim) -> ReportHead {
    let plan = sim.plan();
    let project = &plan.project;
    let mut remarks: Vec<String> = plan.remarks.iter().map(ToString::to_string).collect();
    remarks.extend(sim.refused().iter().map(|words| format!("a change was refused: {words}")));
    remarks.push("a single run: its figures carry no interval; use --repeats".to_owned());
    ReportHead {
        project: project.name.clone(),
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        provenance: provenance(project, &plan.overrides),
        assumptions: project.assumptions.clone(),
        decisions: project.decisions.clone(),
        steps: sim.steps(),
        pending_max: sim.pending_max() as u64,
        remarks,
    }
}

fn provenance(project: &Project, overrides: &BTreeMap<String, String>) -> Provenance {
    let mut defaults = BTreeMap::new();
    let mut profiles = BTreeMap::new();
    let mut uncalibrated = false;
    for (id, component) in &project.components {
        let Some(kind) = components::by_id(&component.kind) else { continue };
        let profile = crate::compile::profile_of(component, kind);
        if let Some(profile) = profile {
            profiles.insert(id.clone(), profile.to_owned());
        }
        let params = Params::new(kind.spec().params, profile, &component.params);
        uncalibrated |= costs(id, kind.spec().params, &params, &mut defaults);
    }
    for link in &project.links {
        let params = Params::new(LINK_PARAMS, None, &link.params);
        uncalibrated |= costs(&link.id(), LINK_PARAMS, &params, &mut defaults);
    }
    let schema_hashes = project.schemas.iter().map(|(name, source)| (name.clone(), hash_hex(&[source.text.as_bytes()]))).collect();
    Provenance {
        program: format!("eventyard {}", env!("CARGO_PKG_VERSION")),
        project_hash: project_hash(project),
        schema_hashes,
        profiles,
        defaults,
        overrides: overrides.clone(),
        uncalibrated,
    }
}

/// Resolved cost parameters with their source; whether an assumed one is in use.
fn costs(id: &str, specs: &'static [ParamSpec], params: &Params<'_>, out: &mut BTreeMap<String, String>) -> bool {
    let mut assumed = false;
    for spec in specs {
        let source = match source_of(spec, params) {
            Some(source) => source,
            None => continue,
        };
        assumed |= source == "assumed";
        if out.len() < DEFAULTS_MAX {
            out.insert(format!("{id}.{}", spec.name), format!("{} ({source})", params.text(spec.name)));
        }
    }
    assumed
}

/// Resolved defaults listed in a report; further ones are left out.
const DEFAULTS_MAX: usize = 2_000;

/// For a parameter that is a cost: whether its value is given, measured, documented or assumed.
fn source_of(spec: &ParamSpec, params: &Params<'_>) -> Option<&'static str> {
    match spec.provenance {
        Source::Choice => None,
        _ if params.is_given(spec.name) => Some("given"),
        // What has no value without being given costs nothing.
        _ if params.text(spec.name).is_empty() => None,
        Source::Documented(_) => Some("documented"),
        Source::Measured(_) => Some("measured"),
        Source::Assumed => Some("assumed"),
    }
}

/// A hash of everything that means something: the layout, texts for people and the order of fields do not count.
fn project_hash(project: &Project) -> String {
    let mut parts: Vec<String> = vec![project.seed.to_string()];
    for (id, component) in &project.components {
        parts.push(format!("component {id} {} {} {:?}", component.stream_key(id), component.kind, component.profile));
        let params: BTreeMap<&String, &crate::model::Value> = component.params.iter().collect();
        parts.push(format!("{params:?}"));
    }
    for link in &project.links {
        let params: BTreeMap<&String, &crate::model::Value> = link.params.iter().collect();
        parts.push(format!("link {} {params:?}", link.id()));
    }
    for (name, source) in &project.schemas {
        parts.push(format!("schema {name} {}", source.text));
    }
    parts.extend(project.expect.iter().cloned());
    hash_hex(&parts.iter().map(String::as_bytes).collect::<Vec<_>>())
}

/// FNV-1a over 128 bits, parts apart by their length: for telling files apart, not for security.
fn hash_hex(parts: &[&[u8]]) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    };
    for part in parts {
        eat(&(part.len() as u64).to_le_bytes());
        eat(part);
    }
    format!("{hash:032x}")
}
