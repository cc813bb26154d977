//! What can be done to a running consumer, by hand or as a fault: instances come and go, settings change.
//!
//! In: an action's name and arguments, or a setting. Out: the change, or why it cannot be. Must not know: who asks.
//! Start at [`Consumer::action`].

use indexmap::IndexMap;

use super::sim::{Consumer, Instance};
use crate::engine::Ctx;
use crate::model::Value;
use crate::random::Distribution;
use crate::units::SimDuration;

type Arguments = IndexMap<String, Value>;

impl Consumer {
    fn instance_named(&self, params: &Arguments, up: bool) -> Result<Option<usize>, String> {
        if let Some(value) = params.get("instance") {
            let text = value.to_field_text();
            let number: usize = text.parse().map_err(|_| format!("`{text}` is no instance's number"))?;
            let index = number.checked_sub(1).filter(|index| *index < self.instances.len());
            return index.map(Some).ok_or_else(|| format!("there is no instance {number}"));
        }
        let fits = |instance: &Instance| instance.up == up;
        Ok(if up { self.instances.iter().rposition(fits) } else { self.instances.iter().position(fits) })
    }

    pub fn action(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &Arguments) -> Result<(), String> {
        let index = match name {
            "start-instance" => match self.instance_named(params, false)? {
                Some(index) if self.instances[index].up => return Err("that instance runs already".to_owned()),
                Some(index) => index,
                None if self.instances.len() as i64 >= super::spec::INSTANCES_MAX => return Err("there are too many instances".to_owned()),
                None => self.add_instance(),
            },
            "stop-instance" | "crash-instance" => match self.instance_named(params, true)? {
                Some(index) if self.instances[index].up => index,
                _ => return Err("no such instance runs".to_owned()),
            },
            other => return Err(format!("a consumer does not understand `{other}`")),
        };
        self.instances[index].up = name == "start-instance";
        match name {
            "start-instance" => self.start_instance(ctx, index),
            "crash-instance" => self.crash(ctx, index),
            _ => {
                for client in 0..self.template.len() {
                    self.with_client(ctx, (index, client), |client, now, out| client.stop(now, out));
                }
            }
        }
        self.count_servers();
        self.advance(ctx, index);
        Ok(())
    }

    pub fn start_instance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.start_transactions(ctx, index);
        self.instances[index].committed_at = ctx.now;
        for client in 0..self.template.len() {
            self.with_client(ctx, (index, client), |client, now, out| {
                // One that is still on its way out comes back as a new member.
                if !client.is_stopped() {
                    client.crash();
                }
                client.start(now, out);
            });
        }
    }

    pub fn set(&mut self, ctx: &mut Ctx<'_>, param: &str, text: &str) -> Result<(), String> {
        let number = |max: i64| match text.parse::<i64>() {
            Ok(number) if (1..=max).contains(&number) => Ok(number as usize),
            _ => Err(format!("`{text}` is no number from 1 to {max}")),
        };
        match param {
            "service_time" => self.service_time = text.parse::<Distribution>().map_err(|e| e.to_string())?,
            "failure_ratio" => self.failure_ratio = text.parse::<crate::units::Ratio>().map_err(|e| e.to_string())?.0,
            "retry_backoff" => self.retry_backoff = text.parse::<SimDuration>().map_err(|e| e.to_string())?,
            "max_attempts" => self.max_attempts = number(1_000_000)? as u32,
            "poll_size" => self.poll_size = number(1_000_000)?,
            "buffer" => self.buffer_max = number(10_000_000)?,
            "concurrency" => {
                self.concurrency = number(super::spec::CONCURRENCY_MAX)? as u32;
                self.count_servers();
                for index in 0..self.instances.len() {
                    self.advance(ctx, index);
                }
            }
            other => return Err(format!("`{other}` cannot be changed while it runs")),
        }
        Ok(())
    }
}
