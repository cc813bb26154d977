//! One chart: title, legend that is also the readout, the lines, a cursor shared with its neighbours.

use egui::{Align, Color32, Id, Pos2, Rect, Sense, Ui, Vec2, Vec2b, WidgetInfo, WidgetType, pos2};
use egui_plot::{AxisHints, GridInput, GridMark, Line, LineStyle, Plot, PlotPoint, PlotPoints, PlotTransform, VLine};

use super::series;
use crate::gui::panels::figures;
use crate::gui::theme::{self, Tokens, font, font_strong, space, widgets};
use crate::metrics::FaultView;

const LINE_HEIGHT: f32 = 17.0;
/// In narrower charts a legend of more than two lines takes a second row.
const NARROW: f32 = 236.0;
const Y_AXIS_WIDTH: f32 = 40.0;

/// What the y axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    PerSecond,
    Milliseconds,
    Count,
    Percent,
}

impl Unit {
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Count => "",
            Self::Percent => "%",
        }
    }
}

/// One line of a chart.
pub(super) struct Trace<'a> {
    pub(super) name: String,
    pub(super) colour: Color32,
    pub(super) points: &'a [[f64; 2]],
    /// Multiplies values (a share shown in per cent).
    pub(super) scale: f64,
    /// A second cue beside colour.
    pub(super) dashed: bool,
}

/// A chart as data.
pub(super) struct Chart<'a> {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) unit: Unit,
    pub(super) logarithmic: bool,
    pub(super) traces: Vec<Trace<'a>>,
    /// Said instead of lines when there are none.
    pub(super) nothing: &'static str,
}

/// What all charts of a panel share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) group: Id,
    /// Where the pointer stood in the last frame, in virtual seconds.
    pub(super) cursor_s: Option<f64>,
    /// Where the time axis ends by itself.
    pub(super) now_s: f64,
    /// What was done to the run: bands behind the lines.
    pub(super) faults: &'a [FaultView],
}

impl Shared<'_> {
    /// What was going on, or struck, at the cursor.
    fn faults_at(&self, x_s: f64) -> impl Iterator<Item = &FaultView> {
        let near_s = self.now_s * 0.01;
        self.faults.iter().filter(move |fault| {
            let (from_s, until_s) = (fault.at.as_secs_f64(), fault.until.unwrap_or(fault.at).as_secs_f64());
            from_s - near_s <= x_s && x_s <= until_s + near_s
        })
    }
}

/// Draws the chart into `size`; gives the virtual second under the pointer.
pub(super) fn show(ui: &mut Ui, chart: &Chart<'_>, shared: Shared<'_>, size: Vec2) -> Option<f64> {
    let tokens = theme::tokens(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let rows = if size.x < NARROW && chart.traces.len() > 2 { 3.0 } else { 2.0 };
    let head = Rect::from_min_size(rect.min, Vec2::new(size.x, LINE_HEIGHT * rows));
    let body = Rect::from_min_max(pos2(rect.left(), head.bottom()), rect.max);
    head_ui(ui, chart, shared, head, tokens);
    if chart.traces.iter().all(|trace| trace.points.is_empty()) {
        ui.painter().rect_stroke(body.shrink(4.0), theme::radius::M, egui::Stroke::new(1.0, tokens.border), egui::StrokeKind::Inside);
        widgets::line_in(ui, body.shrink(12.0), chart.nothing, font(11.5), tokens.text_muted, Align::LEFT);
        return None;
    }
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(body).id_salt(chart.id));
    lines_ui(&mut child, chart, shared, body.size(), tokens)
}

fn head_ui(ui: &mut Ui, chart: &Chart<'_>, shared: Shared<'_>, rect: Rect, tokens: &Tokens) {
    let (first, legend) = rect.split_top_bottom_at_y(rect.top() + LINE_HEIGHT);
    let (mut second, mut third) = legend.split_top_bottom_at_y(legend.top() + LINE_HEIGHT);
    let title = match chart.unit {
        Unit::Count => chart.title.to_owned(),
        unit => format!("{}, {}", chart.title, if unit == Unit::PerSecond { "1/s" } else { unit.suffix() }),
    };
    widgets::line_in(ui, first, &title, font_strong(12.0), tokens.text, Align::LEFT);
    if let Some(x_s) = shared.cursor_s {
        let faults: Vec<&str> = shared.faults_at(x_s).map(|fault| &*fault.label).collect();
        let (words, colour) = match faults.as_slice() {
            [] => (format!("at {}", figures::clock(x_s)), tokens.text_muted),
            faults => (faults.join(", "), tokens.warn),
        };
        widgets::line_in(ui, first, &words, font(11.0), colour, Align::RIGHT);
    }
    let mut x = second.left();
    let mut words = Vec::new();
    let mut hidden = 0;
    for (index, trace) in chart.traces.iter().enumerate() {
        let value = shared.cursor_s.map_or_else(|| trace.points.last().map(|p| p[1]), |x_s| series::at(trace.points, x_s));
        let value = value.map_or_else(|| "–".to_owned(), |value| figures::number(value * trace.scale));
        words.push(format!("{} {value} {}", trace.name, chart.unit.suffix()).trim_end().to_owned());
        let name = ui.painter().layout_no_wrap(trace.name.clone(), font(11.0), tokens.text_muted);
        let figure = ui.painter().layout_no_wrap(value, font_strong(11.0), tokens.text);
        let width = 14.0 + name.size().x + space::XS + figure.size().x;
        // All but the last leave room for "+1" behind them.
        let more_rows = third.height() > 1.0;
        let room = if more_rows || (index + 1 == chart.traces.len() && hidden == 0) { 0.0 } else { 22.0 };
        if x + width > second.right() - room && more_rows {
            second = third;
            third = Rect::NOTHING;
            x = second.left();
        }
        if hidden > 0 || x + width > second.right() - room {
            hidden += 1;
            continue;
        }
        swatch(ui, pos2(x + 4.0, second.center().y), trace);
        let y = second.center().y - name.size().y / 2.0;
        let name_width = name.size().x;
        ui.painter().galley(pos2(x + 14.0, y), name, tokens.text_muted);
        ui.painter().galley(pos2(x + 14.0 + name_width + space::XS, y), figure, tokens.text);
        x += width + space::S;
    }
    if hidden > 0 {
        let text = format!("+{hidden}");
        ui.painter().text(
            pos2(x.min(second.right() - 18.0), second.center().y),
            egui::Align2::LEFT_CENTER,
            text,
            font(11.0),
            tokens.text_muted,
        );
    }
    let response = ui.interact(rect, ui.id().with((chart.id, "head")), Sense::hover());
    let spoken = format!("{title}: {}", if words.is_empty() { chart.nothing.to_owned() } else { words.join(", ") });
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    response.on_hover_text(spoken.replace(": ", "\n").replace(", ", "\n"));
}

fn swatch(ui: &Ui, centre: Pos2, trace: &Trace<'_>) {
    let half = Vec2::new(4.0, 0.0);
    if trace.dashed {
        for side in [-1.0, 1.0] {
            let at = centre + half * side * 0.7;
            ui.painter().line_segment([at - half * 0.45, at + half * 0.45], egui::Stroke::new(2.5, trace.colour));
        }
    } else {
        ui.painter().circle_filled(centre, 3.5, trace.colour);
    }
}

fn lines_ui(ui: &mut Ui, chart: &Chart<'_>, shared: Shared<'_>, size: Vec2, tokens: &Tokens) -> Option<f64> {
    let logarithmic = chart.logarithmic;
    let tick_font = font(10.5);
    let x_axis = AxisHints::new_x()
        .formatter(|mark, _| if mark.value < -1e-9 { String::new() } else { format!("{} s", figures::number(mark.value)) })
        .tick_label_font(tick_font.clone())
        .tick_label_color(tokens.text_muted)
        .label_spacing(40.0..=50.0);
    let y_axis = AxisHints::new_y()
        .formatter(move |mark, _| tick(mark, logarithmic))
        .tick_label_font(tick_font)
        .tick_label_color(tokens.text_muted)
        .min_thickness(Y_AXIS_WIDTH)
        .label_spacing(14.0..=18.0);
    let mut plot = Plot::new(chart.id)
        .id(shared.group.with(chart.id))
        .width(size.x)
        .height(size.y)
        .custom_x_axes(vec![x_axis])
        .custom_y_axes(vec![y_axis])
        .link_axis(shared.group, Vec2b::new(true, false))
        .link_cursor(shared.group, Vec2b::new(true, false))
        .show_background(false)
        .show_y(false)
        .show_crosshair(true)
        .cursor_color(tokens.text_faint)
        .label_formatter(|_| None)
        .grid_color(tokens.border)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_zoom(Vec2b::new(true, false))
        .allow_drag(Vec2b::new(true, false))
        .set_margin_fraction(Vec2::new(0.0, 0.08))
        .x_grid_spacer(|input| {
            // A label half beyond the right edge would be cut.
            let end = input.bounds.1 - input.base_step_size * 2.0;
            within(nice_steps(&input, 56.0), (input.bounds.0, end))
        })
        .include_x(0.0)
        .include_x(shared.now_s.max(1e-3));
    if logarithmic {
        plot = plot.y_grid_spacer(decades);
    } else {
        plot = plot.y_grid_spacer(|input| nice_steps(&input, 24.0)).include_y(0.0).include_y(if chart.unit == Unit::Percent {
            100.0
        } else {
            1.0
        });
    }
    let buckets = (size.x - Y_AXIS_WIDTH).max(16.0) as usize;
    let response = plot.show(ui, |plot_ui| {
        for trace in &chart.traces {
            let points = series::thinned(trace.points, buckets).into_iter().filter_map(|[x, y]| {
                let y = y * trace.scale;
                if !logarithmic {
                    Some([x, y])
                } else if y > 0.0 {
                    Some([x, libm::log10(y)])
                } else {
                    None
                }
            });
            let style = if trace.dashed { LineStyle::dashed_dense() } else { LineStyle::Solid };
            plot_ui.line(
                Line::new(trace.name.clone(), PlotPoints::from_iter(points)).color(trace.colour).width(1.5).style(style).allow_hover(false),
            );
        }
        if let Some(x_s) = shared.cursor_s {
            plot_ui.vline(VLine::new("cursor", x_s).color(tokens.text_faint).width(1.0).allow_hover(false));
        }
        plot_ui.pointer_coordinate().filter(|_| plot_ui.response().hovered()).map(|point| point.x.max(0.0))
    });
    bands(ui, &response.transform, shared, tokens);
    let title = format!("Chart: {}", chart.title);
    response.response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, &title));
    response.inner
}

/// Marks when something was done to the run, and as long as it lasts.
fn bands(ui: &Ui, transform: &PlotTransform, shared: Shared<'_>, tokens: &Tokens) {
    let frame = *transform.frame();
    let painter = ui.painter_at(frame);
    let x_of = |s: f64| transform.position_from_point(&PlotPoint::new(s, 0.0)).x;
    for fault in shared.faults {
        let left = x_of(fault.at.as_secs_f64());
        if let Some(until) = fault.until {
            let right = x_of(until.as_secs_f64().min(shared.now_s));
            let band = Rect::from_x_y_ranges(left..=right.max(left), frame.y_range());
            painter.rect_filled(band, 0.0, tokens.warn.gamma_multiply(0.14));
        }
        painter.vline(left, frame.y_range(), egui::Stroke::new(1.0, tokens.warn.gamma_multiply(0.7)));
    }
}

fn tick(mark: GridMark, logarithmic: bool) -> String {
    let value = if logarithmic { libm::pow(10.0, mark.value) } else { mark.value };
    if value >= 1e6 {
        format!("{}M", figures::number(value / 1e6))
    } else if value >= 10_000.0 {
        format!("{}k", figures::number(value / 1e3))
    } else {
        figures::number(value)
    }
}

/// Lines at powers of ten, thinner ones at 2 and 5 while there is room.
fn decades(input: GridInput) -> Vec<GridMark> {
    const DECADES_MAX: i32 = 24;
    let (low, high) = (libm::floor(input.bounds.0) as i32, libm::ceil(input.bounds.1) as i32);
    let mut marks = Vec::new();
    for decade in low..=high.min(low.saturating_add(DECADES_MAX)) {
        marks.push(GridMark { value: f64::from(decade), step_size: 1.0 });
        if high - low <= 3 {
            for step in [2.0, 5.0] {
                marks.push(GridMark { value: f64::from(decade) + libm::log10(step), step_size: 0.3 });
            }
        }
    }
    within(marks, input.bounds)
}

/// Marks a step of 1, 2 or 5 times a power of ten apart, at least `points` on the screen.
fn nice_steps(input: &GridInput, points: f64) -> Vec<GridMark> {
    const MARKS_MAX: i64 = 100;
    // The plot gives the value of its grid's least spacing, which is eight points.
    let least = input.base_step_size * points / 8.0;
    if !(least.is_finite() && least > 0.0) {
        return Vec::new();
    }
    let power = libm::pow(10.0, libm::floor(libm::log10(least)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= least).unwrap_or(power * 10.0);
    let first = libm::ceil(input.bounds.0 / step) as i64;
    let last = (libm::floor(input.bounds.1 / step) as i64).min(first.saturating_add(MARKS_MAX));
    (first..=last).map(|index| GridMark { value: index as f64 * step, step_size: step }).collect()
}

/// Without the marks beyond the edges: their labels would be written over the neighbours.
fn within(marks: Vec<GridMark>, bounds: (f64, f64)) -> Vec<GridMark> {
    marks.into_iter().filter(|mark| (bounds.0..=bounds.1).contains(&mark.value)).collect()
}
