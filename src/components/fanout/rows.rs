//! What a row of `subscriptions` can say, and the problems that it can have.

use super::subscriptions;
use crate::components::Params;
use crate::diagnostics::Diagnostic;
use crate::machines::broker::fanout::retry::Backoff;
use crate::model::{Default_, ParamSpec, ParamType, Provenance};
use crate::units::SimDuration;

use Default_::{Absent, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Amazon SNS Subscribe and quotas");
const POLICY: Provenance = Provenance::Documented("Amazon SNS message delivery retries");
const DELAY: ParamType = T::Duration { min: "1s", max: "1h" };
/// The longest that all retries of an HTTP endpoint may take together.
const TOTAL_MAX: SimDuration = SimDuration::from_secs(3600);

/// One row of `subscriptions`, called like what subscribes.
pub(super) const SUBSCRIPTION: &[ParamSpec] = &[
    ParamSpec::new(
        "filter_policy",
        "Filter policy",
        T::LongText,
        Absent,
        r#"Which events it wants, as JSON: {"type": ["OrderPlaced"], "source": [{"prefix": "web"}]}. All of them when absent"#,
    )
    .key("FilterPolicy"),
    ParamSpec::new(
        "filter_scope",
        "Filter scope",
        T::Choice(&subscriptions::SCOPES),
        Same(subscriptions::SCOPES[0]),
        "Looks at the event's attributes (id, source, type, subject, partitionkey) or into its JSON body",
    )
    .key("FilterPolicyScope")
    .from(DOCUMENTED),
    ParamSpec::new("raw", "Raw delivery", T::Bool, Same("false"), "Delivers the body as it is; else in a JSON envelope")
        .key("RawMessageDelivery")
        .from(DOCUMENTED),
    ParamSpec::new(
        "dead_letters",
        "Dead letters",
        T::Text { max_chars: 200 },
        Absent,
        "Queue linked at dead_letters that takes what could not be delivered; the first one when absent",
    )
    .key("RedrivePolicy.deadLetterTargetArn"),
    ParamSpec::new(
        "path",
        "Path",
        T::Text { max_chars: 500 },
        Same("/"),
        "HTTP: where the endpoint takes deliveries; a gateway's routes see it",
    )
    .key("Endpoint"),
    retries(
        "retries",
        "Retries",
        "3",
        "HTTP: how often a delivery is tried again after a server's error, 429 or no answer, all phases together",
    )
    .key("healthyRetryPolicy.numRetries"),
    ParamSpec::new("retry_delay_min", "Least delay", DELAY, Same("20s"), "HTTP: the least wait before a retry")
        .key("healthyRetryPolicy.minDelayTarget")
        .from(POLICY),
    ParamSpec::new("retry_delay_max", "Greatest delay", DELAY, Same("20s"), "HTTP: the greatest wait before a retry")
        .key("healthyRetryPolicy.maxDelayTarget")
        .from(POLICY),
    retries("immediate_retries", "Immediate retries", "0", "HTTP: retries without a wait, which come first")
        .key("healthyRetryPolicy.numNoDelayRetries"),
    retries("early_retries", "Early retries", "0", "HTTP: retries with the least wait, which come next")
        .key("healthyRetryPolicy.numMinDelayRetries"),
    retries("late_retries", "Late retries", "0", "HTTP: retries with the greatest wait, which come last")
        .key("healthyRetryPolicy.numMaxDelayRetries"),
    ParamSpec::new("backoff", "Backoff", T::Choice(&Backoff::NAMES), Same("linear"), "HTTP: how waits grow from the least to the greatest")
        .key("healthyRetryPolicy.backoffFunction")
        .from(POLICY),
    ParamSpec::new(
        "max_receives_per_second",
        "Most deliveries a second",
        T::Count { min: 1, max: 100_000 },
        Absent,
        "HTTP: deliveries to the endpoint are no closer upon each other than this allows",
    )
    .key("throttlePolicy.maxReceivesPerSecond"),
];

const fn retries(name: &'static str, label: &'static str, default: &'static str, help: &'static str) -> ParamSpec {
    ParamSpec::new(name, label, T::Count { min: 0, max: 100 }, Same(default), help).from(POLICY)
}

/// Settings that SNS takes for HTTP endpoints only.
const OF_HTTP: [&str; 9] = [
    "path",
    "retries",
    "retry_delay_min",
    "retry_delay_max",
    "immediate_retries",
    "early_retries",
    "late_retries",
    "backoff",
    "max_receives_per_second",
];

/// Problems of a row's delivery settings; `is_queue` says what its subscriber is.
pub(super) fn check(row: &Params<'_>, path: &str, is_queue: bool, out: &mut Vec<Diagnostic>) {
    if is_queue {
        for name in OF_HTTP.into_iter().filter(|name| row.is_given(name)) {
            out.push(
                Diagnostic::warning(
                    "setting-unused",
                    format!("{path}.{name}"),
                    format!("`{name}` counts for HTTP endpoints only; this is a queue"),
                )
                .with_hint("SNS has one delivery policy for all queues"),
            );
        }
        return;
    }
    let in_phases: i64 = ["immediate_retries", "early_retries", "late_retries"].iter().map(|name| row.count(name)).sum();
    if in_phases > row.count("retries") {
        let words = format!("its phases have {in_phases} retries, and all retries together are {}", row.count("retries"));
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.retries"), words)
                .with_hint("retries counts all phases: what the others leave grows from the least to the greatest delay"),
        );
    }
    if row.duration("retry_delay_min") > row.duration("retry_delay_max") {
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.retry_delay_min"), "the least delay is above the greatest")
                .with_hint("both are 20s when absent: give the other one too"),
        );
    }
    let total = subscriptions::retry_policy(row).total();
    if total > TOTAL_MAX {
        let words = format!("its retries take {total} in all; SNS takes {TOTAL_MAX}");
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.retries"), words).with_hint("retry less often, or sooner"));
    }
}
