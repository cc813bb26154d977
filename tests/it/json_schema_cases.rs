//! The verdicts that other registries' tests state for pairs of JSON Schemas. Where they differ from Confluent's rules, those win:
//! each such case stands here with its reason.

use eventyard::machines::codec::SchemaLibrary;

/// Name and reason.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "test_extra_field_with_closed_model_is_incompatible: reader A_INT_OBJECT_SCHEMA / writer FALSE_SCHEMA",
        "a writer that may write nothing breaks no reader: any schema may follow `false`",
    ),
    ("test_true_and_false_schemas: reader NOT_OF_EMPTY_SCHEMA / writer FALSE_SCHEMA", "any schema may follow `false`"),
    ("test_true_and_false_schemas: reader TRUE_SCHEMA / writer NOT_OF_TRUE_SCHEMA", "`true` may follow any schema"),
    (
        "test_pattern_properties: reader PATTERN_PROPERTY_ASTAR_OBJECT_SCHEMA / writer B_INT_OBJECT_SCHEMA",
        "the pattern `^a*` is found in every name, so what leaves is covered by it, and it takes anything",
    ),
    ("String: format 1 [FORWARD]", "formats are not compared"),
    ("String: contentMediaType 2 [FORWARD]", "media types are not compared"),
    ("String: contentMediaType 3 [BACKWARD]", "media types are not compared"),
    ("String: contentMediaType 3 [FORWARD]", "media types are not compared"),
    ("Number: exclusiveMinimum 1 [FORWARD]", "draft 4 says by a flag that a bound is excluded: flags are not compared"),
    ("Number: exclusiveMaximum 1 [FORWARD]", "draft 4 says by a flag that a bound is excluded: flags are not compared"),
    ("Number: exclusiveMinimum 5 [BACKWARD]", "a flag of draft 4 is not taken for the bound of draft 7 that means the same"),
    ("Object: required [FORWARD]", "what is required without being declared under `properties` is not compared"),
    ("Object: patternProperties 1 [FORWARD]", "patterns of properties are not compared with one another"),
    ("Object: patternProperties 2 [BACKWARD]", "patterns of properties are not compared with one another"),
    ("Object: patternProperties 2 [FORWARD]", "patterns of properties are not compared with one another"),
    ("Const: Enum equivalency [BACKWARD]", "`const` and `enum` are two kinds, even where they mean the same"),
    ("Const: Enum equivalency [FORWARD]", "`const` and `enum` are two kinds, even where they mean the same"),
    ("Conditional: if [FORWARD]", "conditions are not compared"),
    ("Conditional: else [FORWARD]", "conditions are not compared"),
];

#[test]
fn verdicts_are_confluents() {
    let library = SchemaLibrary::default();
    let mut met = Vec::new();
    for file in ["schema/json-karapace.json", "schema/json-apicurio.json"] {
        let cases: Vec<serde_json::Value> = serde_json::from_str(&crate::cases::text(file)).expect("cases");
        assert!(cases.len() > 100);
        for case in &cases {
            let name = case["name"].as_str().expect("a name");
            let compile = |schema: &serde_json::Value| {
                library.compile("JSON", &schema.to_string()).unwrap_or_else(|error| panic!("{name}: {schema}: {error}"))
            };
            let (original, update) = (compile(&case["original"]), compile(&case["update"]));
            let (reader, writer) = if case["mode"] == "FORWARD" { (&original, &update) } else { (&update, &original) };
            let verdict = library.can_read(reader, writer);
            let differs = verdict.is_ok() != case["compatible"].as_bool().expect("a verdict");
            let is_known = DIFFERENT.iter().any(|(known, _)| *known == name);
            assert_eq!(differs, is_known, "{name}: {verdict:?}");
            met.extend(is_known.then_some(name.to_owned()));
        }
    }
    let unused: Vec<_> = DIFFERENT.iter().filter(|(name, _)| !met.iter().any(|one| one == name)).collect();
    assert!(unused.is_empty(), "no such case: {unused:?}");
}
