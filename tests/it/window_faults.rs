//! Faults by hand: buttons while a run plays, bands in the charts, entries in a scenario's timeline.

use egui_kittest::kittest::Queryable;
use eventyard::app::{Command, Pick, SelectMode};
use eventyard::model::{FaultTarget, Project};
use eventyard::project::starter;
use eventyard::run::Pace;

use crate::window::{Driven, apply, click, project, window};

fn design() -> Project {
    starter().project
}

fn press(harness: &mut Driven<'_>, label: &str) {
    // Scrolling and opening take some frames.
    harness.get_by_label(label).scroll_to_me();
    harness.run_steps(12);
    click(harness, label);
    harness.run_steps(12);
}

/// Waits for the worker, frame by frame.
fn until(harness: &mut Driven<'_>, what: &str, holds: impl Fn(&eventyard::metrics::RunView) -> bool) {
    for _ in 0..20_000 {
        harness.run_steps(1);
        let app = &harness.state().as_ref().expect("the window is made in the first frame").app;
        if app.view().is_some_and(|view| holds(view)) {
            return;
        }
        std::thread::yield_now();
    }
    panic!("never: {what}");
}

#[test]
fn a_link_is_cut_by_a_button_and_the_charts_and_the_report_say_so() {
    let mut harness = window(design());
    let link = project(&harness).links[0].clone();
    apply(&mut harness, Command::SetPace(Pace::Ratio(0.01)));
    apply(&mut harness, Command::Play);
    apply(&mut harness, Command::Select(Pick::Link(link.from.clone(), link.to.clone()), SelectMode::Replace));
    press(&mut harness, "Do to it now");
    press(&mut harness, "cut");
    let target = FaultTarget::Link(link.from, link.to);
    press(&mut harness, &format!("cut {target}"));
    until(&mut harness, "the fault is in the view", |view| view.faults.len() == 1);
    apply(&mut harness, Command::SetPace(Pace::Unlimited));
    until(&mut harness, "the run ends", |view| view.report.is_some());
    let window = harness.state().as_ref().expect("the window is made in the first frame");
    let report = window.app.view().and_then(|view| view.report.clone()).expect("it has ended");
    let [fault] = report.faults.as_slice() else { panic!("{:?}", report.faults) };
    assert_eq!((fault.action.as_str(), fault.params["for"].as_str()), ("cut", "5s"));
    assert!(fault.effects["messages_dropped"] > 0 && report.ledger.balanced, "{fault:?}");
}

#[test]
fn a_timeline_takes_a_fault_of_a_link() {
    let mut harness = window(design());
    let scenario = project(&harness).scenarios.keys().next().cloned().expect("the starter has scenarios");
    press(&mut harness, &scenario);
    press(&mut harness, &format!("Add to the timeline of scenario {scenario}"));
    harness.get_by_label_contains("10s  ").click();
    harness.run_steps(12);
    press(&mut harness, &format!("Happens to of entry 1 of scenario {scenario}"));
    press(&mut harness, "web.out -> edge.in");
    let fault = project(&harness).scenarios[&scenario].faults[0].clone();
    assert_eq!(Some(&fault.target), FaultTarget::link("web.out -> edge.in").as_ref());
    assert_eq!(fault.action, "cut");
}
