//! The part of a file that is Roundel's: how it is found, compared and shown. Pure.

use std::path::Path;

use serde_json::Value as Json;

use super::{FilesError, block, in_the_way, member};

/// Which part of a file is Roundel's.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Lines between two marks, in a file of others.
    Block,
    /// All of it.
    Whole,
    /// A member of a JSON object, named from outside in, in a file of others.
    Member(Vec<String>),
}

impl Part {
    /// Whether one sees by the part itself that it is Roundel's.
    pub(super) fn is_marked(&self) -> bool {
        !matches!(self, Part::Member(_))
    }

    /// As it is compared: JSON may be laid out in many ways.
    pub(super) fn canonical(&self, text: &str) -> String {
        match self {
            Part::Member(_) => serde_json::from_str::<Json>(text)
                .map_or_else(|_| text.to_owned(), |json| json.to_string()),
            _ => text.to_owned(),
        }
    }

    /// As people are shown it.
    pub(super) fn lines(&self, text: &str) -> Vec<String> {
        match self {
            Part::Member(names) => {
                let name = names.join(".");
                match serde_json::from_str::<Json>(text) {
                    Ok(Json::Object(members)) => members
                        .iter()
                        .map(|(key, value)| format!("{name}.{key}: {value}"))
                        .collect(),
                    _ => vec![format!("{name}: {text}")],
                }
            }
            _ => text.lines().map(str::to_owned).collect(),
        }
    }
}

/// The part as it stands in a file.
pub(super) fn part_in(
    part: &Part,
    bytes: Option<&[u8]>,
    path: &Path,
) -> Result<Option<String>, FilesError> {
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match part {
        Part::Whole if bytes.starts_with(MARK.as_bytes()) => Ok(Some(lossy(bytes))),
        Part::Whole => Err(FilesError::InTheWay {
            path: path.to_owned(),
            why: "is there, and not Roundel's".to_owned(),
            fix: "move it away, and render again",
        }),
        Part::Block => {
            let inner = block::inner(bytes).map_err(|why| in_the_way(path, why))?;
            Ok(inner.map(lossy))
        }
        Part::Member(names) => {
            let text = json_text(Some(bytes), path)?;
            let value = member::value(text, names).map_err(|why| in_the_way(path, why))?;
            Ok(value.map(|value| part.canonical(value)))
        }
    }
}

/// What a whole file of Roundel's begins with.
pub const MARK: &str = "# Written by roundel";

/// The text of a JSON file; an object without members where there is no file.
pub(super) fn json_text<'b>(bytes: Option<&'b [u8]>, path: &Path) -> Result<&'b str, FilesError> {
    let Some(bytes) = bytes else {
        return Ok("{}\n");
    };
    let broken = |why: String| FilesError::InTheWay {
        path: path.to_owned(),
        why: format!("is no JSON: {why}"),
        fix: "correct it, and render again",
    };
    let text = std::str::from_utf8(bytes).map_err(|err| broken(err.to_string()))?;
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(_)) => Ok(text),
        Ok(_) => Err(broken("it is no object".to_owned())),
        // The text itself may hold secrets; where it breaks does not.
        Err(err) => Err(broken(format!(
            "line {}, column {}",
            err.line(),
            err.column()
        ))),
    }
}
