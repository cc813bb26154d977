//! Names and delays of retry topics, as Spring Kafka gives them (`@RetryableTopic`, reference "Topic Naming").

use crate::units::SimDuration;

/// What stands behind a retry topic's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suffix {
    /// `SUFFIX_WITH_DELAY_VALUE`.
    DelayValue,
    /// `SUFFIX_WITH_INDEX_VALUE`.
    #[default]
    IndexValue,
}

/// A chain of retry topics.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryTopics {
    /// Tries, that of the main topic included.
    pub attempts: u32,
    /// Wait before the first retry.
    pub delay: SimDuration,
    /// Each further wait is so many times as long.
    pub multiplier: f64,
    /// No wait is longer.
    pub delay_max: SimDuration,
    /// How they are told apart.
    pub suffix: Suffix,
    /// `-retry`.
    pub retry_suffix: String,
    /// `-dlt`.
    pub dead_letter_suffix: String,
    /// One topic for all tries when all wait equally long (`SameIntervalTopicReuseStrategy.SINGLE_TOPIC`).
    pub single_topic: bool,
}

impl Default for RetryTopics {
    fn default() -> Self {
        Self {
            attempts: 3,
            delay: SimDuration::from_secs(1),
            multiplier: 1.0,
            delay_max: SimDuration::from_secs(30),
            suffix: Suffix::default(),
            retry_suffix: "-retry".to_owned(),
            dead_letter_suffix: "-dlt".to_owned(),
            single_topic: false,
        }
    }
}

impl RetryTopics {
    /// The wait before each retry.
    #[must_use]
    pub fn delays(&self) -> Vec<SimDuration> {
        let mut delay = self.delay;
        let mut delays = Vec::new();
        for _ in 1..self.attempts {
            delays.push(delay.min(self.delay_max));
            delay = delay.scaled(self.multiplier);
        }
        delays
    }
    /// Names of the retry topics in order, and the dead-letter topic last.
    #[must_use]
    pub fn names(&self, topic: &str) -> Vec<String> {
        let stem = format!("{topic}{}", self.retry_suffix);
        let mut names: Vec<String> = if self.single_topic && self.multiplier == 1.0 && self.attempts > 1 {
            vec![stem]
        } else {
            let name = |(index, delay): (usize, SimDuration)| match self.suffix {
                Suffix::DelayValue => format!("{stem}-{}", delay.as_ns() / 1_000_000),
                Suffix::IndexValue => format!("{stem}-{index}"),
            };
            self.delays().into_iter().enumerate().map(name).collect()
        };
        names.push(format!("{topic}{}", self.dead_letter_suffix));
        names
    }
    /// The dead-letter topic of `DeadLetterPublishingRecoverer`, without retry topics.
    #[must_use]
    pub fn recoverer(topic: &str) -> String {
        format!("{topic}-dlt")
    }
    /// The dead-letter topic of Spring Cloud Stream's Kafka binder with `enable-dlq`.
    #[must_use]
    pub fn binder(topic: &str, group: &str) -> String {
        format!("error.{topic}.{group}")
    }
}
