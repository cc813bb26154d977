//! The window's figures: `cargo bench --bench window`.
//!
//! One frame's CPU work (layout, paint list, tessellation) of 200 components, 300 links and 500 tokens,
//! without a display: the canvas with all of it in view, where cards are too small for text; closer, where names
//! and figures are written; and the whole window. Figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "cpu.rs"]
mod cpu;

use std::fmt::Write as _;
use std::sync::Arc;

use cpu::cpu_s;
use egui::{Context, RawInput, Rect, Ui, pos2, vec2};

use eventyard::app::{AppState, Command, Document};
use eventyard::gui::canvas::Canvas;
use eventyard::gui::{Window, theme};
use eventyard::metrics::RunPhase;
use eventyard::project;
use eventyard::units::{SimDuration, SimTime};

/// Each cell is one cluster with five producers and four consumers: 10 components and 15 links.
const CELLS: usize = 20;
const FRAMES: usize = 300;
/// A zoom at which cards and ports are written.
const CLOSER: f32 = 0.55;
const SCREEN: [f32; 2] = [1440.0, 900.0];

fn main() {
    let ctx = Context::default();
    theme::apply(&ctx, egui::ThemePreference::Light);
    let mut app = AppState::new(document(), Arc::new(|| ()));
    hold_in_mid_flight(&mut app);
    describe(&app);
    let mut canvas = Canvas::default();
    measure("canvas, fitted", &ctx, |ui| canvas.ui(ui, &app, &mut Vec::new()));
    canvas.camera.zoom_at(pos2(SCREEN[0] / 2.0, SCREEN[1] / 2.0), CLOSER / canvas.camera.zoom);
    measure("canvas, closer", &ctx, |ui| canvas.ui(ui, &app, &mut Vec::new()));

    let ctx = Context::default();
    let mut window = Window::with_document(&ctx, document());
    hold_in_mid_flight(&mut window.app);
    measure("whole window", &ctx, |ui| window.frame(ui));
}

fn document() -> Document {
    let loaded = project::read(&design());
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    Document::loaded(loaded)
}

/// Runs until the slow links are full of tokens, then holds: every frame draws the same.
fn hold_in_mid_flight(app: &mut AppState) {
    for second in 1..=14 {
        app.apply(Command::StepSecond);
        let reached = SimTime::ZERO + SimDuration::from_secs(second);
        while !app.view().is_some_and(|view| view.phase == RunPhase::Paused && view.now >= reached) {
            std::thread::yield_now();
            app.poll();
            if let Some(RunPhase::Failed(words)) = app.view().map(|view| &view.phase) {
                panic!("{words}");
            }
        }
    }
}

fn describe(app: &AppState) {
    let tokens = app.view().map_or(0, |view| view.flights.len());
    let project = app.project();
    println!("one frame of {} components, {} links, {tokens} tokens at 1440×900, ms of CPU", project.components.len(), project.links.len());
    println!("  {:<14} {:>14} {:>14} {:>14}", "", "layout + paint", "tessellation", "together");
}

/// Best and median CPU time of a frame, after the first ones have filled the glyph atlas.
fn measure(name: &str, ctx: &Context, mut draw: impl FnMut(&mut Ui)) {
    let (mut painted, mut tessellated, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for frame in 0..FRAMES + 10 {
        let screen = Rect::from_min_size(pos2(0.0, 0.0), vec2(SCREEN[0], SCREEN[1]));
        let input = RawInput { screen_rect: Some(screen), time: Some(frame as f64 / 60.0), ..RawInput::default() };
        let began = cpu_s();
        let output = ctx.run_ui(input, &mut draw);
        let drawn = cpu_s();
        std::hint::black_box(ctx.tessellate(output.shapes, output.pixels_per_point));
        let ended = cpu_s();
        if frame >= 10 {
            painted.push((drawn - began) * 1e3);
            tessellated.push((ended - drawn) * 1e3);
            together.push((ended - began) * 1e3);
        }
    }
    let [painted, tessellated, together] = [painted, tessellated, together].map(best_and_median);
    println!("  {name:<14} {painted:>14} {tessellated:>14} {together:>14}   (best / median; wanted: at most 6)");
}

fn best_and_median(mut figures: Vec<f64>) -> String {
    figures.sort_by(f64::total_cmp);
    format!("{:.2} / {:.2}", figures[0], figures[figures.len() / 2])
}

fn design() -> String {
    let (mut components, mut links, mut positions) = (String::new(), String::new(), String::new());
    for cell in 0..CELLS {
        // Five columns of four cells.
        let (left, top) = ((cell % 5) * 720, (cell / 5) * 620);
        let mut place = |id: &str, column: usize, row: usize| {
            let _ = write!(positions, "\"{id}\": ({}, {}),", left + column * 240, top + row * 122);
        };
        let _ = write!(components, "\"log-{cell}\": (kind: \"kafka\", initial_rebalance_delay: \"0s\", topics: {{");
        for topic in 0..5 {
            let _ = write!(components, "\"topic-{topic}\": (partitions: 2, replication: 1),");
        }
        components.push_str("}),");
        place(&format!("log-{cell}"), 1, 1);
        for producer in 0..5 {
            let id = format!("source-{cell}-{producer}");
            let _ = write!(
                components,
                "\"{id}\": (kind: \"producer\", load: \"constant(26/s)\", events: [(type: \"Made{producer}\", topic: \"topic-{producer}\")]),"
            );
            let _ = write!(links, "(from: \"{id}.out\", to: \"log-{cell}.topic-{producer}\", latency: \"6s\"),");
            place(&id, 0, producer);
        }
        for consumer in 0..4 {
            let id = format!("reader-{cell}-{consumer}");
            let _ = write!(components, "\"{id}\": (kind: \"consumer\", group: \"{id}\"),");
            for topic in consumer..(consumer + if consumer < 2 { 3 } else { 2 }) {
                let _ = write!(links, "(from: \"log-{cell}.topic-{topic}\", to: \"{id}.in\", latency: \"6s\"),");
            }
            place(&id, 2, consumer);
        }
    }
    format!(
        "(format: 1, name: \"Two hundred\", aim: \"Many cards.\", seed: 1, components: {{{components}}}, links: [{links}], \
         layout: (positions: {{{positions}}}))"
    )
}
