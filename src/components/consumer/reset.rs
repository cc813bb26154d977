//! Moving a group's positions by hand, as `kafka-consumer-groups --reset-offsets` does.
//!
//! ```text
//! stop every instance ─► ask each cluster's coordinator, again while the group has members ─► start them again
//! ```
//!
//! Members that crashed, and static ones, stay in the group until their sessions end: so long a reset waits.
//! In: where to. Out: calls to coordinators. Must not know: what is in the logs. Start at [`Consumer::begin_reset`].

use super::sim::{Consumer, TOKEN_RESET};
use crate::engine::Ctx;
use crate::event::{BrokerError, OffsetTarget};
use crate::machines::broker::client::ConsumerConfig;
use crate::units::SimDuration;

/// Between two looks whether the group is empty.
const PATIENCE: SimDuration = SimDuration::from_ms(200);

/// A reset under way.
#[derive(Clone, Debug)]
pub(super) struct Resetting {
    to: OffsetTarget,
    /// Instances that ran, and will again.
    restart: Vec<usize>,
    /// Clients, one for each cluster, whose group is still to be moved.
    open: Vec<usize>,
}

impl Consumer {
    /// Stops all instances, moves the positions of the group, and starts the instances again.
    pub fn begin_reset(&mut self, ctx: &mut Ctx<'_>, to: OffsetTarget) -> Result<(), String> {
        if self.resetting.is_some() {
            return Err("the group's positions are being reset already".to_owned());
        }
        if self.queues.is_some() {
            return Err("it reads a queue, which has no positions: what is deleted does not come again".to_owned());
        }
        if self.instances.is_empty() {
            return Err("the group never had a member, so it has no positions; set offset_reset instead".to_owned());
        }
        if let Some(index) = self.instances.iter().position(|instance| instance.condition.is_suspended()) {
            return Err(format!("instance {} is paused and cannot leave the group: resume it first", index + 1));
        }
        let restart: Vec<usize> = (0..self.instances.len()).filter(|index| self.instances[*index].up).collect();
        for &index in &restart {
            self.stop_instance(ctx, index);
        }
        self.tell_instances(ctx, None);
        self.resetting = Some(Resetting { to, restart, open: self.main_clients().collect() });
        self.go_on_with_reset(ctx);
        Ok(())
    }

    /// Clients whose groups read what is linked: retry topics go on where they were.
    pub(super) fn main_clients(&self) -> impl Iterator<Item = usize> {
        let is_retry = |client: &ConsumerConfig| {
            client.topics.iter().any(|read| self.retries.as_ref().is_some_and(|retries| retries.is_retry(read.topic)))
        };
        self.template.iter().enumerate().filter(move |(_, client)| !is_retry(client)).map(|(index, _)| index)
    }

    /// Asks the coordinators as soon as nobody is a member any more.
    pub fn go_on_with_reset(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Resetting { to, open, .. }) = &self.resetting else { return };
        let (to, open) = (*to, open.clone());
        if self.instances.iter().flat_map(|instance| &instance.clients).all(|client| client.is_stopped()) {
            for client in open {
                self.with_client(ctx, (0, client), |client, now, out| client.reset_offsets(now, to, out));
            }
        } else {
            ctx.timer_after(PATIENCE, TOKEN_RESET);
        }
    }

    /// A coordinator has answered.
    pub fn reset_answered(&mut self, ctx: &mut Ctx<'_>, client: usize, result: Result<(), BrokerError>) {
        let Some(resetting) = &mut self.resetting else { return };
        if result.is_err() {
            ctx.timer_after(PATIENCE, TOKEN_RESET);
            return;
        }
        resetting.open.retain(|open| *open != client);
        if !resetting.open.is_empty() {
            return;
        }
        let restart = std::mem::take(&mut resetting.restart);
        self.resetting = None;
        for index in restart {
            self.start_instance(ctx, index);
            self.advance(ctx, index);
        }
        self.tell_instances(ctx, None);
    }
}
