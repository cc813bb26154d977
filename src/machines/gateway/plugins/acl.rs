//! acl (kong/plugins/acl/handler.lua): which groups of consumers may pass.

use std::sync::Arc;

use super::{Field, FieldType, Plugin, PluginKind, Settings, Stop, Turn};

pub(super) const KIND: PluginKind = PluginKind {
    name: "acl",
    priority: 950,
    help: "Answers 403 to consumers outside the allowed groups, or inside the denied ones",
    fields: &[
        Field::new("allow", FieldType::Texts, "Groups that may pass"),
        Field::new("deny", FieldType::Texts, "Groups that may not"),
        Field::new("hide_groups_header", FieldType::Flag, "Keep the groups from the service").or("false"),
    ],
    by_consumer: false,
    compile: |settings, _| Ok(Box::new(Acl { config: Arc::new(Config::new(settings)?) })),
};

#[derive(Clone, Debug)]
struct Acl {
    config: Arc<Config>,
}

#[derive(Debug)]
struct Config {
    groups: Vec<Arc<str>>,
    denies: bool,
    hides: bool,
}

impl Config {
    fn new(settings: &Settings) -> Result<Self, String> {
        let (allow, deny) = (settings.texts("allow"), settings.texts("deny"));
        if allow.is_empty() == deny.is_empty() {
            return Err("give one of `allow` and `deny`".to_owned());
        }
        let denies = !deny.is_empty();
        Ok(Self { groups: if denies { deny } else { allow }, denies, hides: settings.flag("hide_groups_header") })
    }
}

impl Plugin for Acl {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        const NO: Result<(), &str> = Err("You cannot consume this service");
        let config = &self.config;
        let stop = |words| Stop::error(403, "forbidden", words);
        let Some(consumer) = turn.consumer else {
            return Err(if turn.credential.is_some() { stop(NO.unwrap_err()) } else { Stop::error(401, "unauthorized", "Unauthorized") });
        };
        let groups = turn.people.groups.get(consumer as usize).map_or(&[] as &[_], Vec::as_slice);
        if groups.is_empty() && !config.denies && turn.credential.is_none() {
            return Err(Stop::error(401, "unauthorized", "Unauthorized"));
        }
        let is_in = groups.iter().any(|group| config.groups.contains(group));
        if is_in == config.denies {
            return NO.map_err(stop);
        }
        if !config.hides {
            turn.note(|| format!("groups {}", groups.join(", ")));
            turn.upstream_header("X-Consumer-Groups", || groups.join(", "));
        }
        Ok(())
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
