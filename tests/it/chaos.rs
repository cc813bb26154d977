//! The search for faults that a design does not survive.

use eventyard::model::Project;
use eventyard::run::{ChaosOptions, ChaosResult, chaos};
use eventyard::units::SimDuration;

/// A producer, a topic, a group that commits before or after its work.
fn design(commit: &str) -> Project {
    let text = format!(
        r#"(format: 1, name: "Chaos", seed: 3,
        components: {{
            "web": (kind: "producer", load: "constant(200/s)", max_events: 1500, events: [(type: "Placed", topic: "orders")]),
            "shop": (kind: "kafka", topics: {{"orders": (partitions: 3, replication: 1)}}),
            "billing": (kind: "consumer", instances: 2, commit: "{commit}", service_time: "exp(3ms)", offset_reset: "earliest"),
        }},
        links: [(from: "web.out", to: "shop.orders"), (from: "shop.orders", to: "billing.in")],
        scenarios: {{"calm": (length: "20s")}})"#
    );
    let loaded = eventyard::project::read(&text);
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    loaded.project
}

fn search(commit: &str, runs: u32, threads: usize) -> ChaosResult {
    let length = Some(SimDuration::from_secs(20));
    let options = ChaosOptions { scenario: None, length, seed: 11, runs, faults_max: 4, threads };
    chaos(&design(commit), &["obligations.lost == 0".to_owned()], &options, &mut |_| ()).unwrap_or_else(|failure| panic!("{failure:?}"))
}

#[test]
fn what_is_committed_before_work_is_lost_in_a_crash_and_the_search_finds_it() {
    let result = search("before", 1_000, 1);
    let finding = result.finding.expect("a crash between commit and work");
    assert_eq!(finding.check, "obligations.lost == 0");
    assert!((1..=2).contains(&finding.shortest.len()), "{:#?}", finding.shortest);
    assert!(
        finding.shortest.iter().all(|fault| fault.action == "crash-instance" && finding.drawn.contains(fault)),
        "{:#?}",
        finding.shortest
    );
    // As many threads as there are, the same finding.
    let again = search("before", 1_000, 2).finding.expect("the same search");
    assert_eq!((again.index, again.seed, again.shortest), (finding.index, finding.seed, finding.shortest));
}

#[test]
fn what_is_committed_after_work_survives_everything_that_was_drawn() {
    let result = search("after", 60, 2);
    assert!(result.finding.is_none(), "{:#?}", result.finding);
    assert_eq!((result.runs, result.broken_before.len()), (60, 0));
}
