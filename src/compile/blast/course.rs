//! Which way events go in a design: from a component over links, topics and queues to those that read them.
//!
//! A topic passes on what came in at it; any other component may pass on at each of its ways out whatever it took in.
//! Start at [`Course::of`].

use std::collections::BTreeSet;

use crate::components::{self, Declarations, PortSpec, PortType, SchemaWritten};
use crate::machines::codec::SchemaLibrary;
use crate::model::Project;

/// The port that gives away what could not be processed, of every kind that has one.
const DEAD_LETTERS: &str = "dead_letters";

/// A component and its port.
type End = (usize, String);
/// A link.
type Way = (End, End);

/// A design's components, what they declare, and how they are wired.
pub(super) struct Course {
    pub(super) ids: Vec<String>,
    pub(super) declared: Vec<Declarations>,
    ports: Vec<Vec<PortSpec>>,
    /// From component and port to component and port; links that look something up stand apart.
    links: Vec<Way>,
    /// Who asks which registry.
    lookups: BTreeSet<(usize, usize)>,
}

impl Course {
    pub(super) fn of(project: &Project) -> Self {
        let mut course = Self { ids: Vec::new(), declared: Vec::new(), ports: Vec::new(), links: Vec::new(), lookups: BTreeSet::new() };
        for (id, component) in &project.components {
            let kind = components::by_id(&component.kind);
            course.ids.push(id.clone());
            course.declared.push(kind.map(|kind| kind.declares(id, component)).unwrap_or_default());
            course.ports.push(kind.map(|kind| kind.ports(component)).unwrap_or_default());
        }
        for link in &project.links {
            let end = |component: &str| project.components.get_index_of(component);
            let (Some(from), Some(to)) = (end(&link.from.component), end(&link.to.component)) else { continue };
            if course.port(to, &link.to.port).is_some_and(PortSpec::is_reference) {
                course.lookups.insert((from, to));
            } else {
                course.links.push(((from, link.from.port.clone()), (to, link.to.port.clone())));
            }
        }
        course.name_subjects(project);
        course
    }
    /// What a strategy names after records and topics is looked up by its subject.
    fn name_subjects(&mut self, project: &Project) {
        let library = SchemaLibrary::default();
        for at in 0..self.ids.len() {
            let way = self.links.iter().find(|((from, port), _)| *from == at && port == "out").map(|(_, to)| to.clone());
            let topic = way.map(|(to, port)| match self.port(to, &port) {
                Some(spec) if spec.ty == PortType::Topic => port,
                _ => self.ids[to].clone(),
            });
            for written in self.declared[at].schemas_written.iter_mut().filter(|written| written.naming.is_some()) {
                let topic = written.topic.clone().or_else(|| topic.clone());
                if let Ok(subject) = written.subject_in(project, &library, topic.as_deref()) {
                    (written.subject, written.naming) = (subject, None);
                }
            }
        }
    }
    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|known| known == id)
    }
    /// Whether a component looks schemas up at a registry.
    pub(super) fn asks(&self, at: usize, registry: usize) -> bool {
        self.lookups.contains(&(at, registry))
    }
    /// Components that read what `at` writes: the next ones behind gateways, topics, queues and fan-outs.
    pub(super) fn readers_after(&self, at: usize, written: &SchemaWritten) -> Vec<usize> {
        let mut ways = self.links.iter().filter(|((from, port), _)| *from == at && port == written.port);
        let ways: Vec<&Way> = match &written.topic {
            // As the client chooses: the first way out.
            None => ways.next().into_iter().collect(),
            Some(name) => ways.filter(|(_, (to, port))| port == name || self.ids[*to] == *name).collect(),
        };
        self.reached(&ways).into_iter().map(|(reader, _)| reader).collect()
    }
    /// Those that read what a component gives away, and whether it comes by its way for dead letters.
    pub(super) fn fed_by(&self, at: usize) -> Vec<(usize, bool)> {
        let ways: Vec<&Way> = self.links.iter().filter(|((from, _), _)| *from == at).collect();
        self.reached(&ways)
    }

    /// Readers at the end of these ways, and whether a port for dead letters lies on it.
    fn reached(&self, ways: &[&Way]) -> Vec<(usize, bool)> {
        let (mut readers, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let step = |way: &Way, is_of_letters: bool| (way.1.clone(), is_of_letters || way.0.1 == DEAD_LETTERS);
        let mut left: Vec<(End, bool)> = ways.iter().map(|way| step(way, false)).collect();
        while let Some(((component, port), is_of_letters)) = left.pop() {
            if !seen.insert((component, port.clone(), is_of_letters)) {
                continue;
            }
            if self.reads(component, &port) {
                readers.insert((component, is_of_letters));
                if !self.moves_on(component) {
                    continue;
                }
            }
            let is_topic = self.port(component, &port).is_some_and(|port| port.ty == PortType::Topic);
            let onward = self.links.iter().filter(|((from, out), _)| *from == component && (!is_topic || *out == port));
            left.extend(onward.map(|way| step(way, is_of_letters)));
        }
        readers.into_iter().collect()
    }

    /// Whether what a component reads goes on as it is.
    fn moves_on(&self, component: usize) -> bool {
        self.ports[component].iter().any(|port| port.ty == PortType::Onward)
    }
    fn reads(&self, component: usize, port: &str) -> bool {
        self.port(component, port).is_some_and(|port| port.ty == PortType::RecordsIn)
    }
    fn port(&self, component: usize, name: &str) -> Option<&PortSpec> {
        self.ports[component].iter().find(|port| port.name == name)
    }
}
