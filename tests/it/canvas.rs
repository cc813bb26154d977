//! Gestures on the canvas, by pointer and by key.

use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, Rect, TouchPhase, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use eventyard::app::{Command, Pick};
use eventyard::model::Project;

use crate::window::{Driven, apply, click, project, window};

const CARD_WIDTH: f32 = 220.0;

fn design() -> Project {
    let loaded = eventyard::project::read(
        r#"(format: 1, name: "Gestures", seed: 1,
        components: {
            "web": (kind: "producer", events: [(type: "Placed", topic: "orders")]),
            "shop": (kind: "kafka", topics: {"orders": (partitions: 1, replication: 1)}),
            "billing": (kind: "consumer", group: "billing"),
        },
        links: [(from: "web.out", to: "shop.orders")],
        layout: (
            positions: {"web": (0, 0), "shop": (340, 0), "billing": (680, 0)},
            frames: [(label: "Readers", position: (640, 240), size: (320, 220), members: [])],
            notes: [(text: "A note", position: (0, 260), size: (200, 100))],
        ))"#,
    );
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    loaded.project
}

fn card(harness: &Driven<'_>, label: &str) -> Rect {
    harness.get_by_label_contains(label).rect()
}

/// Where a point of the drawing is on the screen, told from the first card, which stands at the origin.
fn on_screen(harness: &Driven<'_>, x: f32, y: f32) -> Pos2 {
    let origin = card(harness, "Producer web");
    origin.min + vec2(x, y) * (origin.width() / CARD_WIDTH)
}

fn drag(harness: &mut Driven<'_>, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run_steps(1);
    harness.drag_at(from);
    harness.run_steps(1);
    for step in 1..=6 {
        harness.hover_at(from + (to - from) * (step as f32 / 6.0));
        harness.run_steps(1);
    }
    harness.drop_at(to);
    harness.run_steps(3);
}

fn scroll(harness: &mut Driven<'_>, unit: MouseWheelUnit, delta: Vec2) {
    let over = card(harness, "Producer web").center();
    harness.hover_at(over);
    harness.run_steps(1);
    harness.event(Event::MouseWheel { unit, delta, phase: TouchPhase::Move, modifiers: Modifiers::NONE });
    // A wheel's turn is spread over some frames.
    harness.run_steps(20);
}

fn enter(harness: &mut Driven<'_>, label: &str) {
    harness.get_by_label(label).focus();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
}

#[test]
fn two_fingers_pan_and_a_wheel_zooms() {
    let mut harness = window(design());
    let before = card(&harness, "Producer web");
    scroll(&mut harness, MouseWheelUnit::Point, vec2(30.0, -40.0));
    let panned = card(&harness, "Producer web");
    assert!((panned.size() - before.size()).length() < 0.1, "{before:?} {panned:?}");
    assert!((panned.min - before.min - vec2(30.0, -40.0)).length() < 1.0, "{before:?} {panned:?}");
    scroll(&mut harness, MouseWheelUnit::Line, vec2(0.0, -2.0));
    let zoomed = card(&harness, "Producer web");
    assert!(zoomed.width() < panned.width() * 0.95, "{panned:?} {zoomed:?}");
    assert!((zoomed.center() - panned.center()).length() < 2.0, "what is under the pointer stays there");
}

#[test]
fn a_fitted_design_is_fitted_again_after_a_resize_and_a_moved_view_is_left_alone() {
    let mut harness = window(design());
    harness.set_size(vec2(1000.0, 640.0));
    harness.run_steps(4);
    let palette = harness.get_by_label("Add Producer").rect();
    for label in ["Producer web", "Kafka cluster shop", "Consumer billing"] {
        let rect = card(&harness, label);
        assert!(palette.max.x < rect.min.x && rect.max.x < 1000.0 - 280.0, "{label} is cut off: {rect:?}");
    }
    scroll(&mut harness, MouseWheelUnit::Point, vec2(13.0, 7.0));
    let moved = card(&harness, "Producer web");
    harness.set_size(vec2(1100.0, 700.0));
    harness.run_steps(4);
    assert_eq!(card(&harness, "Producer web"), moved);
}

#[test]
fn a_card_joins_the_frame_it_is_dropped_into_and_leaves_it_in_one_step_each() {
    let mut harness = window(design());
    let members = |harness: &Driven<'_>| project(harness).layout.frames[0].members.clone();
    let grip = |harness: &Driven<'_>| card(harness, "Consumer billing").center();
    let (from, inside) = (grip(&harness), on_screen(&harness, 800.0, 350.0));
    drag(&mut harness, from, inside);
    assert_eq!(members(&harness), ["billing"]);
    // The frame takes its member along.
    let before = project(&harness).layout.positions["billing"];
    let (label, beside) = (on_screen(&harness, 700.0, 252.0), on_screen(&harness, 740.0, 292.0));
    drag(&mut harness, label, beside);
    let after = project(&harness).layout.positions["billing"];
    assert_eq!([after[0] - before[0], after[1] - before[1]], [40.0, 40.0]);
    apply(&mut harness, Command::Undo);
    let (from, outside) = (grip(&harness), on_screen(&harness, 420.0, 420.0));
    drag(&mut harness, from, outside);
    assert!(members(&harness).is_empty());
    apply(&mut harness, Command::Undo);
    assert_eq!(members(&harness), ["billing"]);
    apply(&mut harness, Command::Undo);
    assert_eq!(project(&harness).layout, design().layout);
}

#[test]
fn a_card_placed_into_a_frame_belongs_to_it_at_once() {
    let mut harness = window(design());
    apply(&mut harness, Command::Place { kind: "consumer".to_owned(), position: [660.0, 280.0] });
    assert_eq!(project(&harness).layout.frames[0].members, ["consumer-1"]);
    apply(&mut harness, Command::Undo);
    assert_eq!(project(&harness).layout, design().layout);
    apply(&mut harness, Command::Place { kind: "consumer".to_owned(), position: [0.0, 500.0] });
    assert!(project(&harness).layout.frames[0].members.is_empty());
}

#[test]
fn edges_resize_frames_and_notes() {
    let mut harness = window(design());
    let (edge, out) = (on_screen(&harness, 960.0, 340.0), on_screen(&harness, 1000.0, 340.0));
    drag(&mut harness, edge, out);
    let frame = project(&harness).layout.frames[0].clone();
    assert_eq!((frame.position, frame.size), ([640.0, 240.0], [360.0, 220.0]));
    let (corner, inwards) = (on_screen(&harness, 0.0, 260.0), on_screen(&harness, 500.0, 280.0));
    drag(&mut harness, corner, inwards);
    let note = project(&harness).layout.notes[0].clone();
    assert_eq!((note.position, note.size), ([160.0, 280.0], [40.0, 80.0]), "it keeps a least width");
}

#[test]
fn a_right_click_offers_what_fits_the_thing_under_the_pointer() {
    let mut harness = window(design());
    harness.get_by_label_contains("Consumer billing").click_secondary();
    harness.run_steps(3);
    click(&mut harness, "Duplicate Ctrl+D");
    assert!(project(&harness).components.contains_key("billing-1"));
    harness.get_by_label("Link from web.out to shop.orders").click_secondary();
    harness.run_steps(3);
    click(&mut harness, "Delete Del");
    assert!(project(&harness).links.is_empty());
    let empty = on_screen(&harness, 420.0, 420.0);
    harness.hover_at(empty);
    harness.run_steps(1);
    for pressed in [true, false] {
        harness.event(Event::PointerButton { pos: empty, button: egui::PointerButton::Secondary, pressed, modifiers: Modifiers::NONE });
        harness.run_steps(1);
    }
    harness.run_steps(3);
    click(&mut harness, "Add a note here");
    assert_eq!(project(&harness).layout.notes[1].position, [420.0, 420.0]);
}

#[test]
fn enter_on_two_ports_links_them_and_a_refusal_is_said() {
    let mut harness = window(design());
    enter(&mut harness, "in port of billing");
    enter(&mut harness, "out port of web");
    assert_eq!(project(&harness).links.len(), 1);
    harness.get_by_label_contains("put a Kafka topic between");
    enter(&mut harness, "orders port of shop");
    enter(&mut harness, "in port of billing");
    let links: Vec<String> = project(&harness).links.iter().map(|link| link.id()).collect();
    assert_eq!(links, ["web.out→shop.orders", "shop.orders→billing.in"]);
    let window = harness.state().as_ref().expect("the window is made in the first frame");
    let ends = &project(&harness).links[1];
    assert_eq!(window.app.selection, [Pick::Link(ends.from.clone(), ends.to.clone())]);
}

#[test]
fn the_map_shows_when_something_is_out_of_view_and_leads_back() {
    let mut harness = window(design());
    assert!(harness.query_by_label("Map of the whole design").is_none());
    let before = card(&harness, "Producer web");
    scroll(&mut harness, MouseWheelUnit::Point, vec2(-900.0, 0.0));
    assert!(card(&harness, "Producer web").max.x < before.min.x);
    click(&mut harness, "Map of the whole design");
    harness.run_steps(3);
    // The middle of the map is the middle of the design.
    let (first, last) = (card(&harness, "Producer web"), card(&harness, "Consumer billing"));
    assert!((first.min.x - before.min.x).abs() < 5.0 && first.max.x < last.min.x, "{first:?} {before:?}");
}

#[test]
fn look_ups_leave_below_and_arrive_above() {
    let mut harness = window(eventyard::project::starter().project);
    harness.run_steps(2);
    let port = |label: &str| harness.get_by_label(label).rect().center();
    for (kind, id) in [("Producer", "web"), ("API gateway", "edge"), ("Consumer", "billing")] {
        let (at, rect) = (port(&format!("schemas port of {id}")), card(&harness, &format!("{kind} {id}")));
        assert!((at - rect.center_bottom()).length() < 1.0, "{id}: {at:?} of {rect:?}");
    }
    let registry = card(&harness, "Schema registry schemas");
    assert!((port("in port of schemas") - registry.center_top()).length() < 1.0);
}
