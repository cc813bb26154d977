//! A text field that shows exactly what a person typed while they are in it.
//!
//! What parses is given out as it is typed, or when the field is left ([`Apply`]). Leaving a field whose text
//! parses shows the value's own spelling again; text that does not parse stays, with its problem, until it is
//! mended, given up with Escape, or the value behind it changes.

use egui::{Id, Response, TextEdit, Ui};

/// When a field gives out what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apply {
    /// At every letter that makes it parse.
    AsTyped,
    /// At Enter, or when the field is left: for names and for what a run takes over at once.
    OnLeave,
}

/// What was typed and is not the value's own spelling yet.
#[derive(Clone, Debug)]
struct Draft {
    text: String,
    /// The value's spelling before the person began: what Escape goes back to.
    before: String,
    /// None while the person is in the field; then the value's spelling when they left.
    left_over: Option<String>,
}

/// A text field.
#[derive(Clone, Copy)]
pub(super) struct TextField<'a> {
    /// What it edits, as a project path: the draft hangs on it.
    pub path: &'a str,
    /// What a screen reader and a test call it.
    pub label: &'a str,
    /// The value's own spelling.
    pub shown: &'a str,
    /// Shown when it is empty.
    pub placeholder: &'a str,
    /// Several lines.
    pub long: bool,
    /// It may be edited.
    pub enabled: bool,
    /// When it gives out what was typed.
    pub apply: Apply,
}

/// What a field has to say after a frame.
pub(super) struct Typed<T> {
    /// A new value.
    pub value: Option<T>,
    /// Why the text in it is no value.
    pub problem: Option<String>,
}

impl TextField<'_> {
    /// Draws the field; `parse` reads a text or says in words why it cannot.
    pub(super) fn show<T>(self, ui: &mut Ui, parse: impl Fn(&str) -> Result<T, String>) -> Typed<T> {
        let id = field_id(self.path);
        let mut draft: Option<Draft> = ui.data(|data| data.get_temp(id));
        // Undo, another file, a reset: what was typed against the old value is about nothing now.
        if draft.as_ref().and_then(|draft| draft.left_over.as_ref()).is_some_and(|shown| shown != self.shown) {
            draft = None;
        }
        let mut text = draft.as_ref().map_or(self.shown, |draft| &draft.text).to_owned();
        let response = self.draw(ui, id, &mut text);
        let mut value = None;
        if response.changed() {
            if self.apply == Apply::AsTyped {
                value = parse(&text).ok();
            }
            let before = draft.map_or_else(|| self.shown.to_owned(), |draft| draft.before);
            draft = Some(Draft { text, before, left_over: None });
        }
        let left = draft.take_if(|draft| draft.left_over.is_none() && !response.has_focus());
        if let Some(left) = left {
            if ui.input(|input| input.key_pressed(egui::Key::Escape)) {
                value = if left.before == self.shown { None } else { parse(&left.before).ok() };
            } else {
                match parse(&left.text) {
                    Ok(read) if self.apply == Apply::OnLeave && left.text != self.shown => value = Some(read),
                    Ok(_) => {}
                    Err(_) => draft = Some(Draft { left_over: Some(self.shown.to_owned()), ..left }),
                }
            }
        }
        let problem = draft.as_ref().and_then(|draft| parse(&draft.text).err());
        ui.data_mut(|data| match draft {
            Some(draft) => drop(data.insert_temp(id, draft)),
            None => data.remove::<Draft>(id),
        });
        Typed { value, problem }
    }

    fn draw(self, ui: &mut Ui, id: Id, text: &mut String) -> Response {
        let edit = if self.long { TextEdit::multiline(text).desired_rows(3) } else { TextEdit::singleline(text) };
        let edit = edit.id(id).hint_text(self.placeholder).desired_width(f32::INFINITY).margin(egui::Margin::symmetric(8, 5));
        let response = ui.add_enabled(self.enabled, edit);
        response.widget_info(|| {
            let mut info = egui::WidgetInfo::text_edit(self.enabled, self.shown, &*text, self.placeholder);
            info.label = Some(self.label.to_owned());
            info
        });
        response
    }
}

/// The widget that edits what stands at a path.
pub(super) fn field_id(path: &str) -> Id {
    Id::new(("field", path))
}

/// Any text is text.
#[expect(clippy::unnecessary_wraps, reason = "the shape that fields ask for")]
pub(super) fn any_text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// One entry a line; empty lines say nothing.
#[expect(clippy::unnecessary_wraps, reason = "the shape that fields ask for")]
pub(super) fn lines(text: &str) -> Result<Vec<String>, String> {
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
}
