//! cors (kong/plugins/cors/handler.lua): answers the browsers' questions, and marks other answers.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{Field, FieldType, Plugin, PluginKind, Settings, Stop, Turn};
use crate::machines::gateway::answer::{BodyForm, Words};

pub(super) const KIND: PluginKind = PluginKind {
    name: "cors",
    priority: 2000,
    help: "Answers preflight requests of browsers, and says which origins may read answers",
    fields: &[
        Field::new("origins", FieldType::Texts, "`https://shop.example`, `*`, or regular expressions; any when empty"),
        Field::new("methods", FieldType::Texts, "Methods that are allowed").or("GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT"),
        Field::new("headers", FieldType::Texts, "Request headers that are allowed; those asked for when empty"),
        Field::new("exposed_headers", FieldType::Texts, "Answer headers that scripts may read"),
        Field::new("credentials", FieldType::Flag, "Cookies and the like are allowed").or("false"),
        Field::new("max_age", FieldType::Count { min: 0, max: 31_536_000 }, "Seconds for which a browser may keep the answer"),
        Field::new("preflight_continue", FieldType::Flag, "Let the service answer").or("false"),
    ],
    by_consumer: false,
    compile: |settings, _| Ok(Box::new(Cors { config: Arc::new(Config::new(settings)?) })),
};

#[derive(Clone, Debug)]
struct Cors {
    config: Arc<Config>,
}

#[derive(Debug)]
struct Config {
    origins: Vec<Origin>,
    /// The text of a single plain origin.
    only: Option<Arc<str>>,
    methods: String,
    headers: Vec<Arc<str>>,
    exposed: String,
    credentials: bool,
    max_age: Option<i64>,
    continues: bool,
}

#[derive(Debug)]
enum Origin {
    Any,
    Plain(String),
    Regex { pattern: Regex, by_host: bool },
}

impl Config {
    fn new(settings: &Settings) -> Result<Self, String> {
        let texts = settings.texts("origins");
        let origins: Vec<Origin> = texts.iter().map(|text| origin(text)).collect::<Result<_, _>>()?;
        let only = matches!(origins[..], [Origin::Plain(_)]).then(|| Arc::clone(&texts[0]));
        Ok(Self {
            origins,
            only,
            methods: settings.texts("methods").join(","),
            headers: settings.texts("headers"),
            exposed: settings.texts("exposed_headers").join(","),
            credentials: settings.flag("credentials"),
            max_age: settings.count("max_age"),
            continues: settings.flag("preflight_continue"),
        })
    }
    /// Sets the origin headers; the product's configure_origin and configure_credentials.
    fn mark(&self, turn: &mut Turn<'_>, origin: Option<&str>) {
        // It only writes headers, and nobody sees them.
        if turn.shown.is_none() {
            return;
        }
        let allows_any = self.origins.is_empty() || self.origins.iter().any(|origin| matches!(origin, Origin::Any));
        if allows_any {
            turn.answer_header("Access-Control-Allow-Origin", || "*".to_owned());
        } else {
            turn.answer_header("vary", || "Origin".to_owned());
            let fitting = match (&self.only, origin) {
                (Some(only), _) => Some(only.to_string()),
                (None, Some(asked)) => self.origins.iter().any(|origin| origin.fits(asked)).then(|| normal(asked)),
                (None, None) => None,
            };
            if let Some(origin) = fitting {
                turn.answer_header("Access-Control-Allow-Origin", || origin);
            }
        }
        match (self.credentials, allows_any, origin) {
            (true, false, _) => turn.answer_header("Access-Control-Allow-Credentials", || "true".to_owned()),
            (true, true, Some(origin)) => {
                turn.answer_header("vary", || "Origin".to_owned());
                turn.answer_header("Access-Control-Allow-Origin", || origin.to_owned());
                turn.answer_header("Access-Control-Allow-Credentials", || "true".to_owned());
            }
            _ => {}
        }
    }
}

impl Origin {
    fn fits(&self, asked: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Plain(text) => *text == normal(asked),
            Self::Regex { pattern, by_host } => {
                let full = normal(asked);
                pattern.is_match(if *by_host { host(&full) } else { &full })
            }
        }
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    if text == "*" {
        return Ok(Origin::Any);
    }
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/-".contains(&byte)) {
        return Ok(Origin::Plain(normal(text)));
    }
    let inner = text.trim_start_matches('^').trim_end_matches('$');
    let pattern = RegexBuilder::new(&format!("^(?:{inner})$")).size_limit(1 << 20).build();
    let pattern = pattern.map_err(|_| format!("the origin `{text}` is no regular expression"))?;
    Ok(Origin::Regex { pattern, by_host: !text.contains(':') })
}

/// Scheme and host without a default port or a path.
fn normal(origin: &str) -> String {
    let Some((scheme, rest)) = origin.split_once("://") else { return origin.to_owned() };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let default_port = if scheme == "http" { ":80" } else { ":443" };
    format!("{scheme}://{}", authority.strip_suffix(default_port).unwrap_or(authority))
}

fn host(origin: &str) -> &str {
    let rest = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    rest.split(':').next().unwrap_or_default()
}

impl Plugin for Cors {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let config = Arc::clone(&self.config);
        let request = turn.request;
        let origin = request.header("origin");
        let preflight = request.method == "OPTIONS" && origin.is_some() && request.header("access-control-request-method").is_some();
        if !preflight {
            config.mark(turn, origin);
            if !config.exposed.is_empty() {
                turn.answer_header("Access-Control-Expose-Headers", || config.exposed.clone());
            }
            return Ok(());
        }
        turn.note(|| "preflight".to_owned());
        if config.continues {
            return Ok(());
        }
        config.mark(turn, origin);
        let asked = request.header("access-control-request-headers");
        let allowed = if config.headers.is_empty() { asked.map(str::to_owned) } else { Some(config.headers.join(",")) };
        if let Some(allowed) = allowed {
            turn.answer_header("Access-Control-Allow-Headers", || allowed);
        }
        turn.answer_header("Access-Control-Allow-Methods", || config.methods.clone());
        if let Some(max_age) = config.max_age {
            turn.answer_header("Access-Control-Max-Age", || max_age.to_string());
        }
        Err(Stop { status: 200, code: "preflight", words: Words::Known(""), form: BodyForm::Empty, challenge: None })
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
