//! Waterfalls and their pictures, the learned tables, exceptions, and what is inherited from classes.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Graph, data};
use serde_json::{Value, json};

const ROWS: &str = "\
id,name,address,city,phone
a,居酒屋 Zoë's <script>alert('x')</script> & Söhne with a name that goes on and on,5 rue de l'Église,Paris,01 23 45 67 89
b,Hotel Bel-Air,701 Stone Canyon Rd.,Bel Air,310/472-1211
c,居酒屋 Zoes <script>alert('x')</script> & Söhne with a name that goes on and on,5 rue de l'Église,Paris,01 23 45 67 88
";

/// The totals follow from the steps and end at the evidence.
#[track_caller]
fn adds_up(steps: &Value, evidence_bits: &Value) {
    let steps = steps.as_array().unwrap();
    assert_eq!(steps[0]["kind"], "prior");
    let mut total = 0.0;
    for step in steps {
        total += step["bits"].as_f64().unwrap();
        assert!((total - step["total_bits"].as_f64().unwrap()).abs() < 0.02, "{steps:?}");
    }
    assert!((total - evidence_bits.as_f64().unwrap()).abs() < 0.02, "{steps:?}");
}

#[test]
fn why_is_a_waterfall_that_adds_up() {
    let graph = Graph::of(ROWS);
    let why = graph.json(&["why", "c"]);
    adds_up(&why["waterfall"], &why["candidates"][0]["evidence_bits"]);
    let city = why["waterfall"].as_array().unwrap().iter().find(|step| step["field"] == "city").unwrap();
    assert_eq!((&city["agreement"], &city["stated"]), (&json!("the same"), &json!("Paris")));
    let said = graph.run(&["why", "c"]);
    for word in
        ["bits", "total", "agreement", "compared", "said before", "prior", "█", "▒", "evidence", "“Paris”"]
    {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let not = graph.json(&["why-not", "c", "n1"]);
    adds_up(&not["waterfall"], &not["decision"]["candidates"][0]["evidence_bits"]);
    assert!(not["asked_waterfall"].as_array().unwrap().last().unwrap()["total_bits"].as_f64().unwrap() < 0.0);
    // A first mention has nothing to be weighed against.
    assert_eq!(graph.json(&["why", "a"])["waterfall"], json!([]));
}

#[test]
fn real_decisions_add_up() {
    let graph = Graph::none();
    assert_eq!(graph.run(&["allocate", &data("fodors-zagats/records.csv"), "--source", "t"]).code, 0);
    for record in ["r000600", "r000700", "r000804", "r000860"] {
        let why = graph.json(&["why", record]);
        adds_up(&why["waterfall"], &why["candidates"][0]["evidence_bits"]);
    }
}

#[test]
fn pictures_are_whole_escaped_and_the_same_each_time() {
    let graph = Graph::of(ROWS);
    let (svg, html) = (graph.path("c.svg"), graph.path("c.html"));
    assert_eq!(graph.run(&["why", "c", "--picture", &svg]).code, 0);
    let drawn = std::fs::read_to_string(&svg).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    assert!(!drawn.contains("<script") && drawn.contains("&lt;script&gt;") && drawn.contains("居酒屋"));
    for word in
        ["prior", "city", "phone", "evidence", "a new node", "class=\"against\"", "class=\"for\"", "…"]
    {
        assert!(drawn.contains(word), "{word}");
    }
    assert_eq!(graph.run(&["why", "c", "--picture", &svg, "--json"]).code, 0);
    assert_eq!(std::fs::read_to_string(&svg).unwrap(), drawn);
    assert_eq!(graph.run(&["why-not", "c", "n1", "--picture", &html]).code, 0);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n") && !page.contains("<script"));
    for word in ["node n0 won", "node n1, as it", "prefers-color-scheme:dark"] {
        assert!(page.contains(word), "{word}");
    }
    // A first mention has a picture, too.
    assert_eq!(graph.run(&["why", "a", "--picture", &svg]).code, 0);
    assert!(std::fs::read_to_string(&svg).unwrap().contains("nothing in the graph resembled it"));
    let said = graph.run(&["why", "c", "--picture", &graph.path("c.png")]);
    assert_eq!(said.code, 2);
    said.tells(&[".svg or .html"]);
}

#[test]
fn the_model_tells_what_was_learned() {
    let graph = Graph::none();
    assert_eq!(graph.run(&["allocate", &data("fodors-zagats/records.csv"), "--source", "t"]).code, 0);
    let model = graph.json(&["model"]);
    assert_eq!((&model["mentions"], &model["refreshes_at_mentions"]), (&json!(864), &json!(896)));
    assert!(model["version"].as_u64().unwrap() > 0);
    assert_eq!(model["levels"][0], "exact");
    let phone = model["fields"].as_array().unwrap().iter().find(|field| field["name"] == "phone").unwrap();
    assert_eq!(phone["present"], 864);
    let bits = phone["weights_bits"].as_array().unwrap();
    assert!(bits[0].as_f64().unwrap() > 3.0 && bits[4].as_f64().unwrap() < -1.0, "{bits:?}");
    let shares: Vec<_> =
        model["overlaps"].as_array().unwrap().iter().map(|one| one["share"].as_f64().unwrap()).collect();
    assert!(!shares.is_empty() && shares.is_sorted_by(|a, b| a >= b), "{shares:?}");
    let said = graph.run(&["model"]);
    for word in ["version", "refreshed next at 896", "phone", "exact", "m: of one node", "u: at random", "%"]
    {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn conflicts_that_were_overruled_are_listed() {
    let graph = Graph::none();
    assert_eq!(graph.run(&["allocate", &data("fodors-zagats/records.csv"), "--source", "t"]).code, 0);
    let all = graph.json(&["exceptions"]);
    let kept = all["exceptions"].as_array().unwrap();
    assert_eq!(all["total"], graph.json(&["stats"])["exceptions"]);
    let one = &kept[0];
    assert_eq!(one["kind"], "overruled");
    assert!(one["bits"].as_f64().unwrap() < 0.0 && one["stated"] != one["held"]);
    let node = format!("n{}", one["node"]);
    let of_node = graph.json(&["exceptions", "--node", &node]);
    assert!(of_node["exceptions"].as_array().unwrap().iter().all(|other| other["node"] == one["node"]));
    let few = graph.json(&["exceptions", "--limit", "1"]);
    assert_eq!((few["exceptions"].as_array().unwrap().len(), &few["total"]), (1, &all["total"]));
    let said = graph.run(&["exceptions", "--limit", "1"]);
    said.tells(&["note: 1 of"]);
    assert!(said.out.contains("spoke against"), "{}", said.out);
    assert_eq!(graph.json(&["exceptions", "--as-of", "863"])["exceptions"], all["exceptions"]);
    assert_eq!(graph.json(&["exceptions", "--as-of", "0"])["total"], 0);
}

const BIRDS: &str = "\
<http://e/bird> <http://e/flies> \"yes\" .
<http://e/bird> <http://e/coveredIn> <http://e/feathers> .
<http://e/penguin> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <http://e/bird> .
<http://e/penguin> <http://e/flies> \"no\" .
<http://e/pingu> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e/penguin> .
";

/// The node of a name.
#[track_caller]
fn node(graph: &Graph, name: &str) -> String {
    let hits = graph.json(&["search", name])["hits"].clone();
    format!("n{}", hits[0]["node"])
}

#[test]
fn a_penguin_flies_no_though_a_bird_flies() {
    let graph = Graph::none();
    let said =
        graph.with_input(&["allocate", "-", "--format", "ntriples", "--source", "t"], BIRDS.as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    let (penguin, pingu) = (node(&graph, "penguin"), node(&graph, "pingu"));
    let kept = graph.json(&["exceptions"])["exceptions"].clone();
    assert_eq!(kept.as_array().unwrap().len(), 1, "{kept}");
    let one = &kept[0];
    assert_eq!((&one["kind"], format!("n{}", one["node"])), (&json!("inherited"), penguin.clone()));
    assert_eq!(one["reason"], "penguin flies \"no\", though bird, which penguin is_a, flies \"yes\"");
    assert!(one["record_id"].as_str().is_some(), "{one}");
    // Pingu has both from above: how it flies from the nearer class.
    let inherited = graph.json(&["get", &pingu])["inherited"].clone();
    let inherited: Vec<_> = inherited
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["object_name"].clone(), one["class_name"].clone(), one["distance"].clone()))
        .collect();
    assert_eq!(
        inherited,
        [(json!("feathers"), json!("bird"), json!(2)), (json!("\"no\""), json!("penguin"), json!(1))]
    );
    let said = graph.run(&["get", &pingu]);
    assert!(said.out.contains("inherited") && said.out.contains("from class"), "{}", said.out);
    assert!(graph.run(&["exceptions", "--node", &penguin]).out.contains("though bird"));
    assert_eq!(graph.json(&["exceptions", "--node", &pingu])["total"], 0);
}

#[test]
fn what_is_inherited_follows_forgetting_and_its_undoing_and_the_past() {
    let graph = Graph::none();
    assert_eq!(
        graph.with_input(&["allocate", "-", "--format", "ntriples", "--source", "t"], BIRDS.as_bytes()).code,
        0
    );
    let before = graph.json(&["exceptions"]);
    let pingu = node(&graph, "pingu");
    let inherited = graph.json(&["get", &pingu])["inherited"].clone();
    // Forget that penguins do not fly: then Pingu has it from birds.
    let record = before["exceptions"][0]["record_id"].as_str().unwrap().to_owned();
    assert_eq!(graph.run(&["forget", "fact", &record]).code, 0);
    assert_eq!(graph.json(&["exceptions"])["total"], 0);
    let now = graph.json(&["get", &pingu])["inherited"].clone();
    assert!(now.as_array().unwrap().iter().any(|one| one["object_name"] == "\"yes\""), "{now}");
    let then = graph.json(&["exceptions", "--as-of", "4"]);
    assert_eq!(then["exceptions"][0]["class"], before["exceptions"][0]["class"], "{then}");
    assert_eq!(then["exceptions"][0]["reason"], before["exceptions"][0]["reason"]);
    assert_eq!(graph.json(&["get", &pingu, "--as-of", "4"])["inherited"], inherited);
    assert_eq!(graph.run(&["undo", "5"]).code, 0);
    assert_eq!(graph.json(&["exceptions"])["exceptions"], before["exceptions"]);
    assert_eq!(graph.json(&["get", &pingu])["inherited"], inherited);
}
