//! Authorizers: who may call, by a token that is verified here or by a function whose verdict is kept for a while.
//!
//! docs.aws.amazon.com/apigateway: http-api-jwt-authorizer, apigateway-use-lambda-authorizer. What a function would
//! say is a list in the design; that it is called costs time, which the component pays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ApiKind, ApiStop, ResponseType};
use crate::machines::gateway::token::{Signatures, TimeClaim, Token, VerifyKey};
use crate::machines::gateway::{Request, TokenAlgorithm, TokenCredential};
use crate::units::{SimDuration, SimTime};

/// Verdicts kept at once; beyond, those that have ended go, then nothing more is kept.
const KEPT_MAX: usize = 10_000;
/// The longest that a verdict may be kept.
pub const TTL_S_MAX: u64 = 3_600;

/// An authorizer as the design has it.
#[derive(Clone, Debug)]
pub enum AuthorizerSpec {
    /// A token of this issuer for one of these audiences.
    Jwt {
        /// Whose tokens, and how they are signed.
        issuer: TokenCredential,
        /// One of these must be in `aud` (or be `client_id`); any when empty.
        audiences: Vec<Arc<str>>,
    },
    /// A function.
    Lambda {
        /// The header that says who it is; without it nobody is asked.
        identity: Arc<str>,
        /// What the function allows.
        allow: Vec<Arc<str>>,
        /// What it denies; anything else it calls unauthorised.
        deny: Vec<Arc<str>>,
        /// How long its verdict is kept; 0 is not at all.
        ttl: SimDuration,
        /// It fails whenever it is called.
        fails: bool,
    },
}

/// Whether a JWT authorizer takes tokens with such signatures. HTTP APIs: RSA keys only (http-api-jwt-authorizer); REST APIs:
/// RS256 to RS512, ES256 to ES512 (API_JwtConfiguration), of which ES512 is not known here.
fn takes_algorithm(kind: ApiKind, algorithm: TokenAlgorithm) -> bool {
    match algorithm {
        TokenAlgorithm::Rs256 | TokenAlgorithm::Rs384 | TokenAlgorithm::Rs512 => true,
        TokenAlgorithm::Es256 | TokenAlgorithm::Es384 => kind == ApiKind::Rest,
        _ => false,
    }
}

/// Compiled, with what it keeps.
#[derive(Clone, Debug)]
pub(super) struct Authorizer {
    spec: Arc<AuthorizerSpec>,
    key: Option<VerifyKey>,
    signatures: Signatures,
    kept: BTreeMap<Arc<str>, (SimTime, bool)>,
}

/// What an authorizer says of a request that passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub called: bool,
}

impl Authorizer {
    pub(super) fn new(spec: &AuthorizerSpec, kind: ApiKind) -> Result<Self, String> {
        let key = match spec {
            AuthorizerSpec::Jwt { issuer, .. } if !takes_algorithm(kind, issuer.algorithm) => {
                let known = TokenAlgorithm::ALL.iter().filter(|(algorithm, _)| takes_algorithm(kind, *algorithm));
                let known: Vec<&str> = known.map(|(_, name)| *name).collect();
                return Err(format!("tokens are signed with {}; here they may be with {}", issuer.algorithm.name(), known.join(", ")));
            }
            AuthorizerSpec::Jwt { issuer, .. } => Some(VerifyKey::new(issuer.algorithm, &issuer.secret)?),
            AuthorizerSpec::Lambda { ttl, .. } if *ttl > SimDuration::from_secs(TTL_S_MAX) => {
                return Err(format!("verdicts are kept for at most {TTL_S_MAX} s"));
            }
            AuthorizerSpec::Lambda { .. } => None,
        };
        Ok(Self { spec: Arc::new(spec.clone()), key, signatures: Signatures::default(), kept: BTreeMap::new() })
    }
    pub(super) fn judge(
        &mut self,
        now: SimTime,
        unix_s: i64,
        request: &Request<'_>,
        scopes: &[Arc<str>],
    ) -> Result<Passed, (ApiStop, bool)> {
        let spec = Arc::clone(&self.spec);
        match &*spec {
            AuthorizerSpec::Jwt { issuer, audiences } => {
                self.token(unix_s, request, issuer, audiences, scopes).map(|()| Passed::default()).map_err(|stop| (stop, false))
            }
            AuthorizerSpec::Lambda { identity, allow, deny, ttl, fails } => {
                let Some(who) = request.headers.iter().find(|(name, value)| name == identity && !value.is_empty()) else {
                    return Err((ApiStop::of(ResponseType::Unauthorized), false));
                };
                let denied = || ApiStop::of(ResponseType::AccessDenied);
                if let Some((_, allowed)) = self.kept.get(&who.1).filter(|(until, _)| now < *until) {
                    return if *allowed { Ok(Passed::default()) } else { Err((denied(), false)) };
                }
                if *fails {
                    return Err((ApiStop::of(ResponseType::AuthorizerFailure), true));
                }
                let allowed = allow.contains(&who.1);
                if !allowed && !deny.contains(&who.1) {
                    // An exception, not a policy: it is not kept.
                    return Err((ApiStop::of(ResponseType::Unauthorized), true));
                }
                if *ttl > SimDuration::ZERO {
                    if self.kept.len() >= KEPT_MAX {
                        self.kept.retain(|_, (until, _)| now < *until);
                    }
                    if self.kept.len() < KEPT_MAX {
                        self.kept.insert(Arc::clone(&who.1), (now + *ttl, allowed));
                    }
                }
                if allowed { Ok(Passed { called: true }) } else { Err((denied(), true)) }
            }
        }
    }
    fn token(
        &mut self,
        unix_s: i64,
        request: &Request<'_>,
        issuer: &TokenCredential,
        audiences: &[Arc<str>],
        scopes: &[Arc<str>],
    ) -> Result<(), ApiStop> {
        let no = || ApiStop::of(ResponseType::Unauthorized);
        let header = request.header("authorization").ok_or_else(no)?;
        let text = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("bearer ")).unwrap_or(header);
        let token = Token::parse(text.trim()).map_err(|_| no())?;
        let key = self.key.as_ref().ok_or_else(no)?;
        let claim = |name: &str| token.claims.get(name);
        let is_issuer = claim("iss").and_then(|iss| iss.as_str()) == Some(&*issuer.key);
        let in_time = token.claim_errors(&[TimeClaim::Exp], unix_s).is_empty()
            && (claim("nbf").is_none() || token.claim_errors(&[TimeClaim::Nbf], unix_s).is_empty());
        if !is_issuer || !in_time || token.algorithm() != key.algorithm().name() || !self.signatures.verify(0, key, &token) {
            return Err(no());
        }
        let audience = claim("aud").or_else(|| claim("client_id"));
        let is_for = |wanted: &Arc<str>| match audience {
            Some(serde_json::Value::String(text)) => **text == **wanted,
            Some(serde_json::Value::Array(list)) => list.iter().any(|text| text.as_str() == Some(&**wanted)),
            _ => false,
        };
        if !audiences.is_empty() && !audiences.iter().any(is_for) {
            return Err(no());
        }
        let granted = claim("scope").or_else(|| claim("scp"));
        let has = |wanted: &Arc<str>| match granted {
            Some(serde_json::Value::String(text)) => text.split(' ').any(|scope| *scope == **wanted),
            Some(serde_json::Value::Array(list)) => list.iter().any(|text| text.as_str() == Some(&**wanted)),
            _ => false,
        };
        if scopes.is_empty() || scopes.iter().any(has) { Ok(()) } else { Err(ApiStop::of(ResponseType::Forbidden)) }
    }
}
