//! What a plan's numbers are called.

use std::sync::Arc;

use crate::event::EventId;
use crate::units::{ComponentIx, EventTypeIx, GroupIx, TopicIx};

/// Names of the plan that figures, stories and reports need; plain data, shared.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By [`ComponentIx`].
    pub components: Vec<Arc<str>>,
    /// By [`LinkIx`].
    pub links: Vec<Arc<str>>,
    /// By [`TopicIx`]: name, partitions, cluster.
    pub topics: Vec<(Arc<str>, u32, ComponentIx)>,
    /// By [`GroupIx`]: name, topics.
    pub groups: Vec<(Arc<str>, Vec<TopicIx>)>,
    /// By [`EventTypeIx`].
    pub event_types: Vec<Arc<str>>,
    /// Which groups each component reads with: of what is linked to it, then of its retry topics.
    pub groups_of: Vec<Vec<GroupIx>>,
    /// Who stands for the producers of earlier runs, whose events logs hold at the beginning.
    pub kept: Option<ComponentIx>,
    /// Topics and groups of retries, with those whose events are tried again there.
    pub retries: Vec<((TopicIx, GroupIx), (TopicIx, GroupIx))>,
    /// Topics that groups write results to.
    pub results: Vec<(GroupIx, TopicIx)>,
}

impl Names {
    /// `web-17`.
    pub(crate) fn event(&self, id: EventId) -> String {
        format!("{}-{}", self.components[id.producer.index()], id.seq)
    }
    /// The group of what is linked to a component first: the one that it is known by.
    pub(crate) fn main_group(&self, component: ComponentIx) -> Option<GroupIx> {
        self.groups_of.get(component.index())?.first().copied()
    }
    /// Whether a component reads with a group, of its retry topics too.
    pub(crate) fn reads_with(&self, component: ComponentIx, group: GroupIx) -> bool {
        self.groups_of[component.index()].contains(&group)
    }
    /// The topic and group that an event has to be read from in order: those that it came to retries from.
    pub(crate) fn read_first(&self, read: (TopicIx, GroupIx)) -> (TopicIx, GroupIx) {
        self.retries.iter().find(|(retry, _)| *retry == read).map_or(read, |(_, first)| *first)
    }
    /// A component's id.
    pub(crate) fn component(&self, component: ComponentIx) -> String {
        self.components[component.index()].to_string()
    }
    /// Groups from whose results the events of some topics are made, at any number of stages.
    pub(crate) fn upstream(&self, topics: impl Iterator<Item = TopicIx>) -> Vec<GroupIx> {
        let mut topics: Vec<TopicIx> = topics.collect();
        let mut groups = Vec::new();
        while let Some(topic) = topics.pop() {
            for (group, _) in self.results.iter().filter(|(_, to)| *to == topic) {
                if !groups.contains(group) {
                    groups.push(*group);
                    topics.extend(&self.groups[group.index()].1);
                }
            }
        }
        groups
    }
    /// An event type's name.
    pub(crate) fn event_type(&self, event_type: EventTypeIx) -> String {
        self.event_types.get(usize::from(event_type.0)).map_or_else(|| "event".to_owned(), |name| name.to_string())
    }
    /// A topic's name.
    pub(crate) fn topic(&self, topic: TopicIx) -> String {
        self.topics[topic.index()].0.to_string()
    }
    /// A group's name.
    pub(crate) fn group(&self, group: GroupIx) -> String {
        self.groups[group.index()].0.to_string()
    }
}
