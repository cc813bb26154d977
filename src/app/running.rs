//! The run that the window shows, and the commands that steer it.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{AppState, Command, Shelf, SideTab};
use crate::compile::{self, InputTarget, RunOptions, TimedInput};
use crate::components::by_id;
use crate::engine::Input;
use crate::metrics::{BrowseWish, RunPhase, RunView};
use crate::model::{FaultTarget, Project, Value};
use crate::run::{RunCommand, RunHandle};
use crate::units::{ComponentIx, LinkIx, SimTime};

/// A run and its newest snapshot.
pub struct Running {
    handle: RunHandle,
    view: Arc<RunView>,
    /// The design as it runs: with the scenario's values, and those given since.
    project: Arc<Project>,
    /// Component ids by number, as they were when the run began.
    components: Vec<String>,
    links: Vec<String>,
    event_types: Vec<Arc<str>>,
    pub(super) shelves: Vec<Shelf>,
    /// What the run was last asked to show.
    pub(super) asked: Option<BrowseWish>,
}

impl Running {
    /// The newest snapshot that was looked at.
    #[must_use]
    pub fn view(&self) -> &Arc<RunView> {
        &self.view
    }
    /// The design as it runs: with the scenario's values, and those given since.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }
    /// Tells the run something.
    pub fn send(&self, command: RunCommand) {
        self.handle.send(command);
    }
    /// Whether it has not ended.
    #[must_use]
    pub fn is_going(&self) -> bool {
        matches!(self.view.phase, RunPhase::Ready | RunPhase::Playing | RunPhase::Paused)
    }
    /// Whether it waits for a step, or to go on.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.view.phase, RunPhase::Ready | RunPhase::Paused)
    }
    /// A component's id.
    #[must_use]
    pub fn component_id(&self, component: ComponentIx) -> &str {
        self.components.get(component.index()).map_or("?", String::as_str)
    }
    /// Whether a component has state or rows that a person can look at.
    #[must_use]
    pub fn keeps_something(&self, id: &str) -> bool {
        let kind = self.project().components.get(id).and_then(|component| by_id(&component.kind));
        kind.is_some_and(|kind| kind.keeps_something())
    }
    /// A component's number.
    #[must_use]
    pub fn component_ix(&self, id: &str) -> Option<ComponentIx> {
        self.components.iter().position(|known| known == id).map(|index| ComponentIx(index as u32))
    }
    /// A link's number by its id `from→to`.
    #[must_use]
    pub fn link_ix(&self, id: &str) -> Option<LinkIx> {
        self.links.iter().position(|known| known == id).map(|index| LinkIx(index as u32))
    }
    /// Names of event types by number.
    #[must_use]
    pub fn event_types(&self) -> &[Arc<str>] {
        &self.event_types
    }
    /// Component ids by number.
    #[must_use]
    pub fn components(&self) -> &[String] {
        &self.components
    }
    pub(super) fn refresh(&mut self) {
        self.view = self.handle.view();
    }
}

impl AppState {
    /// The newest snapshot of the run, if there is one.
    #[must_use]
    pub fn view(&self) -> Option<&Arc<RunView>> {
        self.running.as_ref().map(Running::view)
    }

    pub(super) fn apply_to_run(&mut self, command: Command) {
        match command {
            Command::Play => self.play(false),
            Command::Pause => self.tell(RunCommand::Pause),
            Command::PlayOrPause => match self.view().map(|view| view.phase.clone()) {
                Some(RunPhase::Playing) => self.tell(RunCommand::Pause),
                _ => self.play(false),
            },
            Command::StepEvent => self.step(RunCommand::StepEvent),
            Command::StepSecond => self.step(RunCommand::StepSecond),
            Command::StepKernel => self.step(RunCommand::StepKernel),
            Command::Stop => self.tell(RunCommand::Stop),
            Command::CloseRun => self.running = None,
            Command::SetPace(pace) => {
                self.pace = pace;
                self.tell(RunCommand::SetPace(pace));
            }
            Command::SetScenario(name) => self.scenario = Some(name),
            Command::SetSeed(seed) => self.seed = Some(seed),
            Command::Inspect(event) => {
                if event.is_some() {
                    self.tab = SideTab::Event;
                }
                self.tell(RunCommand::Inspect(event));
            }
            Command::SetLive { component, param, value } => self.set_live(&component, param, &value),
            Command::Act { target, action, params } => self.act(&target, action, params),
            // Everything else was taken before.
            _ => {}
        }
    }

    fn tell(&self, command: RunCommand) {
        if let Some(running) = &self.running {
            running.send(command);
        }
    }

    fn step(&mut self, command: RunCommand) {
        if !self.is_locked() {
            self.play(true);
        }
        self.tell(command);
    }

    /// Goes on with a held run, or starts one.
    fn play(&mut self, paused: bool) {
        if self.is_locked() {
            self.tell(RunCommand::Play);
            return;
        }
        let options = RunOptions { scenario: self.scenario.clone(), seed: self.seed, ..RunOptions::default() };
        let plan = match compile::compile(self.document.project(), &options) {
            Ok(plan) => plan,
            Err(problems) => {
                let errors = problems.iter().filter(|d| d.severity == crate::diagnostics::Severity::Error).count();
                self.notice(format!("The design cannot run: {errors} problem{}", if errors == 1 { "" } else { "s" }), true);
                self.tab = SideTab::Problems;
                return;
            }
        };
        let wake = Arc::clone(&self.wake);
        let components = plan.components.iter().map(|component| component.id.to_string()).collect();
        let links = plan.links.iter().map(|link| link.id.to_string()).collect();
        let event_types = plan.event_types.clone();
        let project = Arc::clone(&plan.project);
        let shelves = Shelf::all(&plan);
        // The old run ends before the new one begins: two would share the cores.
        self.running = None;
        let handle = RunHandle::start(plan, self.pace, paused, Box::new(move || wake()));
        let view = handle.view();
        self.running = Some(Running { handle, view, project, components, links, event_types, shelves, asked: None });
    }

    /// Does something to a running component or link, now.
    pub(super) fn act(&self, target: &FaultTarget, name: String, params: IndexMap<String, Value>) {
        let Some(running) = &self.running else { return };
        if let Some(target) = compile::input_target(running.project(), target) {
            let input = Input::Action { name, params };
            running.send(RunCommand::Input(TimedInput { at: SimTime::ZERO, target, input }));
        }
    }

    fn set_live(&mut self, id: &str, param: String, value: &str) {
        let Some(running) = &mut self.running else { return };
        let Some(component) = running.component_ix(id) else { return };
        let value = Value::Text(value.to_owned());
        if let Some(changed) = Arc::make_mut(&mut running.project).components.get_mut(id) {
            changed.params.insert(param.clone(), value.clone());
        }
        let input = Input::Set { param, value };
        running.send(RunCommand::Input(TimedInput { at: SimTime::ZERO, target: InputTarget::Component(component), input }));
    }
}
