//! Who gets what: the rows of `endpoints` and `clients`, one or many receivers each.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::signature::Secret;
use crate::components::secrets::Secret as Named;
use crate::components::{BuildCtx, Params};
use crate::units::GroupIx;

/// More receivers of one component are refused: each is a group of the ledger.
pub(super) const RECEIVERS_MAX: usize = 1_000;

/// Whether its receivers are endpoints of webhooks.
pub(super) fn is_webhooks(params: &Params<'_>) -> bool {
    !matches!(params.profile(), Some("server-sent-events" | "websocket"))
}

/// The table that counts for its profile.
pub(super) fn table(params: &Params<'_>) -> &'static str {
    if is_webhooks(params) { "endpoints" } else { "clients" }
}

/// Each row, as often as it says, with its name.
pub(super) fn rows<'a>(params: &Params<'a>) -> Vec<(String, Params<'a>)> {
    let mut all = Vec::new();
    for (id, row) in params.named(table(params)) {
        let count = usize::try_from(row.count("count")).unwrap_or(0);
        let name = |number: usize| if count == 1 { id.to_owned() } else { format!("{id}-{number}") };
        all.extend((1..=count.min(RECEIVERS_MAX + 1)).map(|number| (name(number), row)));
    }
    all
}

/// What they are called.
pub(super) fn names(params: &Params<'_>) -> Vec<String> {
    rows(params).into_iter().take(RECEIVERS_MAX).map(|(name, _)| name).collect()
}

/// A receiver's place in the books, and what it wants.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub name: Arc<str>,
    pub group: GroupIx,
    /// Types of events; all when empty.
    types: Vec<String>,
}

impl Receiver {
    pub fn new(ctx: &BuildCtx<'_>, name: &str, row: &Params<'_>) -> Self {
        let of = format!("{}→{name}", ctx.id);
        let group = ctx.groups.iter().find(|group| group.cluster == ctx.me && *group.name == *of);
        Self { name: name.into(), group: group.map_or(GroupIx(0), |group| group.group), types: row.words("types") }
    }
    pub fn wants(&self, ty: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == ty)
    }
}

/// An endpoint's secret: the given one, by its name where it is not shown, or one that is made of the endpoint's name.
///
/// # Errors
/// In words, when it is no secret.
pub(super) fn secret(row: &Params<'_>, param: &str, name: &str) -> Result<Secret, String> {
    match row.optional_text(param) {
        Some(text) => Secret::read(&Named::read(&text).stand_in()),
        None => Ok(Secret::new(&Sha256::digest(name.as_bytes()))),
    }
}
