//! Tests of the cluster card.
