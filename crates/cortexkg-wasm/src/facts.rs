//! Facts from JavaScript.

use cortexkg::fact::limits;
use cortexkg::{Fact, FactContent, Field, FieldValue, Term};
use js_sys::Float32Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::values::{self, error, is_array, items, property, quoted, text};

/// Largest whole number that a `number` holds exactly.
const SAFE_MAX: f64 = 9_007_199_254_740_991.0;

/// One of `{text}`, `{subject, predicate, object}` and `{fields}`, with `id`, `source`, `time` (seconds since 1970), `confidence` and
/// `embedding` where there are any.
pub(crate) fn fact(value: &JsValue) -> Result<Fact, JsValue> {
    values::object(value, "a fact")?;
    let get = |name: &str| property(value, name);
    let named = |name: &str| get(name)?.map(|found| text(&found, &format!("{name} of a fact"))).transpose();
    let content = match (get("text")?, get("subject")?, get("fields")?) {
        (Some(said), None, None) => FactContent::Text(text(&said, "text of a fact")?),
        (None, Some(subject), None) => {
            let missing = |part: &str| error(format!("a fact with a subject needs its {part}"));
            FactContent::Triple {
                subject: term(&subject, "subject")?,
                predicate: named("predicate")?.ok_or_else(|| missing("predicate"))?,
                object: term(&get("object")?.ok_or_else(|| missing("object"))?, "object")?,
            }
        }
        (None, None, Some(given)) => FactContent::Record(fields(&given)?),
        _ => return Err(error("a fact has either text, or subject, predicate and object, or fields")),
    };
    let mut fact = Fact::text(String::new());
    fact.content = content;
    let naming = |property: &str| {
        get(property)?.map(|found| values::name(&found, &format!("{property} of a fact"))).transpose()
    };
    fact.record_id = naming("id")?;
    fact.source = naming("source")?;
    fact.time_s = get("time")?.map(|time| seconds(&time)).transpose()?;
    fact.confidence = get("confidence")?.map(|found| number(&found, "confidence of a fact")).transpose()?;
    fact.embedding = get("embedding")?.map(|found| embedding(&found)).transpose()?;
    Ok(fact)
}

fn number(value: &JsValue, what: &str) -> Result<f32, JsValue> {
    let found =
        value.as_f64().ok_or_else(|| error(format!("{what} must be a number, and is {}", quoted(value))));
    found.map(|number| number as f32)
}

fn seconds(value: &JsValue) -> Result<i64, JsValue> {
    let whole = value.as_f64().filter(|time| time.fract() == 0.0 && time.abs() <= SAFE_MAX);
    let refused =
        || error(format!("time of a fact must be whole seconds since 1970, and is {}", quoted(value)));
    whole.map(|time| time as i64).ok_or_else(refused)
}

/// A vector: typed arrays are copied whole, anything else is walked over.
pub(crate) fn embedding(value: &JsValue) -> Result<Vec<f32>, JsValue> {
    if let Some(array) = value.dyn_ref::<Float32Array>() {
        let length = array.length() as usize;
        if length > limits::EMBEDDING_DIMENSION_MAX {
            let max = limits::EMBEDDING_DIMENSION_MAX;
            return Err(error(format!("an embedding may have at most {max} items, and has {length}")));
        }
        return Ok(values::floats(array));
    }
    let numbers = items(value, "an embedding", limits::EMBEDDING_DIMENSION_MAX)?;
    numbers.iter().map(|item| number(item, "a component of an embedding")).collect()
}

/// An object of values by name, or pairs of name and value, which keep their order whatever the names.
fn fields(value: &JsValue) -> Result<Vec<Field>, JsValue> {
    let pairs = if is_array(value) {
        items(value, "fields of a fact", limits::FIELDS_MAX)?
    } else {
        values::entries(values::object(value, "fields of a fact")?)?
    };
    let mut fields = Vec::new();
    for pair in pairs {
        if !is_array(&pair) {
            return Err(error(format!("a field must be a pair of name and value, and is {}", quoted(&pair))));
        }
        let (name, value) = values::pair(&pair)?;
        let name = text(&name, "the name of a field")?;
        if let Some(value) = field_value(&value, &name)? {
            fields.push(Field { name, value });
        }
    }
    Ok(fields)
}

/// A value; none for `null`, `undefined` and an empty text, which say nothing.
fn field_value(value: &JsValue, name: &str) -> Result<Option<FieldValue>, JsValue> {
    if is_array(value) {
        let list = items(value, &format!("field {name:?}"), limits::LIST_ITEMS_MAX)?;
        let list = list.iter().filter_map(|item| scalar(item, name).transpose());
        let list = list.collect::<Result<Vec<String>, JsValue>>()?;
        return Ok((!list.is_empty()).then_some(FieldValue::List(list)));
    }
    Ok(scalar(value, name)?.map(FieldValue::Text))
}

fn scalar(value: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    if value.is_null() || value.is_undefined() {
        return Ok(None);
    }
    let said = match (value.as_string(), value.as_f64().filter(|number| number.is_finite()), value.as_bool())
    {
        (Some(text), ..) => text,
        // As JavaScript writes it.
        (_, Some(number), _) => {
            js_sys::Number::from(number).to_string_with_radix(10).map(String::from).unwrap_or_default()
        }
        (.., Some(truth)) => truth.to_string(),
        _ => {
            let what = quoted(value);
            return Err(error(format!(
                "field {name:?} must be a text, number, boolean or an array of them, and is {what}"
            )));
        }
    };
    Ok((!said.is_empty()).then_some(said))
}

/// A plain name, or one of `{iri}`, `{blank}`, `{value, datatype, language}`.
fn term(value: &JsValue, what: &str) -> Result<Term, JsValue> {
    if let Some(name) = value.as_string() {
        return Ok(Term::Name(name));
    }
    values::object(value, &format!("{what} of a fact"))?;
    let get = |name: &str| {
        property(value, name)?.map(|found| text(&found, &format!("{name} of a {what}"))).transpose()
    };
    Ok(match (get("iri")?, get("blank")?, get("value")?) {
        (Some(iri), None, None) => Term::Iri(iri),
        (None, Some(blank), None) => Term::Blank(blank),
        (None, None, Some(value)) => {
            Term::Literal { value, datatype: get("datatype")?, language: get("language")? }
        }
        _ => {
            return Err(error(format!(
                "{what} of a fact must be a text or one of {{iri}}, {{blank}}, {{value}}"
            )));
        }
    })
}
