//! Events as bytes on a connection that stays open: server-sent events, and WebSocket messages.
//!
//! Sources: WHATWG HTML, "Server-sent events", parsing and interpreting an event stream; RFC 6455, section 5.2 (frames of a
//! server are not masked) and 5.5.2 (pings).

use bytes::Bytes;

/// How clients are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    ServerSentEvents,
    WebSocket,
}

impl Wire {
    /// Writes one event.
    pub fn frame(self, id: u64, ty: &str, body: &Bytes, out: &mut Vec<u8>) {
        match self {
            Self::ServerSentEvents => {
                out.extend_from_slice(format!("id: {id}\nevent: {ty}\n").as_bytes());
                // A line feed would end the field, so each line is a field of its own; a stream is UTF-8.
                for line in String::from_utf8_lossy(body).split(['\n', '\r']) {
                    out.extend_from_slice(format!("data: {line}\n").as_bytes());
                }
                out.push(b'\n');
            }
            Self::WebSocket => {
                // FIN, and text or binary.
                out.push(0x80 | if std::str::from_utf8(body).is_ok() { 0x1 } else { 0x2 });
                match body.len() {
                    length @ 0..=125 => out.push(length as u8),
                    length @ 126..=0xffff => {
                        out.push(126);
                        out.extend_from_slice(&(length as u16).to_be_bytes());
                    }
                    length => {
                        out.push(127);
                        out.extend_from_slice(&(length as u64).to_be_bytes());
                    }
                }
                out.extend_from_slice(body);
            }
        }
    }

    /// What keeps a quiet connection open: a comment, or a ping without data.
    pub fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::ServerSentEvents => b":\n\n",
            Self::WebSocket => &[0x89, 0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(wire: Wire, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wire.frame(7, "Order", &Bytes::copy_from_slice(body), &mut out);
        out
    }

    #[test]
    fn frames_are_those_of_the_standards() {
        assert_eq!(framed(Wire::ServerSentEvents, b"one\ntwo"), b"id: 7\nevent: Order\ndata: one\ndata: two\n\n");
        // RFC 6455, 5.7: a single-frame unmasked text message.
        assert_eq!(framed(Wire::WebSocket, b"Hello"), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        assert_eq!(framed(Wire::WebSocket, &[0xff; 256])[..4], [0x82, 0x7e, 0x01, 0x00]);
        assert_eq!(framed(Wire::WebSocket, &[0xff; 65_536])[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    proptest! {
        /// A reader by the standard gets the text back, its line ends made line feeds.
        #[test]
        fn a_stream_gives_its_events_back(text in "[^\u{0}]{0,40}") {
            let stream = String::from_utf8(framed(Wire::ServerSentEvents, text.as_bytes())).expect("UTF-8");
            let data: Vec<&str> = stream.split('\n').filter_map(|line| line.strip_prefix("data: ")).collect();
            prop_assert_eq!(data.join("\n"), text.replace('\r', "\n"));
            prop_assert!(stream.ends_with("\n\n"));
        }
    }
}
