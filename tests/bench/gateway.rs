//! A gateway's decision alone: `cargo bench --bench gateway`.
//!
//! A thousand routes, a key and a rate limit for each request; the same at AWS's gateway, with templates, a usage plan's key
//! and token buckets; and tokens beside the jsonwebtoken crate alone.
//! By this thread's CPU time; figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "cpu.rs"]
mod cpu;

use std::hint::black_box;
use std::sync::Arc;

use cpu::cpu_s;
use eventyard::machines::gateway::aws::{Api, ApiRoute, ApiSpec, Throttle, UsagePlan};
use eventyard::machines::gateway::{
    ConsumerSpec, EPOCH_UNIX_S, Gateway, GatewaySpec, PluginSpec, Request, RouteSpec, SignKey, TokenAlgorithm, TokenCredential, Verdict,
};
use eventyard::units::{SimDuration, SimTime};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value as Json, json};

const ROUTES: usize = 1_000;
const CONSUMERS: usize = 100;
const REQUESTS: usize = 200_000;

fn plugin(name: &str, settings: &[(&str, &str)]) -> PluginSpec {
    let config = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PluginSpec { name: name.into(), config, ..PluginSpec::default() }
}

fn gateway(plugins: Vec<PluginSpec>, algorithm: TokenAlgorithm, key: &str) -> Gateway {
    let route = |n: usize| RouteSpec {
        name: format!("route-{n}").into(),
        paths: vec![format!("/api/v{}/service-{n}", n % 3)],
        methods: vec!["POST".to_owned()],
        hosts: if n.is_multiple_of(2) { vec!["shop.example".to_owned()] } else { Vec::new() },
        ..RouteSpec::default()
    };
    let consumer = |n: usize| ConsumerSpec {
        name: format!("consumer-{n}").into(),
        keys: vec![format!("key-{n}").into()],
        tokens: vec![TokenCredential { key: format!("issuer-{n}").into(), algorithm, secret: key.into() }],
        ..ConsumerSpec::default()
    };
    let spec = GatewaySpec { routes: (0..ROUTES).map(route).collect(), consumers: (0..CONSUMERS).map(consumer).collect(), plugins };
    Gateway::new(&spec, EPOCH_UNIX_S).expect("it compiles")
}

fn api() -> Api {
    let ample = Throttle::new(1e6, 1_000_000);
    let route = |n: usize| ApiRoute {
        name: format!("route-{n}").into(),
        method: "POST".into(),
        path: format!("/api/v{}/service-{n}/orders/{{id}}", n % 3).into(),
        throttle: Some(ample),
        key_required: true,
        ..ApiRoute::default()
    };
    let keys = (0..CONSUMERS).map(|n| (Arc::from(format!("key-{n}")), Arc::from(format!("consumer-{n}")))).collect();
    let plan = UsagePlan { name: "plan".into(), throttle: Some(ample), keys, ..UsagePlan::default() };
    let spec =
        ApiSpec { routes: (0..ROUTES).map(route).collect(), account: ample, stage: Some(ample), plans: vec![plan], ..ApiSpec::default() };
    Api::new(&spec, EPOCH_UNIX_S).expect("it compiles")
}

type Headers = Vec<(Arc<str>, Arc<str>)>;

/// Nanoseconds a decision, the best of five; `passes` decides.
fn measure(headers: &[Headers], mut passes: impl FnMut(SimTime, &Request<'_>) -> bool) -> f64 {
    let paths: Vec<String> = (0..ROUTES).map(|n| format!("/api/v{}/service-{n}/orders/{n}", n % 3)).collect();
    let mut best = f64::INFINITY;
    let mut now = SimTime::ZERO;
    for _ in 0..5 {
        let mut passed = 0;
        let began = cpu_s();
        for n in 0..REQUESTS {
            now += SimDuration::from_us(10);
            let request =
                Request { method: "POST", path: &paths[(n * 7) % ROUTES], headers: &headers[n % headers.len()], ..Request::default() };
            passed += usize::from(passes(now, black_box(&request)));
        }
        best = best.min((cpu_s() - began) * 1e9 / REQUESTS as f64);
        assert_eq!(passed, REQUESTS, "every request passes");
    }
    best
}

fn kong(mut gateway: Gateway) -> impl FnMut(SimTime, &Request<'_>) -> bool {
    move |now, request| black_box(gateway.handle(now, 0, request)).verdict == Verdict::Forward
}

fn main() {
    let host = || (Arc::from("host"), Arc::from("shop.example"));
    let with =
        |name: &str| -> Vec<Headers> { (0..CONSUMERS).map(|n| vec![host(), (Arc::from(name), format!("key-{n}").into())]).collect() };
    let keys = with("apikey");
    let limited = || plugin("rate-limiting", &[("second", "1000000"), ("minute", "100000000")]);
    let with_plugins = |plugins| kong(gateway(plugins, TokenAlgorithm::Hs256, "secret"));
    println!("route of {ROUTES}: {:.0} ns", measure(&keys, with_plugins(vec![])));
    let full = measure(&keys, with_plugins(vec![plugin("key-auth", &[]), limited()]));
    println!("route of {ROUTES}, key and rate limit: {full:.0} ns a decision (wanted: at most 1000)");
    let mut api = api();
    let full = measure(&with("x-api-key"), |now, request| black_box(api.handle(now, request)).stop.is_none());
    println!("template of {ROUTES}, plan's key and four buckets: {full:.0} ns a decision (wanted: at most 1000)");
    tokens(&host());
}

/// HS256 in the jwt plugin and in the crate alone, and ES256, of which the plugin remembers signatures that come again.
fn tokens(host: &(Arc<str>, Arc<str>)) {
    let claims = |n: usize| -> Map<String, Json> {
        let claims = json!({"iss": format!("issuer-{n}"), "exp": EPOCH_UNIX_S + 1_000_000, "sub": "somebody"});
        claims.as_object().expect("an object").clone()
    };
    let (private, public) = TokenAlgorithm::Es256.sample_pair().expect("there is one");
    for (algorithm, secret, verify) in [(TokenAlgorithm::Hs256, "secret", "secret"), (TokenAlgorithm::Es256, private, public)] {
        let key = SignKey::new(algorithm, secret).expect("a key");
        let tokens: Vec<String> = (0..CONSUMERS).map(|n| key.sign(&claims(n)).expect("it signs")).collect();
        let bearing = |token: &String| vec![host.clone(), (Arc::from("authorization"), format!("Bearer {token}").into())];
        let bearing: Vec<Headers> = tokens.iter().map(bearing).collect();
        let bare = measure(&bearing, kong(gateway(vec![], algorithm, verify)));
        let with_token = measure(&bearing, kong(gateway(vec![plugin("jwt", &[("claims_to_verify", "exp")])], algorithm, verify)));
        let (ours, alone) = (with_token - bare, alone(&tokens, algorithm, verify));
        println!("{} in the jwt plugin: {ours:.0} ns; the jsonwebtoken crate alone: {alone:.0} ns (wanted: as fast)", algorithm.name());
    }
}

/// Nanoseconds a token in the crate alone, the best of five.
fn alone(tokens: &[String], algorithm: TokenAlgorithm, key: &str) -> f64 {
    let (decoding, mut validation, requests) = if algorithm.is_symmetric() {
        (DecodingKey::from_secret(key.as_bytes()), Validation::new(Algorithm::HS256), REQUESTS)
    } else {
        (DecodingKey::from_ec_pem(key.as_bytes()).expect("a key"), Validation::new(Algorithm::ES256), REQUESTS / 100)
    };
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let began = cpu_s();
        for n in 0..requests {
            black_box(decode::<Map<String, Json>>(black_box(&tokens[n % tokens.len()]), &decoding, &validation)).expect("it is right");
        }
        best = best.min((cpu_s() - began) * 1e9 / requests as f64);
    }
    best
}
