//! Descriptions of two methods.

use super::*;
use expect_test::expect;
use serde_json::json;

fn document() -> Value {
    json!({
        "methods": [
            {
                "name": "tea.boil",
                "summary": "Boils water.",
                "description": "It takes a while.",
                "params": [
                    {
                        "name": "query",
                        "description": "How.",
                        "required": true,
                        "schema": { "$ref": "#/components/schemas/Query" },
                    },
                    { "name": "wait", "required": false, "schema": { "type": ["boolean", "null"] } },
                ],
                "result": { "name": "bool", "schema": { "type": "boolean" } },
                "errors": [{ "$ref": "#/components/errors/empty" }],
                "examples": [{
                    "params": [{ "name": "query", "value": { "name": "the cook's" } }],
                    "result": { "value": true },
                }],
            },
            {
                "name": "tea.cups",
                "summary": "Cups, as they are filled.",
                "params": [],
                "result": { "name": "subscription", "schema": { "type": "integer" } },
                "x-subscription": { "item": { "schema": { "oneOf": [
                    {
                        "description": "One more.",
                        "properties": { "cup": { "type": "array", "items": { "type": "string" } } },
                        "required": ["cup"],
                    },
                    {
                        "description": "The last.",
                        "properties": { "done": { "type": "null" } },
                        "required": ["done"],
                    },
                ] } } },
                "examples": [{
                    "params": [],
                    "result": { "value": 1 },
                    "x-items": [{ "cup": ["green"] }, { "done": null }],
                }],
            },
        ],
        "components": {
            "errors": { "empty": { "message": "No water.", "data": { "kind": "empty" } } },
            "schemas": {
                "Query": {
                    "properties": {
                        "heat": {
                            "allOf": [{ "$ref": "#/components/schemas/Heat" }],
                            "default": "full",
                            "description": "How hot.",
                        },
                        "name": {
                            "anyOf": [{ "$ref": "#/components/schemas/Text" }, { "type": "null" }],
                        },
                    },
                    "required": ["name"],
                },
                "Heat": { "oneOf": [
                    { "const": "full", "description": "It sings." },
                    { "const": "low", "description": "It hums, and hums, and hums, and then it hums \
                      some more until it is time for it to sing." },
                ] },
                "Text": { "anyOf": [
                    { "type": "string" },
                    { "properties": { "bytes": { "type": "string" } } },
                ] },
            },
        },
    })
}

#[test]
fn methods_are_listed() {
    expect![[r#"
        tea.boil  Boils water
        tea.cups  Cups, as they are filled
    "#]]
    .assert_eq(&list(&document()));
}

#[test]
fn a_method_is_explained() {
    expect![[r#"
        Boils water. It takes a while.

        Usage: hob rpc tea.boil JSON

        Parameters, the members of an object:
          query: object
              How.
            name: text
            heat: one of these words, full if absent
                How hot.
                  full: It sings.
                  low: It hums, and hums, and hums, and then it hums some more until it is time for it
                  to sing.
          wait: boolean, optional

        Result: boolean

        Text is a string where it is UTF-8, and {"bytes": BASE64} where it is not.

        Errors, besides those that any call can end with:
          empty             No water.

        Example:
          hob rpc tea.boil '{"query":{"name":"the cook'\''s"}}'

          true
    "#]].assert_eq(&page("tea.boil", &document()).unwrap());
    assert_eq!(page("tea.bowl", &document()), None);
}

#[test]
fn a_stream_is_explained() {
    expect![[r#"
        Cups, as they are filled.

        Usage: hob rpc tea.cups

        Each item of the stream: object
          either: One more.
            cup: list of string
          or: The last.
            done: null

        Example:
          hob rpc tea.cups

          {"cup":["green"]}
          {"done":null}
    "#]]
    .assert_eq(&page("tea.cups", &document()).unwrap());
}
