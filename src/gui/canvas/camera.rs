//! Where one looks at the drawing from: a zoom and a shift, ours alone, never in the history.

use egui::{Event, Key, MouseWheelUnit, PointerButton, Pos2, Rect, Response, Ui, Vec2, pos2, vec2};

const ZOOM_MIN: f32 = 0.1;
const ZOOM_MAX: f32 = 3.0;

/// World to screen: `screen = world · zoom + shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Screen points a world unit.
    pub zoom: f32,
    /// Screen position of the world's origin.
    pub shift: Vec2,
}

impl Default for Camera {
    fn default() -> Self {
        Self { zoom: 1.0, shift: Vec2::ZERO }
    }
}

/// What scrolled last. One turn of a wheel is spread over several frames, so it has to be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scrolling {
    /// A wheel turns in lines.
    #[default]
    Wheel,
    /// Two fingers slide in points.
    Fingers,
}

impl Scrolling {
    fn observe(&mut self, ui: &Ui) {
        let unit = ui.input(|input| {
            input.events.iter().rev().find_map(|event| match event {
                Event::MouseWheel { unit, .. } => Some(*unit),
                _ => None,
            })
        });
        if let Some(unit) = unit {
            *self = if unit == MouseWheelUnit::Point { Self::Fingers } else { Self::Wheel };
        }
    }
}

impl Camera {
    /// On the screen.
    #[must_use]
    pub fn to_screen(&self, world: Pos2) -> Pos2 {
        (world.to_vec2() * self.zoom + self.shift).to_pos2()
    }
    /// In the drawing.
    #[must_use]
    pub fn to_world(&self, screen: Pos2) -> Pos2 {
        ((screen.to_vec2() - self.shift) / self.zoom).to_pos2()
    }
    /// A rectangle on the screen.
    #[must_use]
    pub fn rect(&self, position: [f32; 2], size: [f32; 2]) -> Rect {
        Rect::from_min_size(self.to_screen(pos2(position[0], position[1])), vec2(size[0], size[1]) * self.zoom)
    }
    /// A font size that keeps the glyph atlas small: whole points.
    #[must_use]
    pub fn font_size(&self, points: f32) -> f32 {
        (points * self.zoom).round().max(1.0)
    }
    /// Zooms by a factor; what is at `at` stays there.
    pub fn zoom_at(&mut self, at: Pos2, factor: f32) {
        let before = self.to_world(at);
        self.zoom = (self.zoom * factor).clamp(ZOOM_MIN, ZOOM_MAX);
        self.shift += at - self.to_screen(before);
    }
    /// Shows all of `bounds` with a margin, never larger than life.
    pub fn fit(&mut self, bounds: Rect, view: Rect) {
        const MARGIN: f32 = 48.0;
        if !bounds.is_finite() || bounds.area() <= 0.0 {
            *self = Self { zoom: 1.0, shift: view.center().to_vec2() };
            return;
        }
        let room = (view.size() - vec2(2.0, 2.0) * MARGIN).max(vec2(50.0, 50.0));
        self.zoom = (room.x / bounds.width()).min(room.y / bounds.height()).clamp(ZOOM_MIN, 1.15);
        self.shift = view.center() - (bounds.center().to_vec2() * self.zoom).to_pos2();
    }
    /// A wheel and a pinch zoom at the pointer, two fingers pan; middle or right drag, or space and drag, pan.
    pub fn navigate(&mut self, ui: &Ui, response: &Response, rect: Rect, scrolling: &mut Scrolling) {
        scrolling.observe(ui);
        let Some(pointer) = ui.input(|input| input.pointer.latest_pos()).filter(|at| rect.contains(*at)) else { return };
        if response.hovered() || response.dragged() {
            let (scroll, pinch, sideways) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta(), input.modifiers.shift));
            if (pinch - 1.0).abs() > 1e-4 {
                self.zoom_at(pointer, pinch);
            } else if *scrolling == Scrolling::Fingers || sideways {
                self.shift += scroll;
            } else if scroll.y != 0.0 {
                self.zoom_at(pointer, libm::expf(scroll.y * 0.003));
            }
        }
        let space = ui.input(|input| input.key_down(Key::Space));
        let panning = response.dragged_by(PointerButton::Middle)
            || response.dragged_by(PointerButton::Secondary)
            || (space && response.dragged_by(PointerButton::Primary));
        if panning {
            self.shift += response.drag_delta();
        }
    }
}
