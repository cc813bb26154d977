//! The parameters of the profiles `aws-rest-api` and `aws-http-api`, as AWS's machine is told them.

use std::sync::Arc;

use super::config::RouteTarget;
use crate::components::secrets::Secret;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::machines::gateway::aws::{ApiKind, ApiRoute, ApiSpec, AuthorizerSpec, QuotaPeriod, Throttle, UsagePlan};
use crate::machines::gateway::{RouteSpec, TokenAlgorithm, TokenCredential};

/// Profiles of AWS's product.
pub(super) const REST: &str = "aws-rest-api";
pub(super) const HTTP: &str = "aws-http-api";

/// Which of AWS's products, if any.
pub(super) fn kind(params: &Params<'_>) -> Option<ApiKind> {
    match params.profile() {
        Some(REST) => Some(ApiKind::Rest),
        Some(HTTP) => Some(ApiKind::Http),
        _ => None,
    }
}

/// Everything the machine is told; what is wrong goes to `out`. A route with several paths or methods is several routes
/// of AWS's; the second value gives, for each of those, the row that it comes from.
pub(super) fn spec(
    ctx: &BuildCtx<'_>,
    params: &Params<'_>,
    routes: &[(RouteSpec, RouteTarget)],
    kind: ApiKind,
    out: &mut Vec<Diagnostic>,
) -> (ApiSpec, Vec<u32>) {
    let here = format!("components.{}", ctx.id);
    let throttle = |row: &Params<'_>| row.is_given("rate").then(|| Throttle::new(row.rate("rate"), row.count("burst").max(0) as u32));
    let authorizer_names: Vec<String> = params.rows("authorizers").iter().map(|row| row.text("name")).collect();
    let rows = params.rows("routes");
    let (mut api_routes, mut of_row) = (Vec::new(), Vec::new());
    for (index, (route, _)) in routes.iter().enumerate() {
        let row = rows.get(index);
        let text = |name: &str| row.and_then(|row| row.optional_text(name));
        let place = |field: &str| format!("{here}.routes[{index}].{field}");
        let authorizer = text("authorizer").and_then(|name| {
            let found = authorizer_names.iter().position(|known| *known == name);
            if found.is_none() {
                out.push(Diagnostic::error("gateway-authorizer", place("authorizer"), format!("there is no authorizer `{name}`")));
            }
            found
        });
        let model =
            text("model").and_then(|name| match ctx.project.schemas.get(&name).map(|source| ctx.schemas.compile("JSON", &source.text)) {
                Some(Ok(schema)) => Some(schema),
                Some(Err(words)) => {
                    out.push(Diagnostic::error("gateway-model", place("model"), format!("`{name}` is no JSON Schema: {words}")));
                    None
                }
                None => {
                    out.push(Diagnostic::error("gateway-model", place("model"), format!("there is no schema `{name}`")));
                    None
                }
            });
        let any = |list: &[String], otherwise: &str| if list.is_empty() { vec![otherwise.to_owned()] } else { list.to_vec() };
        for path in any(&route.paths, "/{proxy+}") {
            for method in any(&route.methods, "ANY") {
                of_row.push(index as u32);
                api_routes.push(ApiRoute {
                    name: Arc::clone(&route.name),
                    method: method.into(),
                    path: path.as_str().into(),
                    throttle: row.and_then(throttle),
                    key_required: row.is_some_and(|row| row.flag("key_required")),
                    authorizer,
                    scopes: row.map_or(Vec::new(), |row| row.words("scopes").into_iter().map(Arc::from).collect()),
                    model: model.clone(),
                });
            }
        }
    }
    let limits_of = |plan: &str| {
        let rows = params.rows("plan_limits");
        let of_plan = rows.iter().filter(|row| row.text("plan") == plan);
        of_plan.filter_map(|row| Some((row.text("route").into(), throttle(row)?))).collect()
    };
    let keys_of = |owners: &[String]| {
        let rows = params.rows("api_keys");
        let wanted = rows.iter().filter(|row| owners.contains(&row.text("consumer")));
        wanted.map(|row| (Secret::read(&row.text("key")).stand_in().into(), row.text("consumer").into())).collect()
    };
    let plan = |row: &Params<'_>| UsagePlan {
        name: row.text("name").into(),
        throttle: throttle(row),
        by_route: limits_of(&row.text("name")),
        quota: row.is_given("quota").then(|| {
            let period = match row.text("quota_period").as_str() {
                "week" => QuotaPeriod::Week,
                "month" => QuotaPeriod::Month,
                _ => QuotaPeriod::Day,
            };
            (row.count("quota").max(0) as u64, period)
        }),
        keys: keys_of(&row.words("consumers")),
    };
    let stage = params.is_given("stage_rate").then(|| Throttle::new(params.rate("stage_rate"), params.count("stage_burst").max(0) as u32));
    let spec = ApiSpec {
        kind,
        routes: api_routes,
        account: Throttle::new(params.rate("account_rate"), params.count("account_burst").max(0) as u32),
        stage,
        plans: params.rows("usage_plans").iter().map(plan).collect(),
        authorizers: params.rows("authorizers").iter().map(|row| authorizer(params, row)).collect(),
    };
    (spec, of_row)
}

fn authorizer(params: &Params<'_>, row: &Params<'_>) -> AuthorizerSpec {
    let words = |name: &str| row.words(name).into_iter().map(Arc::from).collect();
    if row.text("type") == "lambda" {
        return AuthorizerSpec::Lambda {
            identity: row.text("identity").to_ascii_lowercase().into(),
            allow: words("allow"),
            deny: words("deny"),
            ttl: row.duration("ttl"),
            fails: row.flag("fails"),
        };
    }
    let name = row.text("issuer");
    let issuers = params.rows("token_issuers");
    let found = issuers.iter().find(|issuer| issuer.text("issuer") == name);
    let algorithm: TokenAlgorithm = found.and_then(|issuer| issuer.text("algorithm").parse().ok()).unwrap_or_default();
    let secret = found.map_or_else(String::new, |issuer| Secret::read(&issuer.text("secret")).verify_key(algorithm));
    AuthorizerSpec::Jwt { issuer: TokenCredential { key: name.into(), algorithm, secret: secret.into() }, audiences: words("audiences") }
}
