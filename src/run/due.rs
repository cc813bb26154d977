//! What the calendar holds, and the messages that it names by slot.

use crate::event::Message;

/// How often a component has gone down and come back: even while it is up, odd while it is down. What was set or sent
/// in an older life than the present one is nobody's.
pub(super) type Life = u32;

/// An entry: two words, so that it is written and read whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// What, above it of which component or link, and above that in which life of the component that it is for.
    head: u64,
    /// A token, or a slot with what else is known.
    pub body: u64,
}

impl Due {
    pub const TIMER: u64 = 0;
    /// A message that a process holds back before it goes on the wire.
    pub const DEPARTS: u64 = 1;
    /// And 3, against the link's direction.
    pub const ARRIVES: u64 = 2;

    #[inline]
    pub fn new(what: u64, index: u32, life: Life, body: u64) -> Self {
        Self { head: u64::from(life) << 34 | u64::from(index) << 2 | what, body }
    }
    #[inline]
    pub fn what(self) -> u64 {
        self.head & 3
    }
    #[inline]
    pub fn index(self) -> usize {
        (self.head >> 2) as u32 as usize
    }
    #[inline]
    pub fn life(self) -> Life {
        (self.head >> 34) as Life
    }
}

/// Messages under way, by slot; slots are used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    held: Vec<Option<Message>>,
    free: Vec<u32>,
}

impl Slots {
    #[inline]
    pub fn put(&mut self, message: Message) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.held[slot as usize] = Some(message);
            return slot;
        }
        self.held.push(Some(message));
        u32::try_from(self.held.len() - 1).expect("four thousand million messages under way do not fit in memory")
    }
    #[inline]
    pub fn take(&mut self, slot: u32) -> Message {
        self.free.push(slot);
        self.held[slot as usize].take().expect("each slot is taken once")
    }
}
