//! What the dock below the canvas shows, and what the run is asked for it.
//!
//! In: a tab, a place in a log. Out: the wish that goes to the run, told anew only when it changes. Start at
//! [`AppState::ask_run`].

use std::sync::Arc;

use super::{AppState, Running};
use crate::compile::Plan;
use crate::event::{Answer, PAGE_RECORDS_MAX, Query, Seek};
use crate::metrics::BrowseWish;
use crate::run::RunCommand;
use crate::units::{ComponentIx, SimTime};

/// Which tab of the dock stands in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DockTab {
    /// Series of the run.
    #[default]
    Charts,
    /// How the partitions of a cluster stand.
    Partitions,
    /// How all queues and subscriptions stand.
    Queues,
    /// Routes of gateways, and a request that is tried.
    Gateways,
    /// What a topic or queue holds.
    Records,
}

/// A topic or queue whose records can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Id of the component that holds it.
    pub component: String,
    /// Name.
    pub topic: Arc<str>,
    /// How many partitions; none for what has no log.
    pub partitions: Option<u32>,
}

/// A place in a topic or queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browse {
    /// Id of the component.
    pub component: String,
    /// Which of its topics.
    pub topic: Arc<str>,
    /// Which partition of that.
    pub partition: u32,
    /// Where the page lies.
    pub seek: Seek,
    /// The record that is opened.
    pub opened: Option<u64>,
}

impl Browse {
    /// The newest records of a partition.
    #[must_use]
    pub fn newest(component: &str, topic: &Arc<str>, partition: u32) -> Self {
        Self { component: component.to_owned(), topic: Arc::clone(topic), partition, seek: Seek::END, opened: None }
    }
    fn query(&self) -> Query {
        Query::Records { topic: Arc::clone(&self.topic), partition: self.partition, seek: self.seek, records_max: PAGE_RECORDS_MAX }
    }
}

impl Shelf {
    /// All of a plan, in the order of its topics.
    pub(super) fn all(plan: &Plan) -> Vec<Self> {
        let shelf = |topic: &crate::components::PeerTopic| {
            let component = plan.components.get(topic.cluster.index())?;
            let browse = Browse::newest(&component.id, &topic.name, 0);
            let answer = component.process.browse(SimTime::ZERO, &browse.query())?;
            let partitions = matches!(answer, Answer::Log(_)).then_some(topic.partitions);
            Some(Self { component: component.id.to_string(), topic: Arc::clone(&topic.name), partitions })
        };
        plan.topics.iter().filter_map(shelf).collect()
    }
    fn newest(&self) -> Browse {
        Browse::newest(&self.component, &self.topic, 0)
    }
    fn has(&self, browse: &Browse) -> bool {
        self.component == browse.component && self.topic == browse.topic && browse.partition < self.partitions.unwrap_or(1)
    }
}

impl Running {
    /// Topics and queues whose records can be looked at.
    #[must_use]
    pub fn shelves(&self) -> &[Shelf] {
        &self.shelves
    }
    /// The first one that a component holds.
    #[must_use]
    pub fn shelf_of(&self, component: &str) -> Option<&Shelf> {
        self.shelves.iter().find(|shelf| shelf.component == component)
    }
}

impl AppState {
    pub(super) fn browse(&mut self, browse: Browse) {
        self.browse = Some(browse);
        self.show_dock(DockTab::Records);
    }

    pub(super) fn show_dock(&mut self, tab: DockTab) {
        self.dock = tab;
        self.charts = true;
    }

    /// Looks at the selected component's records, if it has any and others are looked at.
    pub(super) fn browse_selected(&mut self) {
        let Some(shelf) = self.running.as_ref().and_then(|running| running.shelf_of(self.selected_component()?)) else { return };
        if self.browse.as_ref().is_none_or(|browse| browse.component != shelf.component) {
            self.browse = Some(shelf.newest());
        }
    }

    /// Tells the run what is looked at, if it does not know yet.
    pub(super) fn ask_run(&mut self) {
        self.settle_browse();
        let browse = self.browse.as_ref().filter(|_| self.charts);
        let Some(running) = &mut self.running else { return };
        let query = browse.and_then(|browse| match self.dock {
            DockTab::Charts | DockTab::Queues | DockTab::Gateways => None,
            DockTab::Partitions => Some((browse, Query::Partitions, None)),
            DockTab::Records => Some((browse, browse.query(), browse.opened)),
        });
        let of_design = (self.charts && self.dock == DockTab::Queues).then_some(BrowseWish {
            component: ComponentIx(0),
            query: Query::Queues,
            opened: None,
        });
        let wish = of_design.or_else(|| {
            let (browse, query, opened) = query?;
            let component = running.component_ix(&browse.component)?;
            Some(BrowseWish { component, query, opened })
        });
        if wish != running.asked {
            running.asked.clone_from(&wish);
            running.send(RunCommand::Browse(wish));
        }
    }

    /// What is looked at must be there: another run may have other topics.
    fn settle_browse(&mut self) {
        let Some(running) = &self.running else { return };
        let shelves = running.shelves();
        if self.browse.as_ref().is_none_or(|browse| !shelves.iter().any(|shelf| shelf.has(browse))) {
            let selected = self.selected_component().and_then(|id| running.shelf_of(id));
            self.browse = selected.or(shelves.first()).map(Shelf::newest);
        }
    }
}
