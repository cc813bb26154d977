//! A request that a person tries at a gateway of the design: its routes in the order in which they are tried, what each
//! part says, the answer. The machine's own code decides; nothing runs, nothing is counted.
//!
//! In: a project, a component's id, a request. Out: [`Tried`]. Start at [`try_request`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attributes::Attributes;
use super::config::RouteTarget;
use super::{aws, config, integrations, spec};
use crate::components::secrets::Secret;
use crate::components::{BuildCtx, Params};
use crate::machines::codec::SchemaLibrary;
use crate::machines::gateway::aws::{Api, ApiKind};
use crate::machines::gateway::{Answer, EPOCH_UNIX_S, Gateway, Request, RouteSpec, SignKey, TokenAlgorithm, basic_credentials, client_ip};
use crate::model::{Component, Project};
use crate::units::{ComponentIx, SimTime};

/// Routes shown at once.
pub const ROUTES_SHOWN_MAX: usize = 200;

/// What a person types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// `POST`…
    pub method: String,
    /// Host asked for.
    pub host: String,
    /// Path, possibly with a query.
    pub path: String,
    /// Lines `name: value`.
    pub headers: String,
    /// Payload.
    pub body: String,
}

/// A route as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLine {
    /// Name.
    pub name: String,
    /// `POST /orders · shop.example`.
    pub matches: String,
    /// Topic, answer or service.
    pub target: String,
    /// Whether it fits the request.
    pub fits: bool,
    /// Whether it takes it.
    pub takes: bool,
}

/// What became of a request that was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// In the order in which they are tried.
    pub routes: Vec<RouteLine>,
    /// (part, words, whether it answered).
    pub steps: Vec<(String, String, bool)>,
    /// Where it goes on; none when the gateway answers.
    pub passed_to: Option<String>,
    /// The gateway's answer; of a request that goes on, what is known of the service's: headers that are added, a queue's answer.
    pub answer: Answer,
}

/// Ways to prove who one is that the gateway knows: a name, and the header line that does it.
#[must_use]
pub fn credentials(component: &Component) -> Vec<(String, String)> {
    let params = params(component);
    let key_header = if aws::kind(&params).is_some() { "x-api-key".to_owned() } else { params.text("key_name") };
    let mut list = Vec::new();
    for row in params.rows("api_keys") {
        list.push((format!("Key of {}", row.text("consumer")), format!("{key_header}: {}", Secret::read(&row.text("key")).stand_in())));
    }
    for row in params.rows("logins") {
        let login = basic_credentials(&row.text("user"), &Secret::read(&row.text("password")).stand_in());
        list.push((format!("Login of {}", row.text("consumer")), format!("authorization: {login}")));
    }
    for row in params.rows("token_issuers") {
        let algorithm: TokenAlgorithm = row.text("algorithm").parse().unwrap_or_default();
        let Ok(key) = SignKey::new(algorithm, &Secret::read(&row.text("secret")).sign_key(algorithm)) else { continue };
        for (words, exp) in [("Token", EPOCH_UNIX_S + 300), ("Expired token", EPOCH_UNIX_S - 60)] {
            let Ok(token) = key.sign_for(&row.text("issuer"), exp) else { continue };
            list.push((format!("{words} of {}", row.text("consumer")), format!("authorization: Bearer {token}")));
        }
    }
    list
}

fn params(component: &Component) -> Params<'_> {
    Params::new(spec::PARAMS, component.profile.as_deref(), &component.params)
}

/// Tries a request at virtual time zero.
///
/// # Errors
/// When there is no such gateway, or it does not compile; in words.
pub fn try_request(project: &Project, id: &str, sample: &Sample) -> Result<Tried, String> {
    let component = project.components.get(id).filter(|component| component.kind == "gateway").ok_or("this is no gateway")?;
    let params = params(component);
    let (event_types, schemas) = (BTreeMap::new(), Arc::new(SchemaLibrary::default()));
    let ctx = BuildCtx {
        project,
        id,
        me: ComponentIx(0),
        key: id,
        seed: 0,
        links: &[],
        topics: &[],
        groups: &[],
        event_types: &event_types,
        schemas: &schemas,
    };
    let table = Table::new(&ctx, &params)?;
    let mut headers: Vec<(Arc<str>, Arc<str>)> = vec![("host".into(), sample.host.trim().into())];
    let lines = sample.headers.lines().filter_map(|line| line.split_once(':'));
    headers.extend(lines.map(|(name, value)| (name.trim().to_lowercase().into(), value.trim().into())));
    let event = Attributes::of(&headers, sample.body.as_bytes(), "", None);
    let path = if sample.path.starts_with('/') { sample.path.clone() } else { format!("/{}", sample.path) };
    let request = Request {
        method: &sample.method,
        path: &path,
        headers: &headers,
        event_type: &event.event_type,
        event_source: &event.source,
        event_subject: &event.subject,
        ip: client_ip(0),
        https: params.text("tls") != "none",
        sni: sample.host.trim(),
        body: sample.body.as_bytes(),
    };
    match aws::kind(&params) {
        Some(kind) => try_api(&ctx, &params, &table, kind, &request),
        None => try_kong(&params, &table, &request),
    }
}

/// The routes of a gateway, for a person to read.
struct Table<'a> {
    rows: Vec<Params<'a>>,
    routes: Vec<(RouteSpec, RouteTarget)>,
}

impl<'a> Table<'a> {
    fn new(ctx: &BuildCtx<'_>, params: &Params<'a>) -> Result<Self, String> {
        let rows = params.rows("routes");
        let mut routes = config::routes(ctx, params);
        if routes.is_empty() && !rows.is_empty() {
            return Err("the routes cannot be read".to_owned());
        }
        if routes.is_empty() {
            routes.push(config::everything());
        }
        Ok(Self { rows, routes })
    }
    fn text(&self, at: usize, name: &str) -> Option<String> {
        self.rows.get(at).and_then(|row| row.optional_text(name))
    }
    fn line(&self, at: usize, fits: bool, takes: bool) -> RouteLine {
        let route = &self.routes[at].0;
        let any = |list: &[String], otherwise: &str| if list.is_empty() { otherwise.to_owned() } else { list.join(" ") };
        let mut matches = format!("{} {}", any(&route.methods, "any"), any(&route.paths, "any path"));
        let more = [&route.hosts, &route.event_types, &route.event_sources, &route.event_subjects];
        for more in more.into_iter().filter(|list| !list.is_empty()) {
            matches.push_str(&format!(" · {}", more.join(" ")));
        }
        RouteLine { name: route.name.to_string(), matches, target: self.target(at), fits, takes }
    }
    fn target(&self, at: usize) -> String {
        self.text(at, "respond")
            .map(|status| format!("answers {status}"))
            .or_else(|| self.text(at, "upstream").map(|name| format!("upstream {name}")))
            .or_else(|| self.text(at, "queue").map(|name| format!("queue {name}")))
            .or_else(|| self.text(at, "topic"))
            .unwrap_or_else(|| "the linked topic".to_owned())
    }
}

fn try_api(ctx: &BuildCtx<'_>, params: &Params<'_>, table: &Table<'_>, kind: ApiKind, request: &Request<'_>) -> Result<Tried, String> {
    let (api_spec, of_row) = aws::spec(ctx, params, &table.routes, kind, &mut Vec::new());
    let mut api = Api::new(&api_spec, EPOCH_UNIX_S).map_err(|problems| problems.join("; "))?;
    let decision = api.handle(SimTime::ZERO, request);
    let taken = decision.route.and_then(|route| of_row.get(route as usize)).map(|row| *row as usize);
    let shown = (0..table.routes.len()).take(ROUTES_SHOWN_MAX);
    let routes = shown.map(|at| table.line(at, taken == Some(at), taken == Some(at))).collect();
    let mut tried = Tried { routes, ..Tried::default() };
    let found = decision.route.map(|route| api.params(route, request)).unwrap_or_default();
    tried.steps.extend(found.into_iter().map(|(name, value)| (format!("{{{name}}}"), value, false)));
    if decision.authorizer_called {
        tried.steps.push(("authorizer".to_owned(), "the function was asked".to_owned(), false));
    }
    let owner = decision.key_owner.and_then(|owner| api.owners().get(owner as usize));
    tried.steps.extend(owner.map(|owner| ("API key".to_owned(), format!("consumer {owner}"), false)));
    match (decision.stop, taken) {
        (Some(stop), _) => {
            tried.answer = stop.response.answer(kind);
            let code = stop.response.code();
            let words = stop.detail.or(decision.throttled_by.map(|by| by.to_string())).unwrap_or_else(|| code.to_owned());
            tried.steps.push((format!("{:?}", stop.response), words, true));
        }
        (None, Some(at)) => {
            tried.passed_to = Some(table.target(at));
            // What a queue or a fan-out topic answers is known; the answers of services are their own.
            let service = table.text(at, "queue").and_then(|id| integrations::service(ctx.project, &id));
            tried.answer = service.map(|service| service.answer(kind, request.body)).unwrap_or_default();
        }
        (None, None) => {}
    }
    Ok(tried)
}

fn try_kong(params: &Params<'_>, table: &Table<'_>, request: &Request<'_>) -> Result<Tried, String> {
    let spec = config::gateway_spec(&table.routes, params);
    let gateway = Gateway::new(&spec, EPOCH_UNIX_S)
        .map_err(|problems| problems.iter().map(|problem| problem.message().to_owned()).collect::<Vec<_>>().join("; "))?;
    let trial = gateway.trial(SimTime::ZERO, 0, request);
    let taken = trial.decision.route.map(|route| route as usize);
    let order = gateway.tried(request, ROUTES_SHOWN_MAX);
    let passed_to = trial.upstream.map(|upstream| {
        let target = taken.map(|at| table.target(at)).unwrap_or_default();
        format!("{target} ({}{})", upstream.host, upstream.path)
    });
    Ok(Tried {
        routes: order.iter().map(|(route, fits)| table.line(*route as usize, *fits, taken == Some(*route as usize))).collect(),
        steps: trial.steps.into_iter().map(|step| (step.plugin.to_owned(), step.words, step.stopped)).collect(),
        passed_to,
        answer: trial.answer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(params: serde_json::Value, profile: Option<&str>) -> Project {
        let params = serde_json::from_value(params).expect("parameters are an object");
        let component = Component { kind: "gateway".to_owned(), profile: profile.map(str::to_owned), params, ..Component::default() };
        Project { components: [("edge".to_owned(), component)].into_iter().collect(), ..Project::default() }
    }

    fn sample(path: &str, headers: &str) -> Sample {
        Sample {
            method: "POST".to_owned(),
            host: "shop.example".to_owned(),
            path: path.to_owned(),
            headers: headers.to_owned(),
            body: String::new(),
        }
    }

    #[test]
    fn every_known_credential_gets_in_and_an_expired_one_does_not() {
        let project = project(
            serde_json::json!({
                "routes": [{"name": "orders", "paths": ["/orders"], "respond": 202}, {"name": "all", "respond": 200}],
                "api_keys": [{"consumer": "web", "key": "sample:k1"}],
                "logins": [{"consumer": "app", "user": "u", "password": "env:PASSWORD"}],
                "token_issuers": [{"consumer": "shop", "issuer": "shop", "algorithm": "ES256", "secret": "file:shop.pem"}],
                "consumers": [{"name": "guest"}],
                "plugins": [
                    {"plugin": "key-auth", "settings": ["anonymous=guest"]},
                    {"plugin": "basic-auth", "settings": ["anonymous=guest"]},
                    {"plugin": "jwt", "settings": ["anonymous=guest", "claims_to_verify=exp"]},
                    {"plugin": "request-termination", "consumer": "guest", "settings": ["status_code=401", "message=who are you"]},
                ],
            }),
            None,
        );
        let known = credentials(&project.components["edge"]);
        assert_eq!(known.len(), 4);
        for (name, header) in known {
            let tried = try_request(&project, "edge", &sample("/orders/7", &header)).expect("it compiles");
            let wanted = if name.starts_with("Expired") { 401 } else { 0 };
            assert_eq!(tried.answer.status, wanted, "{name}: {tried:?}");
            assert_eq!(tried.passed_to.is_some(), wanted == 0);
            assert_eq!((tried.routes[0].name.as_str(), tried.routes[0].takes, tried.routes[1].fits), ("orders", true, true));
        }
        // The table follows the path that is matched, not the one that was typed.
        let tried = try_request(&project, "edge", &sample("//orders/./7", "")).expect("it compiles");
        assert_eq!((tried.routes[0].fits, tried.routes[0].takes), (true, true));
        assert!(try_request(&project, "shop", &Sample::default()).is_err());
    }

    #[test]
    fn the_other_products_gateway_is_tried_too() {
        let params = serde_json::json!({"routes": [{"name": "order", "paths": ["/orders/{id}"], "key_required": true, "respond": 200}]});
        let project = project(params, Some(aws::REST));
        let tried = try_request(&project, "edge", &sample("/orders/7", "")).expect("it compiles");
        assert_eq!((tried.answer.status, tried.answer.body.as_str()), (403, r#"{"message":"Forbidden"}"#));
        assert_eq!(tried.steps[0], ("{id}".to_owned(), "7".to_owned(), false));
    }
    #[test]
    fn a_queues_answer_is_shown_whole() {
        let params = serde_json::json!({"routes": [{"name": "order", "paths": ["/orders"], "queue": "jobs"}]});
        let mut project = project(params, Some(aws::REST));
        let queue = Component { kind: "queue".to_owned(), profile: Some("sqs-standard".to_owned()), ..Component::default() };
        project.components.insert("jobs".to_owned(), queue);
        let order = Sample { body: "This is a test message".to_owned(), ..sample("/orders", "") };
        let tried = try_request(&project, "edge", &order).expect("it compiles");
        assert_eq!((tried.answer.status, tried.passed_to.as_deref()), (200, Some("queue jobs")));
        assert!(tried.answer.body.contains("\"MD5OfMessageBody\":\"fafb00f5732ab283681e124bf8747ed1\""), "{}", tried.answer.body);
    }
}
