//! A member of an object in a JSON file of others, put in and taken out without touching how the rest is laid out. Pure.
//!
//! The text has been read as JSON before: what is here looks for places only.

use std::ops::Range;

/// A member of an object.
struct Member {
    /// Where its name begins, with the quote.
    start: usize,
    name: String,
    value: Range<usize>,
}

/// An object: where it opens, and its members.
struct Object {
    open: usize,
    members: Vec<Member>,
}

const TWICE: &str = "has one name twice in an object";
const NO_OBJECT: &str = "has something that is no object where one is to be";

fn blank(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The end of the string that begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of the value that begins at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0u32;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b'}' | b']' | b',' if depth == 0 => return at,
            byte if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn object(text: &str, from: usize) -> Result<Object, &'static str> {
    let bytes = text.as_bytes();
    let open = blank(bytes, from);
    if bytes.get(open) != Some(&b'{') {
        return Err(NO_OBJECT);
    }
    let mut members: Vec<Member> = Vec::new();
    let mut at = blank(bytes, open + 1);
    while bytes.get(at) == Some(&b'"') {
        let end = string_end(bytes, at);
        let name: String = serde_json::from_str(&text[at..end]).map_err(|_| NO_OBJECT)?;
        let colon = blank(bytes, end);
        let value = blank(bytes, colon + 1);
        let value = value..value_end(bytes, value);
        let next = blank(bytes, value.end);
        if members.iter().any(|member| member.name == name) {
            return Err(TWICE);
        }
        members.push(Member {
            start: at,
            name,
            value,
        });
        if bytes.get(next) != Some(&b',') {
            break;
        }
        at = blank(bytes, next + 1);
    }
    Ok(Object { open, members })
}

impl Object {
    fn at(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }
}

/// The text of a member's value.
pub(super) fn value<'t>(text: &'t str, names: &[String]) -> Result<Option<&'t str>, &'static str> {
    let mut from = 0;
    let mut found = None;
    for name in names {
        let object = object(text, from)?;
        let Some(at) = object.at(name) else {
            return Ok(None);
        };
        let value = object.members[at].value.clone();
        from = value.start;
        found = Some(&text[value]);
    }
    Ok(found)
}

/// The text with this value in the member, and how deep the outermost name lies that had to be put in; `None`: all were there.
pub(super) fn put(
    text: &str,
    names: &[String],
    value: &str,
) -> Result<(String, Option<usize>), &'static str> {
    let mut from = 0;
    for (depth, name) in names.iter().enumerate() {
        let object = object(text, from)?;
        let last = depth + 1 == names.len();
        match object.at(name) {
            Some(at) if last => {
                let place = &object.members[at].value;
                let new = [&text[..place.start], value, &text[place.end..]].concat();
                return Ok((new, None));
            }
            Some(at) => from = object.members[at].value.start,
            None => {
                let inside = nested(&names[depth + 1..], value);
                let mut member = format!("{}: {inside}", quoted(name));
                let after = object.open + 1;
                if let Some(first) = object.members.first() {
                    // As the first one is laid out, before it.
                    member = format!("{}{member},", &text[after..first.start]);
                }
                let new = [&text[..after], &member, &text[after..]].concat();
                return Ok((new, Some(depth)));
            }
        }
    }
    Err(NO_OBJECT)
}

fn nested(names: &[String], value: &str) -> String {
    let inside = |inside: String, name: &String| format!("{{{}: {inside}}}", quoted(name));
    names.iter().rev().fold(value.to_owned(), inside)
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// The text without the member, and without the objects around it from `depth` on that hold nothing else.
pub(super) fn take(text: &str, names: &[String], depth: usize) -> Result<String, &'static str> {
    let mut objects = Vec::new();
    let mut from = 0;
    for name in names {
        let object = object(text, from)?;
        let Some(at) = object.at(name) else {
            return Ok(text.to_owned());
        };
        from = object.members[at].value.start;
        objects.push((object, at));
    }
    let alone = |(object, _): &(Object, usize)| object.members.len() == 1;
    let mut at = names.len() - 1;
    while at > depth && alone(&objects[at]) {
        at -= 1;
    }
    let (object, index) = &objects[at];
    Ok(cut(text, object, *index))
}

/// Cuts a member out of its object: exactly what [`put`] put there, where it is the first one.
fn cut(text: &str, object: &Object, index: usize) -> String {
    let members = &object.members;
    let this = &members[index];
    let place = match (index.checked_sub(1), members.get(index + 1)) {
        (None, None) => this.start..this.value.end,
        (None, Some(_)) => {
            let comma = blank(text.as_bytes(), this.value.end);
            object.open + 1..comma + 1
        }
        (Some(_), Some(next)) => this.start..next.start,
        (Some(before), None) => members[before].value.end..this.value.end,
    };
    [&text[..place.start], &text[place.end..]].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_member_goes_in_as_the_others_stand() {
        for (text, at, expected) in [
            ("{}", "a", r#"{"a": 1}"#),
            ("{}\n", "a.b", "{\"a\": {\"b\": 1}}\n"),
            (r#"{"x":2}"#, "a", r#"{"a": 1,"x":2}"#),
            ("{\n  \"x\": 2\n}\n", "a", "{\n  \"a\": 1,\n  \"x\": 2\n}\n"),
            (r#"{"a": {}}"#, "a.b", r#"{"a": {"b": 1}}"#),
            (
                r#"{"a": {"c": [{"b": 3}]}}"#,
                "a.b",
                r#"{"a": {"b": 1,"c": [{"b": 3}]}}"#,
            ),
            (
                r#"{"x": "}\"", "a" :  9 }"#,
                "a",
                r#"{"x": "}\"", "a" :  1 }"#,
            ),
        ] {
            let (new, depth) = put(text, &names(at), "1").unwrap();
            assert_eq!(new, expected);
            assert_eq!(value(&new, &names(at)).unwrap(), Some("1"));
            if let Some(depth) = depth {
                assert_eq!(take(&new, &names(at), depth).unwrap(), text);
            }
        }
    }

    #[test]
    fn what_was_moved_or_added_to_since_is_cut_out_all_the_same() {
        for (text, at, depth, left) in [
            (r#"{"x": 1, "a": 2, "y": 3}"#, "a", 0, r#"{"x": 1, "y": 3}"#),
            (r#"{"x": 1, "a": 2 }"#, "a", 0, r#"{"x": 1 }"#),
            (
                r#"{"a": {"b": 1, "c": 2}}"#,
                "a.b",
                0,
                r#"{"a": {"c": 2}}"#.replace("{\"c\"", "{ \"c\"").as_str(),
            ),
            (r#"{"a": {"b": 1}}"#, "a.b", 1, r#"{"a": {}}"#),
            (r#"{"a": 1}"#, "b", 0, r#"{"a": 1}"#),
        ] {
            assert_eq!(take(text, &names(at), depth).unwrap(), left, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_or_says_things_twice_is_refused() {
        assert!(put(r#"{"a": 1}"#, &names("a.b"), "1").is_err());
        assert!(put(r#"{"a": 1, "a": 2}"#, &names("a"), "1").is_err());
        assert!(put("[]", &names("a"), "1").is_err());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[\\PC\"\\\\{},\\[\\]]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_taking_the_member_out_restores_its_bytes(
            file in prop::collection::btree_map("[a-c\"]{0,2}|proxies", json(), 0..5),
            pretty in any::<bool>(),
            deep in any::<bool>(),
        ) {
            let file = Value::Object(file.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&file) } else { serde_json::to_string(&file) };
            let text = format!("{}\n", text.unwrap());
            let at = names(if deep { "proxies.default" } else { "HttpProxy" });
            let Ok((new, Some(depth))) = put(&text, &at, "{\"x\": \"y\"}") else {
                // Something else stands where the object would be.
                return Ok(());
            };
            let read: Value = serde_json::from_str(&new).unwrap();
            let pointer = format!("/{}", at.join("/"));
            prop_assert_eq!(read.pointer(&pointer).unwrap(), &serde_json::json!({"x": "y"}));
            prop_assert_eq!(take(&new, &at, depth).unwrap(), text);
        }
    }
}
