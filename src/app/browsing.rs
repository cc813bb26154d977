//! What the dock below the canvas shows, and what the run is asked for it.
//!
//! In: a tab, a place in a log. Out: the wish that goes to the run, told anew only when it changes. Start at
//! [`AppState::ask_run`].

use std::sync::Arc;

use super::{AppState, Running};
use crate::compile::Plan;
use crate::event::{Answer, PAGE_RECORDS_MAX, Query, Seek, ServiceQuery};
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
    /// What a service keeps.
    Services,
    /// Routes of gateways, and a request that is tried.
    Gateways,
    /// What a topic or queue holds.
    Records,
    /// Subjects of a schema registry.
    Schemas,
}

/// What of a service is looked at: the selected one, or the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceLook {
    /// Its id; the first one when empty.
    pub component: String,
    /// The page, and the stream that is opened.
    pub query: ServiceQuery,
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
        self.show_selected_registry();
        let Some(shelf) = self.running.as_ref().and_then(|running| running.shelf_of(self.selected_component()?)) else { return };
        if self.browse.as_ref().is_none_or(|browse| browse.component != shelf.component) {
            self.browse = Some(shelf.newest());
        }
    }

    /// The desk turns to a registry that is selected.
    fn show_selected_registry(&mut self) {
        let id = self.selected_component().filter(|id| super::schemas::registries(self.document.project()).any(|known| known == *id));
        if let Some(id) = id.map(str::to_owned) {
            self.desk.turn_to(id);
        }
    }

    /// Tells the run what is looked at, if it does not know yet.
    pub(super) fn ask_run(&mut self) {
        self.grow_shelf();
        self.settle_browse();
        self.settle_service();
        let browse = self.browse.as_ref().filter(|_| self.charts);
        let Some(running) = &mut self.running else { return };
        let query = browse.and_then(|browse| match self.dock {
            DockTab::Charts | DockTab::Queues | DockTab::Schemas | DockTab::Services | DockTab::Gateways => None,
            DockTab::Partitions => Some((browse, Query::Partitions, None)),
            DockTab::Records => Some((browse, browse.query(), browse.opened)),
        });
        let of_design = (self.charts && self.dock == DockTab::Queues).then_some(BrowseWish {
            component: ComponentIx(0),
            query: Query::Queues,
            opened: None,
        });
        let registry = self.desk.registry.as_ref().filter(|_| self.charts && self.dock == DockTab::Schemas);
        let of_registry = registry.and_then(|id| running.component_ix(id)).map(|component| BrowseWish {
            component,
            query: Query::Subjects,
            opened: None,
        });
        let of_service = (self.charts && self.dock == DockTab::Services).then(|| {
            let component = running.component_ix(&self.service.component)?;
            Some(BrowseWish { component, query: Query::Service(self.service.query.clone()), opened: None })
        });
        let wish = of_design.or(of_registry).or(of_service.flatten()).or_else(|| {
            let (browse, query, opened) = query?;
            let component = running.component_ix(&browse.component)?;
            Some(BrowseWish { component, query, opened })
        });
        if wish != running.asked {
            running.asked.clone_from(&wish);
            running.send(RunCommand::Browse(wish));
        }
    }

    /// The service or table that is looked at: the selected one, else the one that was, else the first of the run.
    fn settle_service(&mut self) {
        let selected = self.selected_component().map(str::to_owned);
        let Some(running) = &self.running else { return };
        let keeps = |id: &str| running.keeps_something(id);
        let first = || running.project().components.keys().find(|id| keeps(id)).cloned();
        let old = Some(self.service.component.clone());
        let Some(wanted) = [selected, old].into_iter().flatten().find(|id| keeps(id)).or_else(first) else { return };
        if wanted != self.service.component {
            self.service = ServiceLook { component: wanted, query: ServiceQuery::default() };
        }
    }

    /// A topic whose page was seen may have got more partitions since the run began.
    fn grow_shelf(&mut self) {
        let (Some(browse), Some(running)) = (&self.browse, &mut self.running) else { return };
        let asked = running.component_ix(&browse.component);
        let seen = running.view().browsed.as_ref().filter(|seen| Some(seen.wish.component) == asked && seen.wish.query == browse.query());
        let Some(Answer::Log(page)) = seen.and_then(|seen| seen.answer.as_ref()) else { return };
        let partitions = page.partitions;
        let of_topic = |shelf: &&mut Shelf| shelf.component == browse.component && shelf.topic == browse.topic;
        if let Some(shelf) = running.shelves.iter_mut().find(of_topic) {
            shelf.partitions = shelf.partitions.max(Some(partitions));
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
