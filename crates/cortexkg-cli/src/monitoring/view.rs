//! A reading as a picture of text: what `cortexkg top` shows.

use cortexkg::Decision;

use super::reading::{Reading, RunState, Times};
use crate::palette::Palette;
use crate::report::{grouped, mib, plain, right_align, rounded};
use crate::tables::one_line;

/// Cells of a bar.
const BAR_CELLS: usize = 20;
/// Cells of a sparkline.
const SPARK_CELLS: usize = 24;
/// Most characters of a name that comes from the file.
const NAME_CHARS_MAX: usize = 32;
/// Lines of bytes by structure; the rest is summed up.
const STRUCTURES_SHOWN: usize = 8;
/// Where values begin.
const NAMES_WIDTH: usize = 16;

/// The lines of a picture. `rates` are the rates of earlier readings, the last of all last.
pub(crate) fn draw(reading: &Reading, rates: &[f64], palette: Palette) -> Vec<String> {
    let mut lines = vec![state(reading, palette), String::new()];
    let mut say = |name: &str, value: String| {
        let name = format!("{name:NAMES_WIDTH$}");
        lines.push(format!("{}{value}", palette.heading(&name)).trim_end().to_owned());
    };
    say("decisions/s", rate(reading, rates));
    if !reading.latency_us.is_empty() {
        let quantiles =
            reading.latency_us.iter().map(|(share, us)| format!("{} {}", name_of(share), time(*us)));
        say("latency", listed(quantiles));
    }
    say(
        "facts",
        listed(reading.facts.iter().map(|(what, count)| format!("{} {}", grouped(*count), name_of(what)))),
    );
    if !reading.graph.is_empty() {
        say("graph", listed(reading.graph.iter().map(|(what, count)| format!("{} {what}", grouped(*count)))));
    }
    let all = reading.decisions_total();
    for (at, (what, count)) in reading.decisions.iter().enumerate() {
        let bar = bar(*count, all);
        let bar = decision(what).map_or(bar.clone(), |decision| palette.decision(decision, &bar));
        say(
            if at == 0 { "decisions" } else { "" },
            format!("{:10} {:>6}  {bar}", name_of(what), percent(*count, all)),
        );
    }
    for (title, times) in [("by method", &reading.methods), ("by stage", &reading.stages)] {
        lines.extend(table(title, times, palette));
    }
    lines.extend(held(reading, palette));
    lines.extend(layers(reading, palette));
    lines
}

fn state(reading: &Reading, palette: Palette) -> String {
    let age = reading.age_s.map_or("at no known time".to_owned(), |age_s| format!("{} ago", duration(age_s)));
    let word = match reading.state {
        RunState::Running => format!("running, updated {age}"),
        RunState::Stale => palette.warning(&format!(
            "no update since {}: the run waits for input, or ended without saying so",
            age.trim_end_matches(" ago")
        )),
        RunState::Ended => palette.heading(&format!("ended {age}")),
    };
    let elapsed =
        reading.elapsed_s.map_or(String::new(), |elapsed_s| format!("run of {}, ", duration(elapsed_s)));
    let version =
        reading.version.as_deref().map_or(String::new(), |version| format!(" {}", name_of(version)));
    let name = palette.heading(&format!("cortexkg{version}"));
    format!("{name}  {elapsed}{word}")
}

fn rate(reading: &Reading, rates: &[f64]) -> String {
    let number = reading.decisions_per_s.map_or_else(|| "n/a".to_owned(), |rate| grouped(rounded(rate)));
    let over = reading.window_s.map_or(String::new(), |seconds| format!("  over {}", duration(seconds)));
    let first = rates.len().saturating_sub(SPARK_CELLS);
    let recent = rates.get(first..).unwrap_or_default();
    let spark = if recent.len() > 1 { spark(recent) } else { String::new() };
    format!("{number}{over}  {spark}")
}

/// Times as a table under a title; nothing where nothing was timed.
fn table(title: &str, times: &[Times], palette: Palette) -> Vec<String> {
    if times.is_empty() {
        return Vec::new();
    }
    let mut table = plain();
    table.set_header([
        &format!("{title:w$}", w = NAMES_WIDTH - 2),
        "count",
        "mean",
        "p50",
        "p90",
        "p99",
        "distribution",
    ]);
    for row in times {
        let [mean, p50, p90, p99] = [row.mean_us, row.p50_us, row.p90_us, row.p99_us].map(time);
        let counts: Vec<f64> = squeezed(&row.distribution);
        table.add_row([name_of(&row.name), grouped(row.count), mean, p50, p90, p99, spark(&counts)]);
    }
    (1..6).for_each(|column| right_align(&mut table, column));
    let text = table.trim_fmt();
    let lines = text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned());
    let mut lines: Vec<String> = lines.collect();
    if let Some(header) = lines.first_mut() {
        *header = palette.heading(header);
    }
    lines.insert(0, String::new());
    lines
}

/// What is in memory.
fn held(reading: &Reading, palette: Palette) -> Vec<String> {
    let counted: u64 = reading.bytes.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes));
    let mut rows = Vec::new();
    let resident = reading.resident_bytes.map(|bytes| format!("{} resident", size(bytes)));
    let known = (!reading.bytes.is_empty()).then(|| format!("{} counted", size(counted)));
    let total: Vec<String> = resident.into_iter().chain(known).collect();
    if !total.is_empty() {
        rows.push(("memory".to_owned(), listed(total)));
    }
    // Ordered by size: what takes nothing comes last.
    let taken = reading.bytes.iter().take_while(|(_, bytes)| *bytes > 0).count();
    let (shown, rest) = reading.bytes.split_at(taken.min(STRUCTURES_SHOWN));
    let rest_bytes = rest.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    let rest = (rest_bytes > 0).then(|| ("others".to_owned(), rest_bytes));
    for (name, bytes) in shown.iter().cloned().chain(rest) {
        rows.push((format!("  {}", name_of(&name)), format!("{:>12}  {}", size(bytes), bar(bytes, counted))));
    }
    if reading.vectors.iter().any(|(_, count)| *count > 0) {
        let vectors = reading.vectors.iter().filter(|(_, count)| *count > 0);
        rows.push((
            "vectors".to_owned(),
            listed(vectors.map(|(precision, count)| format!("{} {}", name_of(precision), grouped(*count)))),
        ));
    }
    headed(rows, palette)
}

/// What the layers do, and what is not as it should be.
fn layers(reading: &Reading, palette: Palette) -> Vec<String> {
    let mut rows = Vec::new();
    if !reading.tiers.is_empty() {
        let tiers = reading.tiers.iter();
        let tiers = tiers
            .map(|tier| format!("{} {:.1} % of {}", tier.name, tier.hit_rate * 100.0, grouped(tier.reads)));
        rows.push(("tier hits".to_owned(), listed(tiers)));
    }
    let recall = [("index", reading.index_recall), ("blocking", reading.blocking_recall)];
    let recall: Vec<String> =
        recall.iter().filter_map(|(what, share)| share.map(|share| format!("{what} {share:.3}"))).collect();
    if !recall.is_empty() {
        rows.push(("recall".to_owned(), listed(recall)));
    }
    for (name, counts) in [("adaptations", &reading.adaptations), ("fallbacks", &reading.fallbacks)] {
        let counts = counts.iter();
        let told: Vec<String> = counts
            .map(|(layer, what, count)| format!("{} {} {}", name_of(layer), name_of(what), grouped(*count)))
            .collect();
        if !told.is_empty() {
            rows.push((name.to_owned(), listed(told)));
        }
    }
    if !reading.alerts.is_empty() {
        let firing: Vec<String> = reading
            .alerts
            .iter()
            .filter(|alert| alert.is_firing)
            .map(|alert| palette.alarm(&format!("{} ({})", name_of(&alert.name), name_of(&alert.level))))
            .collect();
        let none = format!("none of {} firing", reading.alerts.len());
        rows.push(("alerts".to_owned(), if firing.is_empty() { none } else { listed(firing) }));
    }
    headed(rows, palette)
}

/// Rows under an empty line.
fn headed(rows: Vec<(String, String)>, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in rows {
        if lines.is_empty() {
            lines.push(String::new());
        }
        let name = format!("{name:NAMES_WIDTH$}");
        let name = if name.starts_with(' ') { name } else { palette.heading(&name) };
        lines.push(format!("{name}{value}").trim_end().to_owned());
    }
    lines
}

fn listed(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join("   ")
}

/// What the file says, so that it cannot steer a terminal.
fn name_of(text: &str) -> String {
    one_line(text, NAME_CHARS_MAX)
}

fn decision(word: &str) -> Option<Decision> {
    [Decision::Existing, Decision::New, Decision::Possible]
        .into_iter()
        .find(|decision| decision.to_string() == word)
}

/// A duration in microseconds, with the unit that suits.
fn time(us: f64) -> String {
    match us {
        us if us >= 1e6 => format!("{:.2} s", us / 1e6),
        us if us >= 1e4 => format!("{:.1} ms", us / 1e3),
        us if us >= 1e3 => format!("{:.2} ms", us / 1e3),
        us => format!("{us:.1} µs"),
    }
}

/// A duration in seconds as a person says it.
fn duration(seconds: f64) -> String {
    match rounded(seconds.min(1e15)) {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min {} s", s / 60, s % 60),
        s if s < 2 * 86_400 => format!("{} h {} min", s / 3_600, s / 60 % 60),
        s => format!("{} days", grouped(s / 86_400)),
    }
}

fn size(bytes: u64) -> String {
    match mib(bytes) {
        mib if mib >= 1024.0 => format!("{:.2} GiB", mib / 1024.0),
        mib if mib >= 0.1 => format!("{mib:.1} MiB"),
        _ => format!("{} B", grouped(bytes)),
    }
}

#[allow(clippy::cast_precision_loss)]
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "n/a".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// A share of a whole as a bar, to an eighth of a cell.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bar(part: u64, whole: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) };
    let eighths = (share * (BAR_CELLS * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS.get(eighths % 8).copied().unwrap_or_default())
}

/// Values as columns of a line, each as high as it is large beside the largest.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn spark(values: &[f64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let height = |value: &f64| match value {
        value if *value <= 0.0 || !value.is_finite() || top <= 0.0 => ' ',
        value => HEIGHTS.get((value / top * 8.0).ceil() as usize - 1).copied().unwrap_or('█'),
    };
    values.iter().map(height).collect()
}

/// Counts in as few columns as a sparkline has, neighbours summed.
#[allow(clippy::cast_precision_loss)]
fn squeezed(counts: &[u64]) -> Vec<f64> {
    let each = counts.len().div_ceil(SPARK_CELLS).max(1);
    counts.chunks(each).map(|chunk| chunk.iter().map(|&count| count as f64).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_sparklines_are_as_long_and_high_as_they_should_be() {
        assert_eq!(bar(1, 2), "█".repeat(10));
        assert_eq!(bar(1, 160), "▏");
        assert_eq!(bar(9, 3), "█".repeat(20));
        assert_eq!(bar(1, 0), "");
        assert_eq!(spark(&[0.0, 1.0, 4.0, 8.0]), " ▁▄█");
        assert_eq!(spark(&[f64::NAN, f64::INFINITY, -1.0, 1e-300]), "   █");
        assert_eq!(squeezed(&vec![1; 50]).len(), 17);
        assert!(squeezed(&[]).is_empty());
    }

    #[test]
    fn durations_and_sizes_are_told_as_a_person_would() {
        assert_eq!(
            [0.4, 119.0, 121.0, 7_260.0, 2e5].map(duration),
            ["0 s", "119 s", "2 min 1 s", "2 h 1 min", "2 days"]
        );
        assert_eq!([0.5, 1_500.0, 25_000.0, 2e6].map(time), ["0.5 µs", "1.50 ms", "25.0 ms", "2.00 s"]);
        assert_eq!([500, 5 << 20, 3 << 30].map(size), ["500 B", "5.0 MiB", "3.00 GiB"]);
    }
}
