//! The smallest event that breaks, as it is written and as it is read.

use std::fmt::Write;

use egui::{Label, RichText, Ui};

use super::code;
use super::pages::tile;
use crate::app::schemas::{Breaking, Judged, pretty};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::machines::codec::{BreakingEvent, Read};
use crate::machines::registry::Way;

/// Bytes that are shown.
const BYTES_MAX: usize = 128;
/// Narrower than this, both stand one above the other.
const BESIDE_WIDTH_MIN: f32 = 320.0;

/// Draws it.
pub(super) fn ui(ui: &mut Ui, judged: &Judged) {
    let Some(Breaking { version, way, is_allowed, search }) = &judged.breaking else {
        let hint = "Whatever either version writes, the other one reads";
        return widgets::empty_state(ui, icon::MET, "No event breaks", hint);
    };
    let older = format!("version {version}");
    let (writer, reader) = match way {
        Way::NewReadsOld => (older.as_str(), "the draft"),
        Way::OldReadsNew => ("the draft", older.as_str()),
    };
    let Some(BreakingEvent { payload, message, written, read }) = &search.found else {
        let hint = format!("Of {} tried none broke: the rule refuses the change all the same", search.tried.max(1));
        return widgets::empty_state(ui, icon::INFO, "No event was found that breaks it", &hint);
    };
    let bytes = if payload.len() == 1 { "1 byte".to_owned() } else { format!("{} bytes", payload.len()) };
    let of = message.as_ref().map_or_else(String::new, |message| format!("a message {message}, "));
    ui.add(Label::new(theme::strong(format!("The smallest event found that breaks it: {of}{bytes}"))).wrap());
    if *is_allowed {
        ui.add(Label::new(theme::muted(theme::tokens(ui.ctx()), "The level allows it: it asks nothing of these readers")).wrap());
    }
    ui.add_space(space::S);
    let written_ui = |ui: &mut Ui| {
        heading(ui, icon::MET, &format!("Written with {writer}"), Tone::Ok);
        code::shown(ui, &laid_out(written), false);
    };
    let read_ui = |ui: &mut Ui| {
        heading(ui, icon::MISSED, &format!("Read with {reader}"), Tone::Error);
        match read {
            Read::Fails(why) => widgets::notice(ui, icon::ERROR, &format!("Fails: {why}"), Tone::Error),
            Read::Otherwise(value) => code::shown(ui, &laid_out(value), false),
        }
    };
    if ui.available_width() >= BESIDE_WIDTH_MIN {
        ui.columns(2, |columns| {
            written_ui(&mut columns[0]);
            read_ui(&mut columns[1]);
        });
    } else {
        written_ui(ui);
        ui.add_space(space::S);
        read_ui(ui);
    }
    ui.add_space(space::S);
    tile(ui, |ui| {
        ui.label(theme::muted(theme::tokens(ui.ctx()), "Bytes, without a registry's header"));
        ui.add(Label::new(RichText::new(hex(payload)).monospace().size(11.5)).selectable(true).wrap());
    });
}

fn heading(ui: &mut Ui, icon: &str, words: &str, tone: Tone) {
    let tokens = theme::tokens(ui.ctx());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        ui.label(RichText::new(icon).color(tokens.tone(tone)));
        ui.add(Label::new(theme::strong(words).size(12.0)).truncate());
    });
}

fn laid_out(value: &serde_json::Value) -> String {
    pretty::laid_out(&value.to_string())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = bytes.iter().take(BYTES_MAX).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x} ");
        text
    });
    if bytes.len() > BYTES_MAX {
        text.push('…');
    }
    if bytes.is_empty() {
        text.push_str("none: an empty payload");
    }
    text
}
