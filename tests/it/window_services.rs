//! What gateways decide and services keep, looked at in the window.

use egui_kittest::kittest::Queryable;
use eventyard::app::{Command, DockTab, Pick, SelectMode};
use eventyard::metrics::RunPhase;
use eventyard::run::Pace;

use crate::window::{Driven, apply, click, window};
use crate::window_records::{sample, until, view};

fn run_to_the_end(harness: &mut Driven<'_>) {
    apply(harness, Command::SetPace(Pace::Unlimited));
    apply(harness, Command::Play);
    until(harness, "the run ends", |harness| view(harness).is_some_and(|view| view.phase == RunPhase::Finished));
}

fn select(harness: &mut Driven<'_>, id: &str) {
    apply(harness, Command::Select(Pick::Component(id.to_owned()), SelectMode::Replace));
}

#[test]
fn a_request_is_tried_with_and_without_a_token() {
    let mut harness = window(sample("jwt-gateway"));
    click(&mut harness, "Gateways");
    harness.get_by_label_contains("Answered 401");
    for (who, outcome) in [("Token of web", "Goes on to"), ("Expired token of web", "Answered 401"), ("Token of trial", "Answered 403")] {
        click(&mut harness, "Send the request as");
        click(&mut harness, who);
        harness.run_steps(3);
        harness.get_by_label_contains(outcome);
    }
}

#[test]
fn a_stream_is_opened_and_seen_as_it_was() {
    let mut harness = window(sample("event-sourcing"));
    run_to_the_end(&mut harness);
    apply(&mut harness, Command::ShowDock(DockTab::Services));
    until(&mut harness, "aggregates are there", |harness| harness.query_by_label_contains("aggregates").is_some());
    harness.get_by_label_contains("State machine: ");
    let key = match view(&harness).and_then(|view| view.browsed.as_deref()?.answer.as_ref()) {
        Some(eventyard::event::Answer::Service(standing)) => standing.rows[0].key.to_string(),
        other => panic!("{other:?}"),
    };
    harness.get_by_label_contains(&format!("{key} open,")).click();
    until(&mut harness, "its events are there", |harness| harness.query_all_by_label_contains(" Deposited at ").next().is_some());
    harness.get_all_by_label_contains(" Deposited at ").next().expect("it is there").click();
    until(&mut harness, "it is as it was", |harness| harness.query_by_label("As it is now").is_some());
    click(&mut harness, "Close");
}

#[test]
fn rows_of_both_tables_are_browsed_beside_a_connector() {
    let mut harness = window(sample("polling-or-capture"));
    run_to_the_end(&mut harness);
    for (id, column) in [("copy", "customer"), ("by-query", "updated, ms")] {
        select(&mut harness, id);
        click(&mut harness, "Browse what it keeps");
        assert_eq!(harness.state().as_ref().expect("it is there").app.dock, DockTab::Services);
        until(&mut harness, "its rows are there", |harness| harness.query_by_label_contains(&format!("{id} · ")).is_some());
        assert!(harness.query_all_by_label(column).next().is_some(), "{id}: no column {column}");
        click(&mut harness, "Next");
    }
}

#[test]
fn a_circuit_breaker_is_seen_by_instance() {
    let mut harness = window(sample("circuit-breaker"));
    run_to_the_end(&mut harness);
    apply(&mut harness, Command::ShowDock(DockTab::Services));
    until(&mut harness, "instances are there", |harness| harness.query_by_label_contains("1 calling instance").is_some());
    harness.get_by_label_contains("State machine: ");
    assert!(harness.query_all_by_label_contains("instance 1 ").next().is_some());
}
