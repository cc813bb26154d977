//! A message held against a filter policy, as a person tries it.
//!
//! In: a policy's text, what it looks at, a message as JSON. Out: whether the subscription gets it, and if not, which
//! keys stand against it. Start at [`try_message`].

use serde_json::Value as Json;

use crate::machines::broker::fanout::attributes::{Attribute, Attributes};
use crate::machines::broker::fanout::policy::{FilterPolicy, Scope, Subject};
use crate::machines::broker::fanout::read;

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The subscription gets the message.
    Passes,
    /// It does not: these keys of the policy stand against it.
    Filtered(Vec<String>),
    /// The message is no JSON object.
    NoMessage(String),
    /// SNS would refuse the policy.
    NoPolicy(String),
}

/// Holds a message against a policy; `scope` is `MessageAttributes` or `MessageBody`, and the message's JSON object is
/// its attributes or its body by that.
#[must_use]
pub fn try_message(policy: Option<&str>, scope: &str, message: &str) -> Trial {
    let scope = if scope == "MessageBody" { Scope::MessageBody } else { Scope::MessageAttributes };
    let policy = match policy.map(|text| read::read(text, scope, "filter_policy")).transpose() {
        Ok(policy) => policy.unwrap_or_default(),
        Err(problems) => return Trial::NoPolicy(problems.into_iter().next().map(|problem| problem.message).unwrap_or_default()),
    };
    let body: Json = match serde_json::from_str(message) {
        Ok(body) => body,
        Err(error) => return Trial::NoMessage(error.to_string()),
    };
    let Json::Object(fields) = &body else { return Trial::NoMessage("a JSON object is wanted".to_owned()) };
    let attributes = fields.iter().filter_map(|(name, value)| Some((name.as_str().into(), Attribute::of_json(value)?)));
    verdict(&policy, Subject { attributes: &Attributes(attributes.collect()), body: Some(&body) })
}

fn verdict(policy: &FilterPolicy, subject: Subject<'_>) -> Trial {
    if policy.accepts(subject) {
        return Trial::Passes;
    }
    Trial::Filtered(policy.failing(subject).into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_says_which_keys_stand_against_a_message() {
        let policy = Some(r#"{"type": ["OrderPaid"], "total": [{"numeric": [">", 100]}]}"#);
        let of_attributes = |message| try_message(policy, "MessageAttributes", message);
        assert_eq!(of_attributes(r#"{"type": "OrderPaid", "total": 120}"#), Trial::Passes);
        assert_eq!(of_attributes(r#"{"type": "OrderPaid", "total": 80}"#), Trial::Filtered(vec!["total".to_owned()]));
        assert_eq!(of_attributes("{}"), Trial::Filtered(vec!["type".to_owned(), "total".to_owned()]));
        assert!(matches!(of_attributes("{"), Trial::NoMessage(_)));
        assert!(matches!(try_message(Some("{\"a\": 1}"), "MessageBody", "{}"), Trial::NoPolicy(_)));
        assert_eq!(try_message(None, "MessageAttributes", "{}"), Trial::Passes);
        assert_eq!(try_message(Some(r#"{"a": {"b": [1]}}"#), "MessageBody", r#"{"a": {"b": 1}}"#), Trial::Passes);
    }
}
