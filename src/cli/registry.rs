//! `eventyard registry serve`: a schema registry that real clients can talk to.

use std::sync::Arc;

use super::args::{RegistryCommand, ServeArgs};
use super::documents;
use super::exit::{End, Stop, print, tell};
use crate::adapters::registry_server::serve;
use crate::components;
use crate::machines::codec::SchemaLibrary;
use crate::machines::registry::{Compatibility, ConfigUpdate, NewReference, NewSchema, Registering, Registry, VersionChoice};
use crate::model::Project;

/// Runs a command of the registry.
///
/// # Errors
/// A project that cannot be read, subjects that its registry would refuse, an address that cannot be had.
pub fn registry(command: &RegistryCommand) -> Result<End, Stop> {
    let RegistryCommand::Serve(args) = command;
    let registry = match &args.project {
        None => Registry::new(Arc::new(SchemaLibrary::default()), Compatibility::default()),
        Some(file) => {
            let loaded = documents::load_sound(file)?;
            of_project(&loaded.project, args).map_err(|words| Stop::findings(format!("{}: {words}", file.display())))?
        }
    };
    if !args.host.is_loopback() {
        tell("others on this network can reach the registry, and it asks nobody for a password");
    }
    let told = |words: String| print(&words).map_or_else(|stop| tell(&stop.words), |()| ());
    let subjects = registry.subjects_count();
    let plural = if subjects == 1 { "" } else { "s" };
    serve(registry, args.host, args.port, |address| {
        told(format!("Schema registry at http://{address} with {subjects} subject{plural}; Ctrl-C ends it\n"));
    })
    .map_err(|error| Stop::usage(error.to_string()))?;
    Ok(End::Fine)
}

/// A registry with what a project's registry begins with.
fn of_project(project: &Project, args: &ServeArgs) -> Result<Registry, String> {
    let registries = || project.components.iter().filter(|(_, component)| component.kind == "registry");
    let known = || registries().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ");
    let found = match &args.component {
        Some(id) => {
            registries().find(|(known, _)| *known == id).ok_or_else(|| format!("there is no registry `{id}`; there is {}", known()))?
        }
        None => {
            let mut all = registries();
            let first = all.next().ok_or("the design has no schema registry")?;
            if all.next().is_some() {
                return Err(format!("the design has several registries: say which with --component ({})", known()));
            }
            first
        }
    };
    let (id, component) = found;
    let kind = components::by_id(&component.kind).ok_or("there is no kind `registry`")?;
    let mut registry = Registry::new(Arc::new(SchemaLibrary::default()), Compatibility::default());
    for subject in kind.declares(id, component).subjects {
        let (level, policy) = (subject.level.map(|level| level.to_string()), Some(subject.rules.policy.to_string()));
        let config = ConfigUpdate { level, policy, ..ConfigUpdate::default() };
        registry.set_config(Some(&subject.name), &config).map_err(|error| error.to_string())?;
        let reference = |(name, of): &(String, String)| NewReference {
            name: name.as_str().into(),
            subject: of.as_str().into(),
            version: VersionChoice::Latest,
        };
        let references: Vec<NewReference> = subject.references.iter().map(reference).collect();
        for name in &subject.versions {
            let source = project.schemas.get(name).ok_or_else(|| format!("the project has no schema `{name}`"))?;
            let new = NewSchema { references: references.clone(), ..NewSchema::new(&subject.schema_type, &source.text) };
            let registered = registry.register(&subject.name, &new, Registering::default());
            registered.map_err(|error| format!("schema `{name}` of subject `{}`: {error}", subject.name))?;
        }
    }
    Ok(registry)
}
