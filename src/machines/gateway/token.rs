//! JSON Web Tokens: taken apart as Kong does it (kong/plugins/jwt/jwt_parser.lua), signatures by jsonwebtoken.
//!
//! In: a token's text, keys. Out: header and claims, whether a signature is right, tokens signed for clients.
//! Time is the caller's: nothing here looks at a clock. Start at [`Token::parse`] and [`VerifyKey::verifies`].

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::Error as KeyError;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Map, Value as Json};

/// Longest token that is read.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;

/// Signature algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of RFC 7518")]
pub enum TokenAlgorithm {
    #[default]
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl TokenAlgorithm {
    /// All of them with the names of RFC 7518.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::Hs256, "HS256"),
        (Self::Hs384, "HS384"),
        (Self::Hs512, "HS512"),
        (Self::Rs256, "RS256"),
        (Self::Rs384, "RS384"),
        (Self::Rs512, "RS512"),
        (Self::Ps256, "PS256"),
        (Self::Ps384, "PS384"),
        (Self::Ps512, "PS512"),
        (Self::Es256, "ES256"),
        (Self::Es384, "ES384"),
        (Self::EdDsa, "EdDSA"),
    ];
    /// `HS256`…
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    /// Whether both sides share one secret.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
    /// A key pair that everybody has, (private, public) as PEM, for designs that name a key but must not hold it.
    /// None for algorithms of one secret, and for those without a pair here.
    #[must_use]
    pub fn sample_pair(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                Some((include_str!("sample_keys/rs256.pem"), include_str!("sample_keys/rs256.pub.pem")))
            }
            Self::Es256 => Some((include_str!("sample_keys/es256.pem"), include_str!("sample_keys/es256.pub.pem"))),
            _ => None,
        }
    }
    fn crate_algorithm(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::Hs384 => Algorithm::HS384,
            Self::Hs512 => Algorithm::HS512,
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

impl FromStr for TokenAlgorithm {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text).map(|(algorithm, _)| *algorithm);
        found.ok_or_else(|| format!("`{text}` is no signature algorithm that is known here"))
    }
}

/// How a key of either side is read, by what the algorithm asks for.
struct KeyKinds<K> {
    secret: fn(&[u8]) -> K,
    ec: fn(&[u8]) -> Result<K, KeyError>,
    ed: fn(&[u8]) -> Result<K, KeyError>,
    rsa: fn(&[u8]) -> Result<K, KeyError>,
}

impl<K> KeyKinds<K> {
    /// The key, or what reading it said; an empty secret is refused at once.
    fn read(self, algorithm: TokenAlgorithm, secret: &str) -> Result<Result<K, KeyError>, String> {
        if algorithm.is_symmetric() && secret.is_empty() {
            return Err(format!("{} needs a secret", algorithm.name()));
        }
        let bytes = secret.as_bytes();
        Ok(match algorithm {
            TokenAlgorithm::Hs256 | TokenAlgorithm::Hs384 | TokenAlgorithm::Hs512 => Ok((self.secret)(bytes)),
            TokenAlgorithm::Es256 | TokenAlgorithm::Es384 => (self.ec)(bytes),
            TokenAlgorithm::EdDsa => (self.ed)(bytes),
            _ => (self.rsa)(bytes),
        })
    }
}

/// A key that signatures are checked with.
#[derive(Clone)]
pub struct VerifyKey {
    algorithm: TokenAlgorithm,
    key: DecodingKey,
}

/// Keys are never printed.
impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyKey({})", self.algorithm.name())
    }
}

impl VerifyKey {
    /// A shared secret's bytes, or a public key as PEM.
    ///
    /// # Errors
    /// When the text is no key of that algorithm, in words that do not repeat it.
    pub fn new(algorithm: TokenAlgorithm, secret: &str) -> Result<Self, String> {
        let kinds = KeyKinds {
            secret: DecodingKey::from_secret,
            ec: DecodingKey::from_ec_pem,
            ed: DecodingKey::from_ed_pem,
            rsa: DecodingKey::from_rsa_pem,
        };
        let key = kinds.read(algorithm, secret)?;
        let key = key.map_err(|_| format!("this is no public key for {} (PEM, `BEGIN PUBLIC KEY`)", algorithm.name()))?;
        Ok(Self { algorithm, key })
    }
    /// Of its signatures.
    #[must_use]
    pub fn algorithm(&self) -> TokenAlgorithm {
        self.algorithm
    }
    /// Whether the token's signature is this key's. Whoever calls has compared the algorithms before.
    #[must_use]
    pub fn verifies(&self, token: &Token<'_>) -> bool {
        crypto::verify(token.signature, token.message.as_bytes(), &self.key, self.algorithm.crate_algorithm()).unwrap_or(false)
    }
}

/// A key that a client signs its tokens with.
#[derive(Clone)]
pub struct SignKey {
    algorithm: TokenAlgorithm,
    key: EncodingKey,
}

/// Keys are never printed.
impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignKey({})", self.algorithm.name())
    }
}

impl SignKey {
    /// A shared secret's bytes, or a private key as PEM.
    ///
    /// # Errors
    /// When the text is no key of that algorithm, in words that do not repeat it.
    pub fn new(algorithm: TokenAlgorithm, secret: &str) -> Result<Self, String> {
        let kinds = KeyKinds {
            secret: EncodingKey::from_secret,
            ec: EncodingKey::from_ec_pem,
            ed: EncodingKey::from_ed_pem,
            rsa: EncodingKey::from_rsa_pem,
        };
        let key = kinds.read(algorithm, secret)?;
        let key = key.map_err(|_| format!("this is no private key for {} (PEM)", algorithm.name()))?;
        Ok(Self { algorithm, key })
    }
    /// A token of an issuer that ends at an instant, as clients have them.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign_for(&self, issuer: &str, exp_unix_s: i64) -> Result<String, String> {
        self.sign(&[("iss".to_owned(), issuer.into()), ("exp".to_owned(), exp_unix_s.into())].into_iter().collect())
    }
    /// A token with these claims.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(&self, claims: &Map<String, Json>) -> Result<String, String> {
        let header = format!(r#"{{"typ":"JWT","alg":"{}"}}"#, self.algorithm.name());
        let claims = serde_json::to_string(claims).map_err(|error| error.to_string())?;
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm.crate_algorithm());
        Ok(format!("{message}.{}", signature.map_err(|error| error.to_string())?))
    }
}

/// Which tokens had a right signature when they came first, where a key pair was used. A client sends one token many times,
/// and the same text under the same key has the same signature: to look again would change nothing but the time that a run
/// takes here. What the product pays for it is in the simulated service time; ends and claims are looked at each time.
/// Signatures of a shared secret take less time to check than to keep.
#[derive(Clone, Debug)]
pub(super) struct Signatures {
    /// By text: the key's number, and what it said. Only looked up, never walked.
    kept: HashMap<Arc<str>, (u32, bool), ahash::RandomState>,
}

impl Default for Signatures {
    fn default() -> Self {
        Self { kept: HashMap::with_hasher(super::hasher()) }
    }
}

impl Signatures {
    /// Tokens kept at once; beyond, all are forgotten.
    const KEPT_MAX: usize = 1_000;

    /// As [`VerifyKey::verifies`]; `number` stands for the key.
    pub(super) fn verify(&mut self, number: u32, key: &VerifyKey, token: &Token<'_>) -> bool {
        if key.algorithm.is_symmetric() {
            return key.verifies(token);
        }
        if let Some((_, verdict)) = self.kept.get(token.text).filter(|(known, _)| *known == number) {
            return *verdict;
        }
        let verdict = key.verifies(token);
        if self.kept.len() >= Self::KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(token.text.into(), (number, verdict));
        verdict
    }
}

/// A token taken apart; nothing of it is believed yet.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// Its header.
    pub header: Map<String, Json>,
    /// Its claims.
    pub claims: Map<String, Json>,
    text: &'a str,
    message: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    /// Takes it apart.
    ///
    /// # Errors
    /// In Kong's words: `invalid JSON`, `invalid alg`, `invalid signature`.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        const NO_JSON: &str = "invalid JSON";
        if text.len() > TOKEN_BYTES_MAX {
            return Err(NO_JSON);
        }
        let (header, rest) = text.split_once('.').ok_or(NO_JSON)?;
        let (claims, signature) = rest.split_once('.').ok_or(NO_JSON)?;
        let message = &text[..header.len() + 1 + claims.len()];
        let object = |part: &str| -> Option<Map<String, Json>> {
            let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        let header = object(header).ok_or(NO_JSON)?;
        let claims = object(claims).ok_or(NO_JSON)?;
        let known = |name: &str| TokenAlgorithm::ALL.iter().any(|(_, known)| *known == name);
        if !header.get("alg").and_then(Json::as_str).is_some_and(known) {
            return Err("invalid alg");
        }
        if URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).is_err() {
            return Err("invalid signature");
        }
        Ok(Self { header, claims, text, message, signature })
    }
    /// What its header says of its signature.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.header.get("alg").and_then(Json::as_str).unwrap_or_default()
    }
    /// What keeps the claims `exp` and `nbf` from holding at `unix_s`: (claim, Kong's words).
    #[must_use]
    pub fn claim_errors(&self, claims: &[TimeClaim], unix_s: i64) -> Vec<(&'static str, &'static str)> {
        let wrong = |claim: &TimeClaim| {
            let Some(time) = self.claims.get(claim.name()).and_then(Json::as_f64) else {
                return Some((claim.name(), "must be a number"));
            };
            let now = unix_s as f64;
            match claim {
                TimeClaim::Exp if time <= now => Some(("exp", "token expired")),
                TimeClaim::Nbf if time > now => Some(("nbf", "token not valid yet")),
                _ => None,
            }
        };
        claims.iter().filter_map(wrong).collect()
    }
    /// Whether it says to expire within so many seconds.
    #[must_use]
    pub fn expires_within(&self, unix_s: i64, maximum_s: i64) -> bool {
        self.claims.get("exp").and_then(Json::as_f64).is_some_and(|exp| exp - unix_s as f64 <= maximum_s as f64)
    }
}

/// The registered claims that Kong can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of RFC 7519")]
pub enum TimeClaim {
    Exp,
    Nbf,
}

impl TimeClaim {
    fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Nbf => "nbf",
        }
    }
}
