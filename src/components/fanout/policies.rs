//! Filter policies that change while a run goes on: an action names the subscription, and the new policy counts later.
//!
//! Source: docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html: a change takes up to fifteen minutes.

use indexmap::IndexMap;

use super::sim::{FILTER, FanoutSim};
use super::subscriptions;
use crate::components::{ActionSpec, Params, PlannedAction};
use crate::diagnostics::Diagnostic;
use crate::engine::Ctx;
use crate::machines::broker::fanout::policy::FilterPolicy;
use crate::model::{Component, Default_, ParamSpec, ParamType as T, Provenance, Value};

/// A change that does not count yet.
#[derive(Clone, Debug)]
pub(super) struct Change {
    subscription: usize,
    policy: FilterPolicy,
    text: Option<String>,
    scope: &'static str,
}

pub(super) const SET_FILTER: ActionSpec = ActionSpec {
    name: "set-filter",
    help: "A subscription gets another filter policy, which counts after a while: SNS takes up to fifteen minutes",
    params: ARGUMENTS,
};

const ARGUMENTS: &[ParamSpec] = &[
    ParamSpec::new("subscription", "Subscription", T::Text { max_chars: 200 }, Default_::Required, "What subscribes, by its id"),
    ParamSpec::new("filter_policy", "Filter policy", T::LongText, Default_::Absent, "The new policy, as JSON; everything when absent"),
    ParamSpec::new(
        "filter_scope",
        "Filter scope",
        T::Choice(&subscriptions::SCOPES),
        Default_::Same(subscriptions::SCOPES[0]),
        "What the policy looks at: attributes or the JSON body",
    ),
    ParamSpec::new("after", "After", T::Duration { min: "0s", max: "15min" }, Default_::Same("15min"), "When the new policy counts")
        .from(Provenance::Documented("Amazon SNS message filtering")),
];

/// A policy that SNS would refuse.
pub(super) fn check(_: &Component, action: &PlannedAction<'_>, out: &mut Vec<Diagnostic>) {
    if action.fault.action == SET_FILTER.name
        && let Err(problems) = subscriptions::policy(action.arguments, action.path)
    {
        out.extend(problems);
    }
}

impl FanoutSim {
    pub(super) fn set_filter(&mut self, ctx: &mut Ctx<'_>, arguments: &IndexMap<String, Value>) -> Result<(), String> {
        let arguments = Params::new(ARGUMENTS, None, arguments);
        let wanted = arguments.text("subscription");
        let subscription = self.endpoints.iter().position(|endpoint| *endpoint.name == *wanted);
        let subscription = subscription.ok_or_else(|| format!("`{wanted}` does not subscribe"))?;
        let policy = subscriptions::policy(&arguments, "filter_policy")
            .map_err(|problems| problems.first().map_or_else(String::new, |problem| problem.message.clone()))?;
        let scope = subscriptions::scope_name(&arguments);
        let change = Change { subscription, policy, text: arguments.optional_text("filter_policy"), scope };
        let slot = self.changes.put(change);
        ctx.timer_after(arguments.duration("after"), FILTER | slot);
        Ok(())
    }

    pub(super) fn filter_counts(&mut self, slot: u64) {
        let Some(Change { subscription, policy, text, scope }) = self.changes.take(slot) else { return };
        self.fanout.set_policy(subscription, policy);
        let endpoint = &mut self.endpoints[subscription];
        endpoint.filter_policy = text.map(Into::into);
        endpoint.filter_scope = scope;
    }
}

/// All actions of a fan-out topic.
pub(super) const ACTIONS: &[ActionSpec] = &[SET_FILTER];
