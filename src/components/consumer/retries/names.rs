//! Names and delays of retry topics, as Spring Kafka gives them (`@RetryableTopic`, reference "Topic Naming", and its
//! `DestinationTopicPropertiesFactory`).

use crate::random::Stream;
use crate::units::SimDuration;

/// What stands behind a retry topic's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suffix {
    /// `SUFFIX_WITH_DELAY_VALUE`: the wait in milliseconds; the index where all waits are the same.
    #[default]
    DelayValue,
    /// `SUFFIX_WITH_INDEX_VALUE`.
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
    /// Waits are drawn, once for the whole run: `@Backoff(random = true)`.
    pub random: bool,
    /// How they are told apart.
    pub suffix: Suffix,
    /// `-retry`.
    pub retry_suffix: String,
    /// `-dlt`.
    pub dead_letter_suffix: String,
    /// One topic for all tries at the end that wait equally long (`SameIntervalTopicReuseStrategy.SINGLE_TOPIC`).
    pub single_topic: bool,
    /// Whether what fails at last is kept (`DltStrategy`).
    pub has_dead_letters: bool,
}

impl Default for RetryTopics {
    fn default() -> Self {
        Self {
            attempts: 3,
            delay: SimDuration::from_secs(1),
            multiplier: 1.0,
            delay_max: SimDuration::from_secs(30),
            random: false,
            suffix: Suffix::default(),
            retry_suffix: "-retry".to_owned(),
            dead_letter_suffix: "-dlt".to_owned(),
            single_topic: false,
            has_dead_letters: true,
        }
    }
}

impl RetryTopics {
    /// The wait before each retry, without chance: whole milliseconds, as Spring counts.
    #[must_use]
    pub fn delays(&self) -> Vec<SimDuration> {
        let mut delay = whole_ms(self.delay);
        let mut delays = Vec::new();
        for _ in 1..self.attempts {
            delays.push(delay);
            delay = whole_ms(delay.scaled(self.multiplier)).min(whole_ms(self.delay_max)).max(delay);
        }
        delays
    }
    /// The same with chance, where it has a part in it: as `ExponentialRandomBackOffPolicy` and, for waits that do not
    /// grow, `UniformRandomBackOffPolicy` draw them.
    #[must_use]
    pub fn drawn(&self, rng: &mut Stream) -> Vec<SimDuration> {
        let mut delays = self.delays();
        if self.random {
            let spread = SimDuration::from_ns(self.delay_max.as_ns().saturating_sub(self.delay.as_ns()));
            for delay in &mut delays {
                let chance = rng.unit_f64();
                *delay = if self.multiplier > 1.0 {
                    delay.scaled(1.0 + chance * (self.multiplier - 1.0)).min(self.delay_max)
                } else {
                    delay.plus(spread.scaled(chance))
                };
            }
        }
        delays
    }
    /// How many retry topics there are: the last one may serve several tries.
    #[must_use]
    pub fn topics_count(&self) -> usize {
        let delays = self.delays();
        let same = delays.iter().filter(|delay| Some(*delay) == delays.last()).count();
        delays.len() - if self.single_topic { same.saturating_sub(1) } else { 0 }
    }
    /// What is put behind a topic's name, for each retry topic in order.
    #[must_use]
    pub fn suffixes(&self) -> Vec<String> {
        let delays = self.delays();
        let count = self.topics_count();
        let by_index = self.suffix == Suffix::IndexValue || (delays.len() > 1 && delays.iter().all(|delay| *delay == delays[0]));
        let suffix = |index: usize| {
            if self.single_topic && count == 1 {
                return self.retry_suffix.clone();
            }
            if by_index {
                return format!("{}-{index}", self.retry_suffix);
            }
            let ms = delays[index].as_ns() / 1_000_000;
            let first = delays.iter().position(|delay| *delay == delays[index]).unwrap_or(index);
            let is_one_of_several = delays.iter().filter(|delay| **delay == delays[index]).count() > 1;
            if !self.single_topic && is_one_of_several {
                return format!("{}-{ms}-{}", self.retry_suffix, index - first);
            }
            format!("{}-{ms}", self.retry_suffix)
        };
        (0..count).map(suffix).collect()
    }
    /// Names of the retry topics in order, and the dead-letter topic last, if there is one.
    #[must_use]
    pub fn names(&self, topic: &str) -> Vec<String> {
        let dead_letters = self.has_dead_letters.then(|| self.dead_letter_suffix.clone());
        self.suffixes().into_iter().chain(dead_letters).map(|suffix| format!("{topic}{suffix}")).collect()
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

fn whole_ms(span: SimDuration) -> SimDuration {
    SimDuration::from_ms(span.as_ns() / 1_000_000)
}
