//! Nested JSON as the flat fields of a record: keys joined by dots, arrays as lists.

use std::collections::HashMap;

use serde_json::value::RawValue;

use cortexkg::fact::limits;
use cortexkg::{Field, FieldValue};
use cortexkg_interchange::json::{Kind, Members, kind};

/// Deepest nesting that is taken apart.
const DEPTH_MAX: usize = 32;

/// The fields of an object, as pairs of name and value, or the field that is to blame and why.
pub(super) fn flatten(
    members: &[(String, &RawValue)],
) -> Result<Vec<(String, FieldValue)>, (String, String)> {
    let mut collected = Collected::default();
    for (key, value) in members {
        collected.value(key, value, false, 0)?;
    }
    Ok(collected.fields.into_iter().map(|Field { name, value }| (name, value)).collect())
}

#[derive(Default)]
struct Collected {
    fields: Vec<Field>,
    /// Position of each list in `fields`: items of one array may be objects that share keys.
    lists: HashMap<String, usize>,
}

impl Collected {
    fn value(
        &mut self,
        path: &str,
        value: &RawValue,
        in_list: bool,
        depth: usize,
    ) -> Result<(), (String, String)> {
        let blame = |message: String| (path.to_owned(), message);
        match kind(value) {
            Kind::Null => Ok(()),
            Kind::Text => {
                let text = serde_json::from_str(value.get()).map_err(|error| {
                    let message = error.to_string();
                    blame(format!(
                        "not a valid text: {}",
                        message.split(" at line ").next().unwrap_or_default()
                    ))
                })?;
                self.push(path, text, in_list)
            }
            Kind::Scalar => self.push(path, value.get().to_owned(), in_list),
            Kind::Array | Kind::Object if depth == DEPTH_MAX => {
                Err(blame(format!("nested deeper than {DEPTH_MAX} levels; flatten the value")))
            }
            Kind::Array => {
                let items: Vec<&RawValue> =
                    serde_json::from_str(value.get()).map_err(|error| blame(error.to_string()))?;
                items.into_iter().try_for_each(|item| self.value(path, item, true, depth + 1))
            }
            Kind::Object => {
                let Members(members) =
                    serde_json::from_str(value.get()).map_err(|error| blame(error.to_string()))?;
                for (key, value) in members {
                    let bytes = path.len() + 1 + key.len();
                    if bytes > limits::NAME_BYTES_MAX {
                        let limit = limits::NAME_BYTES_MAX;
                        let message = format!(
                            "the names joined have {bytes} bytes, at most {limit} are taken; shorten them"
                        );
                        return Err(blame(message));
                    }
                    self.value(&format!("{path}.{key}"), value, in_list, depth + 1)?;
                }
                Ok(())
            }
        }
    }

    fn push(&mut self, path: &str, text: String, in_list: bool) -> Result<(), (String, String)> {
        if in_list
            && let Some(&position) = self.lists.get(path)
            && let Some(Field { value: FieldValue::List(items), .. }) = self.fields.get_mut(position)
        {
            items.push(text);
            return Ok(());
        }
        if self.fields.len() == limits::FIELDS_MAX {
            let limit = limits::FIELDS_MAX;
            return Err((
                path.to_owned(),
                format!("the record has more than {limit} fields; leave some out"),
            ));
        }
        let value = if in_list {
            self.lists.insert(path.to_owned(), self.fields.len());
            FieldValue::List(vec![text])
        } else {
            FieldValue::Text(text)
        };
        self.fields.push(Field { name: path.to_owned(), value });
        Ok(())
    }
}
