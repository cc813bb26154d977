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

mod examine;
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
use crate::compile::{self, DrawnUse, Hit};
use crate::event::{Answer, SchemaUse, SchemaWay, VersionState};
use crate::machines::codec::SchemaLibrary;
use crate::machines::registry::{Change, diff};
use crate::metrics::Browsed;
use crate::model::{Edit, FaultTarget, Project, Value, id_is_valid};

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

    /// Brings the desk up to what there is: once after a command, and once a frame.
    pub(super) fn keep_desk(&mut self) {
        self.settle_desk_registry();
        self.keep_subjects();
        let desk = &mut self.desk;
        if desk.chosen().is_none() {
            desk.subject = desk.all.first().map(|subject| subject.name().to_string());
            desk.version = None;
            desk.editing = false;
        }
        self.ask_examiner();
        if let Some(examination) = self.desk.examiner.as_ref().and_then(examine::Examiner::answer) {
            self.desk.examination = Some(examination);
        }
        self.keep_changes();
    }

    fn settle_desk_registry(&mut self) {
        let project = Arc::clone(self.document.project());
        let is_there = |id: &String| registries(&project).any(|known| known == id);
        if !self.desk.registry.as_ref().is_some_and(is_there) {
            self.desk.registry = registries(&project).next().map(str::to_owned);
        }
    }

    fn keep_subjects(&mut self) {
        let revision = self.document.revision();
        let is_new_design = self.desk.seen.revision != Some(revision);
        let project = Arc::clone(self.document.project());
        if is_new_design {
            self.desk.seen.revision = Some(revision);
            self.desk.library = Arc::default();
            self.desk.drawn = drawn_uses(&project, &self.desk.library);
        }
        let browsed = self.running.as_ref().and_then(|running| {
            let browsed = running.view().browsed.as_ref()?;
            let is_its = Some(running.component_id(browsed.wish.component)) == self.desk.registry.as_deref();
            (is_its && matches!(browsed.answer, Some(Answer::Subjects(_)))).then(|| Arc::clone(browsed))
        });
        let desk = &mut self.desk;
        let Some(registry) = &desk.registry else {
            desk.all = Arc::from([]);
            return;
        };
        let is_other = desk.seen.registry.as_ref() != Some(registry);
        let problems = self.document.diagnostics();
        match (browsed, &self.running) {
            (Some(browsed), _) => {
                if is_other || is_new_design || desk.seen.browsed.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &browsed)) {
                    if let Some(Answer::Subjects(standings)) = &browsed.answer {
                        desk.take(Subject::all(&project, registry, standings, problems, &desk.library));
                    }
                    desk.seen.browsed = Some(browsed);
                    desk.is_live = true;
                }
            }
            // What the run said last stands while something else is looked at.
            (None, Some(_)) if !is_other && desk.is_live => return,
            (None, _) if is_other || is_new_design || desk.is_live => {
                let standings = planned(&project, registry, &desk.library);
                desk.take(Subject::all(&project, registry, &standings, problems, &desk.library));
                desk.seen.browsed = None;
                desk.is_live = false;
            }
            (None, _) => {}
        }
        desk.seen.registry.clone_from(&desk.registry);
    }

    fn ask_examiner(&mut self) {
        let desk = &mut self.desk;
        let Some((draft, registry)) = desk.draft().map(Arc::<str>::from).zip(desk.registry.clone()) else {
            desk.seen.asked = None;
            desk.examination = None;
            return;
        };
        let name = desk.subject.clone().unwrap_or_default();
        let is_asked =
            |(text, all, subject): &(Arc<str>, Arc<[Subject]>, String)| *text == draft && Arc::ptr_eq(all, &desk.all) && *subject == name;
        if desk.seen.asked.as_ref().is_some_and(is_asked) {
            return;
        }
        let Some(subject) = desk.all.iter().position(|subject| **subject.name() == *name) else { return };
        let wake = Arc::clone(&self.wake);
        let examiner = desk.examiner.get_or_insert_with(|| examine::Examiner::start(wake));
        let project = match &self.running {
            Some(running) => Arc::new(running.project().clone()),
            None => Arc::clone(self.document.project()),
        };
        let library = examiner.library();
        desk.seen.asked = Some((Arc::clone(&draft), Arc::clone(&desk.all), name));
        examiner.ask(Question { text: draft, registry, subject, all: Arc::clone(&desk.all), project, library });
    }

    fn keep_changes(&mut self) {
        let desk = &mut self.desk;
        let Some((subject, (old, new))) = desk.chosen().cloned().zip(desk.sides()) else {
            desk.changes.clear();
            desk.seen.compared = None;
            return;
        };
        let draft = desk.draft().unwrap_or_default().to_owned();
        let asked = (old, new, Arc::clone(&desk.all), subject.name().to_string(), draft);
        let is_seen = |seen: &(Side, Side, Arc<[Subject]>, String, String)| {
            (seen.0, seen.1) == (old, new)
                && Arc::ptr_eq(&seen.2, &asked.2)
                && seen.3 == asked.3
                && (seen.4 == asked.4 || old != Side::Draft && new != Side::Draft)
        };
        if desk.seen.compared.as_ref().is_some_and(is_seen) {
            return;
        }
        // A draft that is no schema for the time being leaves the last changes standing.
        let drafted = desk.examination.as_ref().filter(|examination| *examination.text == *asked.4);
        let drafted = drafted.and_then(|examination| examination.result.as_ref().ok()).map(|judged| Arc::clone(&judged.schema));
        let schema = |side: Side| match side {
            Side::Version(number) => subject.schema(number, &desk.library),
            Side::Draft => drafted.clone(),
        };
        if let Some((old, new)) = schema(old).zip(schema(new)) {
            desk.changes = diff(&desk.library, &old, &new, subject.rules());
            desk.seen.compared = Some(asked);
        }
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
        self.editing = false;
    }
    /// Standings that say the same leave everything as it is: what was examined stays examined.
    fn take(&mut self, all: Vec<Subject>) {
        if *self.all != *all {
            self.all = all.into();
        }
    }
}

/// Every use of the design with the version and the id that it comes to before a run.
fn drawn_uses(project: &Project, library: &Arc<SchemaLibrary>) -> Vec<(DrawnUse, Option<(u32, u32)>)> {
    let uses = compile::schema_uses(project);
    let mut standings = BTreeMap::new();
    let with_version = |one: DrawnUse| {
        let subjects = standings.entry(one.registry.clone()).or_insert_with(|| planned(project, &one.registry, library));
        let versions = subjects.iter().find(|subject| *subject.name == *one.subject).map(|subject| &subject.versions[..]);
        let mut available = versions.unwrap_or_default().iter().filter(|version| version.state == VersionState::Available).rev();
        let found = available.find(|version| one.version.is_none_or(|wanted| wanted == version.number));
        let found = found.map(|version| (version.number, version.id));
        (one, found)
    };
    uses.into_iter().map(with_version).collect()
}
