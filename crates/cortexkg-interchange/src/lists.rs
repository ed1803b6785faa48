//! Lists, which a node shows as one text, back to their items.

use std::collections::HashMap;

use cortexkg::{Fact, FactContent, FieldValue};

use crate::model::{ExportedNode, Property};

/// What the engine puts between the items of a list when it shows it as one text.
const BETWEEN: &str = "; ";

/// The lists that records have as values. A node shows each as one text, `a; b`; formats in which a field may have several values
/// take the items instead. Keeps every list that differs from all others.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Items by field and text.
    items: HashMap<String, HashMap<String, Vec<String>>>,
}

impl Lists {
    /// Notes the lists of a fact.
    pub fn see_fact(&mut self, fact: &Fact) {
        let FactContent::Record(fields) = &fact.content else { return };
        for field in fields {
            let FieldValue::List(items) = &field.value else { continue };
            if items.len() > 1 {
                let of_field = self.items.entry(field.name.clone()).or_default();
                of_field.entry(items.join(BETWEEN)).or_insert_with(|| items.clone());
            }
        }
    }

    /// Gives a node the items of its lists as values of their own, each counted as often as the lists that it is in.
    pub fn part(&self, node: &mut ExportedNode) {
        let items_of = |property: &Property| self.items.get(&property.field)?.get(&property.value);
        if node.properties.iter().all(|property| items_of(property).is_none()) {
            return;
        }
        let mut parted: Vec<Property> = Vec::with_capacity(node.properties.len() + 1);
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for property in std::mem::take(&mut node.properties) {
            let items = items_of(&property).map_or(std::slice::from_ref(&property.value), Vec::as_slice);
            for item in items.iter().filter(|item| !item.trim().is_empty()) {
                let place = places.entry((property.field.clone(), item.clone())).or_insert(parted.len());
                match parted.get_mut(*place) {
                    Some(known) => known.count = known.count.saturating_add(property.count),
                    None => parted.push(Property { value: item.clone(), ..property.clone() }),
                }
            }
        }
        node.properties = parted;
    }
}

#[cfg(test)]
mod tests {
    use cortexkg::NodeId;

    use super::*;

    #[test]
    fn a_list_is_its_items_again() {
        let mut lists = Lists::default();
        let list = |items: &[&str]| FieldValue::List(items.iter().map(|&item| item.to_owned()).collect());
        lists.see_fact(&Fact::record([("name", list(&["Ann Smith", "Ann Smyth"]))]));
        let mut node = ExportedNode::new(NodeId(0));
        node.properties = vec![
            Property::new("name", "Ann Smith; Ann Smyth"),
            Property::new("note", "Ann Smith; Ann Smyth"),
            Property { count: 2, ..Property::new("name", "Ann Smith") },
        ];
        lists.part(&mut node);
        let expected = [
            Property { count: 3, ..Property::new("name", "Ann Smith") },
            Property::new("name", "Ann Smyth"),
            Property::new("note", "Ann Smith; Ann Smyth"),
        ];
        assert_eq!(node.properties, expected, "a text that looks like a list stays one");
    }
}
