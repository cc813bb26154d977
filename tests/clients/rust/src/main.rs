//! The crate `schema_registry_converter` against a registry that serves: registers, encodes, decodes, is refused, for the
//! three formats.
//!
//! In: the registry's URL. Out: a line for each thing that held, and the exit code: 0 when everything did, 1 with the reason
//! at the first that did not, 2 without a URL. It knows nothing of the program, only what the client can see; a second run
//! against the same registry holds too. The first part is one check for every format (start at [`check`]), the rest what only
//! Protobuf has.

use std::error::Error;
use std::fmt::Debug;
use std::process::ExitCode;
use std::time::Duration;

use apache_avro::types::Value as Avro;
use schema_registry_converter::blocking::avro::{AvroDecoder, AvroEncoder};
use schema_registry_converter::blocking::json::{JsonDecoder, JsonEncoder};
use schema_registry_converter::blocking::proto_decoder::ProtoDecoder;
use schema_registry_converter::blocking::proto_encoder::ProtoEncoder;
use schema_registry_converter::blocking::proto_raw::{ProtoRawDecoder, ProtoRawEncoder};
use schema_registry_converter::blocking::schema_registry::{
    SrSettings, get_all_subjects, get_all_versions, get_schema_by_id, get_schema_by_subject, is_compatible_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{
    RawError, SchemaIdHeader, SchemaType, SubjectNameStrategy, SuppliedReference, SuppliedSchema,
};
use serde_json::{Value as Json, json};

type Held = Result<(), Box<dyn Error>>;
/// An event without a prefix, and the header that tells its schema.
type Headed = (Vec<u8>, SchemaIdHeader);

fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: eventyard-rust-client URL");
        return ExitCode::from(2);
    };
    match everything(&url) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn everything(url: &str) -> Held {
    let registry = SrSettings::new_builder(url.to_owned()).no_proxy().set_timeout(Duration::from_secs(10)).build()?;
    for case in [avro(), json_schema(), protobuf()] {
        check(&registry, &case).map_err(|reason| format!("{}: {reason}", case.name))?;
    }
    nested_message(&registry).map_err(|reason| format!("a nested message: {reason}"))?;
    imported_file(&registry).map_err(|reason| format!("an imported file: {reason}"))?;
    Ok(())
}

/// A format: versions of a schema, and an event of the first.
struct Case {
    name: &'static str,
    topic: &'static str,
    schema_type: SchemaType,
    first: &'static str,
    /// A second version that reads what the first wrote.
    wider: &'static str,
    /// A version that does not.
    incompatible: &'static str,
    /// No schema at all.
    broken: &'static str,
    event: Json,
    /// The event as the format writes it, with what stands before it but for the magic byte and the id.
    written: Vec<u8>,
    codec: &'static dyn Codec,
}

/// A format's encoder and decoder; every call has one of its own, which remembers nothing of the others.
trait Codec {
    fn encode(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Vec<u8>, SRCError>;
    fn decode(&self, registry: &SrSettings, bytes: &[u8]) -> Result<Json, SRCError>;
    /// With the schema's guid in a header, not in the bytes.
    fn encode_headed(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Headed, SRCError>;
    fn decode_headed(&self, registry: &SrSettings, header: &[u8], bytes: &[u8]) -> Result<Json, SRCError>;
}

/// Everything that holds for each format.
fn check(registry: &SrSettings, case: &Case) -> Held {
    let subject = format!("{}-value", case.topic);
    let supplied = |text: &str| SuppliedSchema::new(None, case.schema_type.clone(), text.to_owned());
    let with = |text: &str| SubjectNameStrategy::TopicNameStrategyWithSchema(case.topic.to_owned(), false, supplied(text));
    let say = |what: &str| println!("{}: {what}", case.name);
    let encode = |under: &SubjectNameStrategy| case.codec.encode(registry, &case.event, under);

    let bytes = encode(&with(case.first))?;
    let (magic, id) = (bytes[0], u32::from_be_bytes(bytes[1..5].try_into()?));
    same("the magic byte", magic, 0)?;
    same("the id", id, get_schema_by_subject(registry, &with(case.first))?.id)?;
    same("what follows the id", &bytes[5..], &case.written)?;
    say(&format!("registered and encoded under id {id}"));
    same("the schema of the id", get_schema_by_id(id, registry)?.schema_type, case.schema_type.clone())?;
    same("the event", &case.codec.decode(registry, &bytes)?, &case.event)?;
    say("decoded");

    let (bare, header) = case.codec.encode_headed(registry, &case.event, &with(case.first))?;
    same("the header's magic byte", header.value[0], 1)?;
    same("the event", &case.codec.decode_headed(registry, &header.value, &bare)?, &case.event)?;
    say("encoded and decoded by the guid in a header");

    same("wider is compatible", is_compatible_schema(registry, subject.clone(), supplied(case.wider))?, true)?;
    let second = get_schema_by_subject(registry, &with(case.wider))?;
    same("the versions", get_all_versions(registry, subject.clone())?, vec![1, 2])?;
    same("the subject is listed", get_all_subjects(registry)?.contains(&subject), true)?;
    let newest = get_schema_by_subject(registry, &SubjectNameStrategy::TopicNameStrategy(case.topic.to_owned(), false))?;
    same("the newest version", (newest.id, newest.version, newest.subject), (second.id, Some(2), Some(subject.clone())))?;
    same("the event of version 1", &case.codec.decode(registry, &bytes)?, &case.event)?;
    say("a second version beside the first");

    same("incompatible is compatible", is_compatible_schema(registry, subject, supplied(case.incompatible))?, false)?;
    refused("an incompatible version", encode(&with(case.incompatible)), 409, 40901)?;
    say("an incompatible version is refused: 409");
    refused("a broken schema", encode(&with(case.broken)), 422, 42201)?;
    say("a broken schema is refused: 422");
    let unknown = [&[0, 0x7f, 0xff, 0xff, 0xff][..], &bytes[5..]].concat();
    refused("an unknown id", case.codec.decode(registry, &unknown), 404, 40403)?;
    say("an unknown id is not found: 404, 40403");
    let nowhere = SubjectNameStrategy::TopicNameStrategy(format!("no-{}", case.topic), false);
    refused("an unknown subject", encode(&nowhere), 404, 40401)?;
    say("an unknown subject is not found: 404, 40401");
    Ok(())
}

fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Held {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}").into()) }
}

/// The registry's answer to what it must refuse: the HTTP status, which the client tells in words, and the error code.
fn refused<T: Debug>(what: &str, answer: Result<T, SRCError>, status: u16, code: u32) -> Held {
    let error = match answer {
        Ok(taken) => return Err(format!("{what} was not refused: {taken:?}").into()),
        Err(error) => error,
    };
    let found_status = error.error.rsplit_once(" status ").and_then(|(_, words)| words.get(..3)?.parse().ok());
    let found_code = error.source().and_then(|source| source.downcast_ref::<RawError>()).map(|raw| raw.error_code);
    same(&format!("the refusal of {what} ({error})"), (found_status, found_code), (Some(status), Some(code)))
}

/// What a decoder gave that is no JSON.
fn unreadable(error: impl Error + Send + Sync + 'static) -> SRCError {
    SRCError::non_retryable_with_cause(error, "the event is not told as JSON")
}

// --- Avro ---------------------------------------------------------------------------------------

fn avro() -> Case {
    Case {
        name: "avro",
        topic: "shipments",
        schema_type: SchemaType::Avro,
        first: r#"{"type":"record","name":"Shipment","namespace":"shop","fields":[
            {"name":"id","type":"string"},{"name":"weight","type":"double"}]}"#,
        wider: r#"{"type":"record","name":"Shipment","namespace":"shop","fields":[
            {"name":"id","type":"string"},{"name":"weight","type":"double"},{"name":"boxes","type":"int","default":1}]}"#,
        incompatible: r#"{"type":"record","name":"Shipment","namespace":"shop","fields":[
            {"name":"id","type":"string"},{"name":"weight","type":"double"},{"name":"carrier","type":"string"}]}"#,
        broken: r#"{"type":"record","name":"Shipment"}"#,
        event: json!({"id": "a", "weight": 1.5}),
        written: [&[2, b'a'][..], &1.5_f64.to_le_bytes()].concat(),
        codec: &AvroCodec,
    }
}

struct AvroCodec;

impl AvroCodec {
    /// Texts and doubles, which is all that a shipment has.
    fn fields(event: &Json) -> Vec<(&str, Avro)> {
        let avro = |value: &Json| value.as_str().map_or_else(|| Avro::Double(value.as_f64().unwrap_or_default()), Avro::from);
        event.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), avro(value))).collect()
    }
}

impl Codec for AvroCodec {
    fn encode(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Vec<u8>, SRCError> {
        AvroEncoder::new(registry.clone()).encode(Self::fields(event), under)
    }
    fn decode(&self, registry: &SrSettings, bytes: &[u8]) -> Result<Json, SRCError> {
        AvroDecoder::new(registry.clone()).decode(Some(bytes))?.value.try_into().map_err(unreadable)
    }
    fn encode_headed(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Headed, SRCError> {
        AvroEncoder::new(registry.clone()).encode_with_header_id(Self::fields(event), under, false)
    }
    fn decode_headed(&self, registry: &SrSettings, header: &[u8], bytes: &[u8]) -> Result<Json, SRCError> {
        AvroDecoder::new(registry.clone()).decode_with_header_id(Some(header), Some(bytes))?.value.try_into().map_err(unreadable)
    }
}

// --- JSON Schema ----------------------------------------------------------------------------------

fn json_schema() -> Case {
    Case {
        name: "json schema",
        topic: "refunds",
        schema_type: SchemaType::Json,
        // Closed: a property may join only where no other was let in before.
        first: r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,
            "properties":{"count":{"type":"integer"},"id":{"type":"string"}},"required":["id"]}"#,
        wider: r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,
            "properties":{"count":{"type":"integer"},"id":{"type":"string"},"why":{"type":"string"}},"required":["id"]}"#,
        incompatible: r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,
            "properties":{"count":{"type":"string"},"id":{"type":"string"}},"required":["id"]}"#,
        broken: r#"{"type":"object","properties":"#,
        event: json!({"count": 3, "id": "b"}),
        written: br#"{"count":3,"id":"b"}"#.to_vec(),
        codec: &JsonCodec,
    }
}

struct JsonCodec;

impl Codec for JsonCodec {
    fn encode(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Vec<u8>, SRCError> {
        JsonEncoder::new(registry.clone()).encode(event, under)
    }
    fn decode(&self, registry: &SrSettings, bytes: &[u8]) -> Result<Json, SRCError> {
        let decoder = JsonDecoder::new(registry.clone());
        let Some(read) = decoder.decode(Some(bytes))? else { return Ok(Json::Null) };
        decoder.validate(&read.schema, &read.value)?;
        Ok(read.value)
    }
    fn encode_headed(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Headed, SRCError> {
        JsonEncoder::new(registry.clone()).encode_with_header_id(event, under, false)
    }
    fn decode_headed(&self, registry: &SrSettings, header: &[u8], bytes: &[u8]) -> Result<Json, SRCError> {
        let read = JsonDecoder::new(registry.clone()).decode_with_header_id(Some(header), Some(bytes))?;
        Ok(read.map_or(Json::Null, |read| read.value))
    }
}

// --- Protobuf -------------------------------------------------------------------------------------

const PARCEL: &str = "shop.Parcel";

fn protobuf() -> Case {
    Case {
        name: "protobuf",
        topic: "parcels",
        schema_type: SchemaType::Protobuf,
        first: r#"syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
            message Parcel { string id = 1; double weight = 2; google.protobuf.Timestamp sent_at = 3; }"#,
        wider: r#"syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
            message Parcel { string id = 1; double weight = 2; google.protobuf.Timestamp sent_at = 3; int32 boxes = 4; }"#,
        incompatible: r#"syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
            message Parcel { string id = 1; string weight = 2; google.protobuf.Timestamp sent_at = 3; int32 boxes = 4; }"#,
        broken: r#"syntax = "proto3"; message Parcel { string id = ; }"#,
        event: json!({"id": "a", "weight": 1.5, "sentAt": "1970-01-01T00:00:05Z"}),
        // The first message of a file is the single byte 0.
        written: [&[0, 0x0a, 1, b'a', 0x11][..], &1.5_f64.to_le_bytes(), &[0x1a, 2, 8, 5]].concat(),
        codec: &ProtobufCodec,
    }
}

struct ProtobufCodec;

impl Codec for ProtobufCodec {
    fn encode(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Vec<u8>, SRCError> {
        ProtoEncoder::new(registry.clone()).encode_json(event, PARCEL, under)
    }
    fn decode(&self, registry: &SrSettings, bytes: &[u8]) -> Result<Json, SRCError> {
        let read = ProtoDecoder::new(registry.clone()).decode_with_context(Some(bytes))?;
        serde_json::to_value(read.map(|read| read.value)).map_err(unreadable)
    }
    fn encode_headed(&self, registry: &SrSettings, event: &Json, under: &SubjectNameStrategy) -> Result<Headed, SRCError> {
        ProtoEncoder::new(registry.clone()).encode_json_with_header_id(event, PARCEL, under, false)
    }
    fn decode_headed(&self, registry: &SrSettings, header: &[u8], bytes: &[u8]) -> Result<Json, SRCError> {
        let read = ProtoDecoder::new(registry.clone()).decode_with_context_and_header_id(Some(header), Some(bytes))?;
        serde_json::to_value(read.map(|read| read.value)).map_err(unreadable)
    }
}

/// A message in the second one of a file: the index is the count 2, then 1 and 0, in zigzag.
fn nested_message(registry: &SrSettings) -> Held {
    let text = r#"syntax = "proto3"; package shop; message Scan { string id = 1; }
        message Depot { string name = 1; message Gate { string id = 1; } }"#;
    let schema = SuppliedSchema::new(Some("shop.Depot.Gate".to_owned()), SchemaType::Protobuf, text.to_owned());
    let under = SubjectNameStrategy::RecordNameStrategyWithSchema(schema);
    let event = [0x0a, 1, b'g'];
    let bytes = ProtoRawEncoder::new(registry.clone()).encode(&event, "shop.Depot.Gate", &under)?;
    same("what follows the id", &bytes[5..], &[&[4, 2, 0][..], &event].concat())?;
    let read = ProtoRawDecoder::new(registry.clone()).decode(Some(&bytes))?.ok_or("nothing was decoded")?;
    same("the message", (read.full_name.as_str(), &read.bytes[..]), ("shop.Depot.Gate", &event[..]))?;
    println!("protobuf: a nested message is found by its index");
    Ok(())
}

/// A file that imports another subject's: the client registers that first, asks for its version and refers to it.
fn imported_file(registry: &SrSettings) -> Held {
    let address = r#"syntax = "proto3"; package shop; message Address { string city = 1; }"#;
    let letter = r#"syntax = "proto3"; package shop; import "address.proto"; message Letter { Address to = 1; }"#;
    let reference = SuppliedReference::new("address.proto".to_owned(), "addresses".to_owned(), address.to_owned());
    let schema = SuppliedSchema::new(None, SchemaType::Protobuf, letter.to_owned()).with_references(vec![reference]);
    let under = SubjectNameStrategy::TopicNameStrategyWithSchema("letters".to_owned(), false, schema);
    let event = json!({"to": {"city": "Oslo"}});
    let bytes = ProtoEncoder::new(registry.clone()).encode_json(&event, "shop.Letter", &under)?;
    same("the event", &ProtobufCodec.decode(registry, &bytes)?, &event)?;
    let known = get_schema_by_id(u32::from_be_bytes(bytes[1..5].try_into()?), registry)?;
    let references: Vec<_> = known.references.iter().map(|one| (one.name.as_str(), one.subject.as_str(), one.version)).collect();
    same("the references", references, vec![("address.proto", "addresses", 1)])?;
    println!("protobuf: a file that imports another subject's");
    Ok(())
}
