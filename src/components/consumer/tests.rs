//! Properties of the consumer.
