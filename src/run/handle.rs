//! A run on a worker thread: commands in, snapshots out.
//!
//! The worker owns the [`Sim`]; the window holds a [`RunHandle`], sends [`RunCommand`]s and reads the newest
//! [`RunView`]. Views are published at most 60 times a second of wall time and whenever a command was taken.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::pace::{Anchor, Pace};
use super::sim::Sim;
use super::wall::Clock;
use super::{finish, story};
use crate::compile::{Plan, TimedInput};
use crate::event::EventId;
use crate::metrics::{BrowseWish, Browsed, RunPhase, RunView, Totals};
use crate::units::{SimDuration, SimTime};

/// Wall time between two snapshots.
const VIEW_PERIOD_S: f64 = 1.0 / 60.0;
/// Wall time between two looks at what a component holds, while the run goes.
const ANSWER_PERIOD_S: f64 = 0.1;
/// Turns between two looks at the wall clock and at commands.
const STEPS_PER_LOOK: u64 = 2_000;
/// Wall time of one hop at the teaching pace.
const TEACHING_HOP_S: f64 = 1.0;

/// What a person can tell a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunCommand {
    /// Go on.
    Play,
    /// Hold.
    Pause,
    /// To the next visible hop of an event, then hold.
    StepEvent,
    /// One virtual second, then hold.
    StepSecond,
    /// One turn of the kernel, then hold.
    StepKernel,
    /// End now and report what there is.
    Stop,
    /// Another pace.
    SetPace(Pace),
    /// Fill `RunView::inspected` with this event's story, and keep it up to date; `None` ends that.
    Inspect(Option<EventId>),
    /// Fill `RunView::browsed` with what a component holds, and keep it up to date; `None` ends that.
    Browse(Option<BrowseWish>),
    /// A change to a component, stamped with the instant it is taken.
    Input(TimedInput),
}

/// A run that goes on elsewhere. Dropping it ends the run.
pub struct RunHandle {
    commands: Option<Sender<RunCommand>>,
    view: Arc<Mutex<Arc<RunView>>>,
    worker: Option<std::thread::JoinHandle<()>>,
}

impl RunHandle {
    /// Starts a worker; `wake` is called (from the worker) whenever a new snapshot is there.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one worker of a run")]
    pub fn start(plan: Plan, pace: Pace, paused: bool, wake: Box<dyn Fn() + Send>) -> Self {
        let (commands, inbox) = channel();
        let view = Arc::new(Mutex::new(Arc::new(empty_view(&plan))));
        let shared = Arc::clone(&view);
        let worker = std::thread::spawn(move || match Sim::new(plan) {
            Ok(sim) => Worker::new(sim, pace, paused, inbox, shared, wake).run(),
            Err(failure) => {
                publish(&shared, |view| view.phase = RunPhase::Failed(failure.to_string()));
                wake();
            }
        });
        Self { commands: Some(commands), view, worker: Some(worker) }
    }
    /// Tells it something; does nothing after the end.
    pub fn send(&self, command: RunCommand) {
        if let Some(commands) = &self.commands {
            // The worker may have ended: then there is nobody left to tell.
            let _ = commands.send(command);
        }
    }
    /// The newest snapshot; never waits for the worker's work.
    #[must_use]
    pub fn view(&self) -> Arc<RunView> {
        Arc::clone(&self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for RunHandle {
    fn drop(&mut self) {
        // A closed channel ends the worker at its next look.
        self.commands = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// What the worker is heading for before it holds again.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Goal {
    None,
    NextHop,
    Until(SimTime),
    OneTurn,
}

struct Worker {
    sim: Sim,
    pace: Pace,
    playing: bool,
    goal: Goal,
    inbox: Receiver<RunCommand>,
    shared: Arc<Mutex<Arc<RunView>>>,
    wake: Box<dyn Fn() + Send>,
    clock: Clock,
    anchor: Anchor,
    /// Teaching: the window's now moves from here to the run's now over a second.
    shown_from: SimTime,
    hop_began_s: f64,
    inspected: Option<EventId>,
    browsing: Browsing,
    version: u64,
    busy_s: f64,
    speed_mark: (f64, SimTime),
    speed_ratio: f64,
    open: bool,
}

impl Worker {
    fn new(
        sim: Sim,
        pace: Pace,
        paused: bool,
        inbox: Receiver<RunCommand>,
        shared: Arc<Mutex<Arc<RunView>>>,
        wake: Box<dyn Fn() + Send>,
    ) -> Self {
        Self {
            sim,
            pace,
            playing: !paused,
            goal: Goal::None,
            inbox,
            shared,
            wake,
            clock: Clock::start(),
            anchor: Anchor { virtual_at: SimTime::ZERO, wall_s: 0.0 },
            shown_from: SimTime::ZERO,
            hop_began_s: -TEACHING_HOP_S,
            inspected: None,
            browsing: Browsing::default(),
            version: 0,
            busy_s: 0.0,
            speed_mark: (0.0, SimTime::ZERO),
            speed_ratio: 0.0,
            open: true,
        }
    }

    fn run(mut self) {
        self.publish(None);
        while self.open {
            let holding = self.sim.is_finished() || (!self.playing && self.goal == Goal::None);
            if holding && !self.animating() {
                // Nothing to do until somebody says something.
                match self.inbox.recv() {
                    Ok(command) => self.take(command),
                    Err(_) => return,
                }
            }
            self.take_all();
            if self.open {
                let failure = if self.sim.is_finished() { None } else { self.work() };
                self.publish(failure);
            }
        }
    }

    /// Works for one view period; returns a failure's words.
    fn work(&mut self) -> Option<String> {
        let began_s = self.clock.elapsed_s();
        let until_s = began_s + VIEW_PERIOD_S;
        let result = loop {
            let Some((limit, steps_max)) = self.next_leg() else { break Ok(()) };
            let visible = self.sim.recorder().visible_hops();
            let hops = self.goal == Goal::NextHop || (self.goal == Goal::None && self.pace == Pace::Teaching);
            let mut stop = |sim: &Sim| hops && sim.recorder().visible_hops() != visible;
            let reached = match self.sim.run_until_or(limit, steps_max, &mut stop) {
                Ok(reached) => reached,
                Err(failure) => break Err(failure),
            };
            if hops && self.sim.recorder().visible_hops() != visible {
                self.hop_began_s = self.clock.elapsed_s();
                self.goal = Goal::None;
                break Ok(());
            }
            if reached || self.goal == Goal::OneTurn {
                if self.goal != Goal::None {
                    self.goal = Goal::None;
                    self.hold();
                }
                if reached {
                    break Ok(());
                }
            }
            if self.clock.elapsed_s() >= until_s {
                break Ok(());
            }
        };
        self.busy_s += self.clock.elapsed_s() - began_s;
        if let Err(failure) = result {
            self.playing = false;
            self.goal = Goal::None;
            return Some(failure.to_string());
        }
        self.rest(until_s);
        None
    }

    /// How far to go next, and in how many turns; none when there is nothing to do yet.
    fn next_leg(&mut self) -> Option<(SimTime, u64)> {
        let wall_s = self.clock.elapsed_s();
        match (self.goal, self.pace) {
            (Goal::NextHop, _) => {
                self.shown_from = self.sim.now();
                Some((SimTime::MAX, STEPS_PER_LOOK))
            }
            (Goal::Until(at), _) => Some((at, STEPS_PER_LOOK)),
            (Goal::OneTurn, _) => Some((SimTime::MAX, 1)),
            (Goal::None, _) if !self.playing => None,
            (Goal::None, Pace::Unlimited) => Some((SimTime::MAX, STEPS_PER_LOOK)),
            (Goal::None, Pace::Ratio(ratio)) => Some((self.anchor.due(wall_s, ratio), STEPS_PER_LOOK)),
            (Goal::None, Pace::Teaching) => {
                if wall_s - self.hop_began_s < TEACHING_HOP_S {
                    return None;
                }
                self.shown_from = self.sim.now();
                Some((SimTime::MAX, STEPS_PER_LOOK))
            }
        }
    }

    /// Sleeps until the next view is due, unless a command comes or the pace is unlimited.
    fn rest(&mut self, until_s: f64) {
        if self.playing && self.pace == Pace::Unlimited && !self.sim.is_finished() {
            return;
        }
        let left_s = until_s - self.clock.elapsed_s();
        if left_s > 0.0 {
            match self.inbox.recv_timeout(Duration::from_secs_f64(left_s)) {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.open = false,
            }
        }
    }

    fn animating(&self) -> bool {
        self.clock.elapsed_s() - self.hop_began_s < TEACHING_HOP_S
    }

    fn take_all(&mut self) {
        loop {
            match self.inbox.try_recv() {
                Ok(command) => self.take(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.open = false;
                    return;
                }
            }
        }
    }

    fn take(&mut self, command: RunCommand) {
        match command {
            RunCommand::Play => {
                self.playing = true;
                self.set_anchor();
            }
            RunCommand::Pause => self.hold(),
            RunCommand::StepEvent => self.step(Goal::NextHop),
            RunCommand::StepSecond => self.step(Goal::Until(self.sim.now() + SimDuration::from_secs(1))),
            RunCommand::StepKernel => self.step(Goal::OneTurn),
            RunCommand::Stop => {
                self.hold();
                self.sim.stop_here();
            }
            RunCommand::SetPace(pace) => {
                self.pace = pace;
                self.set_anchor();
            }
            RunCommand::Inspect(event) => self.inspected = event,
            RunCommand::Browse(wish) => self.browsing = Browsing { wish, told: None },
            RunCommand::Input(input) => {
                self.sim.input(input);
            }
        }
    }

    fn step(&mut self, goal: Goal) {
        self.playing = false;
        self.goal = goal;
    }

    fn hold(&mut self) {
        self.playing = false;
        self.goal = Goal::None;
        self.shown_from = self.sim.now();
    }

    fn set_anchor(&mut self) {
        self.anchor = Anchor { virtual_at: self.sim.now(), wall_s: self.clock.elapsed_s() };
    }

    /// The instant that the window shows: a hop that was just taken is shown over a second.
    fn shown(&self) -> SimTime {
        let share = (self.clock.elapsed_s() - self.hop_began_s) / TEACHING_HOP_S;
        if share >= 1.0 || self.sim.is_finished() {
            return self.sim.now();
        }
        self.shown_from + self.sim.now().since(self.shown_from).scaled(share)
    }

    fn publish(&mut self, failure: Option<String>) {
        let wall_s = self.clock.elapsed_s();
        if wall_s - self.speed_mark.0 > 0.5 {
            self.speed_ratio = self.sim.now().since(self.speed_mark.1).as_secs_f64() / (wall_s - self.speed_mark.0);
            self.speed_mark = (wall_s, self.sim.now());
        }
        let phase = match failure {
            Some(words) => RunPhase::Failed(words),
            None if self.sim.is_finished() => RunPhase::Finished,
            None if self.playing => RunPhase::Playing,
            None if self.sim.steps() == 0 => RunPhase::Ready,
            None => RunPhase::Paused,
        };
        let failed = matches!(phase, RunPhase::Failed(_));
        let shown = self.shown();
        let mut view = story::view(&mut self.sim, shown, phase);
        self.version += 1;
        view.version = self.version;
        view.speed_ratio = if self.playing { self.speed_ratio } else { 0.0 };
        view.inspected = self.inspected.and_then(|event| story::tell(&self.sim, event)).map(Arc::new);
        view.browsed = self.browsing.answer(&self.sim, self.playing && !self.sim.is_finished(), wall_s);
        if self.sim.is_finished() && !failed {
            let known = self.shared.lock().unwrap_or_else(PoisonError::into_inner).report.clone();
            view.report = Some(known.unwrap_or_else(|| Arc::new(finish(&self.sim, self.busy_s))));
        }
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        (self.wake)();
        if failed {
            // Nothing more will happen; the handle keeps the last view.
            self.open = false;
        }
    }
}

/// What a person looks at, and what was last said of it.
#[derive(Default)]
struct Browsing {
    wish: Option<BrowseWish>,
    /// The answer, with the wall time and the turn of the run that it is of.
    told: Option<(Arc<Browsed>, f64, u64)>,
}

impl Browsing {
    /// The answer, found anew where the run went on since; while it goes, only after the last one was there for a while.
    fn answer(&mut self, sim: &Sim, is_going: bool, wall_s: f64) -> Option<Arc<Browsed>> {
        let wish = self.wish.as_ref()?;
        let is_current = |(_, told_s, steps): &(_, f64, u64)| *steps == sim.steps() || is_going && wall_s - *told_s < ANSWER_PERIOD_S;
        let (answer, ..) = match self.told.take_if(|told| is_current(told)) {
            Some(told) => self.told.insert(told),
            None => self.told.insert((Arc::new(story::browse(sim, wish)), wall_s, sim.steps())),
        };
        Some(Arc::clone(answer))
    }
}

fn publish(shared: &Mutex<Arc<RunView>>, change: impl FnOnce(&mut RunView)) {
    let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let mut view = RunView::clone(&held);
    change(&mut view);
    *held = Arc::new(view);
}

fn empty_view(plan: &Plan) -> RunView {
    RunView {
        version: 0,
        phase: RunPhase::Ready,
        now: SimTime::ZERO,
        end: SimTime::ZERO + plan.length,
        steps: 0,
        speed_ratio: 0.0,
        totals: Totals::default(),
        cards: vec![crate::metrics::CardView::default(); plan.components.len()],
        links: vec![crate::metrics::LinkView::default(); plan.links.len()],
        flights: Vec::new(),
        sampled_one_in: plan.tracing.one_in.max(1),
        incidents: Vec::new(),
        faults: Vec::new(),
        series: Vec::new(),
        expectations: Vec::new(),
        inspected: None,
        browsed: None,
        report: None,
    }
}
