//! Cases of the product (tests/cases/kong_*.json), and properties.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::units::SimDuration;

fn words(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn route_of(json: &Json) -> RouteSpec {
    RouteSpec {
        name: json["id"].as_str().unwrap_or_default().into(),
        hosts: words(&json["hosts"]),
        methods: words(&json["methods"]),
        headers: json["headers"].as_object().into_iter().flatten().map(|(name, values)| (name.clone(), words(values))).collect(),
        paths: words(&json["paths"]),
        regex_priority: json["regex_priority"].as_u64().unwrap_or_default() as u32,
        ..RouteSpec::default()
    }
}

fn headers(list: &[(&str, &str)]) -> Vec<(Arc<str>, Arc<str>)> {
    list.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
}

fn request<'a>(path: &'a str, headers: &'a [(Arc<str>, Arc<str>)]) -> Request<'a> {
    Request { method: "POST", path, headers, event_type: "OrderPlaced", ..Request::default() }
}

/// A plugin of all routes, its settings as `name=value`.
fn plugin(name: &str, settings: &[&str]) -> PluginSpec {
    let pair = |setting: &&str| setting.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).expect("name=value");
    PluginSpec { name: name.into(), config: settings.iter().map(pair).collect(), ..PluginSpec::default() }
}

fn passes(decision: &Decision) -> bool {
    decision.verdict == Verdict::Forward
}

#[test]
fn the_products_own_routing_cases() {
    let cases: Json = serde_json::from_str(include_str!("../../../tests/cases/kong_router.json")).expect("the case file is JSON");
    let cases = cases["cases"].as_array().expect("a list of cases");
    assert!(cases.len() > 20);
    for case in cases {
        let routes: Vec<RouteSpec> = case["routes"].as_array().expect("routes").iter().map(route_of).collect();
        let router = Router::new(&routes).expect("the cases compile");
        let wanted = &case["request"];
        let mut list = vec![("host", wanted["host"].as_str().unwrap_or_default())];
        list.extend(wanted["headers"].as_object().into_iter().flatten().map(|(n, v)| (n.as_str(), v.as_str().unwrap_or_default())));
        let list = headers(&list);
        let request = Request {
            method: wanted["method"].as_str().unwrap_or_default(),
            path: wanted["path"].as_str().unwrap_or_default(),
            headers: &list,
            ..Request::default()
        };
        let found = router.find(&request).map(|route| routes[route as usize].name.to_string());
        assert_eq!(found.as_deref(), case["expect"].as_str(), "{}", case["name"]);
    }
}

/// Of spec/01-unit/08-router_spec.lua: ports of hosts, values of headers, names of regular expressions' groups.
#[test]
fn hosts_and_headers_are_matched_as_the_product_does() {
    let by_host = |name: &str, host: &str| RouteSpec { name: name.into(), hosts: vec![host.to_owned()], ..RouteSpec::default() };
    let by_header = |name: &str, values: &[&str]| RouteSpec {
        name: name.into(),
        headers: vec![("Version".to_owned(), values.iter().map(|value| (*value).to_owned()).collect())],
        ..RouteSpec::default()
    };
    let routes = [
        by_host("a", "domain.org"),
        by_host("b", "domain.org:123"),
        by_host("c", "*.route.net:123"),
        by_host("d", "route.*"),
        by_header("e", &["v1", "v2"]),
        by_header("f", &["~*^V[34]$"]),
    ];
    let router = Router::new(&routes).expect("they compile");
    let found = |list: &[(&str, &str)]| router.find(&request("/", &headers(list))).map(|route| routes[route as usize].name.to_string());
    let of_host = |host: &str| found(&[("host", host)]);
    let cases = [
        ("domain.org", Some("a")),
        ("domain.org:123", Some("b")),
        ("domain.org:456", Some("a")),
        ("Domain.org", None),
        ("foo.route.net:123", Some("c")),
        ("foo.route.net:456", None),
        ("route.org:9", Some("d")),
        ("xroute.org", None),
    ];
    for (host, wanted) in cases {
        assert_eq!(of_host(host).as_deref(), wanted, "{host}");
    }
    for (version, wanted) in [("V2", Some("e")), ("v3", Some("f")), ("V4", Some("f")), ("v5", None), ("v33", None)] {
        assert_eq!(found(&[("version", version)]).as_deref(), wanted, "{version}");
    }
    assert_eq!(found(&[("version", "v9"), ("version", "v1")]).as_deref(), Some("e"), "any of its values");
    let named = RouteSpec { name: "n".into(), paths: vec!["~/users/(?<id>\\d+)/x".to_owned()], ..RouteSpec::default() };
    assert!(Router::new(&[named]).is_ok_and(|router| router.find(&request("/users/7/x/y", &[])).is_some()));
}

#[test]
fn the_products_own_rate_limit_cases() {
    let cases: Json = serde_json::from_str(include_str!("../../../tests/cases/kong_rate_limit.json")).expect("the case file is JSON");
    let mut judged = 0;
    for case in cases["cases"].as_array().expect("a list of cases").iter().filter(|case| case["plugin"] == "rate-limiting") {
        let config = case["config"].as_object().expect("settings").iter().map(|(name, limit)| (name.clone(), limit.to_string())).collect();
        let spec = GatewaySpec {
            routes: vec![RouteSpec { name: "all".into(), paths: vec!["/".to_owned()], ..RouteSpec::default() }],
            plugins: vec![PluginSpec { config, ..plugin("rate-limiting", &[]) }],
            ..GatewaySpec::default()
        };
        let epoch_s = case["requests"][0]["t"].as_i64().expect("a time");
        let mut gateway = Gateway::new(&spec, epoch_s).expect("it compiles");
        for (index, turn) in case["requests"].as_array().expect("requests").iter().enumerate() {
            let now = SimTime::ZERO + SimDuration::from_secs((turn["t"].as_i64().expect("a time") - epoch_s) as u64);
            let decision = gateway.handle(now, 0, &request("/x", &[]));
            let status = decision.verdict.status().unwrap_or(200);
            assert_eq!(u64::from(status), turn["status"].as_u64().expect("a status"), "{} request {index}", case["name"]);
            let mut shown = decision.limits.expect("limits apply").list();
            shown.sort();
            let mut wanted: Vec<(String, u32)> =
                turn["headers"].as_object().expect("headers").iter().map(|(n, v)| (n.clone(), v.as_u64().unwrap_or(0) as u32)).collect();
            wanted.sort();
            assert_eq!(shown, wanted, "{} request {index}", case["name"]);
            judged += 1;
        }
    }
    assert!(judged > 30, "{judged} requests judged");
}

#[test]
fn windows_follow_the_calendar() {
    // 2024-02-29T12:34:56Z.
    let at = 1_709_210_096;
    let starts = Period::ALL.map(|period| period.start(at));
    // 12:34:56, 12:34, 12:00, 02-29, 02-01, 01-01 of that year.
    assert_eq!(starts, [at, 1_709_210_040, 1_709_208_000, 1_709_164_800, 1_706_745_600, 1_704_067_200]);
    for period in Period::ALL {
        assert_eq!(period.start(EPOCH_UNIX_S), EPOCH_UNIX_S, "virtual time begins on a boundary of every {}", period.name());
    }
}

fn keyed(limits: &[&str]) -> Gateway {
    let consumer = |name: &str, keys: &[&str]| ConsumerSpec {
        name: name.into(),
        keys: keys.iter().map(|key| Arc::from(*key)).collect(),
        ..ConsumerSpec::default()
    };
    let spec = GatewaySpec {
        routes: vec![
            RouteSpec { name: "orders".into(), paths: vec!["/orders".to_owned()], ..RouteSpec::default() },
            RouteSpec { name: "payments".into(), paths: vec!["/payments".to_owned()], ..RouteSpec::default() },
        ],
        consumers: vec![consumer("web", &["k1", "k2"]), consumer("app", &["k3"])],
        plugins: vec![plugin("rate-limiting", limits), plugin("key-auth", &[])],
    };
    Gateway::new(&spec, EPOCH_UNIX_S).expect("it compiles")
}

fn status(gateway: &mut Gateway, path: &str, list: &[(&str, &str)], client: u32) -> (u16, &'static str) {
    let list = headers(list);
    let decision = gateway.handle(SimTime::ZERO, 0, &Request { ip: client_ip(client), ..request(path, &list) });
    match decision.verdict {
        Verdict::Answer(Stop { status, words: Words::Known(words), .. }) => (status, words),
        Verdict::Answer(stop) => panic!("made words: {stop:?}"),
        Verdict::Forward => (200, ""),
    }
}

#[test]
fn keys_are_checked_before_limits_and_after_routes() {
    let mut gateway = keyed(&["minute=1"]);
    assert_eq!(status(&mut gateway, "/nowhere", &[], 0), (404, "no Route matched with those values"));
    assert_eq!(status(&mut gateway, "/orders", &[], 0), (401, "No API key found in request"));
    assert_eq!(status(&mut gateway, "/orders", &[("apikey", "")], 0), (401, "No API key found in request"));
    assert_eq!(status(&mut gateway, "/orders", &[("apikey", "no")], 0), (401, "Unauthorized"));
    assert_eq!(status(&mut gateway, "/orders", &[("apikey", "k1"), ("apikey", "k2")], 0), (401, "Duplicate API key found"));
    assert_eq!(status(&mut gateway, "/orders?x=1&apikey=k3", &[], 0), (200, ""));
    assert_eq!(status(&mut gateway, "/orders", &[("apikey", "k1")], 0), (200, ""));
    assert_eq!(status(&mut gateway, "/orders", &[("apikey", "k2")], 0), (429, "API rate limit exceeded"), "both keys are web's");
}

#[test]
fn limits_count_by_what_they_are_told() {
    let key = ("apikey", "k1");
    let mut by_ip = keyed(&["minute=1", "limit_by=ip"]);
    assert_eq!([0, 1, 0].map(|client| status(&mut by_ip, "/orders", &[key], client).0), [200, 200, 429]);
    let mut by_service = keyed(&["minute=1", "limit_by=service"]);
    assert_eq!(["/orders", "/payments", "/orders"].map(|path| status(&mut by_service, path, &[key], 0).0), [200, 200, 429]);
    let mut by_header = keyed(&["minute=1", "limit_by=header", "header_name=Tenant"]);
    assert_eq!(["a", "b", "a"].map(|tenant| status(&mut by_header, "/orders", &[key, ("tenant", tenant)], 0).0), [200, 200, 429]);
    assert_eq!(status(&mut by_header, "/orders", &[key], 0).0, 200, "without the header the address counts");
}

#[test]
fn the_narrowest_scope_runs_alone() {
    let limit = |route: Option<&str>, setting: &str| PluginSpec { route: route.map(Arc::from), ..plugin("rate-limiting", &[setting]) };
    let mut spec = GatewaySpec { plugins: vec![limit(None, "hour=1"), limit(Some("orders"), "hour=3")], ..GatewaySpec::default() };
    spec.routes = ["orders", "payments"]
        .map(|name| RouteSpec { name: name.into(), paths: vec![format!("/{name}")], ..RouteSpec::default() })
        .to_vec();
    let mut gateway = Gateway::new(&spec, EPOCH_UNIX_S).expect("it compiles");
    let passed = (0..5).filter(|_| status(&mut gateway, "/orders", &[], 0).0 == 200).count();
    assert_eq!(passed, 3);
    assert_eq!(status(&mut gateway, "/payments", &[], 0).0, 200, "counters of scopes are apart");
}

#[test]
fn expired_counters_make_room() {
    let mut gateway = keyed(&["minute=1", "limit_by=ip"]);
    gateway.set_plugins(&[plugin("rate-limiting", &["minute=1", "limit_by=ip"])], &[None]).expect("it compiles");
    let mut send = |client: u32, second: u64| {
        let now = SimTime::ZERO + SimDuration::from_secs(second);
        let passed = passes(&gateway.handle(now, 0, &Request { ip: client_ip(client), ..request("/orders", &[]) }));
        (passed, gateway.counters())
    };
    for client in 0..COUNTERS_MAX as u32 {
        assert!(send(client, 0).0);
    }
    let newcomer = COUNTERS_MAX as u32;
    assert_eq!([send(newcomer, 1), send(newcomer, 1)], [(true, COUNTERS_MAX); 2], "no room: passes uncounted");
    assert_eq!(send(newcomer, 60), (true, 1));
    assert_eq!(send(newcomer, 61), (false, 1));
}

#[test]
fn what_is_kept_goes_on_counting_and_what_is_new_does_what_it_says() {
    let limit = |per_minute: &str| plugin("rate-limiting", &[per_minute, "limit_by=ip"]);
    let first = |gateway: &mut Gateway| [0, 0].map(|client| status(gateway, "/orders", &[], client).0);
    let mut gateway = Gateway::new(
        &GatewaySpec {
            plugins: vec![limit("minute=1")],
            routes: vec![RouteSpec { name: "orders".into(), paths: vec!["/orders".to_owned()], ..RouteSpec::default() }],
            ..GatewaySpec::default()
        },
        EPOCH_UNIX_S,
    )
    .expect("it compiles");
    assert_eq!(first(&mut gateway), [200, 429]);
    gateway.set_plugins(&[limit("minute=1")], &[Some(0)]).expect("it compiles");
    assert_eq!(first(&mut gateway), [429, 429], "what stood there has counted already");
    gateway.set_plugins(&[plugin("request-termination", &["status_code=418"]), limit("minute=1")], &[None, Some(0)]).expect("it compiles");
    assert_eq!(first(&mut gateway), [429, 429], "a limit comes before the end of a request");
    gateway.set_plugins(&[plugin("request-termination", &["status_code=418"])], &[None]).expect("it compiles");
    assert_eq!(first(&mut gateway), [418, 418], "at the place of another plugin");
}

#[test]
fn bad_routes_are_all_reported() {
    let route = |path: &str| RouteSpec { name: path.into(), paths: vec![path.to_owned()], ..RouteSpec::default() };
    let huge = format!("~/{}", "a".repeat(REGEX_BYTES_MAX));
    let problems = Router::new(&[route("~/a("), route("/fine"), route("~/(a{1000}){1000}"), route(&huge)]).expect_err("three are bad");
    assert_eq!(problems.iter().map(|problem| problem.route).collect::<Vec<_>>(), [Some(0), Some(2), Some(3)]);
    assert!(problems.iter().all(|problem| problem.field == "paths" && !problem.message.is_empty()), "{problems:?}");
}

#[test]
fn shadowed_routes_are_seen() {
    let route = |name: &str, path: &str, methods: &[&str]| RouteSpec {
        name: name.into(),
        paths: vec![path.to_owned()],
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        ..RouteSpec::default()
    };
    assert_eq!(shadowed(&[route("a", "/x", &[]), route("b", "/x/y", &[])]), [], "the longer path ranks first");
    assert_eq!(shadowed(&[route("a", "/x", &[]), route("b", "/x", &[])]), [(0, 1)], "the larger id takes all");
    assert_eq!(shadowed(&[route("a", "/x", &["GET"]), route("b", "/x", &["GET", "POST"])]), [(0, 1)]);
    assert_eq!(shadowed(&[route("a", "/x", &["GET", "POST"]), route("b", "/x", &["GET"])]), []);
}

fn path_strategy() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(vec!["/a", "/b", "/ab", "/1", "c"]), 0..4)
        .prop_map(|parts| format!("/{}", parts.concat()))
}

fn route_strategy() -> impl Strategy<Value = RouteSpec> {
    let pattern = prop::sample::select(vec!["~/a", "~//a/\\d+", "~/a+b?", "~/.*1$", "~/a|/b", "~(?i)/A", "~//ab*"]).prop_map(str::to_owned);
    let paths = proptest::collection::vec(prop_oneof![3 => path_strategy(), 1 => pattern], 0..3);
    let methods = proptest::collection::vec(prop::sample::select(vec!["GET", "POST"]).prop_map(str::to_owned), 0..2);
    let hosts = proptest::collection::vec(prop::sample::select(vec!["x.org", "*.org", "x.*"]).prop_map(str::to_owned), 0..2);
    let header = proptest::option::of(prop::sample::select(vec!["v1", "~*v[12]"]).prop_map(|v| ("version".to_owned(), vec![v.to_owned()])));
    (paths, methods, hosts, header, 0u32..3).prop_map(|(paths, methods, hosts, header, regex_priority)| RouteSpec {
        name: "".into(),
        hosts,
        methods,
        headers: header.into_iter().collect(),
        paths,
        regex_priority,
        ..RouteSpec::default()
    })
}

proptest! {
    /// The index never changes what a walk over all routes finds, and the order of the list does not matter.
    #[test]
    fn the_index_finds_what_a_walk_finds(mut routes in proptest::collection::vec(route_strategy(), 1..12), paths in proptest::collection::vec(path_strategy(), 1..8), get in any::<bool>(), v2 in any::<bool>(), other in any::<bool>()) {
        for (index, route) in routes.iter_mut().enumerate() {
            route.name = format!("r{index}").into();
        }
        let router = Router::new(&routes).expect("these patterns compile");
        let mut reversed = routes.clone();
        reversed.reverse();
        let backwards = Router::new(&reversed).expect("these patterns compile");
        let list = headers(&[("host", if other { "y.org" } else { "x.org" }), ("version", if v2 { "V2" } else { "v1" })]);
        for path in &paths {
            let request = Request { method: if get { "GET" } else { "POST" }, ..request(path, &list) };
            let found = router.find(&request);
            prop_assert_eq!(found, router.find_slowly(&request));
            let name = |routes: &[RouteSpec], found: Option<u32>| found.map(|route| routes[route as usize].name.clone());
            prop_assert_eq!(name(&routes, found), name(&reversed, backwards.find(&request)));
            for (lost, winner) in shadowed(&routes) {
                prop_assert!(found != Some(lost as u32), "{} is never found, {} is before it", lost, winner);
            }
        }
    }
    /// No window lets more than its limit pass, refused requests do not count, and what could pass does.
    #[test]
    fn a_window_never_exceeds_its_limit(second in proptest::option::of(1u32..5), minute in proptest::option::of(1u32..12), gaps in proptest::collection::vec((0u64..4, 0u32..3), 1..120)) {
        let mut limits = [None; 6];
        limits[Period::Second as usize] = second;
        limits[Period::Minute as usize] = minute.map(|minute| minute.max(second.unwrap_or(1)));
        let config: Vec<(String, String)> = Period::ALL.iter().zip(limits)
            .filter_map(|(period, limit)| Some((period.name().to_owned(), limit?.to_string()))).collect();
        prop_assume!(!config.is_empty());
        let spec = GatewaySpec {
            routes: vec![RouteSpec { name: "all".into(), ..RouteSpec::default() }],
            plugins: vec![PluginSpec { config, ..plugin("rate-limiting", &[]) }],
            ..GatewaySpec::default()
        };
        let mut gateway = Gateway::new(&spec, EPOCH_UNIX_S).expect("it compiles");
        let mut passed: std::collections::BTreeMap<(u32, Period, i64), u32> = std::collections::BTreeMap::new();
        let mut at_s = 0;
        for (gap_s, client) in gaps {
            at_s += gap_s;
            let now = SimTime::ZERO + SimDuration::from_secs(at_s);
            let decision = gateway.handle(now, 0, &Request { ip: client_ip(client), ..request("/", &[]) });
            let unix_s = EPOCH_UNIX_S + at_s as i64;
            let windows: Vec<_> = Period::ALL.iter().zip(limits).filter_map(|(period, limit)| limit.map(|limit| (*period, limit))).collect();
            let room = windows.iter().all(|(period, limit)| passed.get(&(client, *period, period.start(unix_s))).copied().unwrap_or(0) < *limit);
            prop_assert_eq!(passes(&decision), room);
            if room {
                for (period, limit) in windows {
                    let count = passed.entry((client, period, period.start(unix_s))).or_default();
                    *count += 1;
                    prop_assert!(*count <= limit);
                }
            }
        }
    }
}
