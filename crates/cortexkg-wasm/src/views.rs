//! What the graph tells, as objects with keys in camel case.

use cortexkg::{
    AllocationResult, CandidateExplanation, CloseCall, Explanation, Fact, FactContent, FieldValue,
    MemberFact, NearHit, Neighbour, NodeView, SearchHit, StepKind, Term, WaterfallStep,
};
use cortexkg_columns::ColumnAllocator;
use js_sys::{Array, Float32Array, Object};
use wasm_bindgen::JsValue;

use crate::map::column_of;
use crate::objects::{object, set, set_given};

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> JsValue {
    texts.into_iter().map(|text| JsValue::from_str(text)).collect::<Array>().into()
}

fn objects<T>(items: &[T], object: impl Fn(&T) -> Object) -> JsValue {
    items.iter().map(object).collect::<Array>().into()
}

/// Where a fact went, and the columns that lit up.
pub(crate) fn result(found: &AllocationResult, pool: &ColumnAllocator) -> Object {
    let told = object([
        ("recordId", (&*found.record_id).into()),
        ("node", (found.allocated_node.0 as f64).into()),
        ("decision", found.decision.to_string().into()),
        ("confidence", f64::from(found.confidence).into()),
        ("marginBits", f64::from(found.margin_bits).into()),
        ("method", found.method.to_string().into()),
        ("candidates", found.candidates.into()),
        ("logPosition", (found.log_position as f64).into()),
        ("repeated", found.repeated.into()),
    ]);
    set_given(&told, "column", column_of(pool, found.allocated_node));
    if let Some(of_object) = &found.object {
        set(&told, "object", &result(of_object, pool));
    }
    told
}

pub(crate) fn hit(hit: &SearchHit, pool: &ColumnAllocator) -> Object {
    let told = object([
        ("node", (hit.node.0 as f64).into()),
        ("label", (&*hit.label).into()),
        ("scoreBits", hit.score_bits.into()),
        ("matched", texts(&hit.matched)),
    ]);
    set_given(&told, "column", column_of(pool, hit.node));
    told
}

pub(crate) fn near_hit(hit: &NearHit, pool: &ColumnAllocator) -> Object {
    let told = object([
        ("node", (hit.node.0 as f64).into()),
        ("label", (&*hit.label).into()),
        ("cosine", hit.cosine.into()),
    ]);
    set_given(&told, "column", column_of(pool, hit.node));
    told
}

pub(crate) fn explanation(why: &Explanation, pool: &ColumnAllocator) -> Object {
    object([
        ("result", result(&why.result, pool).into()),
        ("mention", (&*why.mention).into()),
        ("candidates", objects(&why.candidates, candidate)),
        ("newProbability", why.new_probability.into()),
    ])
}

fn candidate(candidate: &CandidateExplanation) -> Object {
    object([
        ("node", (candidate.node.0 as f64).into()),
        ("label", (&*candidate.label).into()),
        ("origins", texts(&candidate.origins)),
        ("priorBits", candidate.prior_bits.into()),
        ("evidenceBits", candidate.evidence_bits.into()),
        ("probability", candidate.probability.into()),
        ("steps", objects(&candidate.waterfall(), step)),
    ])
}

fn step(step: &WaterfallStep) -> Object {
    let kind = match step.kind {
        StepKind::Prior => "prior",
        StepKind::Vote => "vote",
        StepKind::Trust => "trust",
    };
    let told = object([
        ("kind", kind.into()),
        ("field", (&*step.field).into()),
        ("agreement", (&*step.agreement).into()),
        ("saidBefore", step.said_before.into()),
        ("bits", step.bits.into()),
        ("totalBits", step.total_bits.into()),
    ]);
    set_given(&told, "stated", step.stated.as_deref());
    set_given(&told, "held", step.held.as_deref());
    told
}

pub(crate) fn node(node: &NodeView, pool: &ColumnAllocator) -> Object {
    let properties = objects(&node.properties, |(field, value, count)| {
        object([("field", (&**field).into()), ("value", (&**value).into()), ("count", (*count).into())])
    });
    let members = objects(&node.members, |member| {
        object([("recordId", (&*member.record_id).into()), ("source", (&*member.source).into())])
    });
    let told = object([
        ("node", (node.id.0 as f64).into()),
        ("label", (&*node.label).into()),
        ("aliases", texts(&node.aliases)),
        ("properties", properties),
        ("members", members),
    ]);
    set_given(&told, "column", column_of(pool, node.id));
    told
}

pub(crate) fn neighbour(neighbour: &Neighbour) -> Object {
    object([
        ("from", (neighbour.from.0 as f64).into()),
        ("predicate", (&*neighbour.predicate).into()),
        ("to", (neighbour.to.0 as f64).into()),
        ("label", (&*neighbour.label).into()),
    ])
}

pub(crate) fn close_call((call, [label, other_label]): &(CloseCall, [String; 2])) -> Object {
    object([
        ("recordId", (&*call.mention.record_id).into()),
        ("source", (&*call.mention.source).into()),
        ("node", (call.node.0 as f64).into()),
        ("label", (&**label).into()),
        ("other", (call.other.0 as f64).into()),
        ("otherLabel", (&**other_label).into()),
        ("otherRecordId", (&*call.other_mention.record_id).into()),
        ("otherSource", (&*call.other_mention.source).into()),
        ("probability", call.probability.into()),
    ])
}

pub(crate) fn member_fact(member: &MemberFact) -> Object {
    let told =
        object([("recordId", (&*member.mention).into()), ("logPosition", (member.position as f64).into())]);
    set_given(&told, "fact", member.fact.as_ref().map(fact));
    told
}

/// A fact as it can be given again.
fn fact(fact: &Fact) -> Object {
    let told = match &fact.content {
        FactContent::Text(text) => object([("text", (&**text).into())]),
        FactContent::Triple { subject, predicate, object: other } => object([
            ("subject", term(subject)),
            ("predicate", (&**predicate).into()),
            ("object", term(other)),
        ]),
        FactContent::Record(fields) => {
            let pair = |name: &str, value: JsValue| Array::of2(&name.into(), &value);
            let fields = fields.iter().map(|field| match &field.value {
                FieldValue::Text(text) => pair(&field.name, (&**text).into()),
                FieldValue::List(list) => pair(&field.name, texts(list)),
            });
            object([("fields", fields.collect::<Array>().into())])
        }
    };
    set_given(&told, "id", fact.record_id.as_deref());
    set_given(&told, "source", fact.source.as_deref());
    set_given(&told, "time", fact.time_s.map(|time| time as f64));
    set_given(&told, "confidence", fact.confidence);
    set_given(&told, "embedding", fact.embedding.as_deref().map(Float32Array::from));
    told
}

fn term(term: &Term) -> JsValue {
    match term {
        Term::Name(name) => name.into(),
        Term::Iri(iri) => object([("iri", iri.into())]).into(),
        Term::Blank(blank) => object([("blank", blank.into())]).into(),
        Term::Literal { value, datatype, language } => {
            let told = object([("value", value.into())]);
            set_given(&told, "datatype", datatype.as_deref());
            set_given(&told, "language", language.as_deref());
            told.into()
        }
    }
}
