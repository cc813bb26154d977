//! The run's panels, driven by accessible labels over a made-up snapshot.

use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use eventyard::diagnostics::Diagnostic;
use eventyard::event::{EventId, LogMarks, PartitionStanding};
use eventyard::gui::panels::incidents::Names;
use eventyard::gui::panels::transport::{Progress, Transport, TransportAction};
use eventyard::gui::panels::{charts, event_story, expectations, incidents, ledger, overview, partitions, problems, transport};
use eventyard::gui::theme;
use eventyard::metrics::{
    Anomaly, CardView, EventStory, ExpectationState, ExpectationView, FlightStatus, Incident, Ledger, Obligations, OfEventType, OfPath,
    ReasonCount, Report, RunPhase, RunView, SeriesView, StoryHop, Submissions, Totals,
};
use eventyard::run::Pace;
use eventyard::units::{ComponentIx, EventTypeIx, SimDuration, SimTime};

const SIZE: egui::Vec2 = egui::Vec2::new(1280.0, 800.0);

fn series(metric: &str, component: Option<u32>, label: &str, last: f64) -> SeriesView {
    let points: Vec<[f64; 2]> = (0..=600).map(|i| [f64::from(i) * 0.05, last * (0.5 + f64::from(i) / 1200.0)]).collect();
    SeriesView { metric: metric.into(), component: component.map(ComponentIx), label: label.into(), points: points.into() }
}

fn view() -> RunView {
    RunView {
        version: 1,
        phase: RunPhase::Playing,
        now: SimTime::from_secs_f64(30.0),
        end: SimTime::from_secs_f64(60.0),
        steps: 1,
        speed_ratio: 12.0,
        totals: Totals {
            produced: 9_012,
            accepted: 8_800,
            rejected: 180,
            delivered: 26_100,
            duplicates: 3,
            in_flight: 840,
            ..Totals::default()
        },
        cards: Vec::new(),
        links: Vec::new(),
        flights: Vec::new(),
        sampled_one_in: 1,
        faults: Vec::new(),
        incidents: vec![
            incident(1, FlightStatus::Duplicate, "processed a second time by billing"),
            incident(2, FlightStatus::Rejected, "rejected at edge: field amount is text, schema wants double"),
        ],
        series: vec![
            series("produced_per_s", None, "", 306.0),
            series("delivered_per_s", None, "", 299.8),
            series("rejected_per_s", None, "", 6.0),
            series("latency_ms_p50", None, "", 9.5),
            series("latency_ms_p99", None, "", 142.2),
            series("lag", None, "billing", 812.0),
            series("utilisation_ratio", Some(1), "", 0.82),
            series("delivered_per_s", Some(1), "", 101.5),
        ],
        expectations: vec![
            expectation("p99(latency, \"billing\") < 200ms", ExpectationState::Met, "142.2 ms", None),
            expectation("lag(\"billing\") < 500 after 10s", ExpectationState::Missed, "812", Some(24.0)),
            expectation("lost(\"orders\") == 0", ExpectationState::Pending, "", None),
        ],
        inspected: Some(Arc::new(story())),
        browsed: None,
        report: None,
    }
}

fn incident(seconds: u64, status: FlightStatus, words: &str) -> Incident {
    Incident {
        at: SimTime::ZERO + SimDuration::from_secs(seconds),
        component: ComponentIx(1),
        event: EventId::default(),
        event_type: EventTypeIx(0),
        status,
        words: words.to_owned(),
    }
}

fn expectation(text: &str, state: ExpectationState, figure: &str, broke_s: Option<f64>) -> ExpectationView {
    ExpectationView { text: text.to_owned(), state, figure: figure.to_owned(), broke_at: broke_s.map(SimTime::from_secs_f64) }
}

fn story() -> EventStory {
    let hop = |component: &str, at_ms: u64, waited_ms: u64, worked_ms: u64, words: &str, status| StoryHop {
        component: component.to_owned(),
        at: SimTime::ZERO + SimDuration::from_ms(at_ms),
        waited: SimDuration::from_ms(waited_ms),
        worked: SimDuration::from_ms(worked_ms),
        place: (component == "shop").then(|| "orders[3] @ 1207".to_owned()),
        words: words.to_owned(),
        status,
    };
    EventStory {
        name: "web-17".to_owned(),
        id: EventId::default(),
        event_type: "OrderPlaced".to_owned(),
        born: SimTime::ZERO + SimDuration::from_ms(1_000),
        key: Some("customer-204".to_owned()),
        headers: vec![("ce_type".to_owned(), "OrderPlaced".to_owned())],
        schema: Some("orders-value v2 (id 7)".to_owned()),
        payload: "{\n  \"order_id\": \"o-1203\",\n  \"amount\": 129.95\n}".to_owned(),
        payload_bytes: 148,
        hops: vec![
            hop("web", 1_000, 0, 0, "made", FlightStatus::Normal),
            hop("shop", 1_004, 1, 2, "appended, acknowledged by all replicas", FlightStatus::Normal),
            hop("billing", 1_010, 21, 5, "rejected: field amount is text, schema wants double", FlightStatus::Rejected),
        ],
        hops_dropped: 0,
    }
}

/// Draws a panel under a theme, a few frames long: charts ask for repaints, so it never settles by itself.
fn draw<'a>(size: egui::Vec2, theme: egui::ThemePreference, mut panel: impl FnMut(&mut egui::Ui) + 'a) -> Harness<'a> {
    let mut dressed = false;
    let mut harness = Harness::builder().with_size(size).build_ui(move |ui| {
        // Fonts that are set in a frame are there from the next one on.
        if dressed {
            panel(ui);
        } else {
            theme::apply(ui.ctx(), theme);
            dressed = true;
        }
    });
    harness.run_steps(4);
    harness
}

fn light<'a>(panel: impl FnMut(&mut egui::Ui) + 'a) -> Harness<'a> {
    draw(SIZE, egui::ThemePreference::Light, panel)
}

#[test]
fn charts_read_as_text() {
    let view = view();
    let harness = light(|ui| charts::body(ui, |_| {}, Some(&view), None, &|component| format!("c{}", component.0)));
    for label in ["Delivered per second 299.8", "Produced per second 306", "Latency p99 142.2 ms", "Lag billing 812", "Delivered 26,100"] {
        harness.get_by_label(label);
    }
    harness.get_by_label("Chart: Utilisation");
    harness.get_by_label_contains("Utilisation, %: c1 82 %");
}

#[test]
fn charts_follow_the_selected_component() {
    let view = view();
    let mut harness = light(|ui| charts::body(ui, |_| {}, Some(&view), Some((ComponentIx(1), "edge")), &|_| "edge".to_owned()));
    harness.get_by_label("edge").click();
    harness.run_steps(3);
    harness.get_by_label("Delivered per second 101.5");
    harness.get_by_label("Whole design").click();
    harness.run_steps(3);
    harness.get_by_label("Delivered per second 299.8");
}

#[test]
fn charts_say_what_to_do_before_a_run() {
    let harness = light(|ui| charts::body(ui, |_| {}, None, None, &|_| String::new()));
    harness.get_by_label("Nothing has run yet");
}

#[test]
fn an_event_shows_itself_and_can_be_closed() {
    let view = view();
    let closed = std::cell::Cell::new(false);
    let mut harness = draw(egui::Vec2::new(340.0, 900.0), egui::ThemePreference::Light, |ui| {
        if event_story::body(ui, &view) == Some(event_story::StoryAction::Close) {
            closed.set(true);
        }
    });
    for label in ["web-17", "OrderPlaced", "Rejected", "customer-204", "orders-value v2 (id 7)", "orders[3] @ 1207"] {
        assert!(harness.query_all_by_label(label).next().is_some(), "no `{label}`");
    }
    harness.get_by_label("billing: rejected: field amount is text, schema wants double");
    assert!(harness.query_all_by_label("waited 21 ms, worked 5 ms").next().is_some());
    harness.get_by_label("Close event").click();
    harness.run_steps(2);
    drop(harness);
    assert!(closed.get());
}

#[test]
fn a_story_stands_still_while_nobody_follows_it() {
    let view = std::cell::RefCell::new(view());
    let mut harness = draw(egui::Vec2::new(340.0, 900.0), egui::ThemePreference::Dark, |ui| {
        event_story::body(ui, &view.borrow());
    });
    harness.get_by_label("Follow event").click();
    harness.run_steps(2);
    let longer = EventStory { schema: Some("orders-value v3 (id 9)".to_owned()), ..story() };
    view.borrow_mut().inspected = Some(Arc::new(longer));
    harness.run_steps(2);
    assert!(harness.query_by_label("orders-value v3 (id 9)").is_none());
    harness.get_by_label("Follow event").click();
    harness.run_steps(2);
    harness.get_by_label("orders-value v3 (id 9)");
}

#[test]
fn a_click_on_an_incident_names_its_event() {
    let view = view();
    let clicked = std::cell::Cell::new(None);
    let mut harness = light(|ui| {
        let names = Names { component: &|_| "edge".to_owned(), event_type: &|_| "OrderPlaced".to_owned() };
        if let Some(event) = incidents::body(ui, Some(&view), None, &names) {
            clicked.set(Some(event));
        }
    });
    harness.get_by_label_contains("Rejected OrderPlaced at edge, 0:02.000").click();
    harness.run_steps(2);
    drop(harness);
    assert_eq!(clicked.get(), Some(EventId::default()));
}

#[test]
fn the_table_of_components_sorts_and_selects() {
    let card = |rate_per_s, queue, utilisation_ratio| CardView {
        rate_per_s,
        queue,
        queue_label: "queue",
        utilisation_ratio,
        ..CardView::default()
    };
    let cards = [("web", card(120.0, 0.0, None)), ("edge", card(119.0, 7.0, Some(0.9))), ("billing", card(60.0, 31.0, Some(0.4)))];
    let clicked = std::cell::RefCell::new(None);
    let mut harness = light(|ui| {
        let rows = cards.iter().map(|(id, card)| overview::Row { id, card, selected: *id == "edge" }).collect();
        if let Some(id) = overview::body(ui, rows) {
            clicked.replace(Some(id));
        }
    });
    let top = |harness: &egui_kittest::Harness<'_>, id: &str| harness.get_by_label_contains(&format!("Component {id}, ")).rect().top();
    assert!(top(&harness, "web") < top(&harness, "edge") && top(&harness, "edge") < top(&harness, "billing"));
    harness.get_by_label("Sort by waiting").click();
    // Pressed, released, and drawn in the new order.
    harness.run_steps(4);
    assert!(top(&harness, "billing") < top(&harness, "edge") && top(&harness, "edge") < top(&harness, "web"));
    harness.get_by_label("Component billing, 60 per second, 31 waiting").click();
    harness.run_steps(2);
    drop(harness);
    assert_eq!(clicked.into_inner().as_deref(), Some("billing"));
}

#[test]
fn expectations_say_how_they_stand() {
    let view = view();
    let harness = light(|ui| expectations::body(ui, Some(&view.expectations), &[]));
    harness.get_by_label("Met: 142.2 ms");
    harness.get_by_label("Missed: 812, first broken at 0:24.000");
    harness.get_by_label("Not yet judged");
    harness.get_by_label("1 missed");
}

#[test]
fn expectations_show_as_written_before_a_run() {
    let written = vec!["lost(\"orders\") == 0".to_owned()];
    let harness = light(|ui| expectations::body(ui, None, &written));
    harness.get_by_label("lost(\"orders\") == 0");
    harness.get_by_label("Not yet judged");
}

#[test]
fn the_ledger_shows_both_balances_and_why() {
    let books = Ledger {
        balanced: true,
        submissions: Submissions { balanced: true, created: 9_012, accepted: 8_832, rejected: 180, ..Submissions::default() },
        obligations: Obligations { balanced: true, created: 26_400, delivered: 26_100, in_flight: 300, ..Obligations::default() },
        reasons: vec![ReasonCount {
            end: "rejected".to_owned(),
            at: "edge".to_owned(),
            event_type: "OrderPlaced".to_owned(),
            code: "schema".to_owned(),
            detail: "field amount is text, schema wants double".to_owned(),
            count: 180,
            first: vec![("web-17".to_owned(), 1.2)],
        }],
        lost: Vec::new(),
        event_types: vec![OfEventType {
            event_type: "OrderPlaced".to_owned(),
            submissions: Submissions { created: 9_012, accepted: 8_832, rejected: 180, ..Submissions::default() },
            obligations: Obligations { created: 26_400, delivered: 26_100, in_flight: 300, ..Obligations::default() },
        }],
        paths: vec![OfPath {
            producer: "web".to_owned(),
            topic: "orders".to_owned(),
            group: "billing".to_owned(),
            obligations: Obligations { created: 8_800, delivered: 8_700, in_flight: 100, ..Obligations::default() },
        }],
    };
    let hidden = Anomaly {
        topic: "orders".to_owned(),
        group: "billing".to_owned(),
        what: "stale_read".to_owned(),
        count: 7,
        first: "web-17 hidden from billing at 12.3s".to_owned(),
        ..Anomaly::default()
    };
    let report = Report { ledger: books, anomalies: vec![hidden], ..Report::default() };
    let harness = light(|ui| ledger::body(ui, Some(&report), None));
    for label in ["Balanced", "Accepted 8,832", "Rejected 180", "Delivered 26,100", "Adds up to 9,012", "Adds up to 26,400", "180 rejected"]
    {
        harness.get_by_label(label);
    }
    harness.get_by_label("OrderPlaced: 9,012 produced, 8,832 accepted, 180 rejected, 26,400 owed, 26,100 delivered, 300 on the way out");
    harness.get_by_label("web → orders → billing: 8,800 owed, 8,700 delivered, 100 in flight");
    harness.get_by_label("schema: field amount is text, schema wants double");
    for label in ["7 stale read", "billing reading orders", "web-17 hidden from billing at 12.3s"] {
        harness.get_by_label(label);
    }
}

#[test]
fn problems_lead_to_their_place() {
    let found = vec![
        Diagnostic::warning("unlinked", "components.shop", "topic payments has no consumer"),
        Diagnostic::error("param-range", "components.web.load", "`load` is too large").with_hint("write a smaller rate"),
    ];
    let path = std::cell::RefCell::new(String::new());
    let remarks = vec!["uncalibrated: 12 cost parameters are assumed".to_owned()];
    let mut harness = light(|ui| {
        if let Some(diagnostic) = problems::body(ui, &found, &remarks) {
            path.borrow_mut().clone_from(&diagnostic.path);
        }
    });
    harness.get_by_label("1 error");
    harness.get_by_label("uncalibrated: 12 cost parameters are assumed");
    harness.get_by_label("Error: `load` is too large").click();
    harness.run_steps(2);
    drop(harness);
    assert_eq!(*path.borrow(), "components.web.load");
}

fn bar(run: Option<RunPhase>, blocked_because: Option<&'static str>) -> Transport<'static> {
    Transport {
        run: run.map(|phase| Progress { phase, now_s: 12.345, end_s: 60.0, speed_ratio: 12.0 }),
        blocked_because,
        scenarios: vec!["steady", "broken"],
        scenario: Some("steady"),
        seed: 42,
        pace: Pace::Ratio(10.0),
    }
}

fn pressed(bar: &Transport<'_>, label: &str) -> Vec<TransportAction> {
    let actions = std::cell::RefCell::new(Vec::new());
    let mut harness = light(|ui| transport::body(ui, bar, &mut actions.borrow_mut()));
    harness.get_by_label(label).click();
    harness.run_steps(2);
    drop(harness);
    actions.into_inner()
}

#[test]
fn the_transport_offers_what_makes_sense() {
    assert_eq!(pressed(&bar(None, None), "Run"), [TransportAction::Play]);
    assert_eq!(pressed(&bar(Some(RunPhase::Playing), None), "Pause"), [TransportAction::Pause]);
    assert_eq!(pressed(&bar(Some(RunPhase::Paused), None), "Continue"), [TransportAction::Play]);
    assert_eq!(pressed(&bar(Some(RunPhase::Paused), None), "Step event"), [TransportAction::StepEvent]);
    assert_eq!(pressed(&bar(Some(RunPhase::Playing), None), "Stop"), [TransportAction::Stop]);
    // What cannot be done now does nothing.
    assert_eq!(pressed(&bar(None, None), "Stop"), []);
    assert_eq!(pressed(&bar(Some(RunPhase::Playing), None), "Step 1 s"), []);
    assert_eq!(pressed(&bar(None, Some("2 errors")), "Run"), []);
}

#[test]
fn the_transport_changes_scenario_and_pace() {
    let bar = bar(None, None);
    let actions = std::cell::RefCell::new(Vec::new());
    let mut harness = light(|ui| transport::body(ui, &bar, &mut actions.borrow_mut()));
    harness.get_by_label("Virtual time 0:00.000 of 0:00.000");
    harness.get_by_label("Scenario steady").click();
    harness.run_steps(3);
    harness.get_by_label("broken").click();
    harness.run_steps(3);
    harness.get_by_label("Speed 10×").click();
    harness.run_steps(3);
    harness.get_by_label("Unlimited").click();
    harness.run_steps(3);
    drop(harness);
    assert_eq!(actions.into_inner(), [TransportAction::SetScenario("broken".to_owned()), TransportAction::SetPace(Pace::Unlimited)]);
}

#[test]
fn every_panel_draws_in_any_size_and_both_themes() {
    let view = view();
    for size in [egui::Vec2::new(1920.0, 1080.0), egui::Vec2::new(320.0, 240.0), egui::Vec2::new(60.0, 40.0)] {
        for theme in [egui::ThemePreference::Light, egui::ThemePreference::Dark] {
            let names = Names { component: &|_| "edge".to_owned(), event_type: &|_| "OrderPlaced".to_owned() };
            draw(size, theme, |ui| charts::body(ui, |_| {}, Some(&view), None, &|_| "edge".to_owned()));
            draw(size, theme, |ui| {
                event_story::body(ui, &view);
            });
            draw(size, theme, |ui| {
                incidents::body(ui, Some(&view), None, &names);
            });
            draw(size, theme, |ui| expectations::body(ui, Some(&view.expectations), &[]));
            draw(size, theme, |ui| ledger::body(ui, Some(&Report::default()), None));
            draw(size, theme, |ui| transport::body(ui, &bar(Some(RunPhase::Playing), None), &mut Vec::new()));
        }
    }
}

#[test]
fn a_clusters_partitions_are_sorted_filtered_and_chosen() {
    let partition = |number: u32, leader, in_sync: bool, lag| PartitionStanding {
        topic: "orders".into(),
        partition: number,
        leader,
        epoch: 2,
        replicas: vec![(1, true), (2, in_sync)],
        marks: LogMarks { log_start: 10, last_stable: None, high_watermark: 1_234, log_end: 1_250 },
        log_bytes: 2_048,
        segments: 3,
        lags: vec![("billing".into(), lag)],
    };
    // Many more than there is room for: only those in sight are drawn.
    let mut all: Vec<PartitionStanding> = (0..10_000).map(|number| partition(number, Some(1), true, 5)).collect();
    all[1] = partition(1, None, false, 7);
    all[9_999] = partition(9_999, Some(1), true, 900);
    let chosen = std::cell::RefCell::new(None);
    let mut harness = light(|ui| {
        if let Some(clicked) = partitions::body(ui, |_| {}, ("shop", Some(&all))) {
            chosen.replace(Some(clicked));
        }
    });
    harness.get_by_label("10,000 partitions of shop");
    harness.get_by_label("Partition orders[0], led by node 1, in sync 1 2, watermark 1,234 of 1,250");
    harness.get_by_label("Partition orders[1], offline, watermark 1,234 of 1,250");
    let furthest_behind = "Partition orders[9999], led by node 1, in sync 1 2, watermark 1,234 of 1,250";
    assert!(harness.query_by_label(furthest_behind).is_none());
    harness.get_by_label("Sort by billing").click();
    harness.run_steps(4);
    harness.get_by_label(furthest_behind).click();
    harness.run_steps(4);
    harness.get_by_label("In trouble").click();
    harness.run_steps(4);
    harness.get_by_label("1 of 10,000 partitions of shop");
    drop(harness);
    assert_eq!(chosen.into_inner(), Some(("orders".into(), 9_999)));
}
