//! Properties of the producer.
