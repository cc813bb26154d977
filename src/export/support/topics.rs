//! The Kafka topics of a design with their settings under Kafka's own names and in Kafka's units.
//!
//! In: a project. Out: a row a topic. A setting is written only where the project says it; which of a topic's parameters
//! are settings, and how Kafka calls them, is in the parameters' specs.

use crate::components::{Params, params_of};
use crate::model::{ParamSpec, ParamType, Project};
use crate::units::{Bytes, SimDuration};

/// Settings of the whole cluster that Kafka also takes for each topic.
const CLUSTER_SETTINGS: [&str; 2] = ["min_insync_replicas", "unclean_leader_election"];
/// What a topic is created with, not configured.
const SHAPE: [&str; 2] = ["partitions", "replication"];

/// One topic of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// The cluster's component id.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i64,
    /// Copies of each, the leader's included.
    pub replication: i64,
    /// `retention.ms` → `604800000`.
    pub config: Vec<(&'static str, String)>,
    /// What it carries, as the project says.
    pub description: Option<String>,
}

/// All topics of all clusters in file order.
#[must_use]
pub fn topics(project: &Project) -> Vec<TopicSettings> {
    let clusters = project.components.iter().filter(|(_, component)| component.kind == "kafka");
    let mut all = Vec::new();
    for (id, component) in clusters {
        let Some(cluster) = params_of(component) else { continue };
        for (name, row) in cluster.named("topics") {
            let of_cluster = cluster.specs().iter().filter(|spec| CLUSTER_SETTINGS.contains(&spec.name));
            let of_topic = row.specs().iter().filter(|spec| !SHAPE.contains(&spec.name));
            let shared = of_cluster.filter_map(|spec| setting(spec, &cluster));
            all.push(TopicSettings {
                cluster: id.clone(),
                name: name.to_owned(),
                partitions: row.count("partitions"),
                replication: row.count("replication"),
                config: shared.chain(of_topic.filter_map(|spec| setting(spec, &row))).collect(),
                description: row.optional_text("description"),
            });
        }
    }
    all
}

/// The topic of a gateway's route that names none: the only one that is linked.
#[must_use]
pub fn linked_topic(project: &Project, id: &str) -> Option<String> {
    let mut topics = project.links.iter().filter(|link| link.from.component == id && link.from.port == "records");
    let topic = topics.next()?.to.port.clone();
    topics.next().is_none().then_some(topic)
}

fn setting(spec: &ParamSpec, params: &Params<'_>) -> Option<(&'static str, String)> {
    let key = spec.product_key.filter(|_| params.is_given(spec.name))?;
    let text = params.text(spec.name);
    let value = match spec.ty {
        ParamType::Duration { .. } => (text.parse::<SimDuration>().ok()?.as_ns() / 1_000_000).to_string(),
        ParamType::Size { .. } => text.parse::<Bytes>().ok()?.0.to_string(),
        ParamType::Ratio { .. } => params.ratio(spec.name).to_string(),
        _ => text,
    };
    Some((key, value))
}
