//! What frameworks call the settings of a consumer or service, and which of them they lack.
//!
//! Sources: Spring Cloud Stream's reference (consumer properties, Kafka binder), Micronaut Kafka's annotations.

use super::retries::spec::GROUP as RETRY_TOPICS;
use crate::components::Framework;

/// By profile.
pub(in crate::components) const ALL: &[Framework] = &[
    Framework {
        profile: "spring-cloud-stream",
        title: "Spring Cloud Stream",
        keys: &[
            ("group", "spring.cloud.stream.bindings.<fn>-in-0.group"),
            ("instances", "spring.cloud.stream.instance-count"),
            ("concurrency", "spring.cloud.stream.bindings.<fn>-in-0.consumer.concurrency"),
            ("max_attempts", "spring.cloud.stream.bindings.<fn>-in-0.consumer.max-attempts"),
            ("retry_backoff", "spring.cloud.stream.bindings.<fn>-in-0.consumer.back-off-initial-interval"),
            ("on_failure", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.enable-dlq"),
            ("offset_reset", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.start-offset"),
            ("commit", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.ack-mode"),
            ("auto_commit_interval", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.configuration.auto.commit.interval.ms"),
            ("static_members", "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.configuration.group.instance.id"),
            ("transactional_id", "spring.cloud.stream.kafka.binder.transaction.transaction-id-prefix"),
        ],
        passes_on: "spring.cloud.stream.kafka.bindings.<fn>-in-0.consumer.configuration.",
        lacks_groups: &[RETRY_TOPICS],
        lacks: &["on_corrupt"],
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
            ("transactional_id", "@KafkaListener(producerTransactionalId)"),
        ],
        passes_on: "kafka.consumers.<id>.",
        lacks_groups: &[RETRY_TOPICS],
        lacks: &["on_corrupt", "authorization_retry"],
    },
];
