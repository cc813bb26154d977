//! Redrives of dead-letter topics: how fast.
//!
//! In: the action, and a timer for each next event. Which event that is, and where it goes, says
//! `machines/broker/redrive.rs`. Start at [`KafkaSim::redrive`].

use super::sim::{KafkaSim, REDRIVE};
use crate::engine::Ctx;
use crate::machines::broker::Route;
use crate::machines::broker::cluster::Effects;
use crate::units::SimDuration;

/// One way of redriving; kept, so that its number stays.
#[derive(Clone, Debug)]
pub(super) struct Paced {
    route: Route,
    /// Between two events.
    interval: SimDuration,
    goes_on: bool,
}

impl KafkaSim {
    /// Begins a redrive, or gives one under way another rate.
    pub fn redrive(&mut self, ctx: &mut Ctx<'_>, from: &str, to: &str, rate_per_s: f64) -> Result<(), String> {
        let route = self.cluster.begin_redrive(from, to)?;
        let interval = SimDuration::from_secs_f64(1.0 / rate_per_s.max(0.001));
        let number = self.redrives.iter().position(|paced| paced.route == route).unwrap_or_else(|| {
            self.redrives.push(Paced { route, interval, goes_on: false });
            self.redrives.len() - 1
        });
        self.redrives[number].interval = interval;
        if !std::mem::replace(&mut self.redrives[number].goes_on, true) {
            self.redrive_on(ctx, number as u64);
        }
        Ok(())
    }

    /// It is time for the next event.
    pub fn redrive_on(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        let Some(Paced { route, interval, .. }) = self.redrives.get(number as usize).cloned() else { return };
        let mut effects = Effects::default();
        let goes_on = self.cluster.redrive(ctx.now, route, &mut effects);
        self.carry_out(ctx, effects, None);
        self.redrives[number as usize].goes_on = goes_on;
        if goes_on {
            ctx.timer_after(interval, REDRIVE | number);
        }
    }
}
