//! Topics that components need beside those that they read: created in the drawn cluster, as clients create them when
//! they start.

use crate::components::{self, CompanionTopic};
use crate::model::Project;

/// Puts what is missing behind the topics that are drawn.
pub(super) fn create(project: &mut Project) {
    let mut wanted: Vec<(String, CompanionTopic)> = Vec::new();
    for link in &project.links {
        let Some(reader) = project.components.get(&link.to.component) else { continue };
        let Some(kind) = components::by_id(&reader.kind) else { continue };
        wanted.extend(kind.companion_topics(reader, &link.from.port).into_iter().map(|topic| (link.from.component.clone(), topic)));
    }
    for (cluster, topic) in wanted {
        let Some(component) = project.components.get_mut(&cluster) else { continue };
        if let Some(kind) = components::by_id(&component.kind) {
            kind.create_topic(component, &topic);
        }
    }
}
