//! Resilience4j's documented behaviour, and a naive oracle for the windows.

use proptest::prelude::*;

use super::window::Window;
use super::{BreakerConfig, BreakerState, Bulkhead, CallEnd, CircuitBreaker, Permission, RetryConfig, WindowType};
use crate::units::{SimDuration, SimTime};

fn at_ms(ms: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_ms(ms)
}

fn call(breaker: &mut CircuitBreaker, now: SimTime, failed: bool, took_ms: u64) -> bool {
    match breaker.acquire(now) {
        Permission::Granted(turn) => {
            breaker.ended(now, turn, CallEnd { failed, took: SimDuration::from_ms(took_ms) });
            true
        }
        Permission::Refused => false,
    }
}

#[test]
fn it_opens_at_the_threshold_and_not_before_enough_calls() {
    let cfg = BreakerConfig {
        window_size: 10,
        calls_min: 4,
        open_wait: SimDuration::from_secs(5),
        half_open_calls: 2,
        ..BreakerConfig::default()
    };
    let mut breaker = CircuitBreaker::new(cfg);
    for failed in [true, true, true] {
        assert!(call(&mut breaker, at_ms(0), failed, 1));
        assert_eq!(breaker.state(), BreakerState::Closed, "too few calls for a rate");
    }
    call(&mut breaker, at_ms(0), false, 1);
    assert_eq!(breaker.state(), BreakerState::Open, "three of four failed");
    assert!(!call(&mut breaker, at_ms(4_999), false, 1));
    assert_eq!(breaker.next_deadline(), None, "only a call makes it half open");
    let Permission::Granted(first) = breaker.acquire(at_ms(5_000)) else { panic!("half open lets two through") };
    let Permission::Granted(second) = breaker.acquire(at_ms(5_000)) else { panic!("half open lets two through") };
    assert_eq!(breaker.acquire(at_ms(5_000)), Permission::Refused);
    let good = CallEnd { failed: false, took: SimDuration::from_ms(1) };
    breaker.ended(at_ms(5_010), first, good);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.ended(at_ms(5_010), second, good);
    assert_eq!(breaker.state(), BreakerState::Closed);
    let before = breaker.clone();
    breaker.ended(at_ms(5_020), first, CallEnd { failed: true, ..good });
    assert_eq!(breaker, before, "a call of an earlier state counts no more");
}

#[test]
fn half_open_it_opens_again_when_calls_fail_or_none_comes() {
    let cfg = BreakerConfig {
        window_size: 1,
        half_open_calls: 1,
        open_wait: SimDuration::from_secs(1),
        half_open_wait_max: SimDuration::from_secs(2),
        opens_half_by_itself: true,
        ..BreakerConfig::default()
    };
    let mut breaker = CircuitBreaker::new(cfg);
    call(&mut breaker, at_ms(0), true, 1);
    assert_eq!(breaker.next_deadline(), Some(at_ms(1_000)));
    breaker.on_deadline(at_ms(999));
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.on_deadline(at_ms(1_000));
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "by itself");
    assert!(call(&mut breaker, at_ms(1_000), true, 1));
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.on_deadline(at_ms(2_000));
    assert_eq!((breaker.state(), breaker.next_deadline()), (BreakerState::HalfOpen, Some(at_ms(4_000))));
    breaker.on_deadline(at_ms(4_000));
    assert_eq!(breaker.state(), BreakerState::Open, "half open for too long");
    assert_eq!(breaker.opened_count(), 3);
}

#[test]
fn slow_calls_open_it_too() {
    let cfg = BreakerConfig { window_size: 4, slow_after: SimDuration::from_ms(100), slow_rate: 50.0, ..BreakerConfig::default() };
    let mut breaker = CircuitBreaker::new(cfg);
    for took in [1, 100, 101, 101] {
        call(&mut breaker, at_ms(0), false, took);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn waits_grow_and_end() {
    let retry = RetryConfig { multiplier: 2.0, attempts_max: 4, ..RetryConfig::default() };
    let waits: Vec<_> = (1..=4).map(|attempts| retry.wait_after(attempts)).collect();
    assert_eq!(waits, [Some(SimDuration::from_ms(500)), Some(SimDuration::from_secs(1)), Some(SimDuration::from_secs(2)), None]);
    let mut bulkhead = Bulkhead::default();
    assert!(bulkhead.acquire(1) && !bulkhead.acquire(1));
    bulkhead.release();
    assert!(bulkhead.acquire(1));
    assert_eq!(bulkhead.rejected_count(), 1);
}

proptest! {
    /// A window holds what a list of all calls says, by number and by whole seconds.
    #[test]
    fn windows_are_what_a_list_says(
        calls in prop::collection::vec((0..1_500_u64, any::<bool>()), 1..80), size in 1..8_usize, by_time in any::<bool>(),
    ) {
        let window = if by_time { WindowType::TimeBased } else { WindowType::CountBased };
        let mut ring = Window::new(window, size);
        let (mut now, mut list) = (0, Vec::new());
        for (later, failed) in calls {
            now += later;
            let sums = ring.record(at_ms(now), failed, false);
            list.push((now / 1_000, failed));
            let kept: Vec<_> = if by_time {
                list.iter().filter(|(second, _)| second + size as u64 > now / 1_000).collect()
            } else {
                list.iter().rev().take(size).collect()
            };
            prop_assert_eq!(sums.calls as usize, kept.len());
            prop_assert_eq!(sums.failed as usize, kept.iter().filter(|(_, failed)| *failed).count());
        }
    }
}
