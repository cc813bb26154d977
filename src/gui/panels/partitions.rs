//! The partitions of a cluster: who leads, who is in sync, how far the log goes. Start at [`body`].

use egui::{Grid, RichText, ScrollArea, Ui, WidgetInfo, WidgetType};

use super::figures;
use crate::gui::theme::{self, Tone, space};
use crate::metrics::PartitionView;
use crate::units::Bytes;

const HEADS: [(&str, &str); 7] = [
    ("partition", "Topic and partition"),
    ("leader", "The node that leads it; – while it is offline"),
    ("in sync", "Nodes whose replicas are in sync (the ISR)"),
    ("end", "Offset of the next record at the leader"),
    ("watermark", "High watermark: readers see what is below"),
    ("epoch", "Grows with every election"),
    ("size", "Of the leader's log"),
];

/// Draws the table.
pub fn body(ui: &mut Ui, partitions: &[PartitionView]) {
    ScrollArea::horizontal().id_salt("partitions").show(ui, |ui| {
        Grid::new("partitions").striped(true).spacing([space::M, space::XS]).show(ui, |ui| {
            for (head, help) in HEADS {
                let colour = theme::tokens(ui.ctx()).text_muted;
                ui.label(RichText::new(head).font(theme::font_strong(11.0)).color(colour)).on_hover_text(help);
            }
            ui.end_row();
            for partition in partitions {
                row_ui(ui, partition);
                ui.end_row();
            }
        });
    });
}

fn row_ui(ui: &mut Ui, partition: &PartitionView) {
    let leader = partition.leader.map_or_else(|| "–".to_owned(), |node| node.to_string());
    let in_sync = partition.in_sync.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let (end, watermark) = (figures::whole(partition.log_end), figures::whole(partition.high_watermark));
    let missing = if partition.is_under_replicated() { Tone::Warn } else { Tone::Neutral };
    let offline = if partition.leader.is_none() { Tone::Error } else { Tone::Neutral };
    let state = match (partition.leader, partition.in_sync.is_empty()) {
        (None, _) => "offline".to_owned(),
        (Some(node), true) => format!("led by node {node}"),
        (Some(node), false) => format!("led by node {node}, in sync {in_sync}"),
    };
    let spoken = format!("Partition {}, {state}, watermark {watermark} of {end}", partition.name);
    let name = ui.label(text(ui, &partition.name, Tone::Neutral));
    name.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    let size = Bytes(partition.log_bytes).to_string();
    let cells = [
        (leader, offline),
        (in_sync, missing),
        (end, Tone::Neutral),
        (watermark, Tone::Neutral),
        (partition.epoch.to_string(), Tone::Neutral),
        (size, Tone::Neutral),
    ];
    for (words, tone) in cells {
        ui.label(text(ui, &words, tone));
    }
}

fn text(ui: &Ui, words: &str, tone: Tone) -> RichText {
    let tokens = theme::tokens(ui.ctx());
    let colour = if tone == Tone::Neutral { tokens.text } else { tokens.tone(tone) };
    RichText::new(words).font(theme::font(12.0)).color(colour)
}
