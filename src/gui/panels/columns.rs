//! Tables of many rows, painted by hand: columns that fit the width there is, a head, one line a row.
//!
//! In: columns with their width and rank. Out: which of them are there, and where. Only rows in sight are laid out, so
//! ten thousand of them cost what twenty do. Start at [`fitting`].

use egui::{Align, Color32, CornerRadius, Rect, Response, Sense, Ui, Vec2, WidgetInfo, WidgetType, pos2};

use crate::gui::theme::{self, space, widgets};

/// Height of a row.
pub(super) const ROW_HEIGHT: f32 = 22.0;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    pub name: &'a str,
    pub help: &'a str,
    pub width: f32,
    pub align: Align,
    /// Where room is short, the highest rank goes first; rank 0 stays.
    pub rank: u8,
}

impl<'a> Column<'a> {
    /// The rank of a column that is of no use.
    pub const HIDDEN: u8 = u8::MAX;

    pub const fn left(name: &'a str, help: &'a str, width: f32, rank: u8) -> Self {
        Self { name, help, width, align: Align::LEFT, rank }
    }
    pub const fn right(name: &'a str, help: &'a str, width: f32, rank: u8) -> Self {
        Self { name, help, width, align: Align::RIGHT, rank }
    }
}

/// A column in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fitted {
    pub index: usize,
    from: f32,
    to: f32,
}

impl Fitted {
    /// Its part of a row.
    pub fn of(self, row: Rect) -> Rect {
        Rect::from_min_max(pos2(row.left() + self.from, row.top()), pos2(row.left() + self.to, row.bottom()))
    }
}

/// The columns that fit into a width, from left to right; the column `growing` takes what is left over.
pub(super) fn fitting(columns: &[Column<'_>], growing: usize, width: f32) -> Vec<Fitted> {
    let mut kept: Vec<usize> = (0..columns.len()).filter(|index| columns[*index].rank != Column::HIDDEN).collect();
    let needed = |kept: &[usize]| kept.iter().map(|index| columns[*index].width + space::M).sum::<f32>();
    while needed(&kept) > width
        && let Some(worst) = kept.iter().copied().max_by_key(|index| columns[*index].rank).filter(|index| columns[*index].rank > 0)
    {
        kept.retain(|index| *index != worst);
    }
    let spare = (width - needed(&kept)).max(0.0);
    let mut from = space::XS;
    let place = |index: usize| {
        let to = from + columns[index].width + if index == growing { spare } else { 0.0 };
        let fitted = Fitted { index, from, to };
        from = to + space::M;
        fitted
    };
    kept.into_iter().map(place).collect()
}

/// The names of the columns; gives the one that was clicked. `sorted` is what the rows are sorted by, where they can be.
pub(super) fn head(ui: &mut Ui, columns: &[Column<'_>], fitted: &[Fitted], sorted: Option<usize>) -> Option<usize> {
    let tokens = theme::tokens(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let mut clicked = None;
    for place in fitted {
        let column = columns[place.index];
        let is_chosen = sorted == Some(place.index);
        let sense = if sorted.is_some() { Sense::click() } else { Sense::hover() };
        let cell = place.of(rect);
        let response = ui.interact(cell, ui.id().with(("head", column.name)), sense);
        let label = if sorted.is_some() { format!("Sort by {}", column.name) } else { column.name.to_owned() };
        let role = if sorted.is_some() { WidgetType::Button } else { WidgetType::Label };
        response.widget_info(|| WidgetInfo::selected(role, true, is_chosen, &label));
        let colour = if is_chosen || response.has_focus() { tokens.accent } else { tokens.text_muted };
        widgets::line_in(ui, cell, column.name, theme::font_strong(11.0), colour, column.align);
        if response.on_hover_text(column.help).clicked() {
            clicked = Some(place.index);
        }
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, tokens.border));
    clicked
}

/// A row's ground, which can be clicked; `label` is what it is called.
pub(super) fn ground(ui: &mut Ui, label: &str, selected: bool) -> Response {
    tall_ground(ui, label, selected, ROW_HEIGHT)
}

/// The same for a row of another height.
pub(super) fn tall_ground(ui: &mut Ui, label: &str, selected: bool, height: f32) -> Response {
    let tokens = theme::tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, selected, label));
    let fill = match (selected, response.hovered() || response.has_focus()) {
        (true, _) => tokens.accent_soft,
        (false, true) => tokens.surface_hover,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, CornerRadius::same(theme::radius::S), fill);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_least_goes_first_and_nothing_overlaps() {
        let columns = [Column::left("a", "", 50.0, 0), Column::left("b", "", 100.0, 2), Column::right("c", "", 60.0, 1)];
        let names = |width| fitting(&columns, 0, width).iter().map(|place| columns[place.index].name).collect::<Vec<_>>();
        assert_eq!(names(400.0), ["a", "b", "c"]);
        assert_eq!(names(200.0), ["a", "c"]);
        assert_eq!(names(10.0), ["a"]);
        let wide = fitting(&columns, 0, 400.0);
        assert!(wide.windows(2).all(|pair| pair[0].to < pair[1].from) && wide[2].to <= 400.0, "{wide:?}");
    }
}
