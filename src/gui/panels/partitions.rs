//! The partitions of a cluster: who leads, who is in sync, how far the log goes, what groups have still to read.
//!
//! In: how each partition stands. Out: the partition whose records are wanted. Thousands of them are fine: a head sorts,
//! a word filters, and only rows in sight are drawn. Start at [`body`].

use std::cmp::Reverse;
use std::sync::Arc;

use egui::{Id, ScrollArea, TextEdit, Ui, WidgetInfo, WidgetType};

use super::columns::{self, Column, Fitted, ROW_HEIGHT};
use super::{dock, figures};
use crate::app::{AppState, Browse, Command};
use crate::event::{Answer, PartitionStanding};
use crate::gui::theme::{self, Tone, icon, space, widgets};

/// Groups that have a column of their own; of more, the one that is furthest behind is told.
const LAG_COLUMNS_MAX: usize = 3;

const NAME: usize = 0;
const FIXED: [Column<'_>; 10] = [
    Column::left("partition", "Topic and partition", 90.0, 0),
    Column::right("leader", "The node that leads it; – while it is offline", 44.0, 1),
    Column::left("in sync", "Nodes whose replicas are in sync (the ISR)", 54.0, 2),
    Column::right("start", "The first offset that is kept", 52.0, 6),
    Column::right("end", "Offset of the next record at the leader", 60.0, 3),
    Column::right("watermark", "High watermark: readers see what is below", 64.0, 4),
    Column::right("last stable", "Readers of committed records see what is below", 66.0, 5),
    Column::right("epoch", "Grows with every election", 40.0, 9),
    Column::right("size", "Of the leader's log", 64.0, 7),
    Column::right("segments", "Files that the log consists of", 56.0, 8),
];
const LAST_STABLE: usize = 6;

/// What a person has made of the table; it belongs to the view, not to the document.
#[derive(Clone, Debug, Default)]
struct Look {
    /// Which column, and whether from the greatest down.
    sorted: (usize, bool),
    filter: String,
    trouble_only: bool,
}

/// The tab of the dock.
pub fn partitions_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let component = app.browse.as_ref().map_or("", |browse| &browse.component);
    let browsed = app.running.as_ref().and_then(|running| running.view().browsed.as_deref());
    let standings = match browsed.map(|browsed| &browsed.answer) {
        Some(Some(Answer::Partitions(standings))) => Some(&standings[..]),
        // What is there now answers another question: the next frame brings this one's.
        Some(Some(_)) => Some(&[][..]),
        _ => None,
    };
    let mut tabs = Vec::new();
    let chosen = body(ui, |ui| dock::tabs(ui, app, &mut tabs), (component, standings));
    commands.append(&mut tabs);
    commands.extend(chosen.map(|(topic, partition)| Command::Browse(Browse::newest(component, &topic, partition))));
}

/// Draws the table of a component under its tabs; gives the partition that was clicked.
pub fn body(
    ui: &mut Ui,
    tabs: impl FnOnce(&mut Ui),
    (component, standings): (&str, Option<&[PartitionStanding]>),
) -> Option<(Arc<str>, u32)> {
    let Some(standings) = standings else {
        widgets::bar(ui, tabs, |_| {});
        let hint = "Select a Kafka cluster while a run is on or after it: its partitions stand here";
        widgets::empty_state(ui, icon::PARTITIONS, "No partitions to show", hint);
        return None;
    };
    let memory = Id::new("partitions-look");
    let mut look: Look = ui.data(|data| data.get_temp(memory)).unwrap_or_default();
    let rows = rows(standings, &look);
    widgets::bar(ui, tabs, |ui| controls_ui(ui, (component, standings.len(), rows.len()), &mut look));
    ui.add_space(space::XS);
    let groups = groups(standings);
    let columns = columns_of(&groups, standings);
    let fitted = columns::fitting(&columns, NAME, ui.available_width());
    ui.spacing_mut().item_spacing.y = 0.0;
    if let Some(clicked) = columns::head(ui, &columns, &fitted, Some(look.sorted.0)) {
        // Names go up first, figures down: the greatest is what one looks for.
        let down = if look.sorted.0 == clicked { !look.sorted.1 } else { clicked != NAME };
        look.sorted = (clicked, down);
    }
    let mut chosen = None;
    ScrollArea::vertical().id_salt("partitions").auto_shrink([false, false]).show_rows(ui, ROW_HEIGHT, rows.len(), |ui, range| {
        for standing in &rows[range] {
            if row_ui(ui, standing, &columns, &fitted, &groups) {
                chosen = Some((Arc::clone(&standing.topic), standing.partition));
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(memory, look));
    chosen
}

fn controls_ui(ui: &mut Ui, (component, all, shown): (&str, usize, usize), look: &mut Look) {
    let field = TextEdit::singleline(&mut look.filter)
        .desired_width(120.0)
        .hint_text("Filter: orders[3]")
        .min_size(egui::Vec2::new(0.0, widgets::CONTROL_HEIGHT))
        .vertical_align(egui::Align::Center);
    let response = ui.add(field);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Filter partitions"));
    let help = "Offline, or a replica is out of sync";
    if widgets::pill(ui, "In trouble", look.trouble_only).on_hover_text(help).clicked() {
        look.trouble_only = !look.trouble_only;
    }
    let count = if shown == all {
        figures::whole(all as u64)
    } else {
        format!("{} of {}", figures::whole(shown as u64), figures::whole(all as u64))
    };
    let words = format!("{count} partition{} of {component}", if all == 1 { "" } else { "s" });
    ui.add(egui::Label::new(theme::muted(theme::tokens(ui.ctx()), words)).truncate());
}

/// Names of the groups that read here, in the order of the design.
fn groups(standings: &[PartitionStanding]) -> Vec<Arc<str>> {
    let mut groups: Vec<Arc<str>> = Vec::new();
    for (name, _) in standings.iter().flat_map(|standing| &standing.lags) {
        if !groups.contains(name) {
            groups.push(Arc::clone(name));
        }
    }
    groups
}

fn columns_of<'a>(groups: &'a [Arc<str>], standings: &[PartitionStanding]) -> Vec<Column<'a>> {
    let mut columns: Vec<Column<'_>> = FIXED.to_vec();
    if standings.iter().all(|standing| standing.marks.last_stable.is_none()) {
        // Nobody writes in transactions: it would repeat the high watermark.
        columns[LAST_STABLE].rank = Column::HIDDEN;
    }
    match groups.len() {
        0 => {}
        1..=LAG_COLUMNS_MAX => {
            let lag = |group: &'a Arc<str>| Column::right(group, "Lag: records that this group has still to read", 76.0, 1);
            columns.extend(groups.iter().map(lag));
        }
        _ => columns.push(Column::right("worst lag", "Records that the group furthest behind has still to read", 76.0, 1)),
    }
    columns
}

/// The rows that are wanted, in the order that is wanted.
fn rows<'a>(standings: &'a [PartitionStanding], look: &Look) -> Vec<&'a PartitionStanding> {
    let filter = look.filter.trim();
    let wanted = |standing: &&PartitionStanding| {
        (!look.trouble_only || is_in_trouble(standing)) && (filter.is_empty() || name(standing).contains(filter))
    };
    let mut rows: Vec<&PartitionStanding> = standings.iter().filter(wanted).collect();
    let (column, down) = look.sorted;
    if column == NAME {
        if down {
            rows.reverse();
        }
        return rows;
    }
    let groups = groups(standings);
    if down {
        rows.sort_by_key(|standing| Reverse(figure(standing, column, &groups)));
    } else {
        rows.sort_by_key(|standing| figure(standing, column, &groups));
    }
    rows
}

fn is_in_trouble(standing: &PartitionStanding) -> bool {
    standing.leader.is_none() || standing.replicas.iter().any(|(_, in_sync)| !in_sync)
}

fn name(standing: &PartitionStanding) -> String {
    format!("{}[{}]", standing.topic, standing.partition)
}

fn in_sync(standing: &PartitionStanding) -> impl Iterator<Item = u32> {
    standing.replicas.iter().filter(|(_, in_sync)| *in_sync).map(|(node, _)| *node)
}

/// What a column sorts by; nothing is less than any figure.
fn figure(standing: &PartitionStanding, column: usize, groups: &[Arc<str>]) -> Option<u64> {
    let marks = standing.marks;
    match column {
        1 => standing.leader.map(u64::from),
        2 => Some(in_sync(standing).count() as u64),
        3 => Some(marks.log_start),
        4 => Some(marks.log_end),
        5 => Some(marks.high_watermark),
        LAST_STABLE => marks.last_stable,
        7 => Some(u64::from(standing.epoch)),
        8 => Some(standing.log_bytes),
        9 => Some(standing.segments as u64),
        lag if groups.len() <= LAG_COLUMNS_MAX => {
            let group = groups.get(lag - FIXED.len())?;
            standing.lags.iter().find(|(name, _)| name == group).map(|(_, lag)| *lag)
        }
        _ => standing.lags.iter().map(|(_, lag)| *lag).max(),
    }
}

/// Draws a row; whether it was clicked.
fn row_ui(ui: &mut Ui, standing: &PartitionStanding, columns: &[Column<'_>], fitted: &[Fitted], groups: &[Arc<str>]) -> bool {
    let tokens = theme::tokens(ui.ctx());
    let nodes = in_sync(standing).map(|node| node.to_string()).collect::<Vec<_>>().join(" ");
    let marks = standing.marks;
    let state = match standing.leader {
        None => "offline".to_owned(),
        Some(node) => format!("led by node {node}, in sync {nodes}"),
    };
    let (watermark, end) = (figures::whole(marks.high_watermark), figures::whole(marks.log_end));
    let spoken = format!("Partition {}, {state}, watermark {watermark} of {end}", name(standing));
    let response = columns::ground(ui, &spoken, false);
    for place in fitted {
        let (words, tone) = match place.index {
            NAME => (name(standing), Tone::Neutral),
            1 if standing.leader.is_none() => ("–".to_owned(), Tone::Error),
            2 => (nodes.clone(), if is_in_trouble(standing) { Tone::Warn } else { Tone::Neutral }),
            8 => (figures::size(standing.log_bytes), Tone::Neutral),
            column => (figure(standing, column, groups).map_or_else(|| "–".to_owned(), figures::whole), Tone::Neutral),
        };
        let colour = if tone == Tone::Neutral { tokens.text } else { tokens.tone(tone) };
        let font = if place.index == NAME { theme::font_strong(12.0) } else { theme::font(12.0) };
        widgets::line_in(ui, place.of(response.rect), &words, font, colour, columns[place.index].align);
    }
    response.on_hover_text("Click to see its records").clicked()
}
