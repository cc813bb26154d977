//! The desk for schemas: which subject is looked at, a draft of its next version, what is to be said of it.
//!
//! In: [`SchemaCommand`]s, the design, what a running registry answers. Out: a [`Desk`] for panels to draw; edits, and
//! actions for the run. What is said of a draft is found by a worker and is there some frames later.
//! Must not know: egui, how schemas are compared. Start at [`AppState::apply_to_desk`] and [`Desk`].
//!
//! ```text
//! design ─► registry's own process ─► standings ┐
//! run ─► snapshot of a running registry ────────┴─► Subject ─► draft ─► Examiner ─► Examination ─► panels, canvas
//! ```

mod begin;
mod examine;
mod keeping;
pub mod places;
pub mod pretty;
mod subject;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{AppState, DockTab};
use crate::compile::{DrawnUse, Hit};
use crate::event::{SchemaUse, SchemaWay};
use crate::machines::codec::SchemaLibrary;
use crate::machines::registry::Change;
use crate::metrics::Browsed;
use crate::model::{Edit, FaultTarget, Value, id_is_valid};

pub use begin::Beginning;
pub use examine::{Breaking, Examination, Found, Judged, Problem, Question, examine};
pub use subject::{Subject, planned, references_of, registries};

/// Longest draft; a longer one is cut. Registries take no more.
pub const DRAFT_BYTES_MAX: usize = 1 << 20;
/// Drafts that are kept for other subjects.
const DRAFTS_MAX: usize = 100;

/// What a person asks of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaCommand {
    /// Shows a registry's subjects, or one of them.
    Open { registry: String, subject: Option<String> },
    /// Shows a version of the subject.
    ShowVersion(u32),
    /// Opens the editor on the draft that there is, or on the latest version.
    Edit,
    /// Another text of the draft.
    Write(String),
    /// The draft is the latest version again.
    Reset,
    /// Closes the editor; the draft is kept.
    CloseEditor,
    /// What is compared with what.
    Compare(Side, Side),
    /// Which page of what is said of it.
    Turn(Page),
    /// Sends the draft to the running registry.
    Register,
    /// Registers it though the level refuses it, as with NONE.
    RegisterAnyway,
    /// Makes the draft a schema of the project and a version of the subject.
    PutIntoProject,
    /// Opens the form of a new subject, says otherwise what it is to be, or closes it.
    BeginSubject(Option<Beginning>),
    /// Adds the subject that the form names.
    AddSubject,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A version by its number.
    Version(u32),
    /// The draft.
    Draft,
}

/// What is said of a draft, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// Accepted or refused, and every difference.
    #[default]
    Verdict,
    /// Changes by their effect under each level.
    Changes,
    /// The smallest event that breaks.
    Event,
    /// Who of the design breaks.
    Blast,
    /// The way to it.
    Steps,
}

/// The desk.
pub struct Desk {
    /// Whose subjects are shown.
    pub registry: Option<String>,
    /// Which of them.
    pub subject: Option<String>,
    /// Which of its versions; the latest when none is chosen.
    pub version: Option<u32>,
    /// A new subject, while it is named.
    beginning: Option<Beginning>,
    /// The editor is open.
    pub editing: bool,
    /// Which page is in front.
    pub page: Page,
    /// What is compared, where a person has chosen.
    compare: Option<(Side, Side)>,
    drafts: BTreeMap<(String, String), String>,
    all: Arc<[Subject]>,
    /// They are a run's.
    is_live: bool,
    /// By component.
    drawn: Vec<(DrawnUse, Option<(u32, u32)>)>,
    library: Arc<SchemaLibrary>,
    examiner: Option<examine::Examiner>,
    examination: Option<Examination>,
    changes: Vec<Change>,
    seen: Seen,
}

/// What the desk was last made of.
#[derive(Default)]
struct Seen {
    revision: Option<u64>,
    registry: Option<String>,
    browsed: Option<Arc<Browsed>>,
    /// Draft and subjects that were asked about.
    asked: Option<(Arc<str>, Arc<[Subject]>, String)>,
    compared: Option<(Side, Side, Arc<[Subject]>, String, String)>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            registry: None,
            subject: None,
            version: None,
            beginning: None,
            editing: false,
            page: Page::default(),
            compare: None,
            drafts: BTreeMap::new(),
            all: Arc::from([]),
            is_live: false,
            drawn: Vec::new(),
            library: Arc::default(),
            examiner: None,
            examination: None,
            changes: Vec::new(),
            seen: Seen::default(),
        }
    }
}

impl Desk {
    /// Subjects of the registry that is shown.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.all
    }
    /// Whether they are those of a run.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.is_live
    }
    /// The subject that is shown.
    #[must_use]
    pub fn chosen(&self) -> Option<&Subject> {
        self.all.iter().find(|subject| Some(&**subject.name()) == self.subject.as_deref())
    }
    /// The version that is shown.
    #[must_use]
    pub fn shown_version(&self) -> Option<u32> {
        let subject = self.chosen()?;
        self.version.filter(|number| subject.version(*number).is_some()).or_else(|| subject.latest().map(|latest| latest.number))
    }
    /// The draft's text, while the editor is open.
    #[must_use]
    pub fn draft(&self) -> Option<&str> {
        self.drafts.get(&self.draft_key()?).map(String::as_str).filter(|_| self.editing)
    }
    /// Whether a draft of a subject is kept that is none of its versions.
    #[must_use]
    pub fn has_draft(&self, subject: &Subject) -> bool {
        let key = (self.registry.clone().unwrap_or_default(), subject.name().to_string());
        let draft = self.drafts.get(&key);
        draft.is_some_and(|draft| subject.latest().is_none_or(|latest| subject.shown_text(latest.number) != *draft))
    }
    /// What is said of the draft as it is now; none while it is looked at.
    #[must_use]
    pub fn examination(&self) -> Option<&Examination> {
        self.examination.as_ref().filter(|examination| Some(&*examination.text) == self.draft())
    }
    /// What was last said of the draft, though it may have been changed since.
    #[must_use]
    pub fn last_examination(&self) -> Option<&Examination> {
        self.examination.as_ref().filter(|_| self.editing)
    }
    /// What is compared: the draft with the latest version, or the shown version with the one before it.
    #[must_use]
    pub fn sides(&self) -> Option<(Side, Side)> {
        let subject = self.chosen()?;
        let is_there = |side: Side| match side {
            Side::Version(number) => subject.version(number).is_some(),
            Side::Draft => self.editing,
        };
        let chosen = self.compare.filter(|(old, new)| is_there(*old) && is_there(*new));
        let latest = subject.latest()?.number;
        chosen.or_else(|| {
            if self.editing {
                return Some((Side::Version(latest), Side::Draft));
            }
            let shown = self.shown_version()?;
            let before = subject.standing.versions.iter().rev().find(|version| version.number < shown)?;
            Some((Side::Version(before.number), Side::Version(shown)))
        })
    }
    /// Changes between both sides, those that break first.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
    fn draft_key(&self) -> Option<(String, String)> {
        Some((self.registry.clone()?, self.subject.clone()?))
    }
}

impl AppState {
    /// Carries out what was asked of the desk.
    pub(super) fn apply_to_desk(&mut self, command: SchemaCommand) {
        match command {
            SchemaCommand::Open { registry, subject } => {
                self.desk.turn_to(registry);
                self.desk.beginning = None;
                if subject.is_some() && self.desk.subject != subject {
                    self.desk.look_at(subject);
                }
                self.show_dock(DockTab::Schemas);
            }
            SchemaCommand::ShowVersion(number) => {
                self.desk.version = Some(number);
                self.desk.compare = None;
            }
            SchemaCommand::Edit => self.begin_draft(false),
            SchemaCommand::Reset => self.begin_draft(true),
            SchemaCommand::Write(text) => self.write_draft(text),
            SchemaCommand::CloseEditor => {
                self.desk.editing = false;
                self.desk.compare = None;
            }
            SchemaCommand::Compare(old, new) => self.desk.compare = Some((old, new)),
            SchemaCommand::Turn(page) => self.desk.page = page,
            SchemaCommand::Register => self.register_draft("register"),
            SchemaCommand::RegisterAnyway => self.register_draft("break-schema"),
            SchemaCommand::PutIntoProject => self.put_draft(),
            SchemaCommand::BeginSubject(beginning) => self.desk.beginning = beginning,
            SchemaCommand::AddSubject => self.add_subject(),
        }
    }

    fn begin_draft(&mut self, anew: bool) {
        let Some((key, subject)) = self.desk.draft_key().zip(self.desk.chosen()) else { return };
        if anew || !self.desk.drafts.contains_key(&key) {
            let text = subject.latest().map(|latest| subject.shown_text(latest.number)).unwrap_or_default();
            while self.desk.drafts.len() >= DRAFTS_MAX {
                self.desk.drafts.pop_first();
            }
            self.desk.drafts.insert(key, text);
        }
        if !self.desk.editing {
            self.desk.compare = None;
            self.desk.page = Page::Verdict;
        }
        self.desk.editing = true;
    }

    fn write_draft(&mut self, mut text: String) {
        if text.len() > DRAFT_BYTES_MAX {
            let mut end = DRAFT_BYTES_MAX;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        if let Some(key) = self.desk.draft_key().filter(|_| self.desk.editing) {
            self.desk.drafts.insert(key, text);
        }
    }

    /// Why the draft cannot be registered now, if it cannot.
    #[must_use]
    pub fn cannot_register_because(&self) -> Option<&'static str> {
        match self.desk.last_examination().map(|examination| &examination.result) {
            _ if !self.is_locked() => Some("No run is on: press Run first"),
            None => Some("The draft is being looked at"),
            Some(Err(_)) => Some("The draft is no schema yet"),
            Some(Ok(judged)) if judged.same_as.is_some() => Some("The draft is a version already"),
            Some(Ok(_)) => None,
        }
    }
    /// Why the draft cannot become a version of the design's subject, if it cannot.
    #[must_use]
    pub fn cannot_put_because(&self) -> Option<&'static str> {
        match self.desk.last_examination().map(|examination| &examination.result) {
            _ if self.is_locked() => Some("The design is locked while a run is on"),
            None => Some("The draft is being looked at"),
            Some(Err(_)) => Some("The draft is no schema yet"),
            Some(Ok(judged)) if judged.same_as.is_some() => Some("The draft is a version already"),
            Some(Ok(judged)) if !judged.is_accepted() => Some("The subject's level refuses it: mend it, or lower the level first"),
            Some(Ok(_)) => None,
        }
    }

    /// Sends the draft to the registry that runs: the same action that a scenario has, so that the run can be replayed.
    fn register_draft(&mut self, action: &str) {
        let Some(((registry, subject), text)) = self.desk.draft_key().zip(self.desk.draft()) else { return };
        let text = Value::Text(text.to_owned());
        let mut params = IndexMap::from([("subject".to_owned(), Value::Text(subject)), ("schema".to_owned(), text)]);
        if let Some(subject) = self.desk.chosen().filter(|_| action == "register") {
            params.insert("type".to_owned(), Value::Text(subject.standing.schema_type.to_string()));
            let refers = subject.latest().map(|latest| &latest.refers[..]).unwrap_or_default();
            if !refers.is_empty() {
                let words = refers.iter().map(|(name, of)| Value::Text(format!("{name}={of}")));
                params.insert("references".to_owned(), Value::List(words.collect()));
            }
        }
        self.act(&FaultTarget::Component(registry), action.to_owned(), params);
    }

    /// A version is never changed: the draft becomes a schema of its own, behind those that the subject has.
    fn put_draft(&mut self) {
        if let Some(words) = self.cannot_put_because() {
            self.notice(words, true);
            return;
        }
        let Some(((registry, subject), text)) = self.desk.draft_key().zip(self.desk.draft()) else { return };
        let Some(mut subjects) = self.project().components.get(&registry).and_then(|it| it.params.get("subjects")?.as_map().cloned())
        else {
            return;
        };
        let name = self.new_schema_name(&subject);
        let Some(Value::Map(row)) = subjects.get_mut(&subject) else { return };
        match row.entry("versions".to_owned()).or_insert_with(|| Value::List(Vec::new())) {
            Value::List(versions) => versions.push(Value::Text(name.clone())),
            other => *other = Value::List(vec![other.clone(), Value::Text(name.clone())]),
        }
        let edits = vec![
            Edit::SetSchema { name: name.clone(), text: text.to_owned() },
            Edit::SetParam { id: registry, param: "subjects".to_owned(), value: Some(Value::Map(subjects)) },
        ];
        self.edit(None, edits);
        self.notice(format!("Schema {name} is the newest version of {subject}"), false);
    }

    /// `order-v2` behind `order`, or behind `order-v1`.
    fn new_schema_name(&self, subject: &str) -> String {
        let known = self.desk.chosen();
        let source = known.and_then(|known| known.source_name(known.latest()?.number));
        let stem = source.unwrap_or_else(|| subject.strip_suffix("-value").unwrap_or(subject));
        let stem = match stem.rsplit_once("-v") {
            Some((stem, number)) if !stem.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => stem,
            _ => stem,
        };
        let mut stem: String = stem.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).take(48).collect();
        if !id_is_valid(&stem) {
            "schema".clone_into(&mut stem);
        }
        let first = known.map_or(1, |known| known.standing.versions.len() as u32 + 1);
        let mut names = (first..).map(|number| format!("{stem}-v{number}"));
        names.find(|name| !self.project().schemas.contains_key(name)).unwrap_or(stem)
    }

    /// Waits for what is to be said of the draft; for tests.
    pub fn settle_desk(&mut self) {
        if let Some(examiner) = &self.desk.examiner {
            examiner.settle();
        }
        self.keep_desk();
    }

    /// What a new version would do to a component, the worst first, while its draft is being edited.
    #[must_use]
    pub fn hit_of(&self, component: &str) -> Option<&Hit> {
        let is_shown = self.charts && self.dock == DockTab::Schemas && self.desk.editing;
        let examination = self.desk.last_examination().filter(|_| is_shown)?;
        let hits = examination.result.as_ref().ok()?.hits.as_ref().ok()?;
        hits.iter().filter(|hit| hit.component == component).min_by_key(|hit| hit.impact)
    }

    /// The registry that a component asks for a subject.
    #[must_use]
    pub fn registry_of(&self, component: &str, subject: &str) -> Option<String> {
        let drawn = &self.desk.drawn;
        let found = drawn.iter().find(|(one, _)| one.component == component && one.subject == subject);
        found.or_else(|| drawn.iter().find(|(one, _)| one.subject == subject)).map(|(one, _)| one.registry.clone())
    }

    /// The schemas that a component uses: as it is drawn, or what it knows while it runs.
    #[must_use]
    pub fn schema_uses(&self, component: &str) -> Vec<SchemaUse> {
        let running = self.running.as_ref();
        let card = running.and_then(|running| running.view().cards.get(running.component_ix(component)?.index()));
        if let Some(card) = card.filter(|card| !card.schemas.is_empty()) {
            return card.schemas.clone();
        }
        let of_it = self.desk.drawn.iter().filter(|(one, _)| one.component == component);
        let as_drawn = |(one, found): &(DrawnUse, Option<(u32, u32)>)| SchemaUse {
            subject: one.subject.as_str().into(),
            version: found.map(|(number, _)| number),
            id: found.map(|(_, id)| id),
            way: match (one.reads, one.version) {
                (false, _) => SchemaWay::Writes,
                (true, None) => SchemaWay::Reads,
                (true, Some(_)) => SchemaWay::ReadsAs,
            },
            trouble: None,
        };
        of_it.map(as_drawn).collect()
    }
}

impl Desk {
    /// Shows another registry; the same one stays as it is.
    pub(super) fn turn_to(&mut self, registry: String) {
        if self.registry.as_ref() != Some(&registry) {
            self.registry = Some(registry);
            self.look_at(None);
        }
    }
    fn look_at(&mut self, subject: Option<String>) {
        self.subject = subject;
        self.version = None;
        self.compare = None;
        self.beginning = None;
        self.editing = false;
    }
    /// Standings that say the same leave everything as it is: what was examined stays examined.
    fn take(&mut self, all: Vec<Subject>) {
        if *self.all != *all {
            self.all = all.into();
        }
    }
}
