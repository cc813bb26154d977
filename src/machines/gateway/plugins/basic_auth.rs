//! basic-auth (kong/plugins/basic-auth/access.lua): who sends, by user name and password.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Fallback, Field, FieldType, Plugin, PluginKind, REALM, Settings, Stop, Turn, World};
use crate::machines::gateway::people::Known;

pub(super) const KIND: PluginKind = PluginKind {
    name: "basic-auth",
    priority: 1100,
    help: "Answers 401 to requests without a known user name and password",
    fields: &[
        Field::new("hide_credentials", FieldType::Flag, "Keep the password from the service").or("false"),
        REALM.or("service"),
        Fallback::FIELD,
    ],
    by_consumer: false,
    compile: |settings, world| Ok(Box::new(BasicAuth { config: Arc::new(Config::new(settings, world)?) })),
};

#[derive(Clone, Debug)]
struct BasicAuth {
    config: Arc<Config>,
}

#[derive(Debug)]
struct Config {
    challenge: Arc<str>,
    fallback: Fallback,
}

impl Config {
    fn new(settings: &Settings, world: &World<'_>) -> Result<Self, String> {
        let realm = settings.text("realm").unwrap_or_default();
        Ok(Self { challenge: format!("Basic realm=\"{realm}\"").into(), fallback: Fallback::new(settings, world)? })
    }
    fn known(&self, turn: &Turn<'_>) -> Result<Known, Stop> {
        let given = |header: &str| credentials(turn.request.header(header)?);
        // A known user of the first is not looked for in the second, whatever the password.
        let named = given("proxy-authorization").filter(|(user, _)| turn.people.has_user(user)).or_else(|| given("authorization"));
        let found = named.and_then(|(user, password)| turn.people.by_login(&user, &password));
        found.ok_or_else(|| Stop::error(401, "unauthorized", "Unauthorized").challenged(&self.challenge))
    }
}

/// The header `Authorization` of a user name and a password.
#[must_use]
pub fn basic_credentials(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// `Basic dXNlcjpwYXNz` as user name and password.
fn credentials(header: &str) -> Option<(String, String)> {
    let text = header.trim_start();
    let encoded = text.strip_prefix("Basic").or_else(|| text.strip_prefix("basic"))?.trim();
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    (!user.is_empty()).then(|| (user.to_owned(), password.to_owned()))
}

impl Plugin for BasicAuth {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        if self.config.fallback.is_done(turn) {
            return Ok(());
        }
        let found = self.config.known(turn);
        self.config.fallback.settle(turn, found)
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
