//! Where in which log one is: topic, partition, earlier and later, the newest, an offset or a time.

use egui::{DragValue, Id, TextEdit, Ui, WidgetInfo, WidgetType};

use super::{RecordsAction, Shown};
use crate::app::{Browse, Shelf};
use crate::event::{Answer, LogMarks, QueueStanding, Seek};
use crate::gui::panels::figures;
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::units::{SimDuration, SimTime};

const GOAL_WIDTH: f32 = 132.0;

/// Offsets that matter, at the right end of the head: laid out from right to left.
pub(super) fn marks_ui(ui: &mut Ui, marks: LogMarks) {
    let list = [
        Some(("End", marks.log_end, "Offset of the next record")),
        Some(("High watermark", marks.high_watermark, "Readers see what is below: it is on every replica in sync")),
        marks.last_stable.map(|offset| ("Last stable", offset, "Readers of committed records see what is below")),
        Some(("Start", marks.log_start, "The first offset that is kept")),
    ];
    figures_ui(ui, list.into_iter().flatten().map(|(name, offset, help)| (format!("{name} {}", figures::whole(offset)), help)));
}

/// How a queue stands, in the same place.
pub(super) fn standing_ui(ui: &mut Ui, standing: &QueueStanding) {
    let list = [
        (format!("Oldest {}", figures::span(standing.oldest_age)), "Age of the oldest message"),
        (format!("Dead letters {}", figures::whole(standing.dead_lettered)), "Moved to its dead-letter queue so far"),
        (format!("Delayed {}", figures::whole(standing.delayed)), "Sent, and still hidden by a delay"),
        (format!("In flight {}", figures::whole(standing.in_flight)), "Received, and not deleted yet"),
        (format!("Visible {}", figures::whole(standing.visible)), "Messages that the next receive may bring"),
    ];
    figures_ui(ui, list.into_iter());
}

fn figures_ui(ui: &mut Ui, list: impl Iterator<Item = (String, &'static str)>) {
    ui.spacing_mut().item_spacing.x = space::M;
    for (text, help) in list {
        // What does not fit is left out whole.
        let room = ui.painter().layout_no_wrap(text.clone(), theme::font(11.5), egui::Color32::WHITE).size().x;
        if room < ui.available_width() {
            ui.label(theme::muted(theme::tokens(ui.ctx()), text)).on_hover_text(help);
        }
    }
}

pub(super) fn ui(ui: &mut Ui, shown: &Shown<'_>, answer: Option<&Answer>) -> Option<RecordsAction> {
    let browse = shown.browse;
    let mut next = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        next = shelf_ui(ui, shown);
        let shelf = shown.shelves.iter().find(|shelf| shelf.component == browse.component && shelf.topic == browse.topic);
        if let Some(partitions) = shelf.and_then(|shelf| shelf.partitions) {
            next = partition_ui(ui, browse, partitions).or(next.take());
        }
        ui.add_space(space::S);
        next = paging_ui(ui, browse, answer).or(next.take());
        next = goal_ui(ui, browse).or(next.take());
    });
    next.map(RecordsAction::Look)
}

fn shelf_ui(ui: &mut Ui, shown: &Shown<'_>) -> Option<Browse> {
    let name = |shelf: &Shelf| {
        if *shelf.topic == *shelf.component { shelf.component.clone() } else { format!("{}.{}", shelf.component, shelf.topic) }
    };
    let is_shown = |shelf: &&Shelf| shelf.component == shown.browse.component && shelf.topic == shown.browse.topic;
    let current = shown.shelves.iter().find(is_shown).map(name).unwrap_or_default();
    let mut chosen = None;
    let combo = widgets::combo("records-topic").selected_text(&current).width(150.0).show_ui(ui, |ui| {
        for shelf in shown.shelves {
            if ui.selectable_label(is_shown(&shelf), name(shelf)).clicked() {
                chosen = Some(Browse::newest(&shelf.component, &shelf.topic, 0));
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, format!("Records of {current}")));
    chosen
}

fn partition_ui(ui: &mut Ui, browse: &Browse, partitions: u32) -> Option<Browse> {
    let last = partitions.saturating_sub(1);
    let mut partition = browse.partition;
    let field = DragValue::new(&mut partition).range(0..=last).speed(0.05).prefix("partition ").suffix(format!(" of 0–{last}"));
    let response = ui.add_enabled(last > 0, field).on_hover_text("Drag, or click and type");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::DragValue, last > 0, format!("Partition {} of 0–{last}", browse.partition)));
    (partition != browse.partition).then(|| Browse::newest(&browse.component, &browse.topic, partition))
}

fn paging_ui(ui: &mut Ui, browse: &Browse, answer: Option<&Answer>) -> Option<Browse> {
    let (before, behind, start, end) = match answer {
        Some(Answer::Log(page)) => (
            page.rows.first().map_or(page.marks.log_end, |row| row.offset),
            page.rows.last().map_or(page.marks.log_end, |row| row.next_offset()),
            page.marks.log_start,
            page.marks.log_end,
        ),
        Some(Answer::Queue(page)) => (
            page.rows.first().map_or(page.next_number, |row| row.number),
            page.rows.last().map_or(page.next_number, |row| row.number + 1),
            page.first_number,
            page.next_number,
        ),
        Some(Answer::Partitions(_) | Answer::Queues(..) | Answer::Service(_)) | None => return None,
    };
    let at_start = (before <= start).then_some("It begins here");
    let at_end = (behind >= end).then_some("It ends here");
    let to = |seek| Some(Browse { seek, ..browse.clone() });
    let mut next = None;
    // A page that reaches back to the start may be seen from its other end.
    let is_first = (browse.seek == Seek::From(start)).then_some("It begins here");
    if widgets::icon_button(ui, icon::FIRST, widgets::ButtonWords::new("To the start").unless(is_first)).clicked() {
        next = to(Seek::From(start));
    }
    if widgets::icon_button(ui, icon::BACK, widgets::ButtonWords::new("Earlier records").unless(at_start)).clicked() {
        next = to(Seek::Below(before));
    }
    if widgets::icon_button(ui, icon::FORTH, widgets::ButtonWords::new("Later records").unless(at_end)).clicked() {
        next = to(Seek::From(behind));
    }
    let follows = browse.seek == Seek::END;
    if widgets::icon_toggle(ui, icon::NEWEST, follows, widgets::ButtonWords::new("Follow the end")).clicked() {
        // Not to follow any more is to stay with what stands here.
        next = to(if follows { Seek::Below(behind) } else { Seek::END });
    }
    next
}

fn goal_ui(ui: &mut Ui, browse: &Browse) -> Option<Browse> {
    let memory = Id::new("records-goal");
    let mut text: String = ui.data(|data| data.get_temp(memory)).unwrap_or_default();
    let goal = goal(&text);
    let is_wrong = !text.trim().is_empty() && goal.is_none();
    let tokens = theme::tokens(ui.ctx());
    let mut field = TextEdit::singleline(&mut text)
        .desired_width(GOAL_WIDTH)
        .hint_text("Offset or 12.5s")
        .min_size(egui::Vec2::new(0.0, widgets::CONTROL_HEIGHT))
        .vertical_align(egui::Align::Center);
    if is_wrong {
        field = field.text_color(tokens.tone(Tone::Error));
    }
    let response = ui.add(field).on_hover_text("1200 goes to that offset, 12.5s or 1:02.5 to the first record of that time. Enter goes");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Go to offset or time"));
    let goes = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    ui.data_mut(|data| data.insert_temp(memory, text));
    Some(Browse { seek: goal.filter(|_| goes)?, ..browse.clone() })
}

/// `1200` and `1,200` are offsets, `12.5s` and `1:02.5` are times.
fn goal(text: &str) -> Option<Seek> {
    let text = text.trim();
    if let Ok(offset) = text.replace([',', '_'], "").parse::<u64>() {
        return Some(Seek::From(offset));
    }
    let since_start = match text.split_once(':') {
        Some((minutes, seconds)) => {
            let minutes = minutes.parse::<u64>().ok().filter(|minutes| *minutes < 1 << 20)?;
            let seconds = seconds.parse::<f64>().ok().filter(|seconds| (0.0..60.0).contains(seconds))?;
            SimDuration::from_secs(60 * minutes) + SimDuration::from_secs_f64(seconds)
        }
        None => text.parse::<SimDuration>().ok()?,
    };
    Some(Seek::FromTime(SimTime::ZERO + since_start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_times_are_told_apart() {
        let time = |seconds| Some(Seek::FromTime(SimTime::from_secs_f64(seconds)));
        assert_eq!(goal("1200"), Some(Seek::From(1_200)));
        assert_eq!(goal(" 1,200 "), Some(Seek::From(1_200)));
        assert_eq!(goal("12.5s"), time(12.5));
        assert_eq!(goal("1:02.5"), time(62.5));
        assert_eq!(goal("later"), None);
        assert_eq!(goal("1:99"), None);
        assert_eq!(goal(""), None);
    }
}
