//! What SQS and SNS answer, as an integration without a mapping of its own hands it to the client.
//!
//! A REST API asks with `Accept: application/json`, and both services answer their query protocol's elements as JSON. An HTTP
//! API's first-class integration asks for nothing and passes XML on. Sources: the services' API references (SendMessage,
//! Publish); repost.aws, "HTTP API Gateway -> SQS Response Mapping". Start at [`Service::answer`].

use md5::Md5;
use sha2::{Digest, Sha256};

use super::{Answer, ApiKind};

/// A service that a route sends its bodies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which.
    pub action: Action,
    /// A FIFO queue or topic numbers its messages.
    pub is_fifo: bool,
}

/// What it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// SQS.
    SendMessage,
    /// SNS.
    Publish,
}

/// Twenty digits, growing: the first that a queue gives.
const SEQUENCE_NUMBER: &str = "18849496460467696128";

impl Service {
    /// The answer to a message that was taken. Its ids are made of the message: whoever asks twice gets the same.
    #[must_use]
    pub fn answer(self, kind: ApiKind, message: &[u8]) -> Answer {
        let content_type = match kind {
            ApiKind::Rest => "application/json",
            ApiKind::Http => "text/xml",
        };
        let body = self.body(kind, &hex(&Md5::digest(message)), [id("message", message), id("request", message)]);
        Answer { status: 200, headers: vec![("Content-Type".to_owned(), content_type.to_owned())], body }
    }
    /// Its size, the same for each message.
    #[must_use]
    pub fn answer_bytes(self, kind: ApiKind) -> u32 {
        u32::try_from(self.answer(kind, b"").body.len()).unwrap_or(u32::MAX)
    }
    fn body(self, kind: ApiKind, md5: &str, [message, request]: [String; 2]) -> String {
        let number = self.is_fifo.then_some(SEQUENCE_NUMBER);
        if kind == ApiKind::Http {
            // An HTTP API has no integration with SNS.
            let number = number.map_or_else(String::new, |number| format!("<SequenceNumber>{number}</SequenceNumber>"));
            return format!(
                "<?xml version=\"1.0\"?><SendMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><SendMessageResult><MessageId>{message}</MessageId><MD5OfMessageBody>{md5}</MD5OfMessageBody>{number}</SendMessageResult><ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata></SendMessageResponse>"
            );
        }
        let number = number.map_or_else(|| "null".to_owned(), |number| format!("\"{number}\""));
        match self.action {
            Action::SendMessage => format!(
                "{{\"SendMessageResponse\":{{\"ResponseMetadata\":{{\"RequestId\":\"{request}\"}},\"SendMessageResult\":{{\"MD5OfMessageAttributes\":null,\"MD5OfMessageBody\":\"{md5}\",\"MD5OfMessageSystemAttributes\":null,\"MessageId\":\"{message}\",\"SequenceNumber\":{number}}}}}}}"
            ),
            Action::Publish => format!(
                "{{\"PublishResponse\":{{\"PublishResult\":{{\"MessageId\":\"{message}\",\"SequenceNumber\":{number}}},\"ResponseMetadata\":{{\"RequestId\":\"{request}\"}}}}}}"
            ),
        }
    }
}

/// A UUID of a message, for one purpose.
fn id(purpose: &str, message: &[u8]) -> String {
    let hex = hex(&Sha256::new().chain_update(purpose).chain_update(message).finalize());
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    const SQS: Service = Service { action: Action::SendMessage, is_fifo: false };
    const SNS_FIFO: Service = Service { action: Action::Publish, is_fifo: true };

    /// The digest is that of the product's own example (SQS API reference, SendMessage: "This is a test message").
    #[test]
    fn a_queue_says_what_it_stored() {
        let answer = SQS.answer(ApiKind::Rest, b"This is a test message");
        let read: Json = serde_json::from_str(&answer.body).expect("JSON");
        let result = &read["SendMessageResponse"]["SendMessageResult"];
        assert_eq!((&result["MD5OfMessageBody"], &result["SequenceNumber"]), (&"fafb00f5732ab283681e124bf8747ed1".into(), &Json::Null));
        let [message, request] = [&result["MessageId"], &read["SendMessageResponse"]["ResponseMetadata"]["RequestId"]];
        assert!(message != request && message.as_str().is_some_and(|id| id.len() == 36));
    }

    #[test]
    fn a_topic_answers_in_its_own_words_and_an_http_api_in_xml() {
        let read: Json = serde_json::from_str(&SNS_FIFO.answer(ApiKind::Rest, b"x").body).expect("JSON");
        assert_eq!(read["PublishResponse"]["PublishResult"]["SequenceNumber"], SEQUENCE_NUMBER);
        let answer = SQS.answer(ApiKind::Http, b"x");
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        assert!(answer.body.contains("<MD5OfMessageBody>9dd4e461268c8034f5c8564e155c67a6</MD5OfMessageBody>"));
    }

    #[test]
    fn every_answer_of_a_service_has_one_size() {
        for service in [SQS, SNS_FIFO] {
            assert_eq!(service.answer(ApiKind::Rest, b"abc").body.len(), service.answer_bytes(ApiKind::Rest) as usize);
        }
        assert_eq!(SQS.answer(ApiKind::Http, &[7; 1_000]).body.len(), SQS.answer_bytes(ApiKind::Http) as usize);
    }
}
