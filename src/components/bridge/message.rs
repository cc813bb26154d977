//! A record's bytes as a message's body and back, and what bodies a queue does not take.
//!
//! Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: a body is Unicode text of at
//! least one character, without most control characters (`InvalidMessageContents`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::event::Reason;

/// How bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// They are text already.
    Text,
    /// As base64.
    Base64,
}

impl Encoding {
    pub fn named(word: &str) -> Self {
        if word == "base64" { Self::Base64 } else { Self::Text }
    }

    /// The body for a record's bytes.
    ///
    /// # Errors
    /// Why a queue refuses them.
    pub fn body(self, value: &Bytes) -> Result<Bytes, Reason> {
        let bad = |detail: String| Reason { code: "message-contents", detail: Some(detail.into()) };
        if value.is_empty() {
            return Err(bad("a message needs a body of one character at least".to_owned()));
        }
        match self {
            Self::Base64 => Ok(STANDARD.encode(value).into()),
            // What a producer without a schema makes up is zeros, which stand for any text.
            Self::Text if value.iter().all(|byte| *byte == 0) => Ok(value.clone()),
            Self::Text => {
                let text = std::str::from_utf8(value).map_err(|error| bad(format!("its bytes are no text: {error}")))?;
                match text.chars().find(|character| !is_allowed(*character)) {
                    Some(character) => Err(bad(format!("the body has the character U+{:04X}, which SQS does not take", character as u32))),
                    None => Ok(value.clone()),
                }
            }
        }
    }

    /// The record's bytes for a body.
    ///
    /// # Errors
    /// When it is not encoded so.
    pub fn value(self, body: Bytes) -> Result<Bytes, Reason> {
        match self {
            Self::Text => Ok(body),
            Self::Base64 => match STANDARD.decode(&body) {
                Ok(value) => Ok(value.into()),
                Err(error) => Err(Reason { code: "message-contents", detail: Some(format!("the body is no base64: {error}").into()) }),
            },
        }
    }
}

/// Tab, line feed, carriage return, and from the space on all but surrogates (which no text holds) and two non-characters.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the list of SQS's reference, and back: what is taken comes out as it went in.
        #[test]
        fn what_is_taken_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in any::<String>()) {
            for value in [Bytes::from(bytes), Bytes::from(text)] {
                for encoding in [Encoding::Text, Encoding::Base64] {
                    if let Ok(body) = encoding.body(&value) {
                        prop_assert!(!body.is_empty());
                        prop_assert_eq!(encoding.value(body).expect("it was encoded so"), value.clone());
                    }
                }
                let listed = |c: char| matches!(c as u32, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF);
                let is_text = std::str::from_utf8(&value).is_ok_and(|text| text.chars().all(listed)) || value.iter().all(|byte| *byte == 0);
                prop_assert_eq!(Encoding::Text.body(&value).is_ok(), is_text && !value.is_empty());
            }
        }
    }
}
