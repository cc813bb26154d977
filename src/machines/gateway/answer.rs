//! What a gateway answers by itself: status, headers and body as the product writes them.
//!
//! The decision of a run carries only what a run needs; the text is made when somebody looks.

use std::sync::Arc;

/// Words of an answer: the product's own, or words of the design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// The product's.
    Known(&'static str),
    /// Of the design or of this request.
    Made(Arc<str>),
}

impl Words {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(words) => words,
            Self::Made(words) => words,
        }
    }
}

/// How the words become a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BodyForm {
    /// Kong's error template: `message` and `request_id`.
    #[default]
    Error,
    /// `{"message":"…"}`.
    Message,
    /// The words are JSON already.
    Json,
    /// The words as they stand, of this content type.
    Raw(Arc<str>),
    /// No body.
    Empty,
}

impl BodyForm {
    /// Size of the body that these words become.
    #[must_use]
    pub fn bytes(&self, words: &str) -> u32 {
        const ERROR_FRAME: usize = "{\n  \"message\":,\n  \"request_id\":\"\"\n}".len() + 32;
        const MESSAGE_FRAME: usize = "{\"message\":}".len();
        let quoted_bytes = || serde_json::to_string(words).unwrap_or_default().len();
        let bytes = match self {
            Self::Error => ERROR_FRAME + quoted_bytes(),
            Self::Message => MESSAGE_FRAME + quoted_bytes(),
            Self::Json | Self::Raw(_) => words.len(),
            Self::Empty => 0,
        };
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// An answer given instead of passing the request on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Status code.
    pub status: u16,
    /// Stable code of the reason (`unauthorized`, `rate-limit`…).
    pub code: &'static str,
    /// What it says.
    pub words: Words,
    /// How it says it.
    pub form: BodyForm,
    /// `WWW-Authenticate`, made when somebody looks.
    pub challenge: Option<Arc<str>>,
}

impl Stop {
    /// An error in the product's own words.
    #[must_use]
    pub fn error(status: u16, code: &'static str, words: &'static str) -> Self {
        Self { status, code, words: Words::Known(words), form: BodyForm::Error, challenge: None }
    }
    /// The same with a challenge.
    #[must_use]
    pub fn challenged(mut self, challenge: &Arc<str>) -> Self {
        self.challenge = Some(Arc::clone(challenge));
        self
    }
    /// The body and its content type.
    #[must_use]
    pub fn body(&self, request_id: &str) -> (Option<String>, String) {
        const JSON: &str = "application/json; charset=utf-8";
        let quoted = || serde_json::to_string(self.words.as_str()).unwrap_or_default();
        match &self.form {
            BodyForm::Error => (Some(JSON.to_owned()), format!("{{\n  \"message\":{},\n  \"request_id\":\"{request_id}\"\n}}", quoted())),
            BodyForm::Message => (Some(JSON.to_owned()), format!("{{\"message\":{}}}", quoted())),
            BodyForm::Json => (Some(JSON.to_owned()), self.words.as_str().to_owned()),
            BodyForm::Raw(content_type) => (Some(content_type.to_string()), self.words.as_str().to_owned()),
            BodyForm::Empty => (None, String::new()),
        }
    }
}

/// An answer as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Names as the product writes them.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Answer {
    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_large_as_it_says() {
        let forms = [BodyForm::Error, BodyForm::Message, BodyForm::Json, BodyForm::Raw("text/plain".into()), BodyForm::Empty];
        for form in forms {
            for words in ["", "Unauthorized", "a \"quoted\"\nline with an é"] {
                let stop =
                    Stop { status: 401, code: "unauthorized", words: Words::Made(words.into()), form: form.clone(), challenge: None };
                assert_eq!(form.bytes(words) as usize, stop.body(&"0".repeat(32)).1.len(), "{form:?} {words}");
            }
        }
    }
}
