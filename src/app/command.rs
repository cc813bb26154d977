//! Everything a person can ask of the application: one enum for menus, shortcuts, buttons and tests.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::schemas::SchemaCommand;
use super::{Browse, DockTab};
use crate::event::EventId;
use crate::event::ServiceQuery;
use crate::model::{Edit, Endpoint, FaultTarget, Project, Value};
use crate::run::Pace;

/// What is selected on the canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A component by id.
    Component(String),
    /// A link by its ends.
    Link(Endpoint, Endpoint),
    /// A frame by index.
    Frame(usize),
    /// A note by index.
    Note(usize),
}

impl Pick {
    /// What a project path such as `components.web.load` or `links[2].from` stands for on the canvas; none for
    /// what belongs to the design as a whole.
    #[must_use]
    pub fn at(path: &str, project: &Project) -> Option<Self> {
        let index_in = |list: &str| path.strip_prefix(list)?.strip_prefix('[')?.split(']').next()?.parse::<usize>().ok();
        if let Some(rest) = path.strip_prefix("components.") {
            let id = rest.split(['.', '[']).next()?;
            return project.components.contains_key(id).then(|| Self::Component(id.to_owned()));
        }
        if let Some(link) = index_in("links").and_then(|index| project.links.get(index)) {
            return Some(Self::Link(link.from.clone(), link.to.clone()));
        }
        let frame = index_in("layout.frames").filter(|index| *index < project.layout.frames.len()).map(Self::Frame);
        frame.or_else(|| index_in("layout.notes").filter(|index| *index < project.layout.notes.len()).map(Self::Note))
    }
}

/// A place in the design that a person asked to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// Project path.
    pub path: String,
    /// Grows with every wish, so that each is served once.
    pub number: u64,
}

/// How a click changes the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectMode {
    /// Only this.
    Replace,
    /// This too, or no longer.
    Toggle,
    /// This too.
    Add,
}

/// Which theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeChoice {
    /// What the desktop says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Which tab of the side stands in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SideTab {
    /// Parameters of what is selected.
    #[default]
    Inspector,
    /// All components of the run with their figures.
    Components,
    /// One event.
    Event,
    /// Rejected, lost, repeated events.
    Incidents,
    /// The ledger.
    Ledger,
    /// What must hold.
    Expectations,
    /// Diagnostics.
    Problems,
}

/// A wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// An empty design.
    New,
    /// Asks for a file (a dialog), then opens it.
    Open,
    /// Asks for a file of another format, to make a design of.
    Import(String),
    /// Opens this file.
    OpenPath(PathBuf),
    /// Opens the starter project.
    OpenStarter,
    /// Saves to the file it came from, or asks for one.
    Save,
    /// Asks for a file, then saves there.
    SaveAs,
    /// Saves there.
    SaveTo(PathBuf),
    /// Ends the program, after asking where something would be lost.
    Quit,
    /// The answer to "save before …?".
    Answer(Answer),
    /// The path that was asked for in the window, or none.
    AnswerPath(Option<PathBuf>),
    /// Opens the recovery copy that is offered.
    Recover,
    /// Throws the recovery copy away that is offered.
    DropRecovery,
    /// Closes whatever message or dialog is in front.
    Dismiss,
    /// One change, one undo step.
    Edit(Edit),
    /// Several changes, one undo step.
    Edits(Vec<Edit>),
    /// Changes while a field or a card is held; all of one key are one undo step.
    EditLive(String, Vec<Edit>),
    /// Back.
    Undo,
    /// Forth.
    Redo,
    /// Selects.
    Select(Pick, SelectMode),
    /// Selects exactly these.
    SelectOnly(Vec<Pick>),
    /// Selects every component.
    SelectAll,
    /// Nothing is selected.
    SelectNone,
    /// Deletes what is selected.
    DeleteSelection,
    /// Copies of what is selected, a little aside.
    Duplicate,
    /// Puts what is selected on the clipboard of the program.
    Copy,
    /// Places what was copied.
    Paste,
    /// A new component of a kind at a place; the newly placed one is selected.
    Place { kind: String, position: [f32; 2] },
    /// Lays the selected cards out, or all where fewer than two are selected.
    Arrange,
    /// Starts a run, or goes on with it.
    Play,
    /// Holds.
    Pause,
    /// Play or pause, whatever fits.
    PlayOrPause,
    /// To the next visible hop.
    StepEvent,
    /// One virtual second.
    StepSecond,
    /// One turn of the kernel.
    StepKernel,
    /// Ends the run here.
    Stop,
    /// Forgets the finished run, so that the design can be edited.
    CloseRun,
    /// Another pace.
    SetPace(Pace),
    /// Another scenario for the next run.
    SetScenario(String),
    /// Another seed for the next run; none is the project's.
    SetSeed(u64),
    /// Shows one event.
    Inspect(Option<EventId>),
    /// A live change of a parameter while a run goes.
    SetLive { component: String, param: String, value: String },
    /// Does something to a running component or link, now: what a scenario's timeline can do.
    Act { target: FaultTarget, action: String, params: IndexMap<String, Value> },
    /// Another theme.
    SetTheme(ThemeChoice),
    /// Selects what a project path stands for and brings its field into view.
    Reveal(String),
    /// Another tab of the side.
    ShowTab(SideTab),
    /// Another tab of the dock below the canvas.
    ShowDock(DockTab),
    /// Shows what a topic or queue holds.
    Browse(Browse),
    /// Subjects, their versions, and the draft of one.
    Schemas(SchemaCommand),
    /// Shows another page of a service, or opens one of its streams.
    LookAtService(ServiceQuery),
    /// Cards stand on the grid, or anywhere.
    ToggleSnap,
    /// Shows or hides the dock with the charts.
    ToggleCharts,
    /// Tells the person something.
    Say { text: String, is_error: bool },
    /// Fits the design into the canvas.
    Fit,
    /// Writes the design or the report in another format to a file that is asked for.
    Export(String),
    /// Writes it there.
    ExportTo(String, PathBuf),
    /// Opens a small window: `shortcuts`, `about`.
    ShowDialog(&'static str),
}

/// Answers to "there are unsaved changes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Save, then go on.
    Save,
    /// Go on without saving.
    Discard,
    /// Stay.
    Cancel,
}
