//! The access control lists of a design's Kafka clusters, as their projects write them.
//!
//! In: a project. Out: a row a rule, in file order, principals written out (`User:web`). A rule about no known kind of
//! resource is left out: what it says would stand in scripts as it is.

use crate::components::params_of;
use crate::machines::broker::acl::ResourceKind;
use crate::model::Project;

/// One rule of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclRow {
    /// The cluster's component id.
    pub cluster: String,
    /// `User:web`.
    pub principal: String,
    /// `Read`, `Write`…
    pub operation: String,
    /// `topic`, `group`, `transactional-id`, `cluster`.
    pub resource: String,
    /// Of the resource; `*` is any.
    pub name: String,
    /// The name is only the beginning of those meant.
    pub is_prefix: bool,
    /// It forbids.
    pub denies: bool,
}

/// All rules of all clusters.
#[must_use]
pub fn acls(project: &Project) -> Vec<AclRow> {
    let mut all = Vec::new();
    for (id, component) in project.components.iter().filter(|(_, component)| component.kind == "kafka") {
        let Some(cluster) = params_of(component) else { continue };
        let rows = cluster.rows("acls").into_iter().filter(|row| ResourceKind::named(&row.text("resource")).is_some());
        all.extend(rows.map(|row| {
            let principal = row.text("principal");
            AclRow {
                cluster: id.clone(),
                principal: if principal.contains(':') { principal } else { format!("User:{principal}") },
                operation: row.text("operation"),
                resource: row.text("resource"),
                name: row.text("name"),
                is_prefix: row.text("pattern") == "prefixed",
                denies: row.text("permission") == "deny",
            }
        }));
    }
    all
}
