//! The window itself: one frame after another.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Frame, Margin, Ui};

use super::canvas::Canvas;
use super::{dialogs, menu, palette, panels, shortcuts, side, status, theme};
use crate::app::{AppState, Command, DockTab, Document, ThemeChoice};
use crate::project;

/// Fits a screen of 1440 × 900 with a title bar and a task bar.
const SIZE: [f32; 2] = [1400.0, 820.0];
const SIDE_WIDTH: f32 = 340.0;
const PALETTE_WIDTH: f32 = 176.0;
const CHARTS_HEIGHT: f32 = 256.0;
/// A text is written there: it has its own height, and keeps it.
const DESK_HEIGHT: f32 = 400.0;

/// The application in its window; tests drive it without one.
pub struct Window {
    /// The state.
    pub app: AppState,
    canvas: Canvas,
    themed: Option<ThemeChoice>,
    title: String,
    asked_to_close: bool,
    /// The field that keys go to.
    focused: Option<egui::Id>,
}

/// Opens the window on a file, or on the starter, and returns when it is closed.
///
/// # Errors
/// In words, when no window can be made (no display, no OpenGL).
pub fn open(file: Option<PathBuf>) -> Result<(), String> {
    let (preferences, warnings) = project::Preferences::load();
    let size = preferences.window_size.unwrap_or(SIZE);
    let viewport = egui::ViewportBuilder::default()
        .with_title("Eventyard")
        .with_app_id("eventyard")
        .with_inner_size(size)
        .with_min_inner_size([960.0, 600.0])
        .with_icon(theme_icon());
    let options = eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, ..eframe::NativeOptions::default() };
    let make: eframe::AppCreator<'_> = Box::new(move |creation| {
        let ctx = creation.egui_ctx.clone();
        let mut window = Window::new(&ctx);
        window.app.use_preferences(preferences);
        for warning in warnings {
            window.app.notice(warning.to_string(), true);
        }
        window.app.keep_recovery_copies();
        match file {
            Some(file) => window.app.apply(Command::OpenPath(file)),
            None => window.app.look_for_lost_work(),
        }
        Ok(Box::new(window))
    });
    eframe::run_native("eventyard", options, make).map_err(|error| error.to_string())
}

fn theme_icon() -> egui::IconData {
    let png = include_bytes!("../../assets/icon.png");
    eframe::icon_data::from_png_bytes(png).unwrap_or_default()
}

impl Window {
    /// A window on the starter project.
    #[must_use]
    pub fn new(ctx: &egui::Context) -> Self {
        Self::with_document(ctx, Document::loaded(project::starter()))
    }
    /// A window on a document.
    #[must_use]
    pub fn with_document(ctx: &egui::Context, document: Document) -> Self {
        let waker = ctx.clone();
        let app = AppState::new(document, Arc::new(move || waker.request_repaint()));
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        Self { app, canvas: Canvas::default(), themed: None, title: String::new(), asked_to_close: false, focused: None }
    }

    /// One frame: look at what came, draw, carry out what was asked for.
    pub fn frame(&mut self, ui: &mut Ui) {
        self.app.poll();
        let first = self.themed.is_none();
        self.keep_theme(ui.ctx());
        if first {
            // Fonts are there from the next frame on; nothing can be written before.
            ui.ctx().request_repaint();
            return;
        }
        let mut commands = Vec::new();
        self.draw(ui, &mut commands);
        shortcuts::take(ui.ctx(), &self.app, &mut commands);
        for command in commands {
            self.app.apply(command);
        }
        self.end_undo_step(ui.ctx());
        if let Some(seconds) = self.app.tick(ui.input(|input| input.time)) {
            ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(seconds));
        }
        self.keep_title(ui.ctx());
        self.keep_open(ui.ctx());
    }

    fn draw(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let tokens = theme::tokens(ui.ctx());
        let bar = |margin: Margin| Frame::new().fill(tokens.surface).inner_margin(margin);
        egui::Panel::top("menu").frame(bar(Margin::symmetric(8, 2))).show(ui, |ui| menu::ui(ui, &self.app, commands));
        egui::Panel::top("transport")
            .frame(bar(Margin::symmetric(12, 6)))
            .show(ui, |ui| panels::transport::transport_ui(ui, &self.app, commands));
        egui::Panel::bottom("status")
            .frame(bar(Margin::symmetric(12, 3)))
            .show(ui, |ui| status::ui(ui, &self.app, self.canvas.camera.zoom, commands));
        egui::Panel::right("side")
            .default_size(SIDE_WIDTH)
            .size_range(280.0..=560.0)
            .frame(bar(Margin::symmetric(12, 8)))
            .show(ui, |ui| side::ui(ui, &self.app, commands));
        if self.app.charts {
            let (id, height, most) =
                if self.app.dock == DockTab::Schemas { ("desk", DESK_HEIGHT, 640.0) } else { ("charts", CHARTS_HEIGHT, 520.0) };
            egui::Panel::bottom(id)
                .default_size(height)
                .size_range(140.0..=most)
                .resizable(true)
                .frame(bar(Margin::symmetric(12, 8)))
                .show(ui, |ui| {
                    // An empty panel keeps its height too.
                    ui.take_available_height();
                    panels::dock_ui(ui, &self.app, commands);
                });
        }
        egui::Panel::left("palette")
            .default_size(PALETTE_WIDTH)
            .size_range(150.0..=260.0)
            .frame(bar(Margin::symmetric(10, 10)))
            .show(ui, |ui| palette::ui(ui, &self.app, &self.canvas, commands));
        egui::CentralPanel::default().frame(Frame::new().fill(tokens.canvas)).show(ui, |ui| self.canvas.ui(ui, &self.app, commands));
        dialogs::ui(ui, &self.app, commands);
    }

    /// Changes made while a key or the pointer is held, or in one stay in a field, are one undo step.
    fn end_undo_step(&mut self, ctx: &egui::Context) {
        let focused = ctx.memory(egui::Memory::focused);
        let held = ctx.input(|input| input.pointer.any_down() || !input.keys_down.is_empty());
        if focused != self.focused || !(held || ctx.egui_wants_keyboard_input()) {
            self.app.document.end_live();
        }
        self.focused = focused;
    }

    fn keep_theme(&mut self, ctx: &egui::Context) {
        if self.themed != Some(self.app.theme) {
            self.themed = Some(self.app.theme);
            let preference = match self.app.theme {
                ThemeChoice::System => egui::ThemePreference::System,
                ThemeChoice::Light => egui::ThemePreference::Light,
                ThemeChoice::Dark => egui::ThemePreference::Dark,
            };
            theme::apply(ctx, preference);
        }
    }

    fn keep_title(&mut self, ctx: &egui::Context) {
        let title = self.app.title();
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// The window's close button asks like the menu does.
    fn keep_open(&mut self, ctx: &egui::Context) {
        if self.app.quit {
            if !self.asked_to_close {
                self.asked_to_close = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
        } else if ctx.input(|input| input.viewport().close_requested()) {
            self.app.apply(Command::Quit);
            if self.app.quit {
                self.asked_to_close = true;
            } else {
                ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            }
        }
    }
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.frame(ui);
    }
}
