//! The headless application: the state that a window shows, and the commands that change it.
//!
//! In: [`Command`]s. Out: [`AppState`], read by panels; files, runs. Everything here works without a window,
//! and tests drive it so.
//! Must not know: egui. Start at [`AppState::apply`].

pub mod arrange;
mod autosave;
mod browsing;
mod command;
mod document;
pub mod filters;
mod jobs;
mod running;
pub mod schemas;
mod selection;
#[cfg(test)]
mod tests;

pub use autosave::COPY_EVERY_S;
pub use browsing::{Browse, DockTab, ServiceLook, Shelf};
pub use command::{Answer, Command, Pick, Reveal, SelectMode, SideTab, ThemeChoice};
pub use document::{Document, UNDO_MAX};
pub use jobs::{Answered, DialogFor, Jobs};
pub use running::Running;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostics::Diagnostic;
use crate::export;
use crate::import;
use crate::model::{Edit, Project};
use crate::project;
use crate::run::Pace;

/// Messages shown at once; older ones go.
const NOTICES_MAX: usize = 4;

/// A short message to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub text: String,
    /// Whether it went wrong.
    pub is_error: bool,
    /// Grows, so that a window can tell a new one from an old one.
    pub number: u64,
}

/// A file that could not be opened: its name and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenFile {
    /// Which.
    pub path: PathBuf,
    /// What is wrong, or what the file system said.
    pub problems: Vec<Diagnostic>,
}

/// What waits for an answer to "save first?".
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// A new design.
    New,
    /// The starter.
    Starter,
    /// Opening a file that is still to be chosen.
    Open,
    /// Making a design of a file of this format, still to be chosen.
    Import(String),
    /// Opening this file.
    OpenPath(PathBuf),
    /// The end.
    Quit,
}

/// The whole application.
pub struct AppState {
    /// The open design.
    pub document: Document,
    /// What is selected, in the order it was.
    pub selection: Vec<Pick>,
    /// The run, if one was started.
    pub running: Option<Running>,
    /// Scenario of the next run; none is the project's first.
    pub scenario: Option<String>,
    /// Seed of the next run; none is the project's.
    pub seed: Option<u64>,
    /// Pace of the run.
    pub pace: Pace,
    /// Tab of the side.
    pub tab: SideTab,
    /// The place that a person asked to see last.
    pub reveal: Option<Reveal>,
    /// Theme.
    pub theme: ThemeChoice,
    /// Cards stand on the grid.
    pub snap: bool,
    /// The dock below the canvas is shown.
    pub charts: bool,
    /// Tab of the dock.
    pub dock: DockTab,
    /// The service that is looked at.
    pub service: ServiceLook,
    /// The records that are looked at, if there are any.
    pub browse: Option<Browse>,
    /// Subjects, and the draft of a schema.
    pub desk: schemas::Desk,
    /// Recent files, newest first.
    pub recent: Vec<PathBuf>,
    /// Messages, newest last.
    pub notices: Vec<Notice>,
    /// A file that would not open.
    pub broken: Option<BrokenFile>,
    /// What a path is asked for in the window itself, where the desktop shows no dialog.
    pub path_wish: Option<DialogFor>,
    /// Work that a crash left behind, while it is offered.
    pub recovery: Option<project::Recovery>,
    /// Waits for an answer.
    pub pending: Option<Pending>,
    /// A small window in front.
    pub dialog: Option<&'static str>,
    /// The program shall end.
    pub quit: bool,
    /// Grows when the canvas shall fit the design.
    pub fit_requests: u64,
    /// File dialogs.
    pub jobs: Jobs,
    autosave: Option<autosave::Autosave>,
    copied: Vec<Edit>,
    notice_count: u64,
    /// Goes to the window when something changed behind its back.
    wake: Arc<dyn Fn() + Send + Sync>,
    /// None when nothing is remembered: in tests.
    preferences: Option<project::Preferences>,
}

impl AppState {
    /// An application on this design; `wake` is called from other threads when there is something new.
    #[must_use]
    pub fn new(document: Document, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            document,
            selection: Vec::new(),
            running: None,
            scenario: None,
            seed: None,
            pace: Pace::Ratio(1.0),
            tab: SideTab::Inspector,
            reveal: None,
            theme: ThemeChoice::System,
            snap: true,
            charts: true,
            dock: DockTab::Charts,
            service: ServiceLook::default(),
            browse: None,
            desk: schemas::Desk::default(),
            recent: Vec::new(),
            notices: Vec::new(),
            broken: None,
            path_wish: None,
            recovery: None,
            pending: None,
            dialog: None,
            quit: false,
            fit_requests: 1,
            jobs: Jobs::default(),
            autosave: None,
            copied: Vec::new(),
            notice_count: 0,
            wake,
            preferences: None,
        }
    }

    /// Takes over what was kept from earlier sessions.
    pub fn use_preferences(&mut self, preferences: project::Preferences) {
        self.recent.clone_from(&preferences.recent);
        self.snap = preferences.snap;
        self.theme = match preferences.theme {
            project::Theme::System => ThemeChoice::System,
            project::Theme::Light => ThemeChoice::Light,
            project::Theme::Dark => ThemeChoice::Dark,
        };
        self.preferences = Some(preferences);
    }

    /// The design.
    #[must_use]
    pub fn project(&self) -> &Arc<Project> {
        self.document.project()
    }
    /// Whether the drawing may not change: a run is on.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_going)
    }
    /// Whether a run stands still until somebody lets it go on.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_held)
    }
    /// Why the design cannot run, if it cannot.
    #[must_use]
    pub fn blocked_because(&self) -> Option<String> {
        let errors = self.document.diagnostics().iter().filter(|d| d.severity == crate::diagnostics::Severity::Error);
        match errors.count() {
            0 => None,
            1 => Some("The design has a problem: see the problems list".to_owned()),
            n => Some(format!("The design has {n} problems: see the problems list")),
        }
    }
    /// The window's title.
    #[must_use]
    pub fn title(&self) -> String {
        let name = match self.document.path().and_then(Path::file_name) {
            Some(name) => name.to_string_lossy().into_owned(),
            None if self.project().name.is_empty() => "Untitled".to_owned(),
            None => self.project().name.clone(),
        };
        format!("{}{name} — Eventyard", if self.document.is_dirty() { "• " } else { "" })
    }

    /// Carries out a command. What cannot be done becomes a notice.
    pub fn apply(&mut self, command: Command) {
        self.carry_out(command);
        self.keep_desk();
        self.ask_run();
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::New => self.leave(Pending::New),
            Command::Open => self.leave(Pending::Open),
            Command::Import(format) => self.leave(Pending::Import(format)),
            Command::OpenStarter => self.leave(Pending::Starter),
            Command::OpenPath(path) => self.leave(Pending::OpenPath(path)),
            Command::Quit => self.leave(Pending::Quit),
            Command::Answer(answer) => self.answer(answer),
            Command::Recover => self.recover(),
            Command::DropRecovery => self.drop_offered_recovery(),
            Command::AnswerPath(path) => {
                if let (Some(wish), Some(path)) = (self.path_wish.take(), path) {
                    self.use_path(wish, &path);
                }
            }
            Command::Save => match self.document.path().map(Path::to_path_buf) {
                Some(path) => self.save_to(&path),
                None => self.ask(DialogFor::Save),
            },
            Command::SaveAs => self.ask(DialogFor::Save),
            Command::SaveTo(path) => self.save_to(&path),
            Command::Export(format) => self.ask(DialogFor::Export(format)),
            Command::ExportTo(format, path) => self.export_to(&format, &path),
            Command::Dismiss => {
                self.broken = None;
                self.dialog = None;
                self.notices.clear();
            }
            Command::Edit(edit) => self.edit(None, vec![edit]),
            Command::Edits(edits) => self.edit(None, edits),
            Command::EditLive(key, edits) => self.edit(Some(key), edits),
            Command::Undo => self.travel(Document::undo, "Nothing to undo"),
            Command::Redo => self.travel(Document::redo, "Nothing to redo"),
            Command::SetTheme(theme) => {
                self.theme = theme;
                self.keep_preferences();
            }
            Command::Reveal(path) => self.reveal(path),
            Command::ShowTab(tab) => self.tab = tab,
            Command::ToggleSnap => {
                self.snap = !self.snap;
                self.keep_preferences();
            }
            Command::ShowDock(tab) => self.show_dock(tab),
            Command::Browse(browse) => self.browse(browse),
            Command::Schemas(command) => self.apply_to_desk(command),
            Command::LookAtService(query) => self.service.query = query,
            Command::ToggleCharts => self.charts = !self.charts,
            Command::Say { text, is_error } => self.notice(text, is_error),
            Command::Fit => self.fit_requests += 1,
            Command::ShowDialog(which) => self.dialog = Some(which),
            command => {
                if !self.apply_to_selection(&command) {
                    self.apply_to_run(command);
                }
            }
        }
    }

    /// Looks at what other threads have done; called once a frame.
    pub fn poll(&mut self) {
        for answer in self.jobs.poll() {
            match answer {
                Answered::Chosen(wish, path) => self.use_path(wish, &path),
                Answered::GivenUp => {}
                Answered::NotShown(wish) => self.path_wish = Some(wish),
            }
        }
        if let Some(running) = &mut self.running {
            running.refresh();
        }
        self.keep_desk();
    }

    fn use_path(&mut self, wish: DialogFor, path: &Path) {
        match wish {
            DialogFor::Open => self.open(path),
            DialogFor::Import(format) => self.import(&format, path),
            DialogFor::Save => self.save_to(path),
            DialogFor::Export(format) => self.export_to(&format, path),
        }
    }

    /// A file name to begin with in a dialog.
    #[must_use]
    pub fn suggested_name(&self, wish: &DialogFor) -> String {
        let stem = self.document.path().and_then(Path::file_stem);
        let stem = stem.map_or_else(|| "design".to_owned(), |stem| stem.to_string_lossy().into_owned());
        match wish {
            DialogFor::Open | DialogFor::Import(_) => String::new(),
            DialogFor::Save => format!("{stem}.ron"),
            DialogFor::Export(format) => format!("{stem}.{}", export::extension(format)),
        }
    }

    /// Tells the person something.
    pub fn notice(&mut self, text: impl Into<String>, is_error: bool) {
        self.notice_count += 1;
        if self.notices.len() >= NOTICES_MAX {
            self.notices.remove(0);
        }
        self.notices.push(Notice { text: text.into(), is_error, number: self.notice_count });
    }

    fn reveal(&mut self, path: String) {
        self.selection = Pick::at(&path, self.project()).into_iter().collect();
        self.tab = SideTab::Inspector;
        let number = self.reveal.as_ref().map_or(0, |reveal| reveal.number + 1);
        self.reveal = Some(Reveal { path, number });
    }

    fn edit(&mut self, live: Option<String>, edits: Vec<Edit>) {
        let structural = edits.iter().any(|edit| !is_layout(edit));
        if structural && self.is_locked() {
            self.notice("The design is locked while a run is on: stop it to edit", true);
            return;
        }
        let result = match live {
            Some(key) => self.document.edit_live(key, edits),
            None => self.document.edit(edits),
        };
        if let Err(error) = result {
            self.notice(error.to_string(), true);
        }
        self.drop_dead_picks();
        self.scenario.take_if(|name| !self.document.project().scenarios.contains_key(name));
    }

    fn travel(&mut self, step: fn(&mut Document) -> bool, nothing: &str) {
        if self.is_locked() {
            self.notice("The design is locked while a run is on: stop it to edit", true);
        } else if !step(&mut self.document) {
            self.notice(nothing, false);
        }
        self.drop_dead_picks();
    }

    /// Goes on to something else, after asking where changes would be lost.
    fn leave(&mut self, next: Pending) {
        if self.document.is_dirty() {
            self.pending = Some(next);
        } else {
            self.go_on(next);
        }
    }

    fn answer(&mut self, answer: Answer) {
        let Some(next) = self.pending.take() else { return };
        match answer {
            Answer::Cancel => {}
            Answer::Discard => self.go_on(next),
            Answer::Save => match self.document.path().map(Path::to_path_buf) {
                Some(path) => {
                    self.save_to(&path);
                    if !self.document.is_dirty() {
                        self.go_on(next);
                    }
                }
                // Once it has a file the person asks again; nothing is lost meanwhile.
                None => self.ask(DialogFor::Save),
            },
        }
    }

    fn go_on(&mut self, next: Pending) {
        match next {
            Pending::New => self.show(Document::new(Project { name: "Untitled".to_owned(), seed: 1, ..Project::default() })),
            Pending::Starter => self.show(Document::loaded(project::starter())),
            Pending::Open => self.ask(DialogFor::Open),
            Pending::Import(format) => self.ask(DialogFor::Import(format)),
            Pending::OpenPath(path) => self.open(&path),
            Pending::Quit => {
                self.forget_recovery();
                self.quit = true;
            }
        }
    }

    fn open(&mut self, path: &Path) {
        match project::load_file(path) {
            Ok(loaded) if loaded.is_sound() => {
                self.show(Document::loaded(loaded));
                self.offer_recovery(Some(path));
                self.remember(path);
            }
            Ok(loaded) => self.broken = Some(BrokenFile { path: path.to_path_buf(), problems: loaded.diagnostics }),
            Err(error) => {
                let problems = vec![Diagnostic::error("file", "", error.to_string())];
                self.broken = Some(BrokenFile { path: path.to_path_buf(), problems });
            }
        }
    }

    /// A new design of another tool's output; what was left out of it is told.
    fn import(&mut self, format: &str, path: &Path) {
        let read = import::text_of(path).map_err(|error| vec![Diagnostic::error("file", "", error.to_string())]);
        match read.and_then(|text| import::read(format, &text)) {
            Ok(imported) => {
                self.show(Document::imported(imported.project));
                for diagnostic in imported.diagnostics.iter().take(NOTICES_MAX) {
                    self.notice(diagnostic.to_string(), false);
                }
            }
            Err(problems) => self.broken = Some(BrokenFile { path: path.to_path_buf(), problems }),
        }
    }

    /// Another design, on purpose: what was not saved of the old one is not wanted.
    fn show(&mut self, document: Document) {
        self.forget_recovery();
        self.replace_document(document);
    }

    fn replace_document(&mut self, document: Document) {
        self.document = document;
        self.selection.clear();
        self.running = None;
        self.scenario = None;
        self.seed = None;
        self.desk = schemas::Desk::default();
        self.broken = None;
        self.fit_requests += 1;
    }

    fn save_to(&mut self, path: &Path) {
        match self.document.save_to(path) {
            Ok(()) => {
                self.forget_recovery();
                self.notice(format!("Saved {}", path.display()), false);
                self.remember(path);
            }
            Err(error) => self.notice(format!("Not saved: {error}"), true),
        }
    }

    fn export_to(&mut self, format: &str, path: &Path) {
        let report = self.running.as_ref().and_then(|running| running.view().report.clone());
        let text = match (format, report) {
            ("html", Some(report)) => Some(export::report_html(self.project(), &report)),
            ("html", None) => {
                self.notice("A report needs a finished run", true);
                return;
            }
            _ => export::project_text(self.project(), format),
        };
        let written = text
            .ok_or_else(|| format!("there is no format `{format}`"))
            .and_then(|text| export::write_file(path, &text).map_err(|error| error.to_string()));
        match written {
            Ok(()) => self.notice(format!("Exported {}", path.display()), false),
            Err(words) => self.notice(format!("Not exported: {words}"), true),
        }
    }

    fn ask(&mut self, wish: DialogFor) {
        let name = self.suggested_name(&wish);
        let wake = Arc::clone(&self.wake);
        if let Err(words) = self.jobs.ask(wish, &name, Box::new(move || wake())) {
            self.notice(words, true);
        }
    }

    fn remember(&mut self, path: &Path) {
        let path = path.to_path_buf();
        self.recent.retain(|other| *other != path);
        self.recent.insert(0, path);
        self.recent.truncate(project::RECENT_MAX);
        self.keep_preferences();
    }

    fn keep_preferences(&mut self) {
        let Some(preferences) = &mut self.preferences else { return };
        preferences.recent.clone_from(&self.recent);
        preferences.snap = self.snap;
        preferences.theme = match self.theme {
            ThemeChoice::System => project::Theme::System,
            ThemeChoice::Light => project::Theme::Light,
            ThemeChoice::Dark => project::Theme::Dark,
        };
        if let Err(error) = preferences.save() {
            self.notice(format!("Preferences were not kept: {error}"), true);
        }
    }
}

/// Whether an edit changes only the drawing.
fn is_layout(edit: &Edit) -> bool {
    matches!(
        edit,
        Edit::Move { .. }
            | Edit::AddFrame { .. }
            | Edit::UpdateFrame { .. }
            | Edit::RemoveFrame { .. }
            | Edit::AddNote { .. }
            | Edit::UpdateNote { .. }
            | Edit::RemoveNote { .. }
    )
}
