//! What a registry can be told.

use crate::components::{ActionSpec, CRASH, KindSpec, RESTART};
use crate::machines::codec::SchemaType;
use crate::machines::registry::{Breaks, Compatibility};
use crate::model::{Default_, ParamSpec, ParamType, Provenance};

/// The kind's static data.
pub static SPEC: KindSpec = KindSpec {
    id: "registry",
    title: "Schema registry",
    category: "Governance",
    profiles: &["confluent-7"],
    help: "Keeps the schemas of events by subject and version, and refuses a new version that would break readers",
    params: PARAMS,
    actions: &[
        ActionSpec { name: "register", help: "Registers a version of a subject, if it is compatible", params: REGISTER },
        ActionSpec {
            name: "break-schema",
            help: "Registers a version that breaks those who use the latest one, as with compatibility NONE: a change that nobody reviewed",
            params: BREAK,
        },
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

const REGISTER: &[ParamSpec] = &[
    ParamSpec::new("subject", "Subject", ParamType::Text { max_chars: 249 }, Default_::Required, "Which subject; a new one begins with it"),
    ParamSpec::new("schema", "Schema", ParamType::LongText, Default_::Required, "A name of the project's schemas, or a text"),
    ParamSpec::new("type", "Type", ParamType::Choice(SchemaType::WORDS), Default_::Same("AVRO"), "Schema language of the version"),
];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "compatibility",
        "Compatibility",
        ParamType::Choice(Compatibility::WORDS),
        Default_::Same("BACKWARD"),
        "What a new version must keep: BACKWARD, the new schema reads old data; FORWARD, old schemas read new data; FULL, both; NONE, nothing. \
         The transitive levels compare with every older version, the plain ones with the latest",
    )
    .key("schema.compatibility.level")
    .from(Provenance::Documented("Confluent Schema Registry 7: schema.compatibility.level"))
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
        ParamType::Choice(Compatibility::WORDS),
        Default_::Absent,
        "Instead of the registry's level, for this subject",
    )
    .key("compatibility"),
    ParamSpec::new("versions", "Versions", ParamType::Words, Default_::Absent, "Names of the project's schemas, oldest first"),
];
