//! Changes while a gateway runs: `set` of the parameters named in [`LIVE`], and what is done to targets.

use indexmap::IndexMap;

use super::pools::{START_TARGET, STOP_TARGET};
use super::sim::GatewaySim;
use super::spec::{PARAMS, STORE_DOWN, STORE_UP};
use crate::components::{Params, check_params};
use crate::engine::{Ctx, Input};
use crate::model::Value;

/// What can be set while it runs.
pub(super) const LIVE: [&str; 9] =
    ["service_time", "nodes", "concurrency", "queue_max", "in_flight_max", "rate_limits", "plugins", "linger", "schema_timeout"];

/// Carries out one change.
///
/// # Errors
/// In words: an unknown parameter, a value that does not fit.
pub(super) fn apply(gateway: &mut GatewaySim, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
    let (param, value) = match input {
        Input::Set { param, value } => (param, value),
        Input::Action { name, params } => return act(gateway, ctx, name, params),
    };
    if !LIVE.contains(&param.as_str()) {
        return Err(format!("`{param}` cannot be changed while it runs; these can: {}", LIVE.join(", ")));
    }
    let values: IndexMap<String, Value> = [(param.clone(), value.clone())].into_iter().collect();
    let mut problems = Vec::new();
    check_params("", PARAMS, &values, &mut problems);
    if let Some(problem) = problems.first() {
        return Err(problem.message.clone());
    }
    let params = Params::new(PARAMS, None, &values);
    match param.as_str() {
        "service_time" => gateway.service_time = params.distribution(param),
        "nodes" => gateway.set_nodes(params.count(param) as u32),
        "concurrency" => gateway.set_workers(params.count(param) as u32),
        "queue_max" => gateway.limits.queue_max = params.count(param) as usize,
        "in_flight_max" => gateway.limits.in_flight_max = params.count(param) as usize,
        "rate_limits" | "plugins" => return gateway.set_plugins(&params, param),
        "linger" => gateway.upstream.config_mut().linger = params.duration(param),
        _ => {
            if let Some(schemas) = &mut gateway.schemas {
                schemas.timeout = params.duration(param);
            }
        }
    }
    Ok(())
}

fn act(gateway: &mut GatewaySim, ctx: &mut Ctx<'_>, name: &str, arguments: &IndexMap<String, Value>) -> Result<(), String> {
    let spec = [STOP_TARGET, START_TARGET, STORE_DOWN, STORE_UP].into_iter().find(|action| action.name == name);
    let spec = spec.ok_or_else(|| format!("a gateway does not understand `{name}`"))?;
    let params = Params::new(spec.params, None, arguments);
    match name {
        _ if name == STORE_DOWN.name => gateway.lose_store(ctx, params.is_given("for").then(|| params.duration("for"))),
        _ if name == STORE_UP.name => gateway.regain_store(),
        _ => gateway.pools.set_up(&params.text("target"), name == START_TARGET.name),
    }
}
