//! The JSON schema of scenario files: what is committed, and that it accepts and refuses what the reader does.

mod support;

use driftproof::scenario_file::{Source, TEMPLATES, schema};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use support::blocks;

/// Words of the schema language that [`accepts`] knows; others would be passed over in silence.
const KNOWN: [&str; 16] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "minItems",
    "minimum",
    "oneOf",
    "properties",
    "required",
];

#[test]
fn the_committed_schema_is_that_of_the_format() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/scenarios/scenario.schema.json");
    if blocks::updating() {
        std::fs::write(&path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema(), "UPDATE_README=1 writes it");
}

/// Whether a value fits a schema: the part of the schema language that is used.
fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(words) = schema.as_object() else { return schema.as_bool().unwrap() };
    for word in words.keys() {
        assert!(KNOWN.contains(&word.as_str()) || word == "type" || word == "title", "{word}");
    }
    let fits = |word: &str, holds: &dyn Fn(&Value) -> bool| words.get(word).is_none_or(holds);
    let count = |all: &Value| {
        let all = all.as_array().unwrap().iter();
        all.filter(|schema| accepts(root, schema, value)).count()
    };
    let none = Map::new();
    let object = value.as_object();
    let properties = words.get("properties").and_then(Value::as_object).unwrap_or(&none);
    fits("$ref", &|name| {
        let name = name.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
        accepts(root, &root["$defs"][name], value)
    }) && fits("type", &|kind| match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
        kind => is(kind, value),
    }) && fits("const", &|wanted| wanted == value)
        && fits("enum", &|wanted| wanted.as_array().unwrap().contains(value))
        && fits("oneOf", &|all| count(all) == 1)
        && fits("anyOf", &|all| count(all) > 0)
        && fits("minimum", &|least| value.as_f64().is_none_or(|v| v >= least.as_f64().unwrap()))
        && fits("minItems", &|least| {
            value.as_array().is_none_or(|items| items.len() as u64 >= least.as_u64().unwrap())
        })
        && fits("items", &|item| {
            value.as_array().is_none_or(|items| items.iter().all(|v| accepts(root, item, v)))
        })
        && fits("required", &|keys| {
            let has = |key: &Value| object.unwrap().contains_key(key.as_str().unwrap());
            object.is_none() || keys.as_array().unwrap().iter().all(has)
        })
        && object.unwrap_or(&none).iter().all(|(key, value)| match properties.get(key) {
            Some(schema) => accepts(root, schema, value),
            None => fits("additionalProperties", &|schema| accepts(root, schema, value)),
        })
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|v| v.fract() == 0.0),
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        other => panic!("{other}"),
    }
}

/// The keys of a file as plain data.
fn data(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn every_example_fits_the_schema() {
    let root: Value = serde_json::from_str(&schema()).unwrap();
    for template in TEMPLATES {
        assert!(accepts(&root, &root, &data(template.text)), "{}", template.name);
    }
}

#[test]
fn what_the_reader_refuses_for_its_shape_does_not_fit_the_schema() {
    let root: Value = serde_json::from_str(&schema()).unwrap();
    let text = TEMPLATES.iter().find(|t| t.name == "own-drift").unwrap().text;
    let refuse = |edit: &dyn Fn(&mut Value), what: &str| {
        let mut edited = data(text);
        edit(&mut edited);
        assert!(!accepts(&root, &root, &edited), "the schema accepts {what}");
        let text = toml::to_string(&edited).unwrap();
        let source = Source { path: PathBuf::from("edited.toml"), text };
        assert!(source.parse().is_err(), "the reader accepts {what}");
    };
    let set = |place: &'static str, value: Value| {
        move |file: &mut Value| match file.pointer_mut(place) {
            Some(found) => *found = value.clone(),
            None => {
                let (parent, key) = place.rsplit_once('/').unwrap();
                let parent = file.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                parent.insert(key.to_owned(), value.clone());
            }
        }
    };
    for (place, value) in [
        ("/nonsense", json!(1)),
        ("/model/ode/nonsense", json!(1)),
        ("/model/ode/drift", json!(3)),
        ("/model/ode/time", json!(3)),
        ("/model/map", json!({ "image": ["x[0]", "x[1]"], "maps": 3 })),
        ("/model", json!({})),
        ("/model", json!({ "flow": {} })),
        ("/sampler", json!({ "adaptive": {} })),
        ("/sampler", json!({ "fixed": { "method": "rk5", "steps": 10 } })),
        ("/sampler", json!({ "fixed": { "method": "rk4", "steps": -10 } })),
        ("/sampler", json!({ "fixed": { "method": "rk4", "steps": 1.5 } })),
        ("/state/vector/size", json!("two")),
        ("/start/points", json!([1, 2])),
        ("/errors/0/prediction", json!("momentum")),
        ("/errors/0/field", json!({ "constant": [0, 1], "formula": ["0", "1"] })),
        ("/checks/0/nonsense", json!(1)),
        ("/checks/0/within", json!(true)),
        ("/let/wide", json!([1, 2])),
        ("/seed", json!("one")),
    ] {
        refuse(&set(place, value.clone()), &format!("{value} at {place}"));
    }
    for (parent, key) in [("", "model"), ("", "start"), ("/model/ode", "to"), ("/errors/0", "size")]
    {
        let remove = |file: &mut Value| {
            file.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        };
        refuse(&remove, &format!("a file without {parent}/{key}"));
    }
}
