//! What is wrong with a gateway, told with its place.

use super::*;

/// Everything that check says: (code, path).
fn checked(params: serde_json::Value, links: &[LinkFacts]) -> Vec<(String, String)> {
    checked_as(None, params, links)
}

/// The same under a profile.
fn checked_as(profile: Option<&str>, params: serde_json::Value, links: &[LinkFacts]) -> Vec<(String, String)> {
    let values = json(params);
    let mut out = Vec::new();
    check_params("components.edge", spec::PARAMS, &values, &mut out);
    with_ctx(links, |ctx| GatewayKind.check(ctx, &Params::new(spec::PARAMS, profile, &values), &mut out));
    out.into_iter().map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_every_problem() {
    let codes = |params| checked(params, &links()).into_iter().map(|(code, path)| format!("{code} {path}")).collect::<Vec<_>>();
    assert_eq!(codes(serde_json::json!({"routes": two_topics()})), [] as [&str; 0]);
    assert_eq!(codes(serde_json::json!({})), ["gateway-no-routes components.edge.routes"]);
    let bad = serde_json::json!({
        "routes": [
            {"name": "a", "paths": ["/a"], "topic": "order"},
            {"name": "a", "paths": ["a", "~/b("], "methods": ["post"], "topic": "orders"},
            {"name": "c", "paths": ["/c"]},
            {"name": "d", "hosts": ["a:http"], "headers": ["version"], "topic": "payments", "respond": 200},
        ],
        "key_auth": true,
        "api_keys": [{"consumer": "web", "key": "k"}, {"consumer": "app", "key": "k"}],
        "rate_limits": [{"limit_by": "header"}, {"second": 5, "minute": 1, "route": "z"}, {"second": 1, "consumer": "wed"}, {"day": 1}],
    });
    let found = codes(bad);
    for wanted in [
        "gateway-topic components.edge.routes[0].topic",
        "gateway-route-name components.edge.routes[1].name",
        "gateway-path components.edge.routes[1].paths",
        "gateway-regex components.edge.routes[1].paths",
        "gateway-method components.edge.routes[1].methods",
        "gateway-topic components.edge.routes[2].topic",
        "gateway-topic components.edge.routes[3].respond",
        "gateway-host components.edge.routes[3].hosts",
        "gateway-header components.edge.routes[3].headers",
        "gateway-topic-unused components.edge.routes",
        "gateway-key-twice components.edge.api_keys[1].key",
        "gateway-limit components.edge.rate_limits[0]",
        "gateway-limit components.edge.rate_limits[0].header",
        "gateway-limit components.edge.rate_limits[1].minute",
        "gateway-limit components.edge.rate_limits[1].route",
        "gateway-limit components.edge.rate_limits[2].consumer",
        "gateway-limit components.edge.rate_limits[3]",
    ] {
        assert!(found.iter().any(|line| line == wanted), "{wanted} is missing in {found:#?}");
    }
    let unlinked: Vec<LinkFacts> = links().into_iter().filter(|facts| facts.port != "schemas").collect();
    assert_eq!(
        checked(serde_json::json!({"routes": two_topics(), "validate": true}), &unlinked),
        [("gateway-no-registry".to_owned(), "components.edge.validate".to_owned())]
    );
    let shadowed = serde_json::json!({"routes": [
        {"name": "a", "paths": ["/x"], "topic": "orders"}, {"name": "b", "paths": ["/x"], "topic": "payments"}]});
    assert_eq!(codes(shadowed), ["gateway-route-shadowed components.edge.routes[0]"]);
}

/// Keys are one when clients send the same, however the design writes it; what key_auth says of itself is told.
#[test]
fn credentials_are_compared_by_what_is_sent() {
    let keys = |list: &[&str]| list.iter().map(|key| serde_json::json!({"consumer": key, "key": key})).collect::<Vec<_>>();
    let twice = |list: &[&str]| {
        let params = serde_json::json!({"routes": two_topics(), "key_auth": true, "api_keys": keys(list)});
        let found = checked(params, &links()).into_iter().filter(|(code, _)| code != "secret-in-clear");
        found.map(|(code, path)| format!("{code} {path}")).collect::<Vec<_>>()
    };
    let second = "gateway-key-twice components.edge.api_keys[1].key";
    assert_eq!(twice(&["sample:k1", "k1"]), [second]);
    assert_eq!(twice(&["env:K", "env:K"]), [second]);
    assert_eq!(twice(&["env:K", "file:K", "sample:K"]), [] as [&str; 0]);
    let nameless = serde_json::json!({"routes": two_topics(), "key_auth": true, "key_name": ",", "api_keys": keys(&["sample:k"])});
    assert_eq!(checked(nameless, &links()), [("gateway-plugin".to_owned(), "components.edge.key_name".to_owned())]);
}

#[test]
fn each_profile_says_what_does_nothing() {
    let notes = |profile: &str, params: serde_json::Value| {
        let found = checked_as(Some(profile), params, &links()).into_iter();
        found.map(|(code, path)| format!("{code} {}", path.trim_start_matches("components.edge."))).collect::<Vec<_>>()
    };
    let upstreams = serde_json::json!({
        "routes": [{"name": "a", "paths": ["/a"], "upstream": "u"}, {"name": "b", "paths": ["/b"], "topic": "orders", "key_required": true},
            {"name": "c", "paths": ["/c"], "topic": "payments"}],
        "upstreams": [{"name": "u"}], "targets": [{"upstream": "u", "target": "a:80"}],
    });
    let with = |more: serde_json::Value| {
        let mut params = upstreams.clone();
        params.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        params
    };
    assert_eq!(notes(aws::HTTP, upstreams.clone()), [] as [&str; 0], "upstreams work there too");
    assert_eq!(notes(aws::HTTP, with(serde_json::json!({"key_auth": true}))), ["gateway-profile key_auth"]);
    assert_eq!(notes("kong-3", with(serde_json::json!({"stage_rate": "5/s"}))), ["gateway-profile stage_rate"]);
    let plan = serde_json::json!([{"name": "basic", "consumers": ["web"]}]);
    let limits = serde_json::json!([
        {"plan": "basic", "route": "b", "rate": "1/s"}, {"plan": "gold", "route": "d", "rate": "1/s"}, {"plan": "basic", "route": "c", "rate": "1/s"},
    ]);
    let found = notes(aws::REST, with(serde_json::json!({"usage_plans": plan, "plan_limits": limits})));
    let wanted = ["plan_limits[1].plan", "plan_limits[1].route", "plan_limits[2].route"];
    assert_eq!(found, wanted.map(|path| format!("gateway-plan-limit {path}")));
}

#[test]
fn queues_that_cannot_be_sent_to_are_told() {
    let found = |profile: Option<&str>, routes: serde_json::Value, links: &[LinkFacts]| {
        let found = checked_as(profile, serde_json::json!({"routes": routes}), links).into_iter();
        let is_its = |(code, _): &(String, String)| code != "gateway-topic-unused";
        found.filter(is_its).map(|(code, path)| format!("{code} {}", path.trim_start_matches("components.edge."))).collect::<Vec<_>>()
    };
    let links = links_and_a_queue();
    let good = serde_json::json!([{"name": "jobs", "paths": ["/jobs"], "queue": "jobs"}]);
    assert_eq!(found(Some(aws::HTTP), good.clone(), &links), [] as [&str; 0]);
    assert_eq!(found(None, good.clone(), &links), ["gateway-profile routes[0].queue"]);
    let wrong = serde_json::json!([
        {"name": "a", "paths": ["/a"], "queue": "jobz"}, {"name": "b", "paths": ["/b"], "queue": "jobs", "topic": "orders"},
    ]);
    assert_eq!(found(Some(aws::REST), wrong, &links), ["gateway-queue routes[0].queue", "gateway-topic routes[1].queue"]);
    let unused = serde_json::json!([{"name": "a", "paths": ["/a"], "topic": "orders"}]);
    assert_eq!(found(Some(aws::REST), unused, &links), ["gateway-queue-unused routes"]);
    let mut fanout = links;
    fanout.last_mut().expect("the queue").peer_port_ty = PortType::PublishIn;
    assert_eq!(found(Some(aws::HTTP), good.clone(), &fanout), ["gateway-queue routes[0].queue"]);
    assert_eq!(found(Some(aws::REST), good, &fanout), [] as [&str; 0]);
}

#[test]
fn the_parameters_know_every_plugin() {
    let known: Vec<&str> = crate::machines::gateway::PLUGINS.iter().map(|kind| kind.name).collect();
    assert_eq!(spec::PLUGINS, known);
}

#[test]
fn with_one_topic_no_route_is_needed() {
    let one: Vec<LinkFacts> = links().into_iter().filter(|facts| facts.end != PAYMENTS).collect();
    assert_eq!(checked(serde_json::json!({}), &one), []);
    with_ctx(&one, |ctx| {
        let values = IndexMap::new();
        let routes = config::routes(ctx, &Params::new(spec::PARAMS, None, &values));
        assert!(matches!(routes[..], [(_, RouteTarget::Topic(0))]));
    });
}
