//! What the recorder sees of links: messages that set off and arrive, and the flights that windows draw.

use super::recorder::Recorder;
use super::view::{Flight, FlightStatus};
use crate::event::{EventMeta, Message, QueueCall, QueueMessage, QueueReply, QueueResult};
use crate::units::{LinkIx, SimTime};

impl Recorder {
    /// A message sets off on a link, to arrive at `end` (or to vanish).
    #[inline]
    pub fn transmit(&mut self, link: LinkIx, backwards: bool, message: &Message, start: SimTime, end: SimTime, lost: bool) {
        let seen = &mut self.links[link.index()];
        seen.messages += 1;
        seen.events += events_in(message);
        if lost {
            seen.lost += 1;
        } else {
            seen.in_flight += 1;
        }
        let flight =
            |event: &EventMeta, status| Flight { link, backwards, event: event.id, event_type: event.event_type, start, end, status };
        let status = if lost { FlightStatus::Lost } else { FlightStatus::Normal };
        match message {
            Message::Http(request) if lost || self.is_followed(request.event) => self.traces.flight(flight(&request.event, status)),
            Message::HttpReply(reply) if reply.status >= 400 => self.traces.flight(flight(&reply.event, FlightStatus::Rejected)),
            Message::HttpReply(reply) if lost || self.is_followed(reply.event) => self.traces.flight(flight(&reply.event, status)),
            Message::Produce(request) => {
                for record in request.entries.iter().filter_map(|entry| entry.batch.traced.as_deref()).flatten() {
                    self.traces.flight(flight(&record.meta, status));
                }
            }
            Message::FetchReply(reply) => {
                let batches = reply.partitions.iter().flat_map(|partition| &partition.batches);
                for record in batches.filter_map(|stored| stored.batch.traced.as_deref()).flatten() {
                    self.traces.flight(flight(&record.meta, status));
                }
            }
            Message::Queue(request) => {
                if let QueueCall::Send(entries) = &request.body {
                    for record in entries.iter().filter_map(|entry| entry.batch.traced.as_deref()).flatten() {
                        self.traces.flight(flight(&record.meta, status));
                    }
                }
            }
            Message::QueueReply(reply) => {
                for record in messages_of(reply).iter().filter_map(|message| message.batch.traced.as_deref()).flatten() {
                    self.traces.flight(flight(&record.meta, status));
                }
            }
            Message::SchemaReply(reply) => {
                if let Ok(found) = &reply.result {
                    self.traces.schema(found);
                }
            }
            _ => {}
        }
    }

    /// A message arrived.
    #[inline]
    pub fn arrived(&mut self, link: LinkIx, bytes: u64) {
        let seen = &mut self.links[link.index()];
        seen.in_flight -= 1;
        seen.bytes += bytes;
    }

    /// A message came to nobody.
    pub fn vanished(&mut self, link: LinkIx) {
        let seen = &mut self.links[link.index()];
        seen.in_flight -= 1;
        seen.lost += 1;
    }

    fn is_followed(&self, event: EventMeta) -> bool {
        self.traces.story(event.id).is_some()
    }
}

fn events_in(message: &Message) -> u64 {
    match message {
        Message::Http(_) => 1,
        Message::Produce(request) => request.entries.iter().map(|entry| u64::from(entry.batch.record_count)).sum(),
        Message::FetchReply(reply) => {
            reply.partitions.iter().flat_map(|p| &p.batches).map(|stored| u64::from(stored.batch.record_count)).sum()
        }
        Message::Queue(request) => match &request.body {
            QueueCall::Send(entries) => entries.len() as u64,
            _ => 0,
        },
        Message::QueueReply(reply) => messages_of(reply).len() as u64,
        _ => 0,
    }
}

fn messages_of(reply: &QueueReply) -> &[QueueMessage] {
    if let Ok(QueueResult::Messages(messages)) = &reply.result { messages } else { &[] }
}
