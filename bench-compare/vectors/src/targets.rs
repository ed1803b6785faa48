//! What a run says of the targets of the project.

use crate::measure::{Figures, Run};
use crate::systems::BASELINE;

/// Which of [`TARGETS`](crate::measure::TARGETS) is asked of compact codes, and which of floats.
const TARGET_COMPACT: usize = 1;
const TARGET_FULL: usize = 2;

/// One line for each target: what was asked, the best that there was, and whether that is enough.
pub fn lines(run: &Run) -> Vec<String> {
    let Some(baseline) = run.figures.iter().find(|figures| figures.name == BASELINE) else {
        return vec![format!("No targets without {BASELINE}.")];
    };
    let ours = || run.figures.iter().filter(|figures| figures.name.starts_with("cortexkg"));
    let rate = |figures: &Figures, at: usize| Some(figures.searches.get(at)?.as_ref()?.per_second);
    let times = |figures: &Figures, at| Some(rate(figures, at)? / rate(baseline, at)?);

    let full = ours().filter(|figures| figures.name.ends_with("f32"));
    let full = best(full.filter_map(|figures| Some((times(figures, TARGET_FULL)?, figures))));
    let compact = || ours().filter(|figures| is_compact(figures));
    let rescored = compact().filter(|figures| figures.name.contains('+'));
    let rescored = best(rescored.filter_map(|figures| Some((times(figures, TARGET_COMPACT)?, figures))));

    let mut lines = vec![
        line("searches with f32, recall ≥ 0.98", 1.0, BASELINE, full),
        line("searches with compact codes ranked again, recall ≥ 0.95", 3.0, BASELINE, rescored),
    ];
    let allocation = |peer: &Figures| {
        let near = compact().filter(|figures| figures.allocate_recall >= 0.95);
        let small =
            near.filter(|figures| 4.0 * figures.resident_bytes_per_node <= peer.resident_bytes_per_node);
        best(small.map(|figures| (figures.allocate_per_second / peer.allocate_per_second, figures)))
    };
    let what = "allocations with compact codes, recall ≥ 0.95, at ≤ 1/4 of the memory";
    let floats = run.figures.iter().filter(|figures| figures.name.ends_with("f32"));
    let (peers, others): (Vec<_>, Vec<_>) =
        floats.filter(|figures| !figures.name.starts_with("cortexkg")).partition(|figures| is_asked(figures));
    let faster = best(peers.into_iter().map(|figures| (figures.allocate_per_second, figures)));
    lines.extend(faster.map(|(_, peer)| line(what, 3.0, &peer.name, allocation(peer))));
    lines.extend(others.into_iter().map(|peer| beside(what, &peer.name, allocation(peer))));
    lines
}

/// Whether a target names it; FAISS and DiskANN are compared beside.
fn is_asked(peer: &Figures) -> bool {
    peer.name.starts_with("usearch") || peer.name.starts_with("hnsw_rs")
}

/// At most four bits of a dimension are looked at on the way, or eight are all there is.
fn is_compact(figures: &Figures) -> bool {
    ["q8", "q4", "b1"].iter().any(|walked| figures.name.starts_with(&format!("cortexkg {walked}")))
}

fn best<'a>(all: impl Iterator<Item = (f64, &'a Figures)>) -> Option<(f64, &'a Figures)> {
    all.max_by(|a, b| a.0.total_cmp(&b.0))
}

fn line(what: &str, target: f64, peer: &str, best: Option<(f64, &Figures)>) -> String {
    let verdict = if best.is_some_and(|(times, _)| times >= target) { "reached" } else { "missed" };
    format!("- {what}: asked for ≥ {target:.1} × {peer}, came out {}: {verdict}", came_out(best))
}

/// The same of a peer that no target names.
fn beside(what: &str, peer: &str, best: Option<(f64, &Figures)>) -> String {
    format!("- {what}: beside {peer}, which no target names, {}", came_out(best))
}

fn came_out(best: Option<(f64, &Figures)>) -> String {
    best.map_or_else(
        || "nothing qualifies".to_owned(),
        |(times, figures)| format!("{times:.2} × ({})", figures.name),
    )
}
