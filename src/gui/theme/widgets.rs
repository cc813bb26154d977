//! Small widgets that the panels share. Each has an accessible label; none knows what it shows.

use egui::epaint::CornerRadius;
use egui::{
    Align, Align2, Button, Color32, Frame, Label, Layout, Margin, Rect, Response, RichText, Sense, Stroke, Ui, Vec2, WidgetInfo, WidgetType,
};

use super::{Tone, font, font_strong, icon_fill_family, muted, radius, space, strong, title, tokens};

/// Height of a compact control.
pub const CONTROL_HEIGHT: f32 = 28.0;

/// A panel's or section's head: icon, title, and whatever stands at the right end.
pub fn section_header(ui: &mut Ui, icon: &str, text: &str, right: impl FnOnce(&mut Ui)) {
    let tokens = tokens(ui.ctx());
    ui.allocate_ui_with_layout(Vec2::new(ui.available_width(), CONTROL_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        ui.add(Label::new(RichText::new(icon).size(16.0).color(tokens.text_muted)));
        ui.add(Label::new(title(text)).truncate());
        ui.with_layout(Layout::right_to_left(Align::Center), right);
    });
}

/// A panel's head without a title of its own: something at the left, something at the right end.
pub fn bar(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(Vec2::new(ui.available_width(), CONTROL_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
        left(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), right);
    });
}

/// A quiet heading inside a panel.
pub fn subheading(ui: &mut Ui, text: &str) {
    let tokens = tokens(ui.ctx());
    ui.label(strong(text).size(12.0).color(tokens.text_muted));
}

/// A figure with its name above it; reads as `Delivered per second 299.8`.
pub fn stat_tile(ui: &mut Ui, width: f32, name: &str, value: &str, unit: &str, tone: Tone) -> Response {
    let tokens = tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, 54.0), Sense::hover());
    let spoken = if unit.is_empty() { format!("{name} {value}") } else { format!("{name} {value} {unit}") };
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    if ui.is_rect_visible(rect) {
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect(
            rect,
            CornerRadius::same(radius::M + 2),
            tokens.surface_raised,
            Stroke::new(1.0, tokens.border),
            egui::StrokeKind::Inside,
        );
        let inner = rect.shrink2(Vec2::new(10.0, 7.0));
        painter.text(inner.left_top(), Align2::LEFT_TOP, name, font(11.5), tokens.text_muted);
        let colour = if tone == Tone::Neutral { tokens.text } else { tokens.tone(tone) };
        let figure = painter.text(inner.left_bottom(), Align2::LEFT_BOTTOM, value, font_strong(18.0), colour);
        painter.text(figure.right_bottom() + Vec2::new(4.0, -2.0), Align2::LEFT_BOTTOM, unit, font(11.5), tokens.text_muted);
    }
    response.on_hover_text(spoken)
}

/// A rounded word in a tone.
pub fn badge(ui: &mut Ui, text: &str, tone: Tone) -> Response {
    let tokens = tokens(ui.ctx());
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font_strong(11.0), tokens.tone(tone));
    let (rect, response) = ui.allocate_exact_size(galley.size() + Vec2::new(14.0, 6.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    if ui.is_rect_visible(rect) {
        ui.painter().rect_filled(rect, CornerRadius::same(255), tokens.tone_soft(tone));
        ui.painter().galley(rect.center() - galley.size() / 2.0, galley, tokens.tone(tone));
    }
    response
}

/// What a button is for, how it may be reached, and why it cannot be used now.
#[derive(Clone, Copy, Debug, Default)]
pub struct ButtonWords<'a> {
    /// Accessible label, and the tooltip's first line.
    pub label: &'a str,
    /// `Ctrl+S`; empty when there is none.
    pub shortcut: &'a str,
    /// Why it is disabled; none when it is not.
    pub disabled_because: Option<&'a str>,
}

impl<'a> ButtonWords<'a> {
    /// A label alone.
    #[must_use]
    pub const fn new(label: &'a str) -> Self {
        Self { label, shortcut: "", disabled_because: None }
    }
    /// The same with a shortcut.
    #[must_use]
    pub const fn shortcut(mut self, shortcut: &'a str) -> Self {
        self.shortcut = shortcut;
        self
    }
    /// The same, disabled when there is a reason.
    #[must_use]
    pub const fn unless(mut self, reason: Option<&'a str>) -> Self {
        self.disabled_because = reason;
        self
    }
    fn finish(self, response: Response, selected: Option<bool>) -> Response {
        let enabled = self.disabled_because.is_none();
        response.widget_info(|| match selected {
            Some(selected) => WidgetInfo::selected(WidgetType::Button, enabled, selected, self.label),
            None => WidgetInfo::labeled(WidgetType::Button, enabled, self.label),
        });
        let mut words = self.label.to_owned();
        if !self.shortcut.is_empty() {
            words = format!("{words}  ({})", self.shortcut);
        }
        match self.disabled_because {
            Some(reason) => response.on_disabled_hover_text(format!("{words}\n{reason}")),
            None => response.on_hover_text(words),
        }
    }
}

/// A square button with an icon only; `label` is what tests and screen readers call it.
pub fn icon_button(ui: &mut Ui, icon: &str, words: ButtonWords<'_>) -> Response {
    let button = Button::new(RichText::new(icon).size(16.0)).min_size(Vec2::splat(CONTROL_HEIGHT)).frame_when_inactive(false);
    let response = ui.scope(|ui| {
        ui.spacing_mut().button_padding = Vec2::new(5.0, 2.0);
        ui.add_enabled(words.disabled_because.is_none(), button)
    });
    words.finish(response.inner, None)
}

/// An icon-only button that stays down.
pub fn icon_toggle(ui: &mut Ui, icon: &str, on: bool, words: ButtonWords<'_>) -> Response {
    let tokens = tokens(ui.ctx());
    let colour = if on { tokens.accent } else { tokens.text };
    let button = Button::new(RichText::new(icon).size(16.0).color(colour))
        .min_size(Vec2::splat(CONTROL_HEIGHT))
        .frame_when_inactive(on)
        .selected(on);
    let response = ui.scope(|ui| {
        ui.spacing_mut().button_padding = Vec2::new(5.0, 2.0);
        ui.add_enabled(words.disabled_because.is_none(), button)
    });
    words.finish(response.inner, Some(on))
}

/// A button with an icon and its label.
pub fn text_button(ui: &mut Ui, icon: &str, words: ButtonWords<'_>) -> Response {
    let text = if icon.is_empty() { words.label.to_owned() } else { format!("{icon}  {}", words.label) };
    let response = ui.add_enabled(words.disabled_because.is_none(), Button::new(text).min_size(Vec2::new(0.0, CONTROL_HEIGHT)));
    words.finish(response, None)
}

/// The one button that a bar is about.
pub fn primary_button(ui: &mut Ui, icon: &str, words: ButtonWords<'_>) -> Response {
    let tokens = tokens(ui.ctx());
    let enabled = words.disabled_because.is_none();
    let mut job = egui::text::LayoutJob::default();
    let plain = egui::TextFormat::simple(egui::FontId::new(14.0, icon_fill_family()), tokens.on_accent);
    let strong = egui::TextFormat::simple(font_strong(13.0), tokens.on_accent);
    if !icon.is_empty() {
        job.append(icon, 0.0, egui::TextFormat { valign: Align::Center, ..plain });
    }
    job.append(words.label, if icon.is_empty() { 0.0 } else { space::S }, egui::TextFormat { valign: Align::Center, ..strong });
    let button = Button::new(job).fill(tokens.accent).stroke(Stroke::NONE).min_size(Vec2::new(0.0, CONTROL_HEIGHT));
    words.finish(ui.add_enabled(enabled, button), None)
}

/// A drop-down with this window's quiet caret.
pub fn combo(id: impl egui::AsId) -> egui::ComboBox {
    egui::ComboBox::from_id_salt(id).icon(|ui, rect, visuals, _is_open| {
        let middle = rect.center();
        let half = Vec2::new(3.5, 1.75);
        let points = vec![middle + Vec2::new(-half.x, -half.y), middle + Vec2::new(0.0, half.y), middle + Vec2::new(half.x, -half.y)];
        ui.painter().add(egui::Shape::line(points, Stroke::new(1.5, visuals.fg_stroke.color)));
    })
}

/// One pill of a row of choices; `selected` fills it.
pub fn pill(ui: &mut Ui, label: &str, selected: bool) -> Response {
    let tokens = tokens(ui.ctx());
    // One weight for both: a choice must not move its neighbours.
    let text = RichText::new(label).size(12.0).color(if selected { tokens.accent } else { tokens.text_muted });
    let fill = if selected { tokens.accent_soft } else { Color32::TRANSPARENT };
    // No scope of its own: a row that wraps must be able to begin a new line here.
    let spacing = ui.spacing().clone();
    ui.spacing_mut().button_padding = Vec2::new(7.0, 3.0);
    ui.spacing_mut().interact_size.y = 24.0;
    let button =
        Button::new(text).wrap_mode(egui::TextWrapMode::Extend).fill(fill).stroke(Stroke::NONE).corner_radius(CornerRadius::same(12));
    let response = ui.add(button);
    *ui.spacing_mut() = spacing;
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, selected, label));
    response
}

/// Pills side by side; gives the index that was clicked.
pub fn pills<'a>(ui: &mut Ui, labels: impl IntoIterator<Item = &'a str>, selected: usize) -> Option<usize> {
    let mut clicked = None;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (index, label) in labels.into_iter().enumerate() {
            if pill(ui, label, index == selected).clicked() {
                clicked = Some(index);
            }
        }
    });
    clicked
}

/// A name at the left, its value or field at a common edge.
pub fn labelled_row<R>(ui: &mut Ui, name: &str, name_width: f32, value: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = tokens(ui.ctx());
    ui.horizontal(|ui| {
        let (rect, response) = ui.allocate_exact_size(Vec2::new(name_width, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, name));
        line_in(ui, rect, name, font(12.5), tokens.text_muted, Align::LEFT);
        value(ui)
    })
    .inner
}

/// What a panel shows when it has nothing: an icon, a sentence, and what to do.
pub fn empty_state(ui: &mut Ui, icon: &str, headline: &str, hint: &str) {
    let tokens = tokens(ui.ctx());
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height / 2.0 - 56.0).clamp(space::S, 160.0));
        ui.label(RichText::new(icon).size(30.0).color(tokens.text_faint));
        ui.add_space(space::XS);
        ui.label(strong(headline).color(tokens.text_muted));
        ui.label(muted(tokens, hint));
    });
}

/// A tile: raised ground, hairline, rounded.
pub fn tile_frame(ui: &Ui) -> Frame {
    let tokens = tokens(ui.ctx());
    Frame::new()
        .fill(tokens.surface_raised)
        .stroke(Stroke::new(1.0, tokens.border))
        .corner_radius(CornerRadius::same(radius::M + 2))
        .inner_margin(Margin::same(10))
}

/// A notice in a tone's quiet ground, with its icon.
pub fn notice(ui: &mut Ui, icon: &str, text: &str, tone: Tone) {
    let tokens = tokens(ui.ctx());
    Frame::new().fill(tokens.tone_soft(tone)).corner_radius(CornerRadius::same(radius::M)).inner_margin(Margin::symmetric(10, 6)).show(
        ui,
        |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                ui.label(RichText::new(icon).size(15.0).color(tokens.tone(tone)));
                ui.add(Label::new(RichText::new(text).color(tokens.text)).wrap());
            });
        },
    );
}

/// A whole row that can be clicked, with its accessible label; the closure paints the row's content.
pub fn click_row(ui: &mut Ui, label: &str, selected: bool, content: impl FnOnce(&mut Ui)) -> Response {
    let tokens = tokens(ui.ctx());
    let background = ui.painter().add(egui::Shape::Noop);
    let inner = Frame::new().inner_margin(Margin::symmetric(8, 6)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        content(ui);
    });
    let id = ui.next_auto_id();
    ui.skip_ahead_auto_ids(1);
    let response = ui.interact(inner.response.rect, id.with("row"), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, selected, label));
    let fill = match (selected, response.hovered() || response.has_focus()) {
        (true, _) => tokens.accent_soft,
        (false, true) => tokens.surface_hover,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().set(background, egui::Shape::rect_filled(inner.response.rect, CornerRadius::same(radius::M), fill));
    response
}

/// One painted line, cut with an ellipsis at `rect`'s edge; for rows laid out by hand.
pub fn line_in(ui: &Ui, rect: Rect, text: &str, font: egui::FontId, colour: Color32, align: Align) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = ui.painter().layout_job(job);
    let x = if align == Align::RIGHT { rect.right() - galley.size().x } else { rect.left() };
    ui.painter().galley(egui::pos2(x, rect.center().y - galley.size().y / 2.0), galley, colour);
}

/// Content laid out from the top of `rect`, which the caller has cut out of what is left.
pub fn within<R>(ui: &mut Ui, rect: Rect, content: impl FnOnce(&mut Ui) -> R) -> R {
    let builder = egui::UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::LEFT));
    ui.scope_builder(builder, content).inner
}

/// One figure: its name at the left, the value at the right edge; read as one text, `Produced 1,204`.
pub fn figure_row(ui: &mut Ui, name: &str, value: &str, unit: &str, tone: Tone) {
    let tokens = tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new((ui.available_width() - space::S).max(0.0), 19.0), Sense::hover());
    let figure = if unit.is_empty() { value.to_owned() } else { format!("{value} {unit}") };
    let spoken = format!("{name} {figure}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    if !ui.is_rect_visible(rect) {
        return;
    }
    let colour = if tone == Tone::Neutral { tokens.text } else { tokens.tone(tone) };
    let galley = ui.painter().layout_no_wrap(figure, font_strong(12.0), colour);
    let figure_x = rect.right() - galley.size().x;
    ui.painter().galley(egui::pos2(figure_x, rect.center().y - galley.size().y / 2.0), galley, colour);
    line_in(ui, rect.with_max_x(figure_x - space::XS), name, font(12.0), tokens.text_muted, Align::LEFT);
}
