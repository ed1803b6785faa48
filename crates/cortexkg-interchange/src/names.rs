//! How node identifiers, fields and predicates are spelled outside.

use cortexkg::NodeId;

/// The node that `n17` names.
pub(crate) fn parse_node_id(text: &str) -> Option<NodeId> {
    let digits = text.strip_prefix('n')?;
    let is_canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    let id = NodeId(digits.parse().ok().filter(|_| is_canonical)?);
    (id <= NodeId::MAX).then_some(id)
}

/// A name as part of a URN: everything but letters, digits and `-._~@` as percent codes of its UTF-8.
pub(crate) fn percent_encode(name: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// The name that was encoded; as it stands if it is not what [`percent_encode`] writes.
pub(crate) fn percent_decode(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits =
                [rest.next(), rest.next()].map(|digit| char::from(digit.unwrap_or(b'?')).to_digit(16));
            let [Some(high), Some(low)] = digits else { return encoded.to_owned() };
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| encoded.to_owned())
}

/// What stands before the name of a field whose column would otherwise have a name that is taken.
const FIELD_PREFIX: &str = "field:";

/// The name of a field's column beside columns with reserved names.
pub(crate) fn column_name(field: &str, reserved: &[&str]) -> String {
    if reserved.contains(&field) || field.starts_with(FIELD_PREFIX) {
        format!("{FIELD_PREFIX}{field}")
    } else {
        field.to_owned()
    }
}

/// The field of a column.
pub(crate) fn column_field(column: &str) -> &str {
    column.strip_prefix(FIELD_PREFIX).unwrap_or(column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn node_ids_have_one_spelling() {
        assert_eq!(parse_node_id("n17"), Some(NodeId(17)));
        assert_eq!(parse_node_id("n0"), Some(NodeId(0)));
        for wrong in ["17", "n", "n017", "n+1", "n 1", "n281474976710656", "n99999999999999999999999", "N1"] {
            assert_eq!(parse_node_id(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn names_come_back(name: String) {
            prop_assert_eq!(percent_decode(&percent_encode(&name)), name.as_str());
            let column = column_name(&name, &["a", ""]);
            prop_assert!(column != "a" && !column.is_empty());
            prop_assert_eq!(column_field(&column), name);
        }

        #[test]
        fn any_urn_can_be_decoded(text: String) {
            percent_decode(&text);
        }
    }
}
