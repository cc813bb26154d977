//! Kong's plugins: each one's answers as the product gives them, tokens really signed, and properties.

use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::units::SimDuration;

const RSA: &str = include_str!("sample_keys/rs256.pem");
const RSA_PUBLIC: &str = include_str!("sample_keys/rs256.pub.pem");
const EC: &str = include_str!("sample_keys/es256.pem");
const EC_PUBLIC: &str = include_str!("sample_keys/es256.pub.pem");

fn plugin(name: &str, settings: &[&str]) -> PluginSpec {
    let pair = |setting: &&str| setting.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).expect("name=value");
    PluginSpec { name: name.into(), config: settings.iter().map(pair).collect(), ..PluginSpec::default() }
}

fn spec(plugins: Vec<PluginSpec>) -> GatewaySpec {
    let token = |key: &str, algorithm: TokenAlgorithm, secret: &str| TokenCredential { key: key.into(), algorithm, secret: secret.into() };
    let gold = ConsumerSpec {
        name: "gold".into(),
        groups: vec!["paying".into(), "old".into()],
        keys: vec!["k1".into()],
        logins: vec![("Aladdin".into(), "open sesame".into())],
        tokens: vec![
            token("hs", TokenAlgorithm::Hs256, "secret"),
            token("rs", TokenAlgorithm::Rs256, RSA_PUBLIC),
            token("es", TokenAlgorithm::Es256, EC_PUBLIC),
        ],
    };
    let free = ConsumerSpec { name: "free".into(), keys: vec!["k2".into()], ..ConsumerSpec::default() };
    let nobody = ConsumerSpec { name: "nobody".into(), ..ConsumerSpec::default() };
    let route = |name: &str| RouteSpec { name: name.into(), paths: vec![format!("/{name}")], ..RouteSpec::default() };
    GatewaySpec { routes: vec![route("orders"), route("reports")], consumers: vec![gold, free, nobody], plugins }
}

fn gateway(plugins: Vec<PluginSpec>) -> Gateway {
    Gateway::new(&spec(plugins), EPOCH_UNIX_S).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn headers(list: &[(&str, &str)]) -> Vec<(Arc<str>, Arc<str>)> {
    list.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect()
}

fn try_it(gateway: &Gateway, list: &[(&str, &str)]) -> Trial {
    gateway.trial(SimTime::ZERO, 0, &Request { path: "/orders/7", headers: &headers(list), ..Request::default() })
}

/// Status and body of what the gateway answers; 0 when it passes the request on.
fn said(gateway: &Gateway, list: &[(&str, &str)]) -> (u16, String) {
    let trial = try_it(gateway, list);
    let body: Result<Json, _> = serde_json::from_str(&trial.answer.body);
    let body = body.map_or(trial.answer.body.clone(), |body| body["message"].as_str().map_or(body.to_string(), str::to_owned));
    (trial.answer.status, body)
}

fn signed(algorithm: TokenAlgorithm, key: &str, claims: Json) -> String {
    let claims: Map<String, Json> = serde_json::from_value(claims).expect("an object");
    SignKey::new(algorithm, key).expect("a key").sign(&claims).expect("it signs")
}

fn with_token(gateway: &Gateway, token: &str) -> (u16, String) {
    said(gateway, &[("authorization", &format!("Bearer {token}"))])
}

#[test]
fn plugins_stand_by_falling_priority() {
    assert!(PLUGINS.windows(2).all(|pair| pair[0].priority >= pair[1].priority));
    for kind in PLUGINS {
        assert!(!kind.help.is_empty() && kind.fields.iter().all(|field| !field.help.is_empty()), "{}", kind.name);
        let problems = Settings::read(kind.fields, &[("nonsense".to_owned(), "1".to_owned())]).expect_err("unknown");
        assert!(problems[0].contains("nonsense"));
    }
}

#[test]
fn tokens_of_every_sort_are_verified() {
    let gateway = gateway(vec![plugin("jwt", &["claims_to_verify=exp,nbf"])]);
    let now = EPOCH_UNIX_S;
    for (issuer, algorithm, key) in
        [("hs", TokenAlgorithm::Hs256, "secret"), ("rs", TokenAlgorithm::Rs256, RSA), ("es", TokenAlgorithm::Es256, EC)]
    {
        let good = json!({"iss": issuer, "exp": now + 60, "nbf": now});
        let token = signed(algorithm, key, good.clone());
        assert_eq!(with_token(&gateway, &token).0, 0, "{issuer}");
        assert_eq!(try_it(&gateway, &[("authorization", &format!("bearer  {token}"))]).steps[0].words, "consumer gold");
        let old = signed(algorithm, key, json!({"iss": issuer, "exp": now, "nbf": now}));
        assert_eq!(with_token(&gateway, &old), (401, r#"{"exp":"token expired"}"#.to_owned()));
        let young = signed(algorithm, key, json!({"iss": issuer, "exp": now + 60, "nbf": now + 1}));
        assert_eq!(with_token(&gateway, &young), (401, r#"{"nbf":"token not valid yet"}"#.to_owned()));
        let timeless = signed(algorithm, key, json!({"iss": issuer}));
        assert_eq!(with_token(&gateway, &timeless), (401, r#"{"exp":"must be a number","nbf":"must be a number"}"#.to_owned()));
    }
    // A token of one algorithm never passes as one of another: the public key is no shared secret.
    let confused = signed(TokenAlgorithm::Hs256, RSA_PUBLIC, json!({"iss": "rs", "exp": now + 60, "nbf": now}));
    assert_eq!(with_token(&gateway, &confused), (401, "Invalid algorithm".to_owned()));
    let forged = signed(TokenAlgorithm::Hs256, "guess", json!({"iss": "hs", "exp": now + 60, "nbf": now}));
    assert_eq!(with_token(&gateway, &forged), (401, "Invalid signature".to_owned()));
    let unknown = signed(TokenAlgorithm::Hs256, "secret", json!({"iss": "xx"}));
    assert_eq!(with_token(&gateway, &unknown), (401, "No credentials found for given 'iss'".to_owned()));
    let nameless = signed(TokenAlgorithm::Hs256, "secret", json!({"sub": "hs"}));
    assert_eq!(with_token(&gateway, &nameless), (401, "No mandatory 'iss' in claims".to_owned()));
    let empty = signed(TokenAlgorithm::Hs256, "secret", json!({"iss": ""}));
    assert_eq!(with_token(&gateway, &empty), (401, "Invalid 'iss' in claims".to_owned()));
    assert_eq!(with_token(&gateway, "a.b.c"), (401, "Bad token; invalid JSON".to_owned()));
    // {"alg":"none"}.{"iss":"hs"}
    assert_eq!(with_token(&gateway, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJocyJ9."), (401, "Bad token; invalid alg".to_owned()));
    assert_eq!(said(&gateway, &[]), (401, "Unauthorized".to_owned()));
    // Two in one header's lines: the first counts. Two in two places: neither.
    let two = said(&gateway, &[("authorization", &format!("Bearer {forged}")), ("authorization", &format!("Bearer {unknown}"))]);
    assert_eq!(two, (401, "Invalid signature".to_owned()));
}

/// Cases of the product's own tests (spec/03-plugins/16-jwt/03-access_spec.lua) and of its parser, jwt_parser.lua.
#[test]
fn tokens_are_taken_from_where_the_product_looks() {
    let gateway = gateway(vec![plugin("jwt", &[])]);
    let token = |claims: Json| signed(TokenAlgorithm::Hs256, "secret", claims);
    let (good, other) = (token(json!({"iss": "hs"})), token(json!({"iss": "hs", "n": 1})));
    let ask = |path: String, list: &[(&str, &str)]| {
        let trial = gateway.trial(SimTime::ZERO, 0, &Request { path: &path, headers: &headers(list), ..Request::default() });
        let message = serde_json::from_str::<Json>(&trial.answer.body).ok();
        (trial.answer.status, message.and_then(|body| body["message"].as_str().map(str::to_owned)).unwrap_or_default())
    };
    assert_eq!(ask(format!("/orders?jwt={good}"), &[]).0, 0);
    let bearer = format!("Bearer {good}");
    assert_eq!(ask(format!("/orders?jwt={good}"), &[("authorization", &bearer)]).0, 0, "the same token twice is one");
    let two = ask(format!("/orders?jwt={other}"), &[("authorization", &bearer)]);
    assert_eq!(two, (401, "Multiple tokens provided".to_owned()));
    for (header, status) in [("Weird Bearer", 0), ("earer, bearer", 0), ("BEARER", 401), ("Basic", 401)] {
        assert_eq!(ask("/orders".to_owned(), &[("authorization", &format!("{header} {good}"))]).0, status, "{header}");
    }
    assert_eq!(with_token(&gateway, &format!("{good}!")), (401, "Bad token; invalid signature".to_owned()));
    let unsigned = good.rsplit_once('.').map_or("", |(unsigned, _)| unsigned);
    assert_eq!(with_token(&gateway, unsigned), (401, "Bad token; invalid JSON".to_owned()));
    assert_eq!(with_token(&gateway, &format!("{unsigned}.")), (401, "Invalid signature".to_owned()));
    // A claim that is false counts as none; the header may name the credential then.
    assert_eq!(with_token(&gateway, &token(json!({"iss": false}))), (401, "No mandatory 'iss' in claims".to_owned()));
}

/// kong/plugins/basic-auth/access.lua: who is known by the first header is not looked for in the second.
#[test]
fn a_proxys_login_comes_first() {
    let gateway = gateway(vec![plugin("basic-auth", &[])]);
    let login = |user: &str, password: &str| basic_credentials(user, password);
    let (right, wrong, stranger) = (login("Aladdin", "open sesame"), login("Aladdin", "x"), login("Ali", "x"));
    let status = |proxy: &str, own: &str| said(&gateway, &[("proxy-authorization", proxy), ("authorization", own)]).0;
    assert_eq!([status(&right, &wrong), status(&wrong, &right), status(&stranger, &right), status("Basic", &right)], [0, 401, 0, 0]);
}

#[test]
fn challenges_are_the_products() {
    let challenge = |plugins: Vec<PluginSpec>, list: &[(&str, &str)]| {
        let trial = try_it(&gateway(plugins), list);
        trial.answer.header("WWW-Authenticate").map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(challenge(vec![plugin("jwt", &[])], &[]), "Bearer");
    assert_eq!(
        challenge(vec![plugin("jwt", &["realm=shop"])], &[("authorization", "Bearer x")]),
        "Bearer realm=\"shop\", error=\"invalid_token\""
    );
    assert_eq!(challenge(vec![plugin("key-auth", &[])], &[]), "Key");
    assert_eq!(challenge(vec![plugin("basic-auth", &[])], &[]), "Basic realm=\"service\"");
}

#[test]
fn a_token_may_not_live_too_long() {
    let gateway = gateway(vec![plugin("jwt", &["claims_to_verify=exp", "maximum_expiration=60"])]);
    let token = |left_s: i64| signed(TokenAlgorithm::Hs256, "secret", json!({"iss": "hs", "exp": EPOCH_UNIX_S + left_s}));
    assert_eq!(with_token(&gateway, &token(60)).0, 0);
    assert_eq!(with_token(&gateway, &token(61)), (401, r#"{"exp":"exceeds maximum allowed expiration"}"#.to_owned()));
    let problems = Gateway::new(&spec(vec![plugin("jwt", &["maximum_expiration=60"])]), 0).expect_err("exp is not verified");
    assert!(problems[0].message().contains("claims_to_verify"));
}

#[test]
fn names_and_passwords_are_checked() {
    let gateway = gateway(vec![plugin("basic-auth", &[])]);
    assert_eq!(said(&gateway, &[]), (401, "Unauthorized".to_owned()));
    assert_eq!(said(&gateway, &[("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]).0, 0);
    assert_eq!(said(&gateway, &[("proxy-authorization", "basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]).0, 0);
    assert_eq!(said(&gateway, &[("authorization", "Basic QWxhZGRpbjpvcGVu")]), (401, "Unauthorized".to_owned()));
    assert_eq!(said(&gateway, &[("authorization", "Basic !")]), (401, "Unauthorized".to_owned()));
}

#[test]
fn groups_decide_after_the_credential() {
    let allow = gateway(vec![plugin("acl", &["allow=paying"]), plugin("key-auth", &[])]);
    assert_eq!(said(&allow, &[("apikey", "k1")]).0, 0);
    assert_eq!(said(&allow, &[("apikey", "k2")]), (403, "You cannot consume this service".to_owned()));
    assert_eq!(said(&allow, &[]), (401, "No API key found in request".to_owned()), "the plugin with the higher priority speaks");
    let trial = try_it(&allow, &[("apikey", "k1")]);
    let upstream = trial.upstream.expect("it is passed on");
    assert_eq!(
        upstream.headers,
        [("X-Consumer-Username".to_owned(), "gold".to_owned()), ("X-Consumer-Groups".to_owned(), "paying, old".to_owned())]
    );
    let deny = gateway(vec![plugin("acl", &["deny=old"]), plugin("key-auth", &[])]);
    assert_eq!([said(&deny, &[("apikey", "k1")]).0, said(&deny, &[("apikey", "k2")]).0], [403, 0]);
    let nobody_known = gateway(vec![plugin("acl", &["allow=paying"])]);
    assert_eq!(said(&nobody_known, &[]), (401, "Unauthorized".to_owned()));
}

#[test]
fn several_ways_to_prove_it_with_anonymous() {
    let gateway = gateway(vec![
        plugin("key-auth", &["anonymous=nobody"]),
        plugin("basic-auth", &["anonymous=nobody"]),
        PluginSpec { consumer: Some("nobody".into()), ..plugin("request-termination", &["status_code=403", "message=sign in"]) },
    ]);
    assert_eq!(said(&gateway, &[("apikey", "k2")]).0, 0);
    assert_eq!(said(&gateway, &[("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]).0, 0);
    assert_eq!(said(&gateway, &[("apikey", "no")]), (403, "sign in".to_owned()));
}

#[test]
fn addresses_and_sizes_and_triggers() {
    let by_address = gateway(vec![plugin("ip-restriction", &["allow=10.0.0.0/8,2001:db8::/32", "deny=10.0.0.9"])]);
    let from = |ip: &str| {
        let ip: IpAddr = ip.parse().expect("an address");
        by_address.trial(SimTime::ZERO, 0, &Request { ip, path: "/orders", ..Request::default() }).answer.status
    };
    assert_eq!(["10.255.0.1", "10.0.0.9", "11.0.0.1", "2001:db8::7", "2001:db9::7"].map(from), [0, 403, 403, 0, 403]);
    let by_size = gateway(vec![plugin("request-size-limiting", &["allowed_payload_size=3", "size_unit=bytes"])]);
    let of = |body: &[u8]| by_size.trial(SimTime::ZERO, 0, &Request { body, path: "/orders", ..Request::default() }).answer.status;
    assert_eq!([of(b"abc"), of(b"abcd")], [0, 413]);
    assert_eq!(said(&by_size, &[("content-length", "4")]), (413, "Request size limit exceeded".to_owned()));
    assert_eq!(said(&by_size, &[("content-length", "4"), ("expect", "100-Continue")]).0, 417);
    let by_trigger = gateway(vec![plugin("request-termination", &["trigger=X-Stop", "status_code=404"])]);
    assert_eq!(said(&by_trigger, &[]).0, 0);
    assert_eq!(said(&by_trigger, &[("x-stop", "")]), (404, "Not found".to_owned()));
}

#[test]
fn browsers_ask_first() {
    let gateway = gateway(vec![
        plugin("cors", &["origins=https://shop.example,.*\\.test", "credentials=true", "max_age=60"]),
        plugin("key-auth", &[]),
    ]);
    let ask = |origin: &str, method: &str| {
        let list = headers(&[("origin", origin), ("access-control-request-method", "POST"), ("access-control-request-headers", "apikey")]);
        gateway.trial(SimTime::ZERO, 0, &Request { method, path: "/orders", headers: &list, ..Request::default() })
    };
    let preflight = ask("https://shop.example:443", "OPTIONS");
    assert_eq!((preflight.answer.status, preflight.answer.body.as_str()), (200, ""), "no key is needed to ask");
    let header = |name| preflight.answer.header(name);
    assert_eq!(header("Access-Control-Allow-Origin"), Some("https://shop.example"));
    assert_eq!(header("Access-Control-Allow-Credentials"), Some("true"));
    assert_eq!(header("Access-Control-Allow-Headers"), Some("apikey"));
    assert_eq!(header("Access-Control-Max-Age"), Some("60"));
    assert_eq!(ask("http://a.test:8080", "OPTIONS").answer.header("Access-Control-Allow-Origin"), Some("http://a.test:8080"));
    assert_eq!(ask("https://evil.example", "OPTIONS").answer.header("Access-Control-Allow-Origin"), None);
    let post = ask("https://shop.example", "POST");
    assert_eq!((post.answer.status, post.answer.header("vary")), (401, Some("Origin")));
}

#[test]
fn answers_are_kept_for_a_while() {
    let mut gateway = gateway(vec![plugin("proxy-cache", &["cache_ttl=30", "vary_headers=accept-language"])]);
    let ask = |gateway: &mut Gateway, second: u64, path: &str, language: &str| {
        let list = headers(&[("accept-language", language)]);
        let now = SimTime::ZERO + SimDuration::from_secs(second);
        let decision = gateway.handle(now, 0, &Request { path, headers: &list, ..Request::default() });
        if let Some(key) = &decision.cache_key {
            gateway.answered(now, 0, key, 200, "application/json; charset=utf-8");
        }
        decision.verdict.status()
    };
    let mut at = |second, path, language| ask(&mut gateway, second, path, language);
    assert_eq!(at(0, "/orders?b=1&a=2", "en"), None);
    assert_eq!(at(30, "/orders?a=2&b=1", "en"), Some(200), "the order of query fields does not matter");
    assert_eq!(at(30, "/orders?a=2&b=1", "de"), None);
    assert_eq!(at(31, "/orders?a=2&b=1", "en"), None, "too old");
    assert_eq!(
        gateway.handle(SimTime::ZERO, 1, &Request { path: "/orders?a=2&b=1", ..Request::default() }).verdict,
        Verdict::Forward,
        "each node has its own"
    );
}

#[test]
fn local_limits_diverge_as_nodes_scale_and_shared_ones_do_not() {
    let passed = |settings: &[&str], nodes: u32, down: bool| {
        let mut gateway = gateway(vec![plugin("rate-limiting", settings)]);
        gateway.set_store_up(!down);
        let at = |n: u32| SimTime::ZERO + SimDuration::from_ms(u64::from(n) * 10);
        (0..300)
            .filter(|n| gateway.handle(at(*n), n % nodes, &Request { path: "/orders", ..Request::default() }).verdict == Verdict::Forward)
            .count()
    };
    assert_eq!(passed(&["minute=50"], 1, false), 50);
    assert_eq!(passed(&["minute=50"], 4, false), 200);
    assert_eq!(passed(&["minute=50", "policy=cluster"], 4, false), 50);
    assert_eq!(passed(&["minute=50", "policy=redis"], 4, false), 50);
    let late = passed(&["minute=50", "policy=redis", "sync_rate=0.5"], 4, false);
    assert!((51..100).contains(&late), "comparing notes every half second lets {late} pass");
    assert_eq!(passed(&["minute=50", "policy=redis"], 4, true), 300, "fault tolerant");
    assert_eq!(passed(&["minute=50", "policy=redis", "fault_tolerant=false"], 4, true), 0);
}

#[test]
fn the_products_own_sliding_estimate() {
    let cases: Json = serde_json::from_str(include_str!("../../../tests/cases/kong_rate_limit.json")).expect("the case file is JSON");
    let mut judged = 0;
    for case in cases["cases"].as_array().expect("cases").iter().filter(|case| case["plugin"] == "rate-limiting-advanced") {
        let number = |name: &str| case[name].as_u64().expect("a number");
        let found = plugins::estimate(
            number("prev") as u32,
            number("cur") as u32,
            number("elapsed") as i64 * 1_000,
            number("window") as i64 * 1_000,
        );
        assert!((found - case["estimate"].as_f64().expect("a number")).abs() < 1e-9, "{case}");
        judged += 1;
    }
    assert_eq!(judged, 1);
    // Whoever keeps sending faster than the limit is never let in again, unless there is no penalty.
    let passed = |penalty: &str| {
        let mut gateway = gateway(vec![plugin("rate-limiting-advanced", &["limit=10", "window_size=10", penalty])]);
        let at = |n: u64| SimTime::ZERO + SimDuration::from_ms(n * 500);
        let pass = |n: &u64| gateway.handle(at(*n), 0, &Request { path: "/orders", ..Request::default() }).verdict == Verdict::Forward;
        (0..200).filter(pass).count()
    };
    assert_eq!(passed("disable_penalty=false"), 10);
    assert!((90..=110).contains(&passed("disable_penalty=true")), "{}", passed("disable_penalty=true"));
}

#[test]
fn what_is_wrong_is_all_said() {
    let bad = vec![
        plugin("key-auht", &[]),
        plugin("acl", &[]),
        plugin("rate-limiting", &["minute=0", "hours=3"]),
        PluginSpec { route: Some("nowhere".into()), consumer: Some("gold".into()), ..plugin("jwt", &["anonymous=someone"]) },
        plugin("rate-limiting", &["second=5", "minute=1"]),
    ];
    let mut spec = spec(bad);
    spec.consumers[1].keys = vec!["k1".into()];
    spec.consumers[2].tokens = vec![TokenCredential { key: "x".into(), algorithm: TokenAlgorithm::Rs256, secret: "no key".into() }];
    let problems = Gateway::new(&spec, 0).expect_err("much is wrong");
    let words: Vec<&str> = problems.iter().map(GatewayProblem::message).collect();
    for wanted in [
        "another credential has the same API key",
        "no public key for RS256",
        "no plugin `key-auht`",
        "one of `allow` and `deny`",
        "`minute` is `0`",
        "no setting `hours`",
        "no route `nowhere`",
        "cannot belong to one",
        "no consumer `someone`",
        "is lower than that",
    ] {
        assert!(words.iter().any(|words| words.contains(wanted)), "{wanted}: {words:#?}");
    }
    assert!(words.iter().all(|words| !words.contains("no key")), "secrets are not repeated");
}

#[test]
fn plain_requests_to_a_route_of_tls_alone() {
    let mut spec = spec(vec![]);
    spec.routes[0].protocols = vec!["https".to_owned()];
    spec.routes[0].snis = vec!["shop.example".to_owned()];
    let gateway = Gateway::new(&spec, 0).expect("it compiles");
    let ask =
        |https: bool, sni: &str| gateway.trial(SimTime::ZERO, 0, &Request { https, sni, path: "/orders", ..Request::default() }).answer;
    let told = ask(false, "");
    assert_eq!((told.status, told.header("Upgrade")), (426, Some("TLS/1.2, HTTP/1.1")));
    assert_eq!([ask(true, "shop.example").status, ask(true, "other.example").status], [0, 404]);
}

proptest! {
    /// No expired token passes, and none of which any character was changed.
    #[test]
    fn an_expired_or_tampered_token_never_passes(left_s in -100i64..100, at in 0usize..2_000, letter in prop::sample::select(b"ABCxyz019-_.".to_vec()), later_s in 0u64..100, which in 0usize..2) {
        let mut gateway = gateway(vec![plugin("jwt", &["claims_to_verify=exp"])]);
        let (issuer, algorithm, key) = [("hs", TokenAlgorithm::Hs256, "secret"), ("es", TokenAlgorithm::Es256, EC)][which];
        let token = signed(algorithm, key, json!({"iss": issuer, "exp": EPOCH_UNIX_S + left_s, "sub": "somebody"}));
        let mut pass = |token: &str| {
            let list = headers(&[("authorization", &format!("Bearer {token}"))]);
            let now = SimTime::ZERO + SimDuration::from_secs(later_s);
            gateway.handle(now, 0, &Request { path: "/orders", headers: &list, ..Request::default() }).verdict == Verdict::Forward
        };
        prop_assert_eq!(pass(&token), (later_s as i64) < left_s);
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        let changed = bytes[at] != letter;
        bytes[at] = letter;
        let tampered = String::from_utf8(bytes).expect("letters");
        prop_assert!(!changed || !pass(&tampered), "{tampered}");
    }
}
