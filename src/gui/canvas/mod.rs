//! The drawing: cards, wires, frames, notes; where a person places, links and moves them, and watches events ride.
//!
//! In: the application's state. Out: commands. The camera and the gesture under way live here and in no
//! history. Painting, hit tests and gestures share one [`scene::Scene`], laid out once a frame from the
//! design, so that what is seen is what is hit.
//! Must not know: how a run is driven, files. Start at [`Canvas::ui`].
//!
//! ```text
//! AppState ─► Scene (rectangles, wires on the screen) ─► paint: frames, wires, tokens, cards, notes
//!                                                    └─► hit ─► Gesture ─► commands
//! ```

pub mod camera;
mod cards;
mod context;
pub mod course;
mod gesture;
mod marks;
mod minimap;
mod moving;
pub mod scene;
pub mod tokens;
mod wires;

use egui::{Pos2, Rect, Sense, Ui};

use crate::app::{AppState, Command, Pick};
use crate::gui::theme;
use crate::model::Endpoint;
use camera::{Camera, Scrolling};
use gesture::Gesture;
use minimap::Minimap;
use scene::Scene;
use tokens::TokenLayer;

/// The canvas between frames.
#[derive(Default)]
pub struct Canvas {
    /// Where one looks.
    pub camera: Camera,
    gesture: Gesture,
    tokens: TokenLayer,
    scrolling: Scrolling,
    minimap: Minimap,
    fitted: u64,
    /// The camera as it was fitted and the design it was fitted to; a person who moved either keeps the view.
    fitted_view: Option<(Camera, u64)>,
    last_rect: Option<Rect>,
    menu: Option<context::Place>,
}

impl Canvas {
    /// Draws the canvas over the whole of `ui` and takes gestures.
    pub fn ui(&mut self, ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
        let rect = ui.available_rect_before_wrap();
        let response = ui.interact(rect, ui.id().with("canvas"), Sense::click_and_drag());
        self.keep_fitted(app, rect);
        let painter = ui.painter_at(rect);
        let tokens = theme::tokens(ui.ctx());
        painter.rect_filled(rect, 0.0, tokens.canvas);
        self.camera.navigate(ui, &response, rect, &mut self.scrolling);
        let moved = self.gesture.offsets();
        let scene = Scene::lay_out(app, &self.camera, rect, moved);
        marks::grid(&painter, tokens, &self.camera, rect, app.snap);
        marks::frames(&painter, tokens, &scene, app);
        self.tokens.advance(app.view().map(|view| &**view), ui.input(|input| input.time));
        wires::paint(&painter, tokens, &scene, app, &self.camera, ui.input(|input| input.time));
        let course_of = |link: crate::units::LinkIx| scene.course_of_run_link(app, link);
        self.tokens.paint(&painter, tokens, &course_of, ui.input(|input| input.time), self.camera.zoom);
        marks::notes(&painter, tokens, &scene, app);
        cards::paint(&painter, tokens, &scene, app, &self.camera, &self.gesture);
        self.accessible(ui, app, &scene, commands);
        let token = response.hover_pos().and_then(|pointer| self.tokens.token_at(pointer));
        self.gesture.update(ui, &response, app, &scene, &mut self.camera, token, commands);
        self.gesture.paint(&painter, tokens, &scene, app);
        self.context_menu(&response, app, &scene, commands);
        if let Some(note) = self.tokens.sampling_note() {
            tokens::paint_note(&painter, tokens, rect.right_bottom(), &note);
        }
        self.minimap.ui(ui, app, &mut self.camera, rect);
        if app.project().components.is_empty() {
            marks::empty(ui, rect);
        }
        if self.tokens.is_moving() {
            ui.ctx().request_repaint();
        }
    }

    /// Fits when asked to, and again when the canvas changes its size under a view that nobody has changed since.
    fn keep_fitted(&mut self, app: &AppState, rect: Rect) {
        let revision = app.document.revision();
        let resized = self.last_rect.is_some_and(|last| last != rect) && self.fitted_view == Some((self.camera, revision));
        self.last_rect = Some(rect);
        if self.fitted != app.fit_requests || resized {
            self.fitted = app.fit_requests;
            self.camera.fit(Scene::world_bounds(app.project()), rect);
            self.fitted_view = Some((self.camera, revision));
        }
    }

    /// Where a double-click in the palette places a component: the middle of what is seen, beside what is there.
    #[must_use]
    pub fn free_place(&self, app: &AppState) -> [f32; 2] {
        let rect = self.last_rect.unwrap_or(Rect::from_min_size(Pos2::ZERO, egui::vec2(800.0, 600.0)));
        let middle = self.camera.to_world(rect.center());
        let mut place = [middle.x - 110.0, middle.y - 60.0];
        let taken = |place: [f32; 2]| {
            app.project().layout.positions.values().any(|[x, y]| (x - place[0]).abs() < 230.0 && (y - place[1]).abs() < 130.0)
        };
        // To the right, then a row down: a bounded search, the last place is as good as any.
        for step in 0..60 {
            if !taken(place) {
                break;
            }
            place[0] += 260.0;
            if step % 4 == 3 {
                place = [middle.x - 110.0, place[1] + 160.0];
            }
        }
        moving::snapped(place, app.snap)
    }

    /// Where a drag from the palette lets go, in world coordinates; none outside the canvas.
    #[must_use]
    pub fn drop_place(&self, pointer: Pos2) -> Option<[f32; 2]> {
        self.last_rect.filter(|rect| rect.contains(pointer)).map(|_| {
            let at = self.camera.to_world(pointer);
            [at.x - 110.0, at.y - 30.0]
        })
    }

    /// One node a card, port and wire for screen readers and tests: focusable, and clicked by them only.
    fn accessible(&mut self, ui: &mut Ui, app: &AppState, scene: &Scene, commands: &mut Vec<Command>) {
        let focus = theme::tokens(ui.ctx()).selection;
        for card in &scene.cards {
            let response = ui.interact(card.rect, ui.id().with(("card", &card.id)), Sense::focusable_noninteractive());
            let (label, selected) = (card.label(app), app.is_selected(&Pick::Component(card.id.clone())));
            response.widget_info(|| egui::WidgetInfo::selected(egui::WidgetType::Button, true, selected, &label));
            if response.clicked() || (response.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))) {
                commands.push(Command::Select(Pick::Component(card.id.clone()), crate::app::SelectMode::Replace));
            }
            for port in &card.ports {
                let around = Rect::from_center_size(port.at, egui::vec2(14.0, 14.0));
                let response = ui.interact(around, ui.id().with(("port", &card.id, &port.name)), Sense::focusable_noninteractive());
                let label = format!("{} port of {}", port.name, card.id);
                response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &label));
                if response.has_focus() {
                    ui.painter_at(self.last_rect.unwrap_or(around)).circle_stroke(port.at, 10.0, egui::Stroke::new(2.0, focus));
                    if ui.input(|input| input.key_pressed(egui::Key::Enter)) {
                        let end = Endpoint { component: card.id.clone(), port: port.name.clone() };
                        self.gesture.connect_by_key(end, app, scene, commands);
                    }
                }
            }
        }
        for wire in &scene.wires {
            let middle = wire.course.point_at(0.5);
            let around = Rect::from_center_size(middle, egui::vec2(12.0, 12.0));
            let response = ui.interact(around, ui.id().with(("wire", wire.index)), Sense::focusable_noninteractive());
            let label = format!("Link from {} to {}", wire.from, wire.to);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &label));
            if response.clicked() {
                commands.push(Command::Select(Pick::Link(wire.from.clone(), wire.to.clone()), crate::app::SelectMode::Replace));
            }
        }
    }
}
