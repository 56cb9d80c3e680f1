//! JSON as people write it: comments and trailing commas are allowed.
//!
//! One rule: depth is bounded by serde_json's own recursion limit.

use serde_json::Value;

/// Parses JSON, and JSON with comments if that fails.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text)
        .or_else(|strict| serde_json::from_str(&strip(text)).map_err(|_| strict.to_string()))
}

/// A string at a dotted path.
pub(crate) fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    at(value, path)?.as_str()
}

/// The value at a dotted path.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |v, key| v.get(key))
}

/// The keys of an object at a dotted path.
pub(crate) fn keys(value: &Value, path: &str) -> Vec<String> {
    at(value, path).and_then(Value::as_object).map(|o| o.keys().cloned().collect()).unwrap_or_default()
}

/// The strings of an array at a dotted path.
pub(crate) fn strings(value: &Value, path: &str) -> Vec<String> {
    let list = at(value, path).and_then(Value::as_array);
    list.map(|a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
}

/// Removes comments and commas before a closing bracket, outside of strings.
fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            match c {
                '\\' => out.extend(chars.next()),
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match (c, chars.peek()) {
            ('"', _) => {
                in_string = true;
                out.push(c);
            }
            ('/', Some('/')) => {
                for skipped in chars.by_ref() {
                    if skipped == '\n' {
                        out.push('\n');
                        break;
                    }
                }
            }
            ('/', Some('*')) => {
                chars.next();
                let mut last = ' ';
                for skipped in chars.by_ref() {
                    if last == '*' && skipped == '/' {
                        break;
                    }
                    last = skipped;
                }
            }
            ('}' | ']', _) => {
                let kept = out.trim_end().len();
                if out.trim_end().ends_with(',') {
                    out.truncate(kept - 1);
                }
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_understood() {
        let value = parse("{ // root\n \"a\": [1, 2,], /* x */ \"u\": \"http://x\", }").unwrap();
        assert_eq!(text(&value, "u"), Some("http://x"));
        assert_eq!(at(&value, "a").unwrap().as_array().unwrap().len(), 2);
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
