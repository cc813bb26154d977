//! What is wrong with a gateway beyond each parameter's own range.

use std::collections::BTreeMap;

use super::aws;
use super::config::{self, RouteTarget};
use super::pools;
use crate::components::secrets::{Secret, check_secret};
use crate::components::{BuildCtx, Params, PortType};
use crate::diagnostics::{Diagnostic, nearest};
use crate::machines::gateway::aws::{Api, ApiKind};
use crate::machines::gateway::{
    CredentialKind, EPOCH_UNIX_S, Gateway, GatewayProblem, GatewaySpec, Period, RouteSpec, Router, TARGETS_MAX, shadowed,
};

pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let here = format!("components.{}", ctx.id);
    let routes = config::routes(ctx, params);
    check_targets(ctx, params, &here, &routes, out);
    check_names(&here, &routes, out);
    check_secrets(params, &here, out);
    check_keys_twice(params, &here, out);
    check_upstreams(params, &here, &routes, out);
    check_profile(params, &here, out);
    if let Some(kind) = aws::kind(params) {
        check_api(ctx, params, kind, &routes, out);
    } else {
        check_routes(&here, &routes, out);
        check_keys(params, &here, out);
        check_limits(params, &here, &routes, out);
        check_plugins(params, &here, &routes, out);
    }
    let registries = ctx.links_at("schemas").count();
    if params.flag("validate") && registries == 0 {
        out.push(
            Diagnostic::error("gateway-no-registry", format!("{here}.validate"), "payloads are to be validated, but no registry is linked")
                .with_hint(format!("link `{}.schemas` to a schema registry", ctx.id)),
        );
    }
    if registries > 1 {
        out.push(
            Diagnostic::warning("gateway-registries", here, format!("{registries} registries are linked; only the first is asked"))
                .with_hint("remove the other links"),
        );
    }
}

fn check_targets(ctx: &BuildCtx<'_>, params: &Params<'_>, here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let linked: Vec<&str> = ctx.links_at("records").map(|facts| facts.peer_port.as_str()).collect();
    for (at, name) in linked.iter().enumerate() {
        if linked[..at].contains(name) {
            out.push(
                Diagnostic::error("gateway-topics", here, format!("two linked topics are called `{name}`: a route cannot tell them apart"))
                    .with_hint("rename one, or use a second gateway"),
            );
        }
    }
    if routes.is_empty() {
        let message = if linked.is_empty() {
            "there are no routes: every request is answered 404"
        } else {
            "there are no routes and several topics are linked: every request is answered 404"
        };
        let hint = format!("add a route, for example (name: \"all\", paths: [\"/\"], topic: \"{}\")", linked.first().unwrap_or(&"orders"));
        out.push(Diagnostic::warning("gateway-no-routes", format!("{here}.routes"), message).with_hint(hint));
    }
    for (index, (route, target)) in routes.iter().enumerate() {
        let path = format!("{here}.routes[{index}]");
        match target {
            RouteTarget::Unknown(Some(topic)) => {
                let hint = match nearest(topic, linked.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("draw a link from `{}.records` to the topic", ctx.id),
                };
                let message = format!("route `{}` names the topic `{topic}`, which is not linked at `records`", route.name);
                out.push(Diagnostic::error("gateway-topic", format!("{path}.topic"), message).with_hint(hint));
            }
            RouteTarget::Unknown(None) => {
                let message = format!("route `{}` leads nowhere", route.name);
                out.push(
                    Diagnostic::error("gateway-topic", format!("{path}.topic"), message)
                        .with_hint("give it a topic or an answer (`respond: 200`)"),
                );
            }
            RouteTarget::NoUpstream(name) => {
                let names: Vec<String> = params.rows("upstreams").iter().map(|row| row.text("name")).collect();
                let message = format!("route `{}` names the upstream `{name}`, which is not there", route.name);
                let hint = suggest(name, names.iter().map(String::as_str));
                out.push(Diagnostic::error("gateway-upstream", format!("{path}.upstream"), message).with_hint(hint));
            }
            RouteTarget::NoQueue(name) => {
                let message = format!("route `{}` names the queue `{name}`, which is not linked at `messages`", route.name);
                let queues: Vec<&str> = ctx.links_at("messages").map(|facts| facts.peer_id.as_str()).collect();
                let hint = match nearest(name, queues.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("draw a link from `{}.messages` to the queue or fan-out topic", ctx.id),
                };
                out.push(Diagnostic::error("gateway-queue", format!("{path}.queue"), message).with_hint(hint));
            }
            RouteTarget::Topic(_) | RouteTarget::Respond { .. } | RouteTarget::Upstream(_) | RouteTarget::Queue(_) => {}
        }
        check_one_target(params, index, &path, &route.name, out);
    }
    check_queues(ctx, params, here, routes, out);
    for (place, name) in linked.iter().enumerate() {
        let used = routes.iter().any(|(_, target)| matches!(target, RouteTarget::Topic(led_to) if *led_to == place));
        if !used && !routes.is_empty() {
            out.push(
                Diagnostic::warning(
                    "gateway-topic-unused",
                    format!("{here}.routes"),
                    format!("the topic `{name}` is linked, but no route leads there"),
                )
                .with_hint(format!("add a route with topic: \"{name}\"")),
            );
        }
    }
}

/// A route leads to one place.
fn check_one_target(params: &Params<'_>, index: usize, path: &str, name: &str, out: &mut Vec<Diagnostic>) {
    let rows = params.rows("routes");
    let Some(row) = rows.get(index) else { return };
    let ways = [("topic", "a topic"), ("queue", "a queue"), ("upstream", "an upstream"), ("respond", "an answer")];
    let given: Vec<_> = ways.into_iter().filter(|(field, _)| row.is_given(field)).collect();
    if let [(_, first), .., (field, second)] = given[..] {
        let message = format!("route `{name}` has both {first} and {second}");
        out.push(Diagnostic::error("gateway-topic", format!("{path}.{field}"), message).with_hint("leave one of them out"));
    }
}

/// Queues that nobody leads to, and services that the profile has no integration with.
fn check_queues(ctx: &BuildCtx<'_>, params: &Params<'_>, here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    for (place, facts) in ctx.links_at("messages").enumerate() {
        let is_its = |target: &RouteTarget| matches!(target, RouteTarget::Queue(led_to) if *led_to == place);
        let Some(route) = routes.iter().position(|(_, target)| is_its(target)) else {
            let message = format!("`{}` is linked at `messages`, but no route leads there", facts.peer_id);
            out.push(
                Diagnostic::warning("gateway-queue-unused", format!("{here}.routes"), message)
                    .with_hint(format!("add a route with queue: \"{}\"", facts.peer_id)),
            );
            continue;
        };
        let path = format!("{here}.routes[{route}].queue");
        match aws::kind(params) {
            None => out.push(
                Diagnostic::note("gateway-profile", path, "Kong sends to no queue by itself: that takes a plugin of your own")
                    .with_hint("the profiles aws-rest-api and aws-http-api have service integrations"),
            ),
            Some(ApiKind::Http) if facts.peer_port_ty == PortType::PublishIn => out.push(
                Diagnostic::error("gateway-queue", path, "an HTTP API has no integration with SNS")
                    .with_hint("use the profile aws-rest-api, or send to a queue"),
            ),
            Some(_) => {}
        }
    }
}

fn check_names(here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (route, _)) in routes.iter().enumerate() {
        if let Some(other) = first.get(&*route.name) {
            let message = format!("two routes are called `{}`", route.name);
            out.push(
                Diagnostic::error("gateway-route-name", format!("{here}.routes[{index}].name"), message)
                    .with_hint(format!("the other is routes[{other}]")),
            );
        }
        first.entry(&route.name).or_insert(index);
    }
}

fn check_routes(here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let specs: Vec<RouteSpec> = routes.iter().map(|(route, _)| route.clone()).collect();
    for (index, route) in specs.iter().enumerate() {
        let path = format!("{here}.routes[{index}]");
        for wrong in route.paths.iter().filter(|path| !path.starts_with('/') && !path.starts_with("~/")) {
            let message = format!("the path `{wrong}` begins with no `/`");
            out.push(
                Diagnostic::error("gateway-path", format!("{path}.paths"), message)
                    .with_hint("write `/orders`, or `~/orders/\\d+` for a regular expression"),
            );
        }
        for wrong in route.methods.iter().filter(|method| method.is_empty() || method.chars().any(|c| !c.is_ascii_uppercase())) {
            let message = format!("`{wrong}` is no HTTP method");
            out.push(
                Diagnostic::error("gateway-method", format!("{path}.methods"), message)
                    .with_hint(format!("methods are in capitals: {}", wrong.to_uppercase())),
            );
        }
        for wrong in route.hosts.iter().filter(|host| {
            host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err()) || host.trim_matches('*').contains('*')
        }) {
            let message = format!("the host `{wrong}` cannot be matched");
            out.push(
                Diagnostic::error("gateway-host", format!("{path}.hosts"), message)
                    .with_hint("a star stands first or last, a port is a number"),
            );
        }
        for (name, values) in &route.headers {
            if name.is_empty() || values.iter().any(String::is_empty) {
                let message = format!("the header `{name}` has no value to match");
                out.push(Diagnostic::error("gateway-header", format!("{path}.headers"), message).with_hint("write `version: v1`"));
            }
        }
    }
    if let Err(problems) = Router::new(&specs) {
        for problem in problems {
            let path = problem.route.map_or(format!("{here}.routes"), |index| format!("{here}.routes[{index}].{}", problem.field));
            out.push(Diagnostic::error("gateway-regex", path, problem.message));
        }
        return;
    }
    for (lost, winner) in shadowed(&specs) {
        let message = format!("route `{}` is never reached: `{}` takes everything before it", specs[lost].name, specs[winner].name);
        out.push(
            Diagnostic::warning("gateway-route-shadowed", format!("{here}.routes[{lost}]"), message)
                .with_hint("make it more specific (a longer path, a method, a header), or remove it"),
        );
    }
}

fn check_keys(params: &Params<'_>, here: &str, out: &mut Vec<Diagnostic>) {
    let rows = params.rows("api_keys");
    if params.flag("key_auth") && rows.is_empty() {
        out.push(
            Diagnostic::warning(
                "gateway-no-keys",
                format!("{here}.api_keys"),
                "keys are checked but there are none: every request is answered 401",
            )
            .with_hint("add (consumer: \"web\", key: \"…\"), and the same key to the client's headers"),
        );
    }
    if !params.flag("key_auth") && !has_plugin(params, "key-auth") && !rows.is_empty() {
        out.push(
            Diagnostic::note("gateway-keys-unused", format!("{here}.api_keys"), "these keys are not checked")
                .with_hint("set key_auth: true"),
        );
    }
}

/// By what clients send: `k1` and `sample:k1` are one key, `env:K1` in two rows is one too.
fn check_keys_twice(params: &Params<'_>, here: &str, out: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (index, row) in params.rows("api_keys").iter().enumerate() {
        let key = Secret::read(&row.text("key")).stand_in();
        if let Some(other) = first.get(&key) {
            out.push(
                Diagnostic::error("gateway-key-twice", format!("{here}.api_keys[{index}].key"), "the same key stands here twice")
                    .with_hint(format!("it is api_keys[{other}]'s too; a key belongs to one consumer")),
            );
        }
        first.entry(key).or_insert(index);
    }
}

fn check_limits(params: &Params<'_>, here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let consumers: Vec<String> = config::consumers(params).iter().map(|consumer| consumer.name.to_string()).collect();
    let mut scopes: Vec<(Option<String>, Option<String>)> = Vec::new();
    for (index, row) in params.rows("rate_limits").iter().enumerate() {
        let path = format!("{here}.rate_limits[{index}]");
        let mut refuse = |field: &str, message: String, hint: String| {
            out.push(Diagnostic::error("gateway-limit", format!("{path}{field}"), message).with_hint(hint));
        };
        let given: Vec<(Period, i64)> =
            Period::ALL.into_iter().filter(|period| row.is_given(period.name())).map(|period| (period, row.count(period.name()))).collect();
        if given.is_empty() {
            refuse("", "no period has a limit".to_owned(), "for example minute: 600".to_owned());
        }
        for pair in given.windows(2) {
            let ((shorter, few), (longer, many)) = (pair[0], pair[1]);
            if many < few {
                let message = format!("the limit for a {} ({many}) is lower than that for a {} ({few})", longer.name(), shorter.name());
                refuse(&format!(".{}", longer.name()), message, format!("at least {few}"));
            }
        }
        let by_header = row.text("limit_by") == "header";
        if by_header != row.optional_text("header").is_some() {
            let message =
                if by_header { "no header is named to count by" } else { "a header is named, but requests are not counted by it" };
            refuse(".header", message.to_owned(), "write limit_by: \"header\", header: \"tenant\"".to_owned());
        }
        if let Some(name) = row.optional_text("route").filter(|name| routes.iter().all(|(route, _)| *route.name != **name)) {
            refuse(".route", format!("there is no route `{name}`"), suggest(&name, routes.iter().map(|(route, _)| &*route.name)));
        }
        if let Some(name) = row.optional_text("consumer").filter(|name| !consumers.contains(name)) {
            refuse(".consumer", format!("no key belongs to the consumer `{name}`"), suggest(&name, consumers.iter().map(String::as_str)));
        }
        let scope = (row.optional_text("route"), row.optional_text("consumer"));
        if let Some(other) = scopes.iter().position(|known| *known == scope) {
            refuse(
                "",
                format!("rate_limits[{other}] has the same scope; only one of them runs"),
                "put both into one row, or give one a route or consumer".to_owned(),
            );
        }
        scopes.push(scope);
        if matches!(row.text("limit_by").as_str(), "consumer" | "credential") && !authenticates(params) && row.is_given("limit_by") {
            let message =
                "without key_auth or another plugin that asks who it is, no consumer is known: the client's address counts instead";
            out.push(
                Diagnostic::note("gateway-limit-by", format!("{path}.limit_by"), message)
                    .with_hint("set key_auth: true, or limit_by: \"ip\""),
            );
        }
    }
}

/// What of the other product stands here for nothing.
fn check_profile(params: &Params<'_>, here: &str, out: &mut Vec<Diagnostic>) {
    const KONG: &[&str] = &["key_auth", "key_name", "rate_limits", "limit_policy", "plugins", "logins"];
    const AWS: &[&str] = &["account_rate", "account_burst", "stage_rate", "stage_burst", "usage_plans", "plan_limits", "authorizers"];
    let (others, message, hint) = if aws::kind(params).is_some() {
        (
            KONG,
            "this belongs to the profile kong-3 and does nothing here",
            "AWS has `rate` and `burst` of routes, `usage_plans` and `authorizers`",
        )
    } else {
        (AWS, "this belongs to AWS's profiles and does nothing here", "Kong has `rate_limits`, `key_auth` and `plugins`")
    };
    for name in others.iter().filter(|name| params.is_given(name)) {
        out.push(Diagnostic::note("gateway-profile", format!("{here}.{name}"), message).with_hint(hint));
    }
}

/// What AWS's machine says.
fn check_api(ctx: &BuildCtx<'_>, params: &Params<'_>, kind: ApiKind, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let here = format!("components.{}", ctx.id);
    let (spec, _) = aws::spec(ctx, params, routes, kind, out);
    for problem in Api::new(&spec, EPOCH_UNIX_S).err().into_iter().flatten() {
        out.push(Diagnostic::error("gateway-api", format!("{here}.routes"), problem));
    }
    let plans: Vec<String> = params.rows("usage_plans").iter().map(|row| row.text("name")).collect();
    for (index, row) in params.rows("plan_limits").iter().enumerate() {
        let (plan, route) = (row.text("plan"), row.text("route"));
        let mut refuse = |field: &str, message: String, hint: String| {
            out.push(Diagnostic::error("gateway-plan-limit", format!("{here}.plan_limits[{index}].{field}"), message).with_hint(hint));
        };
        if !plans.contains(&plan) {
            refuse("plan", format!("there is no usage plan `{plan}`"), suggest(&plan, plans.iter().map(String::as_str)));
        }
        match routes.iter().position(|(known, _)| *known.name == *route) {
            None => refuse("route", format!("there is no route `{route}`"), suggest(&route, routes.iter().map(|(route, _)| &*route.name))),
            Some(at) if !params.rows("routes").get(at).is_some_and(|row| row.flag("key_required")) => {
                let message = format!("the route `{route}` asks for no key: nobody is in a plan there");
                refuse("route", message, "set key_required: true at the route".to_owned());
            }
            Some(_) => {}
        }
    }
}

fn check_upstreams(params: &Params<'_>, here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let specs = pools::specs(params);
    for (index, (row, (name, spec))) in params.rows("upstreams").iter().zip(&specs).enumerate() {
        let path = format!("{here}.upstreams[{index}]");
        if let Some(other) = specs[..index].iter().position(|(known, _)| known == name) {
            out.push(
                Diagnostic::error("gateway-upstream", format!("{path}.name"), format!("two upstreams are called `{name}`"))
                    .with_hint(format!("the other is upstreams[{other}]")),
            );
        }
        if spec.targets.iter().all(|(_, weight)| *weight == 0) {
            out.push(
                Diagnostic::warning("gateway-upstream", path.clone(), format!("`{name}` has no target: every request is answered 503"))
                    .with_hint(format!("add (upstream: \"{name}\", target: \"10.0.0.1:8080\") to `targets`")),
            );
        }
        if spec.targets.len() > TARGETS_MAX {
            out.push(Diagnostic::error("gateway-upstream", path.clone(), format!("`{name}` has more than {TARGETS_MAX} targets")));
        }
        if !routes.iter().any(|(_, target)| matches!(target, RouteTarget::Upstream(led_to) if *led_to == index)) {
            out.push(
                Diagnostic::warning("gateway-upstream-unused", path.clone(), format!("no route leads to the upstream `{name}`"))
                    .with_hint(format!("add a route with upstream: \"{name}\"")),
            );
        }
        let by_header = row.text("hash_on") == "header";
        if by_header != row.optional_text("hash_on_header").is_some() {
            out.push(
                Diagnostic::error(
                    "gateway-upstream",
                    format!("{path}.hash_on_header"),
                    "a hash on a header needs its name, and only that does",
                )
                .with_hint("write hash_on: \"header\", hash_on_header: \"tenant\""),
            );
        }
        let probes = ["probe_successes", "probe_http_failures", "probe_tcp_failures", "probe_timeouts"];
        if let Some(field) = probes.iter().find(|field| row.count(field) > 0 && !row.is_given("probe_interval")) {
            out.push(
                Diagnostic::warning("gateway-probes", format!("{path}.{field}"), "nothing is probed: there is no interval")
                    .with_hint("add probe_interval: \"5s\""),
            );
        }
    }
    let mut seen: Vec<(String, String)> = Vec::new();
    for (index, row) in params.rows("targets").iter().enumerate() {
        let of = (row.text("upstream"), row.text("target"));
        let path = format!("{here}.targets[{index}]");
        if !specs.iter().any(|(name, _)| *name == of.0) {
            let hint = suggest(&of.0, specs.iter().map(|(name, _)| name.as_str()));
            out.push(
                Diagnostic::error("gateway-upstream", format!("{path}.upstream"), format!("there is no upstream `{}`", of.0))
                    .with_hint(hint),
            );
        }
        if seen.contains(&of) {
            out.push(
                Diagnostic::error("gateway-upstream", format!("{path}.target"), format!("`{}` has the target `{}` twice", of.0, of.1))
                    .with_hint("give it a larger weight instead"),
            );
        }
        seen.push(of);
    }
}

fn has_plugin(params: &Params<'_>, name: &str) -> bool {
    params.rows("plugins").iter().any(|row| row.text("plugin") == name)
}

fn authenticates(params: &Params<'_>) -> bool {
    params.flag("key_auth") || ["key-auth", "basic-auth", "jwt"].iter().any(|name| has_plugin(params, name))
}

fn check_secrets(params: &Params<'_>, here: &str, out: &mut Vec<Diagnostic>) {
    for (table, field) in [("api_keys", "key"), ("logins", "password"), ("token_issuers", "secret")] {
        for (index, row) in params.rows(table).iter().enumerate() {
            check_secret(&format!("{here}.{table}[{index}].{field}"), &row.text(field), out);
        }
    }
}

/// What the machine says of consumers and plugins; rate limits have a check of their own, routes too.
fn check_plugins(params: &Params<'_>, here: &str, routes: &[(RouteSpec, RouteTarget)], out: &mut Vec<Diagnostic>) {
    let plugins: Vec<_> = config::plugins(params, &params.text("limit_policy"));
    let spec = GatewaySpec {
        routes: routes
            .iter()
            .map(|(route, _)| RouteSpec { name: route.name.clone(), service: route.service.clone(), ..RouteSpec::default() })
            .collect(),
        consumers: config::consumers(params),
        plugins: plugins.iter().map(|(_, plugin)| plugin.clone()).collect(),
    };
    for problem in Gateway::new(&spec, EPOCH_UNIX_S).err().into_iter().flatten() {
        match problem {
            // Keys have a check of their own, which knows their rows.
            GatewayProblem::Consumer(problem) if problem.credential == CredentialKind::Key => {}
            GatewayProblem::Consumer(problem) => {
                let name = &spec.consumers[problem.consumer].name;
                out.push(
                    Diagnostic::error("gateway-credential", format!("{here}.consumers"), format!("consumer `{name}`: {}", problem.message))
                        .with_hint("a credential belongs to one consumer"),
                );
            }
            // Rate limits too, and routes.
            GatewayProblem::Plugin(problem) if plugins[problem.plugin].0.starts_with("rate_limits") => {}
            GatewayProblem::Route(_) => {}
            GatewayProblem::Plugin(problem) => {
                let origin = match plugins[problem.plugin].0.as_str() {
                    "key_auth" => "key_name",
                    origin => origin,
                };
                out.push(Diagnostic::error("gateway-plugin", format!("{here}.{origin}"), problem.message));
            }
        }
    }
    for (index, row) in params.rows("plugins").iter().enumerate() {
        let settings = row.words("settings");
        if row.text("plugin") == "jwt" && !settings.iter().any(|setting| setting.starts_with("claims_to_verify")) {
            out.push(
                Diagnostic::warning(
                    "gateway-token-time",
                    format!("{here}.plugins[{index}].settings"),
                    "expired tokens pass: no claim is verified",
                )
                .with_hint("add \"claims_to_verify=exp\""),
            );
        }
    }
}

fn suggest<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
    }
}
