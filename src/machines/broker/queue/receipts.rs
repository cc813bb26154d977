//! What a receiver may do with its receipt: delete the message, or hide it for longer or shorter.
//!
//! Source: DeleteMessage and ChangeMessageVisibility in the API reference; words about receipts that are over are
//! SQS's `InvalidParameterValue`, words about such as were never given `ReceiptHandleIsInvalid`.

use super::store::State;
use super::{Queue, VISIBILITY_MAX, check_batch};
use crate::event::{QueueError, Receipt};
use crate::units::{SimDuration, SimTime};

type Entries = Vec<Result<(), QueueError>>;

impl Queue {
    /// `DeleteMessageBatch`.
    pub(super) fn delete(&mut self, receipts: Vec<Receipt>) -> Result<Entries, QueueError> {
        check_batch(receipts.len())?;
        Ok(receipts.into_iter().map(|receipt| self.delete_one(receipt)).collect())
    }

    fn delete_one(&mut self, receipt: Receipt) -> Result<(), QueueError> {
        self.check_given(receipt)?;
        let Some(stored) = self.store.get(receipt.number) else { return Ok(()) };
        let is_fifo = self.cfg.fifo.is_some();
        let is_in_flight = matches!(stored.state, State::InFlight { .. });
        if stored.receives != receipt.receive || (is_fifo && !is_in_flight) {
            // A standard queue says yes and keeps the message; a FIFO queue says that the receipt is over.
            return if is_fifo { Err(QueueError::InvalidParameterValue) } else { Ok(()) };
        }
        self.store.remove(receipt.number);
        self.counts.deleted += 1;
        Ok(())
    }

    /// `ChangeMessageVisibilityBatch`.
    pub(super) fn change_visibility(&mut self, now: SimTime, changes: Vec<(Receipt, SimDuration)>) -> Result<Entries, QueueError> {
        check_batch(changes.len())?;
        Ok(changes.into_iter().map(|(receipt, visibility)| self.change_one(now, receipt, visibility)).collect())
    }

    /// From its receive on a message can be hidden for twelve hours in all; a change beyond that changes nothing.
    fn change_one(&mut self, now: SimTime, receipt: Receipt, visibility: SimDuration) -> Result<(), QueueError> {
        self.check_given(receipt)?;
        let stored = self.store.get(receipt.number).filter(|stored| stored.receives == receipt.receive);
        let stored = stored.ok_or(QueueError::InvalidParameterValue)?;
        let State::InFlight { since, .. } = stored.state else { return Err(QueueError::MessageNotInflight) };
        if now + visibility > since + VISIBILITY_MAX {
            return Err(QueueError::InvalidParameterValue);
        }
        self.store.hide_until(receipt.number, now + visibility);
        self.counts.visibility_changes += 1;
        Ok(())
    }

    fn check_given(&self, receipt: Receipt) -> Result<(), QueueError> {
        let was_given = receipt.number < self.store.next_number() && receipt.receive > 0;
        if was_given { Ok(()) } else { Err(QueueError::ReceiptHandleIsInvalid) }
    }
}
