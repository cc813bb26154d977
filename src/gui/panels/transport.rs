//! The transport bar: run, hold, step, stop; how fast, which scenario, which seed; and the virtual clock.
//!
//! In: [`Transport`], what the bar shows. Out: [`TransportAction`]s, what the person asked for.
//! Must not know: how a run is started. Start at [`body`]; `transport_ui` binds it to the state.

use egui::epaint::CornerRadius;
use egui::{Align, Align2, Id, Layout, Rect, RichText, Sense, Slider, TextEdit, Ui, Vec2, WidgetInfo, WidgetType, pos2};

use super::figures;
use crate::app::{AppState, Command};
use crate::gui::theme::widgets::{self, ButtonWords};
use crate::gui::theme::{self, Tone, icon, space};
use crate::metrics::RunPhase;
use crate::run::Pace;

/// Slowest pace: a 2 ms hop takes 20 s.
pub const PACE_MIN: f64 = 0.0001;
/// Fastest pace that is still tied to the clock.
pub const PACE_MAX: f64 = 10_000.0;
/// Below this width buttons show their icons only.
const LABELS_WIDTH: f32 = 1_120.0;
const CLOCK_WIDTH: f32 = 208.0;

const PACES: &[(&str, Pace)] = &[
    ("0.0001×", Pace::Ratio(0.0001)),
    ("0.001×", Pace::Ratio(0.001)),
    ("0.01×", Pace::Ratio(0.01)),
    ("0.1×", Pace::Ratio(0.1)),
    ("1× real time", Pace::Ratio(1.0)),
    ("10×", Pace::Ratio(10.0)),
    ("100×", Pace::Ratio(100.0)),
    ("Unlimited", Pace::Unlimited),
];

/// Where a run stands, as far as the bar needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Where it is in its life.
    pub phase: RunPhase,
    /// Virtual now in seconds.
    pub now_s: f64,
    /// Virtual end in seconds.
    pub end_s: f64,
    /// Virtual seconds a wall second, lately.
    pub speed_ratio: f64,
}

/// What the bar shows.
#[derive(Clone, Debug)]
pub struct Transport<'a> {
    /// The run, if there is one.
    pub run: Option<Progress>,
    /// Why the design cannot run, if it cannot.
    pub blocked_because: Option<&'a str>,
    /// Names of scenarios in file order.
    pub scenarios: Vec<&'a str>,
    /// The chosen one; none stands for the design's own loads when there are none.
    pub scenario: Option<&'a str>,
    /// The seed of the next run.
    pub seed: u64,
    /// Pace now.
    pub pace: Pace,
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum TransportAction {
    /// Start, or go on.
    Play,
    /// Hold.
    Pause,
    /// To the next visible hop.
    StepEvent,
    /// One virtual second.
    StepSecond,
    /// End now; the report says what there is.
    Stop,
    /// Another pace.
    SetPace(Pace),
    /// Another scenario for the next run.
    SetScenario(String),
    /// Another seed for the next run.
    SetSeed(u64),
}

/// The bar over the state.
pub fn transport_ui(ui: &mut Ui, state: &AppState, commands: &mut Vec<Command>) {
    let blocked = state.blocked_because();
    let project = state.project();
    let scenarios: Vec<&str> = project.scenarios.keys().map(String::as_str).collect();
    let bar = Transport {
        run: state.view().map(|view| Progress {
            phase: view.phase.clone(),
            now_s: view.now.as_secs_f64(),
            end_s: view.end.as_secs_f64(),
            speed_ratio: view.speed_ratio,
        }),
        blocked_because: blocked.as_deref(),
        scenario: state.scenario.as_deref().or(scenarios.first().copied()),
        scenarios,
        seed: state.seed.unwrap_or(project.seed),
        pace: state.pace,
    };
    let mut actions = Vec::new();
    body(ui, &bar, &mut actions);
    commands.extend(actions.into_iter().map(|action| match action {
        TransportAction::Play => Command::Play,
        TransportAction::Pause => Command::Pause,
        TransportAction::StepEvent => Command::StepEvent,
        TransportAction::StepSecond => Command::StepSecond,
        TransportAction::Stop => Command::Stop,
        TransportAction::SetPace(pace) => Command::SetPace(pace),
        TransportAction::SetScenario(name) => Command::SetScenario(name),
        TransportAction::SetSeed(seed) => Command::SetSeed(seed),
    }));
}

/// Draws the bar in one row.
pub fn body(ui: &mut Ui, bar: &Transport<'_>, actions: &mut Vec<TransportAction>) {
    let labels = ui.available_width() >= LABELS_WIDTH;
    ui.allocate_ui_with_layout(Vec2::new(ui.available_width(), 36.0), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::S - 2.0;
        buttons_ui(ui, bar, labels, actions);
        divider(ui);
        pace_ui(ui, bar, actions);
        scenario_ui(ui, bar, labels, actions);
        seed_ui(ui, bar, labels, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| clock_ui(ui, bar));
    });
}

fn buttons_ui(ui: &mut Ui, bar: &Transport<'_>, labels: bool, actions: &mut Vec<TransportAction>) {
    let phase = bar.run.as_ref().map(|run| &run.phase);
    let playing = phase == Some(&RunPhase::Playing);
    let held = matches!(phase, Some(RunPhase::Paused | RunPhase::Ready));
    let going = playing || held;
    let blocked = if going { None } else { bar.blocked_because };
    // The same place for the same thing: what the big button does now stands on it.
    if playing {
        if widgets::primary_button(ui, icon::PAUSE, ButtonWords::new("Pause").shortcut("Space")).clicked() {
            actions.push(TransportAction::Pause);
        }
    } else {
        let words = match phase {
            Some(RunPhase::Paused) => "Continue",
            Some(RunPhase::Finished | RunPhase::Failed(_)) => "Run again",
            _ => "Run",
        };
        if widgets::primary_button(ui, icon::PLAY, ButtonWords::new(words).shortcut("Space").unless(blocked)).clicked() {
            actions.push(TransportAction::Play);
        }
    }
    let step_blocked = blocked.or(playing.then_some("Pause first: a step goes from a standing run"));
    let not_running = (!going).then_some("Nothing is running");
    for (icon, words, action) in [
        (icon::STEP_EVENT, ButtonWords::new("Step event").shortcut("F10").unless(step_blocked), TransportAction::StepEvent),
        (icon::STEP_SECOND, ButtonWords::new("Step 1 s").shortcut("Shift+F10").unless(step_blocked), TransportAction::StepSecond),
        (icon::STOP, ButtonWords::new("Stop").shortcut("Shift+F5").unless(not_running), TransportAction::Stop),
    ] {
        let response = if labels { widgets::text_button(ui, icon, words) } else { widgets::icon_button(ui, icon, words) };
        if response.clicked() {
            actions.push(action);
        }
    }
}

fn divider(ui: &mut Ui) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(Vec2::new(9.0, 22.0), Sense::hover());
    ui.painter().vline(rect.center().x, rect.y_range(), egui::Stroke::new(1.0, tokens.border));
}

/// A pace in words.
#[must_use]
pub fn pace_words(pace: Pace) -> String {
    match pace {
        Pace::Unlimited => "Unlimited".to_owned(),
        Pace::Teaching => "Teaching".to_owned(),
        Pace::Ratio(ratio) => figures::factor(ratio),
    }
}

fn pace_ui(ui: &mut Ui, bar: &Transport<'_>, actions: &mut Vec<TransportAction>) {
    let glyph = if bar.pace == Pace::Teaching { icon::TEACHING } else { icon::SPEED };
    let shown = format!("{glyph}  {}", pace_words(bar.pace));
    let response = widgets::combo("pace").selected_text(shown).width(120.0).height(420.0).show_ui(ui, |ui| {
        ui.set_min_width(220.0);
        slider_ui(ui, bar.pace, actions);
        ui.separator();
        for (name, pace) in PACES {
            if ui.selectable_label(*pace == bar.pace, *name).clicked() {
                actions.push(TransportAction::SetPace(*pace));
            }
        }
        ui.separator();
        let teaching = ui.selectable_label(bar.pace == Pace::Teaching, format!("{}  Teaching: one hop a second", icon::TEACHING));
        if teaching.on_hover_text("Every hop takes one second of yours, whatever its virtual length").clicked() {
            actions.push(TransportAction::SetPace(Pace::Teaching));
        }
    });
    let spoken = format!("Speed {}", pace_words(bar.pace));
    response.response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, &spoken));
    response.response.on_hover_text("Virtual seconds for each second of yours");
}

fn slider_ui(ui: &mut Ui, pace: Pace, actions: &mut Vec<TransportAction>) {
    let mut ratio = match pace {
        Pace::Ratio(ratio) => ratio,
        Pace::Unlimited => PACE_MAX,
        Pace::Teaching => 1.0,
    };
    ui.spacing_mut().slider_width = 200.0;
    let slider = Slider::new(&mut ratio, PACE_MIN..=PACE_MAX).logarithmic(true).show_value(false);
    let response = ui.add(slider);
    response.widget_info(|| WidgetInfo::slider(true, ratio, "Speed"));
    if response.changed() {
        // The far end means: not tied to the clock at all.
        let pace = if ratio >= PACE_MAX { Pace::Unlimited } else { Pace::Ratio(two_digits(ratio)) };
        actions.push(TransportAction::SetPace(pace));
    }
}

/// A ratio that a person can read back: two significant digits.
fn two_digits(ratio: f64) -> f64 {
    let scale = libm::pow(10.0, libm::floor(libm::log10(ratio.max(PACE_MIN))) - 1.0);
    libm::round(ratio / scale) * scale
}

fn scenario_ui(ui: &mut Ui, bar: &Transport<'_>, labels: bool, actions: &mut Vec<TransportAction>) {
    let name = bar.scenario.unwrap_or("Own loads, 60 s");
    let width = if labels { 150.0 } else { 110.0 };
    let response = ui
        .add_enabled_ui(!bar.scenarios.is_empty(), |ui| {
            let response =
                widgets::combo("scenario").selected_text(format!("{}  {name}", icon::SCENARIO)).width(width).truncate().show_ui(ui, |ui| {
                    for scenario in &bar.scenarios {
                        if ui.selectable_label(bar.scenario == Some(*scenario), *scenario).clicked() {
                            actions.push(TransportAction::SetScenario((*scenario).to_owned()));
                        }
                    }
                });
            response.response
        })
        .inner;
    let spoken = format!("Scenario {name}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, !bar.scenarios.is_empty(), &spoken));
    response
        .on_hover_text("Load and faults of the next run")
        .on_disabled_hover_text("This design has no scenario: a run uses its own loads for 60 s");
}

fn seed_ui(ui: &mut Ui, bar: &Transport<'_>, labels: bool, actions: &mut Vec<TransportAction>) {
    let tokens = theme::tokens(ui.ctx());
    let memory = Id::new("transport-seed");
    let typed: Option<String> = ui.data(|data| data.get_temp(memory));
    let mut text = typed.clone().unwrap_or_else(|| bar.seed.to_string());
    let parsed = text.trim().parse::<u64>();
    if labels {
        ui.label(RichText::new("Seed").color(tokens.text_muted));
    }
    let field =
        TextEdit::singleline(&mut text).desired_width(if labels { 84.0 } else { 56.0 }).hint_text("Seed").vertical_align(Align::Center);
    let colour = if parsed.is_ok() { tokens.text } else { tokens.error };
    let response = ui.add(field.text_color(colour).char_limit(20).min_size(Vec2::new(0.0, widgets::CONTROL_HEIGHT)));
    response.widget_info(|| {
        let mut info = WidgetInfo::text_edit(true, &text, &text, "Seed");
        info.label = Some("Seed".to_owned());
        info
    });
    if response.changed() {
        ui.data_mut(|data| data.insert_temp(memory, text.clone()));
    }
    if response.lost_focus() {
        if let Ok(seed) = text.trim().parse::<u64>()
            && seed != bar.seed
        {
            actions.push(TransportAction::SetSeed(seed));
        }
        ui.data_mut(|data| data.remove::<String>(memory));
    }
    let words = if parsed.is_ok() { "Same project, same seed: the same run, to the byte" } else { "A seed is a whole number from 0 up" };
    response.on_hover_text(words);
}

fn clock_ui(ui: &mut Ui, bar: &Transport<'_>) {
    let tokens = theme::tokens(ui.ctx());
    let (now_s, end_s, speed, words, tone) = match &bar.run {
        None => (0.0, 0.0, None, "No run", Tone::Neutral),
        Some(run) => {
            let (words, tone) = match &run.phase {
                RunPhase::Ready => ("Ready", Tone::Accent),
                RunPhase::Playing => ("Running", Tone::Accent),
                RunPhase::Paused => ("Paused", Tone::Warn),
                RunPhase::Finished => ("Finished", Tone::Ok),
                RunPhase::Failed(_) => ("Failed", Tone::Error),
            };
            let speed = (run.phase == RunPhase::Playing).then_some(run.speed_ratio);
            (run.now_s, run.end_s, speed, words, tone)
        }
    };
    let badge = widgets::badge(ui, words, tone);
    if let Some(Progress { phase: RunPhase::Failed(why), .. }) = &bar.run {
        badge.on_hover_text(why);
    }
    let width = CLOCK_WIDTH.min(ui.available_width().max(0.0));
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, 34.0), Sense::hover());
    let spoken = format!("Virtual time {} of {}", figures::clock(now_s), figures::clock(end_s));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ProgressIndicator, true, &spoken));
    let painter = ui.painter().with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
    let top = rect.top() + 10.0;
    let mono = |size| egui::FontId::monospace(size);
    let drawn = painter.text(pos2(rect.left(), top), Align2::LEFT_CENTER, figures::clock(now_s), mono(14.0), tokens.text);
    if end_s > 0.0 {
        let text = format!("/ {}", figures::clock(end_s));
        painter.text(pos2(drawn.right() + 6.0, top), Align2::LEFT_CENTER, text, mono(11.5), tokens.text_muted);
    }
    if let Some(speed) = speed {
        painter.text(pos2(rect.right(), top), Align2::RIGHT_CENTER, figures::factor(speed), mono(11.5), tokens.accent);
    }
    let track = Rect::from_min_max(pos2(rect.left(), rect.bottom() - 9.0), pos2(rect.right(), rect.bottom() - 5.0));
    painter.rect_filled(track, CornerRadius::same(2), tokens.surface_hover);
    if end_s > 0.0 {
        let share = (now_s / end_s).clamp(0.0, 1.0) as f32;
        let done = Rect::from_min_size(track.min, Vec2::new(track.width() * share, track.height()));
        painter.rect_filled(done, CornerRadius::same(2), if tone == Tone::Neutral { tokens.accent } else { tokens.tone(tone) });
    }
    let speed = speed.map(|speed| format!("\n{} real time", figures::factor(speed))).unwrap_or_default();
    response.on_hover_text(format!("{spoken}{speed}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_read_back_as_they_are_shown() {
        assert!((two_digits(0.000_123) - 0.000_12).abs() < 1e-12);
        assert!((two_digits(1_234.0) - 1_200.0).abs() < 1e-9);
        assert_eq!(pace_words(Pace::Ratio(0.0001)), "0.0001×");
        assert_eq!(pace_words(Pace::Ratio(1_200.0)), "1,200×");
    }
}
