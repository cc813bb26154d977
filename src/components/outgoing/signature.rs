//! Signatures of webhooks: made by the sender, checked by the receiver.
//!
//! In: an id, an instant, a body, secrets. Out: the header `webhook-signature`, or why a receiver refuses. Both sides really
//! compute HMAC-SHA256. Must not know: endpoints. Start at [`Secret::sign`] and [`Secret::verify`].
//! Source: Standard Webhooks 1.0.0, "Signature scheme" and "Verifying signatures".

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};

/// What every serialised secret begins with.
pub(super) const PREFIX: &str = "whsec_";
/// Bytes that a secret has at least and at most.
pub(super) const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that both sides have.
#[derive(Clone)]
pub(super) struct Secret {
    sign: EncodingKey,
    verify: DecodingKey,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The three headers of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Headers {
    pub id: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// `v1,…`, one for each secret, with spaces between.
    pub signature: String,
}

/// Why a receiver refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The timestamp is too far from the receiver's clock: an old message played back, or a clock that is wrong.
    Timestamp,
    /// No signature is of this id, timestamp and body.
    Signature,
}

impl Refusal {
    pub fn words(self) -> &'static str {
        match self {
            Self::Timestamp => "its webhook-timestamp is too far from the receiver's clock",
            Self::Signature => "no webhook-signature fits its body",
        }
    }
}

impl Secret {
    pub fn new(bytes: &[u8]) -> Self {
        Self { sign: EncodingKey::from_secret(bytes), verify: DecodingKey::from_secret(bytes) }
    }

    /// Reads `whsec_…`; any other text stands for itself.
    ///
    /// # Errors
    /// In words, when what follows is no base64 of 24 to 64 bytes.
    pub fn read(text: &str) -> Result<Self, String> {
        let Some(encoded) = text.strip_prefix(PREFIX) else { return Ok(Self::new(text.as_bytes())) };
        let bytes = STANDARD.decode(encoded).map_err(|error| format!("what follows {PREFIX} is no base64: {error}"))?;
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self::new(&bytes))
        } else {
            Err(format!("a secret has 24 to 64 bytes, this one has {}", bytes.len()))
        }
    }

    /// The headers for a body, signed with each of these secrets.
    pub fn sign<'a>(secrets: impl IntoIterator<Item = &'a Self>, id: String, timestamp: i64, body: &[u8]) -> Headers {
        let message = content(&id, timestamp, body);
        let one = |secret: &Self| {
            let signed = crypto::sign(&message, &secret.sign, Algorithm::HS256).ok()?;
            Some(format!("v1,{}", STANDARD.encode(URL_SAFE_NO_PAD.decode(signed).ok()?)))
        };
        let signature = secrets.into_iter().filter_map(one).collect::<Vec<_>>().join(" ");
        Headers { id, timestamp, signature }
    }

    /// What a receiver does, whose clock says `now`: in constant time where bytes are compared.
    ///
    /// # Errors
    /// Why it refuses.
    pub fn verify(&self, headers: &Headers, now: i64, tolerance_s: i64, body: &[u8]) -> Result<(), Refusal> {
        if (now - headers.timestamp).abs() > tolerance_s {
            return Err(Refusal::Timestamp);
        }
        let message = content(&headers.id, headers.timestamp, body);
        let fits = |signature: &str| {
            let signature = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
            let encoded = signature.map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
            encoded.is_some_and(|encoded| crypto::verify(&encoded, &message, &self.verify, Algorithm::HS256).unwrap_or(false))
        };
        if headers.signature.split(' ').any(fits) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

/// What is signed: `{id}.{timestamp}.{body}`.
fn content(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{id}.{timestamp}.").into_bytes();
    message.extend_from_slice(body);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of the reference libraries' own tests (standardwebhooks, `test_sign_function`).
    #[test]
    fn agrees_with_the_reference_libraries() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let headers = Secret::sign(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(), 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(headers.signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_read_as_they_are_written() {
        assert!(Secret::read("whsec_!!").is_err_and(|words| words.contains("base64")));
        assert!(Secret::read("whsec_c2hvcnQ=").is_err_and(|words| words.contains("24 to 64")));
        assert!(Secret::read("env:ACME_SECRET").is_ok());
    }

    proptest! {
        /// What is signed passes, by any of the secrets it is signed with; one changed byte, another id, another instant, or
        /// another secret does not.
        #[test]
        fn only_what_was_signed_passes(body in proptest::collection::vec(any::<u8>(), 0..80), at in 0i64..2_000_000_000, flip in any::<usize>(), late in 0i64..600) {
            let (old, new, other) = (Secret::new(b"the old secret"), Secret::new(b"the new secret"), Secret::new(b"another"));
            let headers = Secret::sign(&[new.clone(), old.clone()], "msg_1-2".to_owned(), at, &body);
            prop_assert_eq!(new.verify(&headers, at + late, 300, &body).is_ok(), late <= 300);
            prop_assert_eq!(old.verify(&headers, at - late, 300, &body).is_ok(), late <= 300);
            prop_assert_eq!(other.verify(&headers, at, 300, &body), Err(Refusal::Signature));
            let mut tampered = body.clone();
            tampered.push(0);
            let place = flip % tampered.len();
            tampered[place] ^= 1;
            prop_assert_eq!(new.verify(&headers, at, 300, &tampered), Err(Refusal::Signature));
            let moved = Headers { timestamp: at + 1, ..headers.clone() };
            prop_assert_eq!(new.verify(&moved, at, 300, &body), Err(Refusal::Signature));
            let renamed = Headers { id: "msg_1-3".to_owned(), ..headers };
            prop_assert_eq!(new.verify(&renamed, at, 300, &body), Err(Refusal::Signature));
        }
    }
}
