//! Dense numbers for everything that has a name, and what each component sees at its link ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::components::{self, ConsumerGroup, Declarations, EndRole, LinkFacts, PeerTopic, PortSpec, PortType};
use crate::engine::LinkEnd;
use crate::model::{Endpoint, Project};
use crate::units::{ComponentIx, EventTypeIx, GroupIx, LinkIx, TopicIx};

/// Numbers and wiring of a design; lenient: what does not resolve is left out and reported elsewhere.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub topics: Vec<PeerTopic>,
    pub groups: Vec<ConsumerGroup>,
    /// By component: the groups that it reads with; first those of what is linked to it, then those of its retry topics.
    pub groups_of: Vec<Vec<GroupIx>>,
    /// Topics and groups of retries, with those whose events are tried again there.
    pub retries: Vec<(ReadTopic, ReadTopic)>,
    pub event_types: Vec<String>,
    pub event_type_of: BTreeMap<String, EventTypeIx>,
    /// By component.
    pub ends: Vec<Vec<LinkFacts>>,
    /// By link in file order; none where it does not resolve.
    pub link_ends: Vec<Option<((ComponentIx, LinkEnd), (ComponentIx, LinkEnd))>>,
    pub is_reference: Vec<bool>,
}

/// A topic as a group reads it.
pub(super) type ReadTopic = (TopicIx, GroupIx);

/// What the group of a subscription is called.
fn subscription_name(topic: &str, endpoint: &str) -> String {
    format!("{topic}→{endpoint}")
}

struct Declared {
    id: String,
    ports: Vec<PortSpec>,
    names: Declarations,
}

impl Names {
    pub fn number(project: &Project) -> Self {
        let declared: Vec<Declared> = project
            .components
            .iter()
            .map(|(id, component)| {
                components::by_id(&component.kind).map_or_else(
                    || Declared { id: id.clone(), ports: Vec::new(), names: Declarations::default() },
                    |kind| Declared { id: id.clone(), ports: kind.ports(component), names: kind.declares(id, component) },
                )
            })
            .collect();
        let mut names = Self { ends: vec![Vec::new(); project.components.len()], ..Self::default() };
        names.number_topics_and_types(&declared);
        names.wire(project, &declared);
        names.number_groups(project, &declared);
        names
    }

    fn number_topics_and_types(&mut self, declared: &[Declared]) {
        for (index, one) in declared.iter().enumerate() {
            for topic in &one.names.topics {
                self.topics.push(PeerTopic {
                    topic: TopicIx(small(self.topics.len())),
                    name: topic.name.as_str().into(),
                    partitions: topic.partitions,
                    leaders: topic.leaders,
                    needs_keys: topic.needs_keys,
                    cluster: ComponentIx(small(index)),
                });
            }
            for name in &one.names.event_types {
                if !self.event_type_of.contains_key(name) && self.event_types.len() < usize::from(u16::MAX) {
                    self.event_type_of.insert(name.clone(), EventTypeIx(self.event_types.len() as u16));
                    self.event_types.push(name.clone());
                }
            }
        }
    }

    fn wire(&mut self, project: &Project, declared: &[Declared]) {
        for (number, link) in project.links.iter().enumerate() {
            let from = find(project, declared, &link.from);
            let to = find(project, declared, &link.to);
            let (Some((from_index, from_port)), Some((to_index, to_port))) = (from, to) else {
                self.link_ends.push(None);
                self.is_reference.push(false);
                continue;
            };
            self.is_reference.push(to_port.ty == PortType::Schemas);
            let from_end = LinkEnd(self.ends[from_index].len() as u16);
            // A link from a component to itself is refused elsewhere, but must not share one end here.
            let to_end = LinkEnd((self.ends[to_index].len() + usize::from(from_index == to_index)) as u16);
            self.link_ends.push(Some(((ComponentIx(small(from_index)), from_end), (ComponentIx(small(to_index)), to_end))));
            let sides = [
                (from_index, from_end, from_port, EndRole::From, to_index, to_port),
                (to_index, to_end, to_port, EndRole::To, from_index, from_port),
            ];
            for (mine, end, port, role, peer, peer_port) in sides {
                let (peer_id, peer_component) = project.components.get_index(peer).expect("found by its index");
                let topic = (peer_port.ty == PortType::Topic)
                    .then(|| self.topics.iter().find(|t| t.cluster.index() == peer && *t.name == *peer_port.name).cloned())
                    .flatten();
                let is_queue = matches!(peer_port.ty, PortType::MessagesIn | PortType::MessagesOut | PortType::PublishIn);
                let of_peer = || self.topics.iter().find(|t| t.cluster.index() == peer).cloned();
                let queue = is_queue.then(of_peer).flatten();
                let pushes = (peer_port.ty == PortType::Subscriptions).then(of_peer).flatten();
                self.ends[mine].push(LinkFacts {
                    end,
                    link: LinkIx(small(number)),
                    port: port.name.clone(),
                    port_ty: port.ty,
                    role,
                    peer: ComponentIx(small(peer)),
                    peer_id: peer_id.clone(),
                    peer_kind: peer_component.kind.clone(),
                    peer_port: peer_port.name.clone(),
                    peer_port_ty: peer_port.ty,
                    topic,
                    queue,
                    pushes,
                });
            }
        }
    }

    /// The topic that a component writes its results to.
    pub fn results_of(&self, component: usize) -> Option<TopicIx> {
        self.ends[component].iter().filter(|facts| facts.port == "results").find_map(|facts| Some(facts.topic.as_ref()?.topic))
    }

    /// What a component reads beside the topics that are linked to it: cluster, group, topic, and the linked topic.
    fn companion_groups(&self, project: &Project, index: usize, one: &Declared) -> Vec<(ComponentIx, String, TopicIx, TopicIx)> {
        let (Some(group), Some(component)) = (&one.names.group, project.components.get(&one.id)) else { return Vec::new() };
        let Some(kind) = components::by_id(&component.kind) else { return Vec::new() };
        let mut all = Vec::new();
        for topic in self.ends[index].iter().filter(|facts| facts.port_ty == PortType::RecordsIn).filter_map(|facts| facts.topic.as_ref()) {
            for companion in kind.companion_topics(component, &topic.name) {
                let found = self.topics.iter().find(|other| other.cluster == topic.cluster && *other.name == *companion.name);
                let (Some(found), Some(suffix)) = (found, companion.group_suffix) else { continue };
                all.push((topic.cluster, format!("{group}{suffix}"), found.topic, topic.topic));
            }
        }
        all
    }

    /// Readers of a topic form the group that each names; readers of a queue share it, and so are one group
    /// that is called like the queue; each subscription of a fan-out topic is a group of its own, whose reader, if it
    /// has one, is the consumer that is pushed to. What a reader needs beside a topic it reads with a group of its own.
    fn number_groups(&mut self, project: &Project, declared: &[Declared]) {
        let mut groups: IndexMap<(ComponentIx, String), Vec<TopicIx>> = IndexMap::new();
        for (index, one) in declared.iter().enumerate() {
            let mut own = Vec::new();
            let mut reads_with = |group: usize| {
                let group = GroupIx(small(group));
                if !own.contains(&group) {
                    own.push(group);
                }
            };
            for facts in self.ends[index].iter().filter(|facts| facts.port_ty == PortType::RecordsIn) {
                let (read, name) = match (&facts.topic, &facts.queue, &facts.pushes, &one.names.group) {
                    (Some(topic), _, _, Some(group)) => (topic, group.clone()),
                    (_, Some(queue), ..) => (queue, queue.name.to_string()),
                    (_, _, Some(pushes), _) => (pushes, subscription_name(&pushes.name, &one.id)),
                    _ => continue,
                };
                let entry = groups.entry((read.cluster, name));
                reads_with(entry.index());
                let topics = entry.or_default();
                if !topics.contains(&read.topic) {
                    topics.push(read.topic);
                }
            }
            for (cluster, name, topic, main) in self.companion_groups(project, index, one) {
                let group = one.names.group.clone().unwrap_or_default();
                let of = groups.get_index_of(&(cluster, group)).map(|of| (main, GroupIx(small(of))));
                let entry = groups.entry((cluster, name));
                reads_with(entry.index());
                self.retries.extend(of.map(|of| ((topic, GroupIx(small(entry.index()))), of)));
                entry.or_default().push(topic);
            }
            self.groups_of.push(own);
            for facts in self.ends[index].iter().filter(|facts| facts.port_ty == PortType::Subscriptions) {
                let Some(own) = self.topics.iter().find(|topic| topic.cluster.index() == index) else { continue };
                let topics = groups.entry((own.cluster, subscription_name(&own.name, &facts.peer_id))).or_default();
                if topics.is_empty() {
                    topics.push(own.topic);
                }
            }
            if let Some(own) = self.topics.iter().find(|topic| topic.cluster.index() == index) {
                for receiver in &one.names.receivers {
                    groups.insert((own.cluster, subscription_name(&own.name, receiver)), vec![own.topic]);
                }
            }
        }
        for ((cluster, name), topics) in groups {
            self.groups.push(ConsumerGroup { group: GroupIx(small(self.groups.len())), name: Arc::from(name), cluster, topics });
        }
    }
}

fn find<'a>(project: &Project, declared: &'a [Declared], end: &Endpoint) -> Option<(usize, &'a PortSpec)> {
    let index = project.components.get_index_of(&end.component)?;
    let port = declared[index].ports.iter().find(|port| port.name == end.port)?;
    Some((index, port))
}

fn small(index: usize) -> u32 {
    u32::try_from(index).expect("the reader limits components, links and topics")
}
