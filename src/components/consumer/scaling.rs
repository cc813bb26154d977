//! Autoscaling: instances are added and taken away by lag or by utilisation, as an autoscaler beside them decides.
//!
//! ```text
//! every interval: lag, or busy share ─► wanted instances ─► more: start them, ready after the start-up delay
//!                                                        └► fewer for the whole cool-down: stop the last ones
//! ```
//!
//! The rules are those of Kubernetes' HorizontalPodAutoscaler, with KEDA's reading of lag: a tenth off the target changes
//! nothing, and what was wanted at most within the cool-down counts before anything is stopped. Lag is what the instances'
//! own clients see of their partitions (`records-lag`). Interval, target, cool-down and lag begin with these products' defaults. Must not know: the group's protocol. Start at [`Scaling::wanted`].

use std::collections::VecDeque;

use super::sim::{Consumer, Instance};
use super::spec::INSTANCES_MAX;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures};
use crate::event::{Fact, Scaled};
use crate::model::{Default_, ParamSpec, ParamType as T};
use crate::units::{SimDuration, SimTime};

use Default_::Same;

/// Low bytes of timer tokens.
pub(super) const TOKEN_SCALE: u64 = 9;
pub(super) const TOKEN_STARTED: u64 = 10;

/// So far off its target a figure changes nothing (`--horizontal-pod-autoscaler-tolerance`).
const TOLERANCE: f64 = 0.1;
/// Until positions are settled that are being reset, nothing is started.
const PATIENCE: SimDuration = SimDuration::from_secs(1);

pub(super) const PARAMS: [ParamSpec; 8] = [
    ParamSpec::new(
        "autoscale",
        "Autoscaling",
        T::Choice(&["off", "lag", "utilisation"]),
        Same("off"),
        "Instances are added and taken away by how many records wait for the group, or by how busy workers are; `instances` is how many begin",
    )
    .group("Scaling"),
    ParamSpec::new("instances_min", "Fewest instances", T::Count { min: 1, max: INSTANCES_MAX }, Same("1"), "Never fewer")
        .key("minReplicas")
        .group("Scaling"),
    ParamSpec::new(
        "instances_max",
        "Most instances",
        T::Count { min: 1, max: INSTANCES_MAX },
        Same("10"),
        "Never more, nor more than there are partitions to read",
    )
    .key("maxReplicas")
    .group("Scaling"),
    ParamSpec::new("lag_target", "Lag of an instance", T::Count { min: 1, max: 1_000_000_000 }, Same("10"), "With autoscale: lag, so many records may wait for each instance")
        .key("lagThreshold")
        .group("Scaling"),
    ParamSpec::new(
        "utilisation_target",
        "Busy share",
        T::Ratio { min: 0.01, max: 1.0 },
        Same("80%"),
        "With autoscale: utilisation, so busy workers shall be",
    )
    .key("averageUtilization")
    .group("Scaling"),
    ParamSpec::new("scale_interval", "Looks every", T::Duration { min: "100ms", max: "1h" }, Same("15s"), "How often the autoscaler looks and decides")
        .key("horizontal-pod-autoscaler-sync-period")
        .group("Scaling"),
    ParamSpec::new("startup_delay", "Start-up delay", T::Duration { min: "0s", max: "1h" }, Same("10s"), "From the decision until a new instance joins its group")
            .group("Scaling"),
    ParamSpec::new(
        "cool_down",
        "Cool-down",
        T::Duration { min: "0s", max: "24h" },
        Same("5min"),
        "Instances are stopped only when fewer were wanted for this long",
    )
    .key("scaleDown.stabilizationWindowSeconds")
    .group("Scaling"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    /// Records for each instance.
    Lag(f64),
    /// Busy share of workers.
    Utilisation(f64),
}

/// What the autoscaler knows.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    target: Target,
    instances: (u32, u32),
    interval: SimDuration,
    startup_delay: SimDuration,
    cool_down: SimDuration,
    /// What was wanted within the cool-down, oldest first.
    wanted: VecDeque<(SimTime, u32)>,
    /// Instances that are on their way up.
    starting: u32,
    /// Busy time of workers at the last look.
    busy_ns: u128,
    outs: u64,
    ins: u64,
}

impl Scaling {
    /// None where nothing scales.
    pub fn new(params: &Params<'_>) -> Option<Self> {
        if !params.is_given("autoscale") {
            return None;
        }
        let target = match params.text("autoscale").as_str() {
            "lag" => Target::Lag(params.count("lag_target") as f64),
            "utilisation" => Target::Utilisation(params.ratio("utilisation_target")),
            _ => return None,
        };
        let number = |name: &str| u32::try_from(params.count(name)).unwrap_or(1).max(1);
        Some(Self {
            target,
            instances: (number("instances_min"), number("instances_max").max(number("instances_min"))),
            interval: params.duration("scale_interval"),
            startup_delay: params.duration("startup_delay"),
            cool_down: params.duration("cool_down"),
            wanted: VecDeque::new(),
            starting: 0,
            busy_ns: 0,
            outs: 0,
            ins: 0,
        })
    }

    /// How many instances are wanted where so many run, `used` of each one's target.
    fn wanted(&self, running: u32, used: f64) -> u32 {
        let (least, most) = self.instances;
        let is_near = (used - 1.0).abs() <= TOLERANCE;
        let wanted = if is_near { running } else { libm::ceil(f64::from(running) * used) as u32 };
        wanted.clamp(least, most)
    }

    /// Notes what is wanted now; gives the most that was within the cool-down.
    fn most_wanted(&mut self, now: SimTime, wanted: u32) -> u32 {
        self.wanted.push_back((now, wanted));
        while self.wanted.front().is_some_and(|(at, _)| *at + self.cool_down < now) {
            self.wanted.pop_front();
        }
        self.wanted.iter().map(|(_, wanted)| *wanted).max().unwrap_or(wanted)
    }

    pub fn figures(&self, running: usize, out: &mut Figures) {
        out.gauge("scaled_instances", running as f64);
        out.gauge("instances_starting", f64::from(self.starting));
        out.counter("scaled_out_count", self.outs);
        out.counter("scaled_in_count", self.ins);
    }
}

/// Problems of autoscaling.
pub(super) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let by = params.text("autoscale");
    let unused = |name: &str, words: String| Diagnostic::warning("setting-unused", format!("{path}.{name}"), words);
    for spec in PARAMS.iter().skip(1).filter(|spec| params.is_given(spec.name)) {
        let of = match spec.name {
            "lag_target" => "lag",
            "utilisation_target" => "utilisation",
            _ => by.as_str(),
        };
        if by == "off" {
            // Who has written that it is off, in a scenario for instance, knows.
            if params.is_given("autoscale") {
                continue;
            }
            out.push(unused(spec.name, "it counts only with autoscale: \"lag\" or \"utilisation\"".to_owned()));
        } else if of != by {
            out.push(unused(spec.name, format!("it counts only with autoscale: \"{of}\"")));
        }
    }
    if by == "off" {
        return;
    }
    let error = |name: &str, words: &str| Diagnostic::error("setting-contradiction", format!("{path}.{name}"), words);
    if params.count("instances_min") > params.count("instances_max") {
        out.push(error("instances_min", "the fewest instances are more than the most").with_hint("give instances_max a higher number"));
    }
    if params.text("read") == "snapshot" {
        out.push(error("autoscale", "each instance that reads a snapshot reads all of it").with_hint("take autoscale away"));
    }
    if by == "lag" && ctx.links_at("in").any(|facts| facts.queue.is_some()) {
        let words = "what waits in a queue is not known to those who receive from it";
        out.push(error("autoscale", words).with_hint("write autoscale: \"utilisation\""));
    }
}

impl Consumer {
    fn running_count(&self) -> u32 {
        self.instances.iter().filter(|instance| instance.up).count() as u32
    }

    /// The autoscaler's first look.
    pub(super) fn start_scaling(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(scaling) = &self.scaling {
            ctx.timer_after(scaling.interval, TOKEN_SCALE);
        }
    }

    /// The autoscaler looks and decides.
    pub(super) fn scale(&mut self, ctx: &mut Ctx<'_>) {
        let running = self.running_count();
        // What waits in retry topics is not due, and no instance more would help it.
        let main: Vec<usize> = self.main_clients().collect();
        let readable = main.iter().map(|client| self.template[*client].partitions_count()).sum::<u32>();
        let busy_ns = self.station.busy_ns(ctx.now);
        let lag_of = |one: &Instance| main.iter().map(|client| one.clients[*client].lag()).sum::<u64>();
        let lag: u64 = self.instances.iter().filter(|one| one.up).map(lag_of).sum();
        let workers = f64::from(running * self.concurrency).max(1.0);
        let Some(scaling) = &mut self.scaling else { return };
        ctx.timer_after(scaling.interval, TOKEN_SCALE);
        let worked = (busy_ns - std::mem::replace(&mut scaling.busy_ns, busy_ns)) as f64;
        let (used, why) = match scaling.target {
            Target::Lag(target) => (lag as f64 / (target * f64::from(running.max(1))), format!("{lag} records wait")),
            Target::Utilisation(target) => {
                let share = worked / (scaling.interval.as_ns() as f64 * workers);
                (share / target, format!("workers are {:.0} % busy", share * 100.0))
            }
        };
        let mut wanted = scaling.wanted(running.max(1), used);
        if readable > 0 {
            wanted = wanted.min(readable).max(scaling.instances.0);
        }
        let most = scaling.most_wanted(ctx.now, wanted);
        let planned = running + scaling.starting;
        if wanted > planned {
            scaling.starting += wanted - planned;
            scaling.outs += u64::from(wanted - planned);
            for _ in planned..wanted {
                ctx.timer_after(scaling.startup_delay, TOKEN_STARTED);
            }
        } else if most < running && scaling.starting == 0 {
            scaling.ins += u64::from(running - most);
            for _ in most..running {
                self.stop_last(ctx);
            }
        } else {
            return;
        }
        let to = if wanted > planned { wanted } else { most };
        ctx.fact(Fact::Scaled(Box::new(Scaled { component: ctx.me, from: planned, to, why })));
    }

    fn stop_last(&mut self, ctx: &mut Ctx<'_>) {
        let goes = |instance: &Instance| instance.up && !instance.condition.is_suspended();
        if let Some(index) = self.instances.iter().rposition(goes) {
            self.stop_instance(ctx, index);
            self.count_servers();
            self.tell_instances(ctx, None);
        }
    }

    /// A new instance is ready.
    pub(super) fn instance_started(&mut self, ctx: &mut Ctx<'_>) {
        if self.resetting.is_some() {
            ctx.timer_after(PATIENCE, TOKEN_STARTED);
            return;
        }
        let Some(scaling) = &mut self.scaling else { return };
        scaling.starting -= 1;
        let down = self.instances.iter().position(|instance| !instance.up);
        let index = match down {
            Some(index) => index,
            None if self.instances.len() as i64 >= INSTANCES_MAX => return,
            None => self.add_instance(),
        };
        self.start_instance(ctx, index);
        self.count_servers();
        self.tell_instances(ctx, None);
        self.advance(ctx, index);
    }
}
