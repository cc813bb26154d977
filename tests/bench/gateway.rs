//! A gateway's decision alone: `cargo bench --bench gateway`.
//!
//! A thousand routes, a key and a rate limit for each request; and a token of HS256 beside the jsonwebtoken crate alone.
//! By this thread's CPU time; figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "cpu.rs"]
mod cpu;

use std::hint::black_box;
use std::sync::Arc;

use cpu::cpu_s;
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

fn gateway(plugins: Vec<PluginSpec>) -> Gateway {
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
        tokens: vec![TokenCredential { key: format!("issuer-{n}").into(), algorithm: TokenAlgorithm::Hs256, secret: "secret".into() }],
        ..ConsumerSpec::default()
    };
    let spec = GatewaySpec { routes: (0..ROUTES).map(route).collect(), consumers: (0..CONSUMERS).map(consumer).collect(), plugins };
    Gateway::new(&spec, EPOCH_UNIX_S).expect("it compiles")
}

type Headers = Vec<(Arc<str>, Arc<str>)>;

/// Nanoseconds a decision, the best of five.
fn measure(mut gateway: Gateway, headers: &[Headers]) -> f64 {
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
            passed += usize::from(black_box(gateway.handle(now, 0, black_box(&request))).verdict == Verdict::Forward);
        }
        best = best.min((cpu_s() - began) * 1e9 / REQUESTS as f64);
        assert_eq!(passed, REQUESTS, "every request passes");
    }
    best
}

fn main() {
    let host = || (Arc::from("host"), Arc::from("shop.example"));
    let keys: Vec<Headers> = (0..CONSUMERS).map(|n| vec![host(), (Arc::from("apikey"), format!("key-{n}").into())]).collect();
    let limited = || plugin("rate-limiting", &[("second", "1000000"), ("minute", "100000000")]);
    println!("route of {ROUTES}: {:.0} ns", measure(gateway(vec![]), &keys));
    let full = measure(gateway(vec![plugin("key-auth", &[]), limited()]), &keys);
    println!("route of {ROUTES}, key and rate limit: {full:.0} ns a decision (wanted: at most 1000)");

    let key = SignKey::new(TokenAlgorithm::Hs256, "secret").expect("a secret");
    let claims = |n: usize| -> Map<String, Json> {
        json!({"iss": format!("issuer-{n}"), "exp": EPOCH_UNIX_S + 1_000_000, "sub": "somebody"}).as_object().expect("an object").clone()
    };
    let tokens: Vec<String> = (0..CONSUMERS).map(|n| key.sign(&claims(n)).expect("it signs")).collect();
    let bearing: Vec<Headers> =
        tokens.iter().map(|token| vec![host(), (Arc::from("authorization"), format!("Bearer {token}").into())]).collect();
    let bare = measure(gateway(vec![]), &bearing);
    let with_token = measure(gateway(vec![plugin("jwt", &[("claims_to_verify", "exp")])]), &bearing);
    let decoding = DecodingKey::from_secret(b"secret");
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let mut alone = f64::INFINITY;
    for _ in 0..5 {
        let began = cpu_s();
        for n in 0..REQUESTS {
            black_box(decode::<Map<String, Json>>(black_box(&tokens[n % CONSUMERS]), &decoding, &validation)).expect("it is right");
        }
        alone = alone.min((cpu_s() - began) * 1e9 / REQUESTS as f64);
    }
    println!("HS256 in the jwt plugin: {:.0} ns; the jsonwebtoken crate alone: {alone:.0} ns (wanted: as fast)", with_token - bare);
}
