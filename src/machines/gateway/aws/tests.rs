//! The shared throttle cases (tests/cases/apigateway_throttle.json), the product's answers, and properties.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::machines::gateway::{EPOCH_UNIX_S, SignKey, TokenAlgorithm, TokenCredential};
use crate::units::SimDuration;

fn route(name: &str, method: &str, path: &str) -> ApiRoute {
    ApiRoute { name: name.into(), method: method.into(), path: path.into(), ..ApiRoute::default() }
}

fn headers(list: &[(&str, &str)]) -> Vec<(Arc<str>, Arc<str>)> {
    list.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
}

fn api(spec: &ApiSpec) -> Api {
    Api::new(spec, EPOCH_UNIX_S).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_ns((seconds * 1e9) as u64)
}

fn ask(api: &mut Api, now: SimTime, method: &str, path: &str, list: &[(&str, &str)]) -> ApiDecision {
    api.handle(now, &Request { method, path, headers: &headers(list), ..Request::default() })
}

/// Status and body.
fn said(api: &Api, decision: &ApiDecision) -> (u16, String) {
    decision.stop.as_ref().map_or((200, String::new()), |stop| {
        let answer = stop.response.answer(api.spec().kind);
        (answer.status, answer.body)
    })
}

#[test]
fn the_shared_throttle_cases() {
    let cases: Json =
        serde_json::from_str(include_str!("../../../../tests/cases/apigateway_throttle.json")).expect("the case file is JSON");
    let mut judged = 0;
    for case in cases["cases"].as_array().expect("cases") {
        let Some(requests) = case["requests"].as_array() else { continue };
        let mut plan = UsagePlan { name: "plan".into(), keys: vec![("k".into(), "web".into())], ..UsagePlan::default() };
        let mut only = ApiRoute { key_required: true, ..route("all", "ANY", "/{proxy+}") };
        if let Some(limit) = case["quota"]["limit"].as_u64() {
            plan.quota = Some((limit, QuotaPeriod::Day));
        } else {
            only.throttle = Some(Throttle::new(case["rate"].as_f64().expect("a rate"), case["burst"].as_u64().expect("a burst") as u32));
        }
        let mut api = api(&ApiSpec { routes: vec![only], plans: vec![plan], ..ApiSpec::default() });
        for (index, turn) in requests.iter().enumerate() {
            let decision = ask(&mut api, at(turn["t"].as_f64().expect("a time")), "GET", "/x", &[("x-api-key", "k")]);
            let (status, body) = said(&api, &decision);
            assert_eq!(u64::from(status), turn["status"].as_u64().expect("a status"), "{} request {index}", case["name"]);
            if let Some(message) = turn["message"].as_str() {
                assert!(body.contains(message), "{body}");
            }
            judged += 1;
        }
    }
    assert!(judged > 60, "{judged} requests judged");
}

#[test]
fn the_most_specific_route_is_found() {
    // The order of the product's own page on routes of HTTP APIs.
    let spec = ApiSpec {
        kind: ApiKind::Http,
        routes: vec![
            route("default", "ANY", "$default"),
            route("any-proxy", "ANY", "/{proxy+}"),
            route("get-proxy", "GET", "/pets/{proxy+}"),
            route("get-id", "GET", "/pets/dog/{id}"),
            route("get-1", "GET", "/pets/dog/1"),
        ],
        ..ApiSpec::default()
    };
    let mut api = api(&spec);
    let mut find = |method: &str, path: &str| {
        let decision = ask(&mut api, SimTime::ZERO, method, path, &[]);
        let params = decision.route.map(|route| api.params(route, &Request { path, ..Request::default() })).unwrap_or_default();
        (decision.route.map(|route| spec.routes[route as usize].name.to_string()).unwrap_or_default(), params)
    };
    assert_eq!(find("GET", "/pets/dog/1").0, "get-1");
    assert_eq!(find("GET", "/pets/dog/2"), ("get-id".to_owned(), vec![("id".to_owned(), "2".to_owned())]));
    assert_eq!(find("GET", "/pets/cat/1"), ("get-proxy".to_owned(), vec![("proxy".to_owned(), "cat/1".to_owned())]));
    assert_eq!(find("POST", "/test/5").0, "any-proxy");
    assert_eq!(find("POST", "/").0, "default", "a greedy parameter takes at least one segment");
    assert_eq!(find("GET", "//pets//dog/2/"), ("get-id".to_owned(), vec![("id".to_owned(), "2".to_owned())]));
    // A match without a greedy end comes first, though it begins with a parameter.
    let routes = vec![route("greedy", "GET", "/pets/{rest+}"), route("whole", "GET", "/{kind}/dog")];
    for (kind, wanted) in [(ApiKind::Http, 1), (ApiKind::Rest, 0)] {
        let mut api = self::api(&ApiSpec { kind, routes: routes.clone(), ..ApiSpec::default() });
        assert_eq!(ask(&mut api, SimTime::ZERO, "GET", "/pets/dog", &[]).route, Some(wanted));
    }
    let bad =
        ApiSpec { routes: vec![route("a", "GET", "/a/{b+}/c"), route("b", "GET", "x"), route("c", "GET", "/{}")], ..ApiSpec::default() };
    assert_eq!(Api::new(&bad, 0).expect_err("all are bad").len(), 3);
}

#[test]
fn answers_are_the_products() {
    let mut rest = api(&ApiSpec { routes: vec![ApiRoute { key_required: true, ..route("o", "POST", "/orders") }], ..ApiSpec::default() });
    let unknown = ask(&mut rest, SimTime::ZERO, "GET", "/nowhere", &[]);
    assert_eq!(said(&rest, &unknown), (403, r#"{"message":"Missing Authentication Token"}"#.to_owned()));
    let keyless = ask(&mut rest, SimTime::ZERO, "POST", "/orders", &[]);
    assert_eq!(said(&rest, &keyless), (403, r#"{"message":"Forbidden"}"#.to_owned()));
    let answer = ResponseType::IntegrationTimeout.answer(ApiKind::Rest);
    assert_eq!((answer.status, answer.body.as_str()), (504, r#"{"message": "Endpoint request timed out"}"#));
    assert_eq!(ResponseType::IntegrationTimeout.answer(ApiKind::Http).status, 503);
    assert_eq!(ResponseType::IntegrationFailure.answer(ApiKind::Rest).status, 502);
    let large = vec![b'x'; PAYLOAD_BYTES_MAX + 1];
    let too_large = rest.handle(SimTime::ZERO, &Request { method: "POST", path: "/orders", body: &large, ..Request::default() });
    assert_eq!(said(&rest, &too_large).0, 413);
    let mut http = api(&ApiSpec { kind: ApiKind::Http, ..ApiSpec::default() });
    let unknown = ask(&mut http, SimTime::ZERO, "GET", "/nowhere", &[]);
    assert_eq!(said(&http, &unknown), (404, r#"{"message":"Not Found"}"#.to_owned()));
}

#[test]
fn a_functions_verdict_is_kept_for_its_time() {
    let lambda = |ttl_s: u64, fails: bool| AuthorizerSpec::Lambda {
        identity: "authorization".into(),
        allow: vec!["good".into()],
        deny: vec!["bad".into()],
        ttl: SimDuration::from_secs(ttl_s),
        fails,
    };
    let with = |authorizer: AuthorizerSpec| {
        api(&ApiSpec {
            routes: vec![ApiRoute { authorizer: Some(0), ..route("o", "ANY", "/o") }],
            authorizers: vec![authorizer],
            ..ApiSpec::default()
        })
    };
    let mut api = with(lambda(300, false));
    let mut told = |second: f64, who: &[(&str, &str)]| {
        let decision = ask(&mut api, at(second), "GET", "/o", who);
        (decision.stop.map_or(200, |stop| stop.response.answer(ApiKind::Rest).status), decision.authorizer_called)
    };
    assert_eq!(told(0.0, &[]), (401, false), "without an identity nobody is asked");
    assert_eq!(told(0.0, &[("authorization", "good")]), (200, true));
    assert_eq!(told(299.0, &[("authorization", "good")]), (200, false));
    assert_eq!(told(300.0, &[("authorization", "good")]), (200, true));
    assert_eq!(told(300.0, &[("authorization", "bad")]), (403, true));
    assert_eq!(told(301.0, &[("authorization", "bad")]), (403, false));
    assert_eq!(told(301.0, &[("authorization", "who")]), (401, true));
    let mut failing = with(lambda(0, true));
    let decision = ask(&mut failing, SimTime::ZERO, "GET", "/o", &[("authorization", "good")]);
    assert_eq!(said(&failing, &decision), (500, r#"{"message":null}"#.to_owned()));
}

#[test]
fn tokens_need_issuer_time_audience_and_scope() {
    let (private, public) = TokenAlgorithm::Rs256.sample_pair().expect("there is one");
    let issuer = TokenCredential { key: "https://id.example".into(), algorithm: TokenAlgorithm::Rs256, secret: public.into() };
    let spec = ApiSpec {
        kind: ApiKind::Http,
        routes: vec![ApiRoute { authorizer: Some(0), scopes: vec!["orders/write".into()], ..route("o", "ANY", "/o") }],
        authorizers: vec![AuthorizerSpec::Jwt { issuer, audiences: vec!["shop".into()] }],
        ..ApiSpec::default()
    };
    let mut api = api(&spec);
    let key = SignKey::new(TokenAlgorithm::Rs256, private).expect("a key");
    let mut told = |change: Json| {
        let mut claims: Map<String, Json> = serde_json::from_value(
            json!({"iss": "https://id.example", "aud": ["x", "shop"], "exp": EPOCH_UNIX_S + 60, "scope": "a orders/write"}),
        )
        .expect("an object");
        claims.extend(change.as_object().cloned().unwrap_or_default());
        let token = key.sign(&claims).expect("it signs");
        let decision = ask(&mut api, SimTime::ZERO, "GET", "/o", &[("authorization", &format!("Bearer {token}"))]);
        said(&api, &decision).0
    };
    assert_eq!(told(json!({})), 200);
    assert_eq!(told(json!({"exp": EPOCH_UNIX_S})), 401);
    assert_eq!(told(json!({"nbf": EPOCH_UNIX_S + 1})), 401);
    assert_eq!(told(json!({"iss": "https://else.example"})), 401);
    assert_eq!(told(json!({"aud": "other"})), 401);
    assert_eq!(told(json!({"scope": "orders/read"})), 403);
    let bare = ask(&mut api, SimTime::ZERO, "GET", "/o", &[]);
    assert_eq!(said(&api, &bare).0, 401);
}

/// The same token twice: its signature is looked at once, its end each time, and another signature is another token.
#[test]
fn a_token_that_was_good_ends_all_the_same() {
    let (private, public) = TokenAlgorithm::Es256.sample_pair().expect("there is one");
    let issuer = TokenCredential { key: "id".into(), algorithm: TokenAlgorithm::Es256, secret: public.into() };
    let spec = |kind| ApiSpec {
        kind,
        routes: vec![ApiRoute { authorizer: Some(0), ..route("o", "ANY", "/o") }],
        authorizers: vec![AuthorizerSpec::Jwt { issuer: issuer.clone(), audiences: Vec::new() }],
        ..ApiSpec::default()
    };
    let mut api = api(&spec(ApiKind::Rest));
    let key = SignKey::new(TokenAlgorithm::Es256, private).expect("a key");
    let good = key.sign_for("id", EPOCH_UNIX_S + 60).expect("it signs");
    let forged = good.replace(&good[good.len() - 20..good.len() - 10], "AAAAAAAAAA");
    let mut told = |second: f64, token: &str| {
        let decision = ask(&mut api, at(second), "GET", "/o", &[("authorization", token)]);
        said(&api, &decision).0
    };
    assert_eq!([told(0.0, &good), told(59.0, &good), told(60.0, &good)], [200, 200, 401]);
    assert_eq!([told(0.0, &forged), told(0.0, &forged), told(0.0, &good)], [401, 401, 200]);
    let words = Api::new(&spec(ApiKind::Http), 0).expect_err("HTTP APIs take RSA keys only");
    assert!(words[0].ends_with("RS256, RS384, RS512"), "{words:?}");
}

#[test]
fn a_key_is_in_one_plan_of_a_stage() {
    let plan = |name: &str, keys: &[&str]| UsagePlan {
        name: name.into(),
        keys: keys.iter().map(|key| (Arc::from(*key), "web".into())).collect(),
        ..UsagePlan::default()
    };
    let spec = ApiSpec { plans: vec![plan("a", &["k1", "k1"]), plan("b", &["k2", "k1"])], ..ApiSpec::default() };
    let problems = Api::new(&spec, 0).expect_err("one key stands there three times");
    assert_eq!(problems.len(), 2);
    assert!(problems[0].contains("has a key twice") && problems[1].contains("a key of the plan `a`"), "{problems:?}");
}

#[test]
fn each_level_throttles_and_says_so() {
    let one = Some(Throttle::new(1.0, 1));
    let spec = ApiSpec {
        routes: vec![
            ApiRoute { key_required: true, ..route("a", "ANY", "/a") },
            ApiRoute { throttle: one, ..route("b", "ANY", "/b") },
            route("c", "ANY", "/c"),
        ],
        stage: Some(Throttle::new(1.0, 4)),
        plans: vec![UsagePlan {
            name: "basic".into(),
            throttle: Some(Throttle::new(1.0, 2)),
            by_route: vec![("a".into(), Throttle::new(1.0, 1))],
            keys: vec![("k1".into(), "web".into()), ("k2".into(), "app".into())],
            ..UsagePlan::default()
        }],
        ..ApiSpec::default()
    };
    let mut api = api(&spec);
    let mut by = |path: &str, key: &str| {
        ask(&mut api, SimTime::ZERO, "GET", path, &[("x-api-key", key)]).throttled_by.unwrap_or_default().to_string()
    };
    assert_eq!([by("/a", "k1"), by("/a", "k1"), by("/a", "k2")], ["", "plan basic for route a", ""]);
    assert_eq!([by("/b", ""), by("/b", "")], ["", "route b"]);
    assert_eq!([by("/c", ""), by("/c", "")], ["", "stage"]);
}

/// The rule as the product's page has it: every route that fits, the most specific first; of an HTTP API those without a greedy
/// end before all others.
fn found_slowly(kind: ApiKind, routes: &[ApiRoute], method: &str, path: &str) -> Option<u32> {
    let given: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let fits = |route: &ApiRoute| {
        let template: Vec<&str> = route.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let greedy = template.last().is_some_and(|last| last.ends_with("+}"));
        let long_enough = if greedy { given.len() >= template.len() } else { given.len() == template.len() };
        let is_same = |(wanted, found): (&&str, &&str)| wanted.starts_with('{') || wanted == found;
        long_enough && template.iter().zip(&given).all(is_same) && (&*route.method == "ANY" || *route.method == *method)
    };
    let is_http = kind == ApiKind::Http;
    let rank = |route: &ApiRoute| {
        let of_segment = |segment: &str| if segment.ends_with("+}") { 2 } else { u8::from(segment.starts_with('{')) };
        let segments: Vec<u8> = route.path.split('/').filter(|segment| !segment.is_empty()).map(of_segment).collect();
        (is_http && segments.last() == Some(&2), segments, &*route.method == "ANY")
    };
    (0..routes.len()).filter(|at| fits(&routes[*at])).min_by_key(|at| rank(&routes[*at])).map(|at| at as u32)
}

proptest! {
    /// Whatever routes there are, the tree finds what a look at every route finds.
    #[test]
    fn the_tree_finds_the_most_specific_route(
        templates in proptest::collection::vec((proptest::collection::vec(0usize..4, 0..4), proptest::bool::ANY, 0usize..3), 1..12),
        asked in proptest::collection::vec((proptest::collection::vec(0usize..3, 0..5), 0usize..2), 1..20),
        is_http in any::<bool>(),
    ) {
        let kind = if is_http { ApiKind::Http } else { ApiKind::Rest };
        let made = |(segments, greedy, method): &(Vec<usize>, bool, usize)| {
            let mut path: String = segments.iter().map(|at| ["/a", "/b", "/{x}", "/{y}"][*at]).collect();
            path.push_str(if *greedy { "/{z+}" } else if path.is_empty() { "/" } else { "" });
            route("r", ["GET", "POST", "ANY"][*method], &path)
        };
        let routes: Vec<ApiRoute> = templates.iter().map(made).collect();
        let mut api = api(&ApiSpec { kind, routes: routes.clone(), account: Throttle::new(1e6, 1_000_000), ..ApiSpec::default() });
        for (segments, method) in asked {
            let path: String = segments.iter().map(|at| ["/a", "/b", "/c"][*at]).collect();
            let (path, method) = (if path.is_empty() { "/".to_owned() } else { path }, ["GET", "POST"][method]);
            let found = ask(&mut api, SimTime::ZERO, method, &path, &[]).route;
            prop_assert_eq!(found, found_slowly(kind, &routes, method, &path), "{} {} among {:?}", method, path, routes);
        }
    }
    /// In no window do more than burst + rate × t requests pass, and one that could pass does.
    #[test]
    fn a_bucket_never_passes_more_than_burst_and_rate(rate_milli in 1u64..20_000, burst in 1u32..20, gaps_ms in proptest::collection::vec(0u64..400, 1..200)) {
        let throttle = Throttle { rate_milli, burst };
        let mut bucket = Bucket::full(throttle, SimTime::ZERO);
        let mut now_ms = 0;
        let mut passed: Vec<u64> = Vec::new();
        for gap_ms in gaps_ms {
            now_ms += gap_ms;
            let now = SimTime::ZERO + SimDuration::from_ms(now_ms);
            // What the law allows: for every start of a window there is room for one more.
            let room = passed.iter().enumerate().all(|(index, start_ms)| {
                let inside = (passed.len() - index) as u128 + 1;
                inside * 1_000_000 <= u128::from(burst) * 1_000_000 + u128::from(now_ms - start_ms) * u128::from(rate_milli)
            });
            let has_one = bucket.has_one(throttle, now);
            prop_assert_eq!(has_one, room, "at {} ms after {:?}", now_ms, passed);
            if has_one {
                bucket.take();
                passed.push(now_ms);
            }
        }
    }
}
