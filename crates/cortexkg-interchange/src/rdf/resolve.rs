//! Statements to nodes and edges.

use std::collections::{HashMap, HashSet};

use cortexkg::{GraphEdge, NodeId};

use super::read::{Statements, Subject};
use super::{DERIVED_FROM, FIELD, LABEL, NAMES, PREDICATE, REPLACED_BY, SAME_AS, SOURCE, VALUE, name_of};
use crate::builder::{GraphBuilder, missing_node};
use crate::export::Result;
use crate::import::ImportOptions;
use crate::model::{BLANK_FIELD, ExportedNode, IRI_FIELD, ImportedGraph, LITERAL_FIELD, Property};
use crate::names::parse_node_id;
use crate::rejection::{Rejection, printable};

/// What a subject turns out to be.
#[derive(Clone, Default)]
struct Role {
    /// The identifier that it brings.
    id: Option<NodeId>,
    /// Other IRIs of it.
    also: Vec<usize>,
    redirects: Vec<NodeId>,
    /// It is no node of its own, but another name of one, a redirect, or the source of a fact.
    is_absorbed: bool,
    /// The subject whose other name it is, or that it was merged into.
    same_as: Option<usize>,
}

pub(super) fn resolve(
    statements: &Statements,
    options: &ImportOptions,
    mut builder: GraphBuilder<'_>,
) -> Result<ImportedGraph> {
    let roles = roles(statements, options);
    let mut ids = number(&statements.subjects, &roles, &mut builder);
    // Literals that a node of ours stands for.
    let mut literals = HashMap::new();
    for (position, subject) in statements.subjects.iter().enumerate() {
        if roles.get(position).is_some_and(|role| role.id.is_some()) {
            for literal in subject.literals.iter().filter(|literal| &*literal.predicate == VALUE) {
                literals.entry(literal.key.clone()).or_insert(position);
            }
        }
    }
    let mut edges = Vec::new();
    for (position, (subject, role)) in statements.subjects.iter().zip(&roles).enumerate() {
        let Some(id) = ids.get(position).copied().flatten() else { continue };
        let mut node = ExportedNode::new(id);
        node.redirects.clone_from(&role.redirects);
        if subject.is_blank {
            node.properties.push(Property::new(BLANK_FIELD, &*subject.key));
        } else if !(role.id.is_some() && subject.key.starts_with(&options.base)) {
            node.properties.push(Property::new(IRI_FIELD, &*subject.key));
        }
        let also = role.also.iter().filter_map(|&also| statements.subjects.get(also));
        node.properties.extend(also.map(|also| Property::new(IRI_FIELD, &*also.key)));
        for literal in &subject.literals {
            let predicate = &*literal.predicate;
            let mut is_whole = !literal.is_tagged();
            if predicate == LABEL {
                if node.label.is_empty() {
                    node.label.clone_from(&literal.value);
                }
                // The label of a node of ours is made of its values and is no name.
                if role.id.is_none() {
                    node.aliases.push(literal.value.clone());
                }
            } else if NAMES.contains(&predicate) {
                node.aliases.push(literal.value.clone());
            } else if predicate == VALUE && role.id.is_some() {
                is_whole = true;
                node.properties.push(Property::new(LITERAL_FIELD, &literal.key));
            } else if let Some(&object) = literals.get(&literal.key).filter(|_| !predicate.starts_with(FIELD))
            {
                is_whole = true;
                edges.push((literal.line, position, name_of(PREDICATE, predicate), object));
            } else {
                node.properties.push(Property::new(name_of(FIELD, predicate), &literal.value));
            }
            if !is_whole {
                builder.untagged();
            }
        }
        node.aliases.retain(|alias| !alias.trim().is_empty());
        node.properties.retain(|property| !property.value.trim().is_empty());
        let mut seen = HashSet::new();
        node.aliases.retain(|alias| seen.insert(alias.clone()));
        // What differed in its language only, or was said twice, is one value.
        let mut seen = HashSet::new();
        node.properties.retain(|property| seen.insert((property.field.clone(), property.value.clone())));
        if !builder.node(subject.line, &subject.key, node)?
            && let Some(id) = ids.get_mut(position)
        {
            *id = None;
        }
        for link in &subject.links {
            let object = roles.get(link.object);
            let is_absorbed = object.is_some_and(|object| object.is_absorbed);
            let is_told = is_absorbed && matches!(&*link.predicate, SAME_AS | DERIVED_FROM);
            if !is_told {
                edges.push((link.line, position, name_of(PREDICATE, &link.predicate), link.object));
            }
        }
    }
    for (line, from, predicate, to) in edges {
        let find = |position: usize| {
            let position = roles.get(position).and_then(|role| role.same_as).unwrap_or(position);
            let id = ids.get(position).copied().flatten();
            id.ok_or_else(|| statements.subjects.get(position).map_or("", |subject| &*subject.key))
        };
        match (find(from), find(to)) {
            (Ok(from), Ok(to)) => builder.edge(line, GraphEdge { from, predicate, to })?,
            (Err(missing), _) | (_, Err(missing)) => {
                builder.reject(missing_node(line, printable(missing)).field(&predicate));
            }
        }
    }
    Ok(builder.finish())
}

fn roles(statements: &Statements, options: &ImportOptions) -> Vec<Role> {
    let subjects = &statements.subjects;
    let own_id = |subject: &Subject| subject.key.strip_prefix(&*options.base).and_then(parse_node_id);
    let is_described = |subject: &Subject| !subject.literals.is_empty() || !subject.links.is_empty();
    let mut roles: Vec<Role> =
        subjects.iter().map(|subject| Role { id: own_id(subject), ..Role::default() }).collect();
    for (position, subject) in subjects.iter().enumerate() {
        let is_redirect = match subject.links.as_slice() {
            [only] if subject.literals.is_empty() => (&*only.predicate == REPLACED_BY).then_some(only.object),
            _ => None,
        };
        if let Some((target, old)) = is_redirect.filter(|&target| target != position).zip(own_id(subject)) {
            roles[position].is_absorbed = true;
            roles[position].same_as = Some(target);
            roles[target].redirects.push(old);
            continue;
        }
        for link in &subject.links {
            let Some(object) = subjects.get(link.object).filter(|object| !is_described(object)) else {
                continue;
            };
            let is_taken = link.object == position || roles[link.object].is_absorbed;
            match &*link.predicate {
                DERIVED_FROM if object.key.starts_with(SOURCE) => roles[link.object].is_absorbed = true,
                SAME_AS if !object.is_blank && !is_taken => {
                    match own_id(object) {
                        Some(id) if roles[position].id.is_none() => roles[position].id = Some(id),
                        Some(_) => continue,
                        None => roles[position].also.push(link.object),
                    }
                    roles[link.object].is_absorbed = true;
                    roles[link.object].same_as = Some(position);
                }
                _ => {}
            }
        }
    }
    roles
}

/// Numbers for those that bring none, above all that are brought.
fn number(subjects: &[Subject], roles: &[Role], builder: &mut GraphBuilder<'_>) -> Vec<Option<NodeId>> {
    let brought = roles.iter().flat_map(|role| role.id.iter().chain(&role.redirects));
    let mut next = brought.map(|id| id.0 + 1).max().unwrap_or(0);
    let mut ids = Vec::with_capacity(roles.len());
    for (subject, role) in subjects.iter().zip(roles) {
        if role.is_absorbed {
            ids.push(None);
        } else if role.id.is_some() {
            ids.push(role.id);
        } else if next <= NodeId::MAX.0 {
            ids.push(Some(NodeId(next)));
            next += 1;
        } else {
            let message = format!("no identifier is left below {}; number the nodes lower", NodeId::MAX);
            builder.reject(Rejection::at(subject.line, message).record(Some(&printable(&subject.key))));
            ids.push(None);
        }
    }
    ids
}
