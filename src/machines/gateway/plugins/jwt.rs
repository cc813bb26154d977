//! jwt (kong/plugins/jwt/handler.lua): who sends, by a signed token. Signatures are really checked.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Fallback, Field, FieldType, ON_PREFLIGHT, Plugin, PluginKind, REALM, Settings, Stop, Turn, World};
use crate::machines::gateway::answer::{BodyForm, Words};
use crate::machines::gateway::people::Known;
use crate::machines::gateway::token::{Signatures, TimeClaim, Token};

pub(super) const KIND: PluginKind = PluginKind {
    name: "jwt",
    priority: 1450,
    help: "Answers 401 to requests without a rightly signed token",
    fields: &[
        Field::new("header_names", FieldType::Texts, "Headers that carry `Bearer` and the token").or("authorization"),
        Field::new("uri_param_names", FieldType::Texts, "Query fields that carry the token").or("jwt"),
        Field::new("cookie_names", FieldType::Texts, "Cookies that carry the token").or(""),
        Field::new("key_claim_name", FieldType::Text, "The claim (or header field) that names the credential").or("iss"),
        Field::new("claims_to_verify", FieldType::Texts, "Of `exp` and `nbf`; without any, expired tokens pass"),
        Field::new(
            "maximum_expiration",
            FieldType::Count { min: 0, max: 31_536_000 },
            "Seconds that a token may still live; 0 is no limit",
        )
        .or("0"),
        Field::new("secret_is_base64", FieldType::Flag, "The credentials' secrets are base64").or("false"),
        ON_PREFLIGHT,
        REALM,
        Fallback::FIELD,
    ],
    by_consumer: false,
    compile: |settings, world| Ok(Box::new(Jwt { config: Arc::new(Config::new(settings, world)?), signatures: Signatures::default() })),
};

#[derive(Clone, Debug)]
struct Jwt {
    config: Arc<Config>,
    signatures: Signatures,
}

#[derive(Debug)]
struct Config {
    headers: Vec<Arc<str>>,
    fields: Vec<Arc<str>>,
    cookies: Vec<Arc<str>>,
    key_claim: Arc<str>,
    claims: Vec<TimeClaim>,
    maximum_s: i64,
    on_preflight: bool,
    challenge: Arc<str>,
    challenge_with_error: Arc<str>,
    /// Words with the claim's name in them.
    no_claim: Arc<str>,
    empty_claim: Arc<str>,
    no_credential: Arc<str>,
    fallback: Fallback,
}

impl Config {
    fn new(settings: &Settings, world: &World<'_>) -> Result<Self, String> {
        let claim = |name: &Arc<str>| match &**name {
            "exp" => Ok(TimeClaim::Exp),
            "nbf" => Ok(TimeClaim::Nbf),
            other => Err(format!("`{other}` is no claim that can be verified; `exp` and `nbf` are")),
        };
        let claims: Vec<TimeClaim> = settings.texts("claims_to_verify").iter().map(claim).collect::<Result<_, _>>()?;
        let maximum_s = settings.count("maximum_expiration").unwrap_or_default();
        if maximum_s > 0 && !claims.contains(&TimeClaim::Exp) {
            return Err("`maximum_expiration` needs `exp` among `claims_to_verify`".to_owned());
        }
        if settings.flag("secret_is_base64") {
            return Err("`secret_is_base64` is not taken: give the secret's own bytes".to_owned());
        }
        let key_claim = settings.text("key_claim_name").unwrap_or_default();
        let realm = settings.text("realm");
        Ok(Self {
            headers: settings.texts("header_names").iter().map(|name| name.to_ascii_lowercase().into()).collect(),
            fields: settings.texts("uri_param_names"),
            cookies: settings.texts("cookie_names"),
            claims,
            maximum_s,
            on_preflight: settings.flag("run_on_preflight"),
            challenge: realm.as_ref().map_or("Bearer".into(), |realm| format!("Bearer realm=\"{realm}\"").into()),
            challenge_with_error: realm.as_ref().map_or("Bearer error=\"invalid_token\"".into(), |realm| {
                format!("Bearer realm=\"{realm}\", error=\"invalid_token\"").into()
            }),
            no_claim: format!("No mandatory '{key_claim}' in claims").into(),
            empty_claim: format!("Invalid '{key_claim}' in claims").into(),
            no_credential: format!("No credentials found for given '{key_claim}'").into(),
            key_claim,
            fallback: Fallback::new(settings, world)?,
        })
    }
    fn stop(&self, words: Words) -> Stop {
        let form = BodyForm::Message;
        Stop { status: 401, code: "unauthorized", words, form, challenge: Some(Arc::clone(&self.challenge_with_error)) }
    }
    fn known(&self, turn: &mut Turn<'_>, signatures: &mut Signatures) -> Result<Known, Stop> {
        let no = |words| self.stop(Words::Known(words));
        let text = match self.token(turn) {
            Ok(Some(text)) => text,
            Ok(None) => {
                return Err(Stop {
                    form: BodyForm::Message,
                    ..Stop::error(401, "unauthorized", "Unauthorized").challenged(&self.challenge)
                });
            }
            Err(words) => return Err(no(words)),
        };
        let token = Token::parse(text).map_err(|words| {
            no(match words {
                "invalid alg" => "Bad token; invalid alg",
                "invalid signature" => "Bad token; invalid signature",
                _ => "Bad token; invalid JSON",
            })
        })?;
        let said = |part: &'_ Map<String, Json>| part.get(&*self.key_claim).filter(|value| **value != Json::Bool(false)).cloned();
        let issuer = match said(&token.claims).or_else(|| said(&token.header)) {
            None | Some(Json::Null) => return Err(self.stop(Words::Made(Arc::clone(&self.no_claim)))),
            Some(Json::String(text)) if text.is_empty() => return Err(self.stop(Words::Made(Arc::clone(&self.empty_claim)))),
            Some(Json::String(text)) => text,
            Some(other) => other.to_string(),
        };
        let Some((known, key)) = turn.people.by_issuer(&issuer) else {
            return Err(self.stop(Words::Made(Arc::clone(&self.no_credential))));
        };
        if token.algorithm() != key.algorithm().name() {
            return Err(no("Invalid algorithm"));
        }
        if !signatures.verify(known.credential, key, &token) {
            return Err(no("Invalid signature"));
        }
        let errors = token.claim_errors(&self.claims, turn.unix_s);
        if !errors.is_empty() {
            return Err(self.claims_refused(&errors));
        }
        if self.maximum_s > 0 && !token.expires_within(turn.unix_s, self.maximum_s) {
            return Err(self.claims_refused(&[("exp", "exceeds maximum allowed expiration")]));
        }
        Ok(known)
    }
    /// Claims are answered as a JSON object of their own.
    fn claims_refused(&self, errors: &[(&'static str, &'static str)]) -> Stop {
        let body: Map<String, Json> = errors.iter().map(|(claim, words)| ((*claim).to_owned(), Json::from(*words))).collect();
        Stop { form: BodyForm::Json, ..self.stop(Words::Made(Json::Object(body).to_string().into())) }
    }
    /// From the query, cookies and headers; the same token twice is one.
    fn token<'r>(&self, turn: &Turn<'r>) -> Result<Option<&'r str>, &'static str> {
        let request = turn.request;
        let in_query = self.fields.iter().flat_map(|name| request.query(name));
        let cookies = request.header("cookie").unwrap_or_default();
        let cookie =
            |name: &Arc<str>| cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(known, _)| *known == &**name);
        let in_cookies = self.cookies.iter().filter_map(cookie).map(|(_, value)| value);
        // Of a header that is there twice the first counts.
        let in_headers = self.headers.iter().filter_map(|name| request.header(name)).filter_map(bearer);
        let mut found = None;
        for token in in_query.chain(in_cookies).chain(in_headers).filter(|token| !token.is_empty()) {
            match found {
                Some(known) if known != token => return Err("Multiple tokens provided"),
                _ => found = Some(token),
            }
        }
        Ok(found)
    }
}

/// What stands behind the first `Bearer` or `bearer`, wherever that is.
fn bearer(header: &str) -> Option<&str> {
    let behind = |(at, word): (usize, &str)| {
        let rest = &header[at + word.len()..];
        let is_scheme = header[..at].ends_with(['B', 'b']) && rest.starts_with(char::is_whitespace);
        is_scheme.then(|| rest.trim())
    };
    header.match_indices("earer").find_map(behind)
}

impl Plugin for Jwt {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let config = &self.config;
        if config.fallback.is_done(turn) || (!config.on_preflight && turn.request.method == "OPTIONS") {
            return Ok(());
        }
        let found = config.known(turn, &mut self.signatures);
        config.fallback.settle(turn, found)
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
