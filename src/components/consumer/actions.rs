//! What can be done to a running consumer, by hand or as a fault: instances come and go, settings change.
//!
//! In: an action's name and arguments, or a setting. Out: the change, or why it cannot be. Must not know: who asks.
//! Start at [`Consumer::action`].

use indexmap::IndexMap;

use super::handler::After;
use super::sim::{Consumer, Instance};
use super::spec::INSTANCES_MAX;
use crate::components::{ActionSpec, Params};
use crate::engine::Ctx;
use crate::event::OffsetTarget;
use crate::machines::broker::client::ConsumerClient;
use crate::model::{Default_, ParamSpec, ParamType as T, Value};
use crate::random::Distribution;
use crate::units::{SimDuration, SimTime};

use Default_::{Absent, Required, Same};

const INSTANCE: ParamSpec =
    ParamSpec::new("instance", "Instance", T::Count { min: 1, max: INSTANCES_MAX }, Absent, "Which instance; the first is 1");

/// What a consumer understands.
pub(in crate::components) const ACTIONS: &[ActionSpec] = &[
    ActionSpec {
        name: "stop-instance",
        help: "An instance finishes its work, commits and leaves the group; the last that runs when none is named. A static one does not say that it leaves",
        params: &[INSTANCE],
    },
    ActionSpec { name: "start-instance", help: "A stopped instance joins again, or one more is added", params: &[INSTANCE] },
    ActionSpec {
        name: "crash-instance",
        help: "An instance is gone at once: what it had not committed is delivered again",
        params: &[INSTANCE],
    },
    ActionSpec {
        name: "pause-instance",
        help: "An instance stands still, as in a long garbage collection: no heartbeats, no work. When it goes on it does not know what it missed",
        params: &[
            INSTANCE,
            ParamSpec::new("for", "For", T::Duration { min: "1ms", max: "24h" }, Absent, "How long; until resume-instance when absent"),
        ],
    },
    ActionSpec { name: "resume-instance", help: "A paused instance goes on", params: &[INSTANCE] },
    ActionSpec {
        name: "slow-instance",
        help: "An instance's work takes longer from now on",
        params: &[
            INSTANCE,
            ParamSpec::new(
                "factor",
                "Factor",
                T::Number { min: 0.001, max: 1_000_000.0 },
                Required,
                "So many times as long as usual; 1 ends it",
            ),
        ],
    },
    ActionSpec { name: "pause-group", help: "All instances stop fetching and polling records, and stay in the group", params: &[] },
    ActionSpec { name: "resume-group", help: "All instances fetch and poll again", params: &[] },
    ActionSpec {
        name: "reset-offsets",
        help: "Stops all instances, moves the group's positions once it has no members, and starts them again: back to read once more, forward to skip",
        params: &[
            ParamSpec::new("to", "To", T::Choice(&["earliest", "latest", "time", "offset"]), Same("earliest"), "Where the group goes on"),
            ParamSpec::new(
                "time",
                "Time",
                T::Duration { min: "0s", max: "8760h" },
                Absent,
                "With to: time, the age of the run at which its first record was born",
            ),
            ParamSpec::new("offset", "Offset", T::Count { min: 0, max: i64::MAX }, Absent, "With to: offset, the same in every partition"),
        ],
    },
];

type Arguments = IndexMap<String, Value>;

impl Consumer {
    /// The instance that an action names, or the one that it takes when none is named.
    fn instance_named(&self, params: &Params<'_>, unnamed: impl Fn(&Instance) -> bool) -> Result<Option<usize>, String> {
        if params.is_given("instance") {
            let number = params.count("instance");
            let index = usize::try_from(number - 1).ok().filter(|index| *index < self.instances.len());
            return index.map(Some).ok_or_else(|| format!("there is no instance {number}"));
        }
        Ok(self.instances.iter().rposition(unnamed))
    }

    fn running(&self, params: &Params<'_>) -> Result<usize, String> {
        let index = self.instance_named(params, |instance| instance.up)?;
        index.filter(|index| self.instances[*index].up).ok_or_else(|| "no such instance runs".to_owned())
    }

    /// What a handler's part of an intervention leaves to do.
    pub fn after_input(&mut self, ctx: &mut Ctx<'_>, after: After) -> Result<(), String> {
        match after {
            After::Nothing => Ok(()),
            After::ReadAgain => self.begin_reset(ctx, OffsetTarget::Earliest),
        }
    }

    /// Carries out an action.
    pub fn action(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &Arguments) -> Result<(), String> {
        let spec = ACTIONS.iter().find(|action| action.name == name);
        let spec = spec.ok_or_else(|| format!("a consumer does not understand `{name}`"))?;
        let params = Params::new(spec.params, None, params);
        match name {
            "start-instance" => self.start_one(ctx, &params)?,
            "stop-instance" => {
                let index = self.running(&params)?;
                if self.instances[index].condition.is_suspended() {
                    return Err(format!("instance {} is paused: resume it first, or crash it", index + 1));
                }
                self.stop_instance(ctx, index);
                self.tell_instances(ctx, None);
            }
            "crash-instance" => {
                let index = self.running(&params)?;
                self.instances[index].up = false;
                self.crash(ctx, index);
                self.drop_late(index);
                self.tell_instances(ctx, Some(index));
                self.advance(ctx, index);
            }
            "pause-instance" => {
                let index = self.running(&params)?;
                self.suspend(ctx, index, params.is_given("for").then(|| params.duration("for")));
            }
            "resume-instance" => {
                let index = self.instance_named(&params, |instance| instance.condition.is_suspended())?;
                let index = index.filter(|index| self.instances[*index].condition.is_suspended());
                self.resume_instance(ctx, index.ok_or_else(|| "no such instance is paused".to_owned())?);
            }
            "slow-instance" => {
                let index = self.running(&params)?;
                self.instances[index].condition.factor = params.number("factor");
            }
            "pause-group" => self.is_paused = true,
            "resume-group" => {
                self.is_paused = false;
                for index in 0..self.instances.len() {
                    self.advance(ctx, index);
                }
            }
            _ => self.begin_reset(ctx, offset_target(&params)?)?,
        }
        self.count_servers();
        Ok(())
    }

    fn start_one(&mut self, ctx: &mut Ctx<'_>, params: &Params<'_>) -> Result<(), String> {
        if self.resetting.is_some() {
            return Err("the group's positions are being reset; its instances start again after that".to_owned());
        }
        let down = |instance: &Instance| !instance.up;
        let first_down = self.instances.iter().position(down).filter(|_| !params.is_given("instance"));
        let index = match first_down.map_or_else(|| self.instance_named(params, down), |index| Ok(Some(index)))? {
            Some(index) if self.instances[index].up => return Err("that instance runs already".to_owned()),
            Some(index) => index,
            None if self.table.is_some() && !self.instances.is_empty() => {
                return Err("a snapshot is read by one instance; give each further one a component of its own".to_owned());
            }
            None if self.instances.len() as i64 >= INSTANCES_MAX => return Err("there are too many instances".to_owned()),
            None => self.add_instance(),
        };
        self.start_instance(ctx, index);
        self.tell_instances(ctx, None);
        self.advance(ctx, index);
        Ok(())
    }

    /// Lets an instance finish its work, commit and leave.
    pub fn stop_instance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.instances[index].up = false;
        for client in 0..self.template.len() {
            self.with_client(ctx, (index, client), |client, now, out| client.stop(now, out));
        }
        self.advance(ctx, index);
    }

    /// Lets an instance join.
    pub fn start_instance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.instances[index].up = true;
        self.refusals.begin_anew(index);
        if let Some(table) = &mut self.table {
            table.begin(ctx.now);
        }
        let begins_late = !std::mem::replace(&mut self.has_begun, true) && ctx.now > SimTime::ZERO;
        if begins_late {
            self.instances.iter_mut().flat_map(|instance| &mut instance.clients).for_each(ConsumerClient::begin_late);
        }
        self.start_transactions(ctx, index);
        self.instances[index].committed_at = ctx.now;
        self.schedule_relay(ctx);
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

    /// Changes a setting.
    pub fn set(&mut self, ctx: &mut Ctx<'_>, param: &str, text: &str) -> Result<(), String> {
        let number = |max: i64| match text.parse::<i64>() {
            Ok(number) if (1..=max).contains(&number) => Ok(number as usize),
            _ => Err(format!("`{text}` is no number from 1 to {max}")),
        };
        if self.retries.is_some() && matches!(param, "max_attempts" | "retry_backoff") {
            return Err(format!("its retry topics were created for `{param}` as it is"));
        }
        if let Some(set) = self.queues.as_mut().and_then(|queues| queues.set(param, text)) {
            return set;
        }
        match param {
            "service_time" => self.service_time = text.parse::<Distribution>().map_err(|e| e.to_string())?,
            "failure_ratio" => self.failure_ratio = text.parse::<crate::units::Ratio>().map_err(|e| e.to_string())?.0,
            "retry_backoff" => self.retry_backoff = text.parse::<SimDuration>().map_err(|e| e.to_string())?,
            "max_attempts" => self.max_attempts = number(1_000_000)? as u32,
            "poll_size" => self.poll_size = number(1_000_000)?,
            "pool_queue" => self.set_pool_queue(number(super::pool::QUEUE_MAX)?)?,
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

fn offset_target(params: &Params<'_>) -> Result<OffsetTarget, String> {
    let missing = |name: &str| format!("`to: {name}` needs {name}");
    match params.text("to").as_str() {
        "time" if !params.is_given("time") => Err(missing("time")),
        "offset" if !params.is_given("offset") => Err(missing("offset")),
        "time" => Ok(OffsetTarget::Time(SimTime::ZERO + params.duration("time"))),
        "offset" => Ok(OffsetTarget::Offset(u64::try_from(params.count("offset")).unwrap_or(0))),
        "latest" => Ok(OffsetTarget::Latest),
        _ => Ok(OffsetTarget::Earliest),
    }
}
