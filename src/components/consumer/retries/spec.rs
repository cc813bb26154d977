//! What a consumer can be told of retry topics, and the problems that this can have. Defaults are those of Spring Kafka 3's
//! `@RetryableTopic`.

use super::names::{RetryTopics, Suffix};
use crate::components::{BuildCtx, CompanionTopic, Params, by_id};
use crate::diagnostics::Diagnostic;
use crate::model::{Default_, ParamSpec, ParamType as T};

use Default_::Same;

/// Where the inspector shows them; frameworks have nothing for the group.
pub(in crate::components::consumer) const GROUP: &str = "Retry topics";

/// Tries beyond that would need too many topics.
const ATTEMPTS_MAX: i64 = 50;
/// Kafka's own limit for names of topics.
const NAME_CHARS_MAX: usize = 249;

pub(in crate::components::consumer) const PARAMS: [ParamSpec; 9] = [
    ParamSpec::new(
        "retry_topics",
        "Retry topics",
        T::Bool,
        Same("false"),
        "A failed event is written to a retry topic and tried again from there, after its wait, while others go on (non-blocking). \
         max_attempts counts the first try too, retry_backoff is the first wait; the topics are created beside the one that is read",
    )
    .key("@RetryableTopic")
    .group(GROUP),
    ParamSpec::new(
        "retry_multiplier",
        "Wait grows",
        T::Number { min: 1.0, max: 100.0 },
        Same("1"),
        "Each further wait is so many times as long; 1 keeps it",
    )
    .key("@Backoff(multiplier)")
    .group(GROUP),
    ParamSpec::new(
        "retry_backoff_max",
        "Longest wait",
        T::Duration { min: "1ms", max: "24h" },
        Same("30s"),
        "No wait before a retry is longer",
    )
    .key("@Backoff(maxDelay)")
    .group(GROUP),
    ParamSpec::new(
        "retry_random",
        "Waits by chance",
        T::Bool,
        Same("false"),
        "Waits are drawn once when the service starts: up to the next one where they grow, up to the longest where not",
    )
    .key("@Backoff(random)")
    .group(GROUP),
    ParamSpec::new(
        "retry_suffix_by",
        "Named by",
        T::Choice(&["delay", "index"]),
        Same("delay"),
        "Retry topics are told apart by their wait in milliseconds (orders-retry-1000) or by a number (orders-retry-0); by a number where all \
         wait equally long",
    )
    .key("topicSuffixingStrategy")
    .group(GROUP),
    ParamSpec::new(
        "retry_reuse",
        "Equal waits",
        T::Choice(&["multiple", "single"]),
        Same("multiple"),
        "Tries that wait equally long have a topic each, or share the last one",
    )
    .key("sameIntervalTopicReuseStrategy")
    .group(GROUP),
    ParamSpec::new("retry_suffix", "Retry suffix", T::Text { max_chars: 100 }, Same("-retry"), "Stands behind the name of the topic that is read")
        .key("retryTopicSuffix")
        .group(GROUP),
    ParamSpec::new("dlt_suffix", "Dead-letter suffix", T::Text { max_chars: 100 }, Same("-dlt"), "The same for what failed every try")
        .key("dltTopicSuffix")
        .group(GROUP),
    ParamSpec::new(
        "dlt_strategy",
        "Dead letters",
        T::Choice(&["fail_on_error", "no_dlt"]),
        Same("fail_on_error"),
        "What failed every try is written to the dead-letter topic, or (no_dlt) skipped",
    )
    .key("dltProcessingFailureStrategy")
    .group(GROUP),
];

/// Partitions of topics that Spring creates (`numPartitions`).
const PARTITIONS: u32 = 1;

/// The chain of retry topics; none where failed events wait in their worker.
pub(in crate::components::consumer) fn read(params: &Params<'_>) -> Option<RetryTopics> {
    (params.is_given("retry_topics") && params.flag("retry_topics")).then(|| RetryTopics {
        attempts: params.count("max_attempts").clamp(1, ATTEMPTS_MAX) as u32,
        delay: params.duration("retry_backoff"),
        multiplier: params.number("retry_multiplier"),
        delay_max: params.duration("retry_backoff_max").max(params.duration("retry_backoff")),
        random: params.flag("retry_random"),
        suffix: if params.text("retry_suffix_by") == "index" { Suffix::IndexValue } else { Suffix::DelayValue },
        retry_suffix: params.text("retry_suffix"),
        dead_letter_suffix: params.text("dlt_suffix"),
        single_topic: params.text("retry_reuse") == "single",
        has_dead_letters: params.text("dlt_strategy") != "no_dlt",
    })
}

/// The topics that it needs beside one that it reads.
pub(in crate::components::consumer) fn companions(params: &Params<'_>, topic: &str) -> Vec<CompanionTopic> {
    let Some(retries) = read(params) else { return Vec::new() };
    let mut readers = retries.suffixes().into_iter().map(Some).collect::<Vec<_>>();
    readers.extend(retries.has_dead_letters.then_some(None));
    let companion = |(name, group_suffix)| CompanionTopic { name, partitions: PARTITIONS, group_suffix };
    retries.names(topic).into_iter().zip(readers).map(companion).collect()
}

/// Problems of retry topics.
pub(in crate::components::consumer) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let Some(retries) = read(params) else {
        // Who has written that there are none, in a scenario for instance, knows.
        let is_said = params.is_given("retry_topics");
        for spec in PARAMS.iter().skip(1).filter(|spec| params.is_given(spec.name) && !is_said) {
            out.push(Diagnostic::warning("setting-unused", format!("{path}.{}", spec.name), "it counts only with retry_topics: true"));
        }
        return;
    };
    let mut error = |name: &str, words: &str, hint: &str| {
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.{name}"), words).with_hint(hint));
    };
    if params.count("max_attempts") > ATTEMPTS_MAX {
        error("max_attempts", "each try needs a topic of its own", &format!("{ATTEMPTS_MAX} at most"));
    }
    if retries.random && retries.suffix == Suffix::DelayValue {
        error(
            "retry_suffix_by",
            "waits are drawn, so that topics named after them would change with each start",
            "write retry_suffix_by: \"index\"",
        );
    }
    if retries.random && retries.single_topic {
        error("retry_reuse", "waits that are drawn are not equal", "write retry_reuse: \"multiple\"");
    }
    if retries.retry_suffix.is_empty() || retries.dead_letter_suffix.is_empty() || retries.retry_suffix == retries.dead_letter_suffix {
        error("retry_suffix", "retry topics, the dead-letter topic and the topic itself need names of their own", "give each its suffix");
    }
    for (name, given) in [("commit", params.text("commit") == "transaction"), ("read", params.text("read") == "snapshot")] {
        if given {
            error(name, "an event cannot leave for a retry topic in a transaction, or out of a table", "take retry_topics away");
        }
    }
    if params.is_given("on_failure") {
        error("on_failure", "with retry_topics an event goes to its dead-letter topic at last, or nowhere (dlt_strategy)", "take it away");
    }
    if ctx.links_at("dead_letters").next().is_some() {
        let words = "with retry_topics dead letters go to a topic named after the one that is read";
        let hint =
            format!("take the link away; dlt_suffix names the topic, and a reader can be linked to {}", dead_letter_topic(ctx, &retries));
        out.push(Diagnostic::error("link-senseless", path, words).with_hint(hint));
    }
    check_names(ctx, path, &retries, out);
}

fn dead_letter_topic(ctx: &BuildCtx<'_>, retries: &RetryTopics) -> String {
    let read = ctx.links_at("in").find_map(|facts| Some(facts.topic.as_ref()?.name.to_string()));
    retries.names(&read.unwrap_or_default()).pop().unwrap_or_default()
}

/// Names that Kafka refuses, that are what it reads, or that are somebody else's retry topics too.
fn check_names(ctx: &BuildCtx<'_>, path: &str, retries: &RetryTopics, out: &mut Vec<Diagnostic>) {
    for topic in ctx.links_at("in").filter_map(|facts| facts.topic.as_ref()) {
        let names = retries.names(&topic.name);
        let is_plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if let Some(bad) = names.iter().find(|name| name.len() > NAME_CHARS_MAX || !is_plain(name)) {
            let words = format!("`{bad}` is no name of a topic: Kafka takes letters, digits, `.`, `_` and `-`, at most {NAME_CHARS_MAX}");
            out.push(Diagnostic::error("topic-name", format!("{path}.retry_suffix"), words));
        }
        if let Some(read) = ctx.links_at("in").filter_map(|facts| facts.topic.as_ref()).find(|read| names.contains(&read.name.to_string()))
        {
            let words = format!("it reads {} already, as a retry topic of {}", read.name, topic.name);
            out.push(Diagnostic::error("link-twice", path, words).with_hint("take that link away"));
        }
        let readers =
            ctx.project.links.iter().filter(|link| {
                link.to.component != ctx.id && link.from.port == *topic.name && link.from.component == ctx.id_of(topic.cluster)
            });
        for other in readers {
            let Some(component) = ctx.project.components.get(&other.to.component) else { continue };
            let theirs = by_id(&component.kind).map(|kind| kind.companion_topics(component, &topic.name)).unwrap_or_default();
            if let Some(shared) = theirs.iter().find(|theirs| names.contains(&theirs.name)) {
                let words = format!("{} retries over {} too: each would try the other's events again", other.to.component, shared.name);
                let hint = "give one of them a retry_suffix and a dlt_suffix of its own";
                out.push(Diagnostic::error("retry-topics-shared", format!("{path}.retry_suffix"), words).with_hint(hint));
            }
        }
    }
}
