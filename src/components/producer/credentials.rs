//! What a client proves itself with at a gateway: a key, a login, a token that is really signed and renewed in time,
//! and the share of its requests that carry a bad or an expired one.
//!
//! In: parameters, the instant of sending. Out: the headers of a request, shared by all requests that carry the same.
//! Start at [`Credentials::headers`].

use std::sync::Arc;

use crate::components::secrets::{Secret, check_secret};
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::machines::codec::cloud_events;
use crate::machines::gateway::{EPOCH_UNIX_S, SignKey, TokenAlgorithm, basic_credentials};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

/// Names in lower case, and values.
pub(super) type Headers = Arc<[(Arc<str>, Arc<str>)]>;

/// Which credential a request carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Good,
    Bad,
    Expired,
}

/// How long ago an expired token ended.
const EXPIRED_S: i64 = 60;

/// The headers of a client's requests.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    good: Headers,
    bad: Headers,
    token: Option<Tokens>,
    bad_share: f64,
    expired_share: f64,
    rng: Option<Stream>,
}

#[derive(Clone, Debug)]
struct Tokens {
    issuer: String,
    key: SignKey,
    lifetime_s: i64,
    /// The good headers with a token, until when they are good enough.
    current: Option<(Headers, i64)>,
    expired: Option<Headers>,
}

impl Credentials {
    /// Headers without any proof, for tests.
    #[cfg(test)]
    pub(super) fn plain(headers: Headers) -> Self {
        Self { bad: Arc::clone(&headers), good: headers, token: None, bad_share: 0.0, expired_share: 0.0, rng: None }
    }
    pub(super) fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let with = |key: Option<String>, password: Option<String>| -> Headers {
            // In structured mode the source stands in the body.
            let mut list: Vec<(Arc<str>, Arc<str>)> = if params.text("cloud_events") == "structured" {
                vec![("content-type".into(), cloud_events::CONTENT_TYPE.into())]
            } else {
                vec![("content-type".into(), "application/octet-stream".into()), ("ce-source".into(), ctx.id.into())]
            };
            list.extend(key.map(|key| (params.text("key_header").to_lowercase().into(), key.into())));
            if let (Some(user), Some(password)) = (params.optional_text("user"), password) {
                list.push(("authorization".into(), basic_credentials(&user, &password).into()));
            }
            if params.flag("certificate") {
                list.push(("ssl-client-verify".into(), "SUCCESS".into()));
            }
            let given = params.words("headers");
            let pairs = given.iter().filter_map(|header| header.split_once(':'));
            list.extend(pairs.map(|(name, value)| (name.trim().to_lowercase().into(), value.trim().into())));
            list.into()
        };
        let secret = |name: &str| params.optional_text(name).map(|text| Secret::read(&text).stand_in());
        let token = params.optional_text("token_issuer").map(|issuer| {
            let algorithm: TokenAlgorithm = params.text("token_algorithm").parse().unwrap_or_default();
            let key = SignKey::new(algorithm, &Secret::read(&params.text("token_secret")).sign_key(algorithm));
            let lifetime_s = (params.duration("token_lifetime").as_ns() / 1_000_000_000).max(1) as i64;
            key.map(|key| Tokens { issuer, key, lifetime_s, current: None, expired: None })
        });
        let token =
            token.transpose().map_err(|words| Diagnostic::error("token-secret", format!("components.{}.token_secret", ctx.id), words))?;
        let (bad_share, expired_share) = (params.ratio("bad_credentials"), params.ratio("expired_credentials"));
        Ok(Self {
            good: with(secret("api_key"), secret("password")),
            bad: with(secret("api_key").map(|key| format!("{key}-wrong")), secret("password").map(|password| format!("{password}-wrong"))),
            token,
            bad_share,
            expired_share,
            // No draw where there is nothing to draw.
            rng: (bad_share + expired_share > 0.0).then(|| ctx.stream("credentials")),
        })
    }
    /// Which credential the next event gets.
    pub(super) fn draw(&mut self) -> Sort {
        let Some(rng) = &mut self.rng else { return Sort::Good };
        let drawn = rng.unit_f64();
        if drawn < self.bad_share {
            Sort::Bad
        } else if drawn < self.bad_share + self.expired_share {
            Sort::Expired
        } else {
            Sort::Good
        }
    }
    /// The headers of a request that leaves now.
    pub(super) fn headers(&mut self, now: SimTime, sort: Sort) -> Headers {
        let Some(tokens) = &mut self.token else {
            return Arc::clone(if sort == Sort::Bad { &self.bad } else { &self.good });
        };
        let unix_s = EPOCH_UNIX_S.saturating_add_unsigned(now.as_ns() / 1_000_000_000);
        match sort {
            Sort::Expired => {
                let ended_s = EPOCH_UNIX_S - EXPIRED_S;
                let made = tokens.expired.get_or_insert_with(|| bearing(&self.good, &made(&tokens.key, &tokens.issuer, ended_s)));
                Arc::clone(made)
            }
            Sort::Good | Sort::Bad => {
                // Renewed when a tenth of its life is left.
                if tokens.current.as_ref().is_none_or(|(_, until_s)| unix_s >= *until_s) {
                    let token = made(&tokens.key, &tokens.issuer, unix_s + tokens.lifetime_s);
                    let until_s = unix_s + (tokens.lifetime_s - tokens.lifetime_s / 10).max(1) - i64::from(tokens.lifetime_s == 1);
                    tokens.current = Some((bearing(&self.good, &token), until_s));
                }
                let good = tokens.current.as_ref().map_or(&self.good, |(headers, _)| headers);
                if sort == Sort::Good { Arc::clone(good) } else { tampered(good) }
            }
        }
    }
}

/// A token of an issuer that ends at `exp`.
fn made(key: &SignKey, issuer: &str, exp: i64) -> String {
    // A key that was read can sign; if it could not, the gateway refuses the empty token.
    key.sign_for(issuer, exp).unwrap_or_default()
}

fn bearing(headers: &Headers, token: &str) -> Headers {
    let token: (Arc<str>, Arc<str>) = ("authorization".into(), format!("Bearer {token}").into());
    headers.iter().cloned().chain([token]).collect()
}

/// The same with another signature.
fn tampered(headers: &Headers) -> Headers {
    let change = |value: &str| {
        let at = value.rfind('.').map_or(0, |dot| dot + 1);
        let (kept, signature) = value.split_at(at);
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{kept}{first}{}", signature.get(1..).unwrap_or_default())
    };
    let each = |(name, value): &(Arc<str>, Arc<str>)| {
        let value = if &**name == "authorization" { change(value).into() } else { Arc::clone(value) };
        (Arc::clone(name), value)
    };
    headers.iter().map(each).collect()
}

/// What is wrong with them.
pub(super) fn check(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    for name in ["api_key", "password", "token_secret"] {
        if let Some(secret) = params.optional_text(name) {
            check_secret(&format!("{path}.{name}"), &secret, out);
        }
    }
    if params.optional_text("token_issuer").is_some() {
        let algorithm: TokenAlgorithm = params.text("token_algorithm").parse().unwrap_or_default();
        let secret = params.text("token_secret");
        let key = if secret.is_empty() {
            Err("tokens are signed with nothing".to_owned())
        } else {
            SignKey::new(algorithm, &Secret::read(&secret).sign_key(algorithm)).map(drop)
        };
        if let Err(words) = key {
            out.push(
                Diagnostic::error("token-secret", format!("{path}.token_secret"), words)
                    .with_hint("write `env:NAME`, `file:NAME` or `sample:…`, as at the gateway"),
            );
        }
        if params.duration("token_lifetime") < SimDuration::from_secs(1) {
            let message = "a token lives whole seconds";
            out.push(Diagnostic::error("token-lifetime", format!("{path}.token_lifetime"), message).with_hint("at least 1s"));
        }
    }
    if params.ratio("bad_credentials") + params.ratio("expired_credentials") > 1.0 {
        let message = "bad and expired credentials are more than all";
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.bad_credentials"), message).with_hint("together at most 100%"));
    }
}
