//! YAML into the same value type as JSON.
//!
//! One rule: anchors are expanded within the parser's budget, so a bomb is an error and not a full memory.

use serde_json::Value;

/// Parses the first document.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str::<Value>(text).map_err(|e| e.to_string())
}

/// A scalar as text: strings, numbers and booleans as written.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list of scalars, or a single scalar as a list of one.
pub(crate) fn list(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
        Some(other) => scalar(other).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Every leaf with its dotted path, in order.
pub(crate) fn leaves(value: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

fn walk(value: &Value, prefix: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                walk(inner, &path, out);
            }
        }
        Value::Array(items) => {
            for inner in items {
                walk(inner, prefix, out);
            }
        }
        Value::Null => out.push((prefix.to_owned(), String::new())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            if let Some(text) = scalar(value) {
                out.push((prefix.to_owned(), text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn anchors_and_merges_are_read() {
        let value =
            parse("x: &x\n  build: .\n  n: 3\nservices:\n  web:\n    <<: *x\n    command: run\n").unwrap();
        assert_eq!(value["services"]["web"]["build"], ".");
        assert_eq!(value["services"]["web"]["command"], "run");
    }

    #[test]
    fn a_bomb_ends_in_an_error() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            let refs = vec![format!("*a{}", i - 1); 9].join(",");
            writeln!(bomb, "a{i}: &a{i} [{refs}]").unwrap();
        }
        assert!(parse(&bomb).is_err());
    }
}
