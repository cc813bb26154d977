//! Changes while a producer runs: settings, and what it is told to do.
//!
//! In: a scenario's or a person's wish. Out: the change, or why it cannot be. Start at [`Producer::apply`].

use std::sync::Arc;

use indexmap::IndexMap;

use super::payload::Source;
use super::sim::Producer;
use super::spec;
use crate::components::{Params, SKEW_CLOCK, clock};
use crate::engine::{Ctx, Input};
use crate::model::Value;
use crate::random::KeyChoice;
use crate::units::SimDuration;

impl Producer {
    /// Carries out one wish.
    pub fn apply(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, value } => self.set(ctx, param, &value.to_field_text())?,
            Input::Action { name, params } => match name.as_str() {
                "poison" => self.poison(params)?,
                "skew-clock" => {
                    let client = self.kafka.as_mut().ok_or("it writes no timestamps: it is linked to no topic")?;
                    client.set_clock(clock::skewed(ctx.now, &Params::new(SKEW_CLOCK.params, None, params)));
                }
                "pause" => {
                    self.paused = true;
                    self.load.renew();
                }
                "resume" if self.paused => {
                    self.paused = false;
                    self.load.renew();
                    self.schedule_arrival(ctx);
                }
                "resume" => {}
                other => return Err(format!("a producer does not understand `{other}`")),
            },
        }
        Ok(())
    }

    /// The next events break their schema.
    fn poison(&mut self, params: &IndexMap<String, Value>) -> Result<(), String> {
        if self.kinds.list.iter().all(|kind| matches!(kind.source, Source::Plain { .. })) {
            return Err("none of its events has a schema, so no payload can break one".to_owned());
        }
        let spec = spec::SPEC.actions.iter().find(|action| action.name == "poison").map_or(&[][..], |action| action.params);
        self.poison_left += u64::try_from(Params::new(spec, None, params).count("events")).unwrap_or(1);
        Ok(())
    }

    fn set(&mut self, ctx: &mut Ctx<'_>, param: &str, text: &str) -> Result<(), String> {
        match param {
            "load" => {
                self.load.set(text)?;
                self.schedule_arrival(ctx);
            }
            "keys" => self.keys = text.parse::<KeyChoice>().map_err(|e| e.to_string())?.sampler(),
            "key_prefix" => self.key_prefix = Arc::from(text),
            "invalid_ratio" => self.invalid_ratio = text.parse::<crate::units::Ratio>().map_err(|e| e.to_string())?.0,
            "validate" => self.validate = text.parse().map_err(|_| "expected true or false".to_owned())?,
            "linger" | "batch_size" | "request_timeout" | "delivery_timeout" | "retries" | "retry_backoff" | "retry_backoff_max"
            | "max_block" | "acks" => {
                let client = self.kafka.as_mut().ok_or("it is linked to no topic")?;
                super::set_client(client.config_mut(), param, text)?;
            }
            "http_timeout" | "http_retries" | "backoff" | "http_concurrency" | "http_queue" => {
                let cfg = &mut self.http.as_mut().ok_or("it is linked to no gateway")?.cfg;
                let number = || text.parse::<u32>().map_err(|e| e.to_string());
                let duration = || text.parse::<SimDuration>().map_err(|e| e.to_string());
                match param {
                    "http_timeout" => cfg.timeout = duration()?,
                    "backoff" => cfg.backoff = duration()?,
                    "http_retries" => cfg.retries_max = number()?,
                    "http_concurrency" => cfg.concurrency_max = (number()? as usize).max(1),
                    _ => cfg.queue_max = number()? as usize,
                }
            }
            other => return Err(format!("`{other}` cannot be changed while it runs")),
        }
        Ok(())
    }
}
