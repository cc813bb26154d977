//! What frameworks call the settings of a consumer or service, which of them they lack, and which they do not look at.
//!
//! Sources: Spring Cloud Stream's reference (consumer properties, Kafka binder), Spring Boot's (task execution), Micronaut Kafka's
//! annotations and `UserExecutorConfiguration`, whose executors have no bound for their queue.

use super::retries::spec::{self, GROUP as RETRY_TOPICS};
use crate::components::{BuildCtx, Framework, Params};
use crate::diagnostics::Diagnostic;
use crate::units::SimDuration;

/// Deliveries of Spring's `DefaultErrorHandler` by itself: nine more than the first, without a wait.
const CONTAINER_ATTEMPTS: u32 = 10;

/// By profile.
pub(in crate::components) const ALL: &[Framework] = &[
    Framework {
        profile: "spring-cloud-stream",
        title: "Spring Cloud Stream",
        keys: &[
            ("group", "spring.cloud.stream.bindings.<fn>-in-0.group"),
            ("instances", "spring.cloud.stream.instance-count"),
            ("concurrency", "spring.cloud.stream.bindings.<fn>-in-0.consumer.concurrency"),
            // Its own threads poll; a pool behind them is the application's, which Spring Boot sets up.
            ("pool_queue", "spring.task.execution.pool.queue-capacity"),
            ("max_attempts", "spring.cloud.stream.bindings.<fn>-in-0.consumer.max-attempts"),
            ("retry_backoff", "spring.cloud.stream.bindings.<fn>-in-0.consumer.back-off-initial-interval"),
            ("on_failure", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.enable-dlq"),
            ("offset_reset", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.start-offset"),
            ("commit", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.ack-mode"),
            ("auto_commit_interval", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.configuration.auto.commit.interval.ms"),
            ("static_members", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.configuration.group.instance.id"),
            ("authorization_retry", "spring.cloud.stream.kafka.binder.authorization-exception-retry-interval"),
            ("transactional_id", "spring.cloud.stream.kafka.binder.transaction.transaction-id-prefix"),
        ],
        passes_on: "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.configuration.",
        lacks_groups: &[RETRY_TOPICS],
        lacks: &["on_corrupt", "pool_full"],
    },
    Framework {
        profile: "micronaut",
        title: "Micronaut",
        keys: &[
            ("group", "@KafkaListener(groupId)"),
            ("concurrency", "@KafkaListener(threads)"),
            ("max_attempts", "@ErrorStrategy(retryCount), one less"),
            ("retry_backoff", "@ErrorStrategy(retryDelay)"),
            ("on_failure", "@ErrorStrategy(value)"),
            ("offset_reset", "@KafkaListener(offsetReset)"),
            ("commit", "@KafkaListener(offsetStrategy)"),
            ("isolation", "@KafkaListener(isolation)"),
            ("session_timeout", "@KafkaListener(sessionTimeout)"),
            ("heartbeat_interval", "@KafkaListener(heartbeatInterval)"),
            ("static_members", "kafka.consumers.<id>.group.instance.id"),
            ("transactional_id", "@KafkaListener(producerTransactionalId)"),
        ],
        passes_on: "kafka.consumers.<id>.",
        lacks_groups: &[RETRY_TOPICS],
        lacks: &["on_corrupt", "authorization_retry", "pool_queue", "pool_full"],
    },
];

/// Whether Spring Cloud Stream's binder leaves failed records to its listener container, as it does without `enable-dlq`
/// (reference of the Kafka binder, "Dead-Letter Topic Processing").
fn leaves_retries_to_the_container(ctx: &BuildCtx<'_>, params: &Params<'_>) -> bool {
    let has_dead_letters = ctx.links_at("dead_letters").next().is_some() && params.text("on_failure") != "skip";
    let is_retried_otherwise = spec::read(params).is_some() || params.text("on_failure") == "retry_forever";
    params.profile() == Some("spring-cloud-stream") && !has_dead_letters && !is_retried_otherwise
}

/// How often an event is tried, and the wait between two tries.
pub(super) fn retries(ctx: &BuildCtx<'_>, params: &Params<'_>) -> (u32, SimDuration) {
    if leaves_retries_to_the_container(ctx, params) {
        return (CONTAINER_ATTEMPTS, SimDuration::ZERO);
    }
    (u32::try_from(params.count("max_attempts")).unwrap_or(1).max(1), params.duration("retry_backoff"))
}

/// Settings that the framework does not look at.
pub(super) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if !leaves_retries_to_the_container(ctx, params) {
        return;
    }
    for name in ["max_attempts", "retry_backoff"].into_iter().filter(|name| params.is_given(name)) {
        let words = format!(
            "Spring Cloud Stream looks at it only with a dead-letter topic (enable-dlq): without one its container delivers \
             {CONTAINER_ATTEMPTS} times, at once"
        );
        let hint = format!("link {}.dead_letters to a topic", ctx.id);
        out.push(Diagnostic::warning("setting-unused", format!("{path}.{name}"), words).with_hint(hint));
    }
}
