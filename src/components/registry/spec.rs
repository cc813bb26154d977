//! What a registry can be told.

use super::backend::GLUE;
use crate::components::{ActionSpec, CRASH, KindSpec, RESTART};
use crate::machines::codec::{Policy, SchemaType};
use crate::machines::registry::Breaks;
use crate::model::{Default_, ParamSpec, ParamType, Provenance};

/// The kind's static data.
pub static SPEC: KindSpec = KindSpec {
    id: "registry",
    title: "Schema registry",
    category: "Governance",
    profiles: &["confluent-7", GLUE],
    help: "Keeps the schemas of events by subject and version, and refuses a new version that would break readers",
    params: PARAMS,
    actions: &[
        ActionSpec { name: "register", help: "Registers a version of a subject, if it is compatible", params: REGISTER },
        ActionSpec {
            name: "break-schema",
            help: "Registers a version that breaks those who use the latest one, as with compatibility NONE: a change that nobody reviewed",
            params: BREAK,
        },
        ActionSpec {
            name: "set-compatibility",
            help: "Another level from now on, for a subject or for all that have none of their own",
            params: SET_LEVEL,
        },
        ActionSpec { name: "delete-version", help: "Deletes a version: it no longer counts in checks", params: DELETE },
        CRASH,
        RESTART,
    ],
    id_stem: "schemas",
};

/// Arguments of `break-schema`.
pub(super) const BREAK: &[ParamSpec] = &[
    ParamSpec::new("subject", "Subject", ParamType::Text { max_chars: 249 }, Default_::Absent, "Which subject; the first when absent"),
    ParamSpec::new(
        "schema",
        "Schema",
        ParamType::LongText,
        Default_::Absent,
        "A name of the project's schemas, or a text; made of the latest version when absent",
    ),
    ParamSpec::new(
        "breaks",
        "Breaks",
        ParamType::Choice(Breaks::WORDS),
        Default_::Same("both"),
        "Whom a made version breaks: writers, by a new field that old data has not; readers, by a field that is gone; or both, by \
         a field of another type",
    ),
];

/// The levels of both products; the card's check tells whose.
const LEVELS: &[&str] = &[
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
    "DISABLED",
    "BACKWARD_ALL",
    "FORWARD_ALL",
    "FULL_ALL",
];

/// Arguments of `set-compatibility`.
pub(super) const SET_LEVEL: &[ParamSpec] = &[
    ParamSpec::new("level", "Level", ParamType::Choice(LEVELS), Default_::Required, "What a new version must keep from now on"),
    ParamSpec::new("subject", "Subject", ParamType::Text { max_chars: 249 }, Default_::Absent, "Which subject; all others when absent"),
];

/// Arguments of `delete-version`.
pub(super) const DELETE: &[ParamSpec] = &[
    ParamSpec::new("subject", "Subject", ParamType::Text { max_chars: 249 }, Default_::Required, "Which subject"),
    ParamSpec::new("version", "Version", ParamType::Text { max_chars: 20 }, Default_::Same("latest"), "A number, or `latest`"),
    ParamSpec::new(
        "permanent",
        "Permanent",
        ParamType::Bool,
        Default_::Same("false"),
        "For good: of Confluent's registry only what was deleted softly before",
    ),
];

/// Arguments of `register`.
pub(super) const REGISTER: &[ParamSpec] = &[
    ParamSpec::new("subject", "Subject", ParamType::Text { max_chars: 249 }, Default_::Required, "Which subject; a new one begins with it"),
    ParamSpec::new("schema", "Schema", ParamType::LongText, Default_::Required, "A name of the project's schemas, or a text"),
    ParamSpec::new("type", "Type", ParamType::Choice(SchemaType::WORDS), Default_::Same("AVRO"), "Schema language of the version"),
    REFERENCES,
];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "compatibility",
        "Compatibility",
        ParamType::Choice(LEVELS),
        Default_::Same("BACKWARD"),
        "What a new version must keep: BACKWARD, the new schema reads old data; FORWARD, old schemas read new data; FULL, both; NONE, nothing. \
         The transitive levels compare with every older version, the plain ones with the latest. Glue's levels end in _ALL for \
         every version; its plain ones compare with the checkpoint, and DISABLED takes no further version",
    )
    .key("schema.compatibility.level")
    .from(Provenance::Documented("Confluent Schema Registry 7: schema.compatibility.level"))
    .group("Governance"),
    ParamSpec::new(
        "policy",
        "Policy",
        ParamType::Choice(Policy::WORDS),
        Default_::Same("STRICT"),
        "How JSON Schemas are compared: LENIENT lets optional properties come and go in open content models",
    )
    .key("compatibilityPolicy")
    .from(Provenance::Documented("Confluent Schema Registry: compatibilityPolicy"))
    .group("Governance"),
    ParamSpec::new(
        "normalize",
        "Normalize",
        ParamType::Bool,
        Default_::Same("false"),
        "Texts that differ in the order of keys only are one version",
    )
    .key("normalize")
    .from(Provenance::Documented("Confluent Schema Registry: normalize"))
    .group("Governance"),
    ParamSpec::new("subjects", "Subjects", ParamType::Named(SUBJECT), Default_::Absent, "Subjects with their versions, registered before the run begins")
        .group("Governance"),
    ParamSpec::new(
        "service_time",
        "Service time",
        ParamType::DurationDist,
        Default_::Same("exp(300us)"),
        "Work on one request; requests queue in front of one server",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
];

const SUBJECT: &[ParamSpec] = &[
    ParamSpec::new("type", "Type", ParamType::Choice(SchemaType::WORDS), Default_::Same("AVRO"), "Schema language of all versions")
        .key("schemaType"),
    ParamSpec::new(
        "compatibility",
        "Compatibility",
        ParamType::Choice(LEVELS),
        Default_::Absent,
        "Instead of the registry's level, for this subject",
    )
    .key("compatibility"),
    ParamSpec::new("versions", "Versions", ParamType::Words, Default_::Absent, "Names of the project's schemas, oldest first"),
    REFERENCES,
];

const REFERENCES: ParamSpec = ParamSpec::new(
    "references",
    "References",
    ParamType::Words,
    Default_::Absent,
    "What the schema names and where that is registered: name=subject, the subject's latest version; the name alone where both are the same. \
     Confluent's registry only",
);
