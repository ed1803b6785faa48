//! Reads metrics as text: OpenMetrics, and the older Prometheus format.

/// Most bytes that are looked at.
pub const BYTES_MAX: usize = 4 << 20;
/// Most samples that are kept.
const SAMPLES_MAX: usize = 65_536;
/// Most labels of a sample.
const LABELS_MAX: usize = 32;

/// One value of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name, with its suffix (`_total`, `_bucket`, …).
    pub name: String,
    /// Labels in their order.
    pub labels: Vec<(String, String)>,
    /// Value; NaN and infinities are values as well.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| &**value)
    }
}

/// What a text says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition {
    /// Samples in their order.
    pub samples: Vec<Sample>,
    /// Lines that are no sample, no comment and not empty.
    pub skipped: u64,
    /// Whether the text came to its end: the line `# EOF`.
    pub is_whole: bool,
}

impl Exposition {
    /// Reads whatever there is: a line that says nothing that can be understood is passed over, as is what goes beyond the bounds
    /// (4 MiB, 65,536 samples, 32 labels of a sample).
    pub fn parse(text: &[u8]) -> Self {
        let mut found = Self::default();
        let text = text.get(..BYTES_MAX).unwrap_or(text);
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line == b"# EOF" {
                found.is_whole = true;
                break;
            }
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let sample = std::str::from_utf8(line).ok().and_then(sample);
            match sample.filter(|_| found.samples.len() < SAMPLES_MAX) {
                Some(sample) => found.samples.push(sample),
                None => found.skipped += 1,
            }
        }
        found
    }

    /// The samples of a metric.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    /// The value of a metric without labels, if it is a number.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.of(name).map(|sample| sample.value).find(|value| value.is_finite())
    }

    /// The values of a metric by one of its labels.
    pub fn by<'a>(&'a self, name: &'a str, label: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.of(name).filter_map(move |sample| Some((sample.label(label)?, sample.value)))
    }
}

/// `name{label="value",…} value`, and whatever follows.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|c: char| !is_name(c)).filter(|&end| end > 0)?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = number(rest.split_ascii_whitespace().next()?)?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// `label="value",…}`, and what follows it.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_end();
        if labels.len() == LABELS_MAX || name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        labels.push((name.to_owned(), value));
        rest = after;
    }
}

/// What stands before the closing quote, its escapes undone, and what follows it.
fn quoted(rest: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, rest.get(at + 1..)?)),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            c => value.push(c),
        }
    }
    None
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        text => text.parse().ok(),
    }
}

/// Reads a text and checks what must hold of whatever was found; what the fuzz target calls. Gives the number of samples.
///
/// # Panics
/// If something does not hold.
pub fn drain(text: &[u8]) -> usize {
    let found = Exposition::parse(text);
    assert!(found.samples.len() <= SAMPLES_MAX);
    for sample in &found.samples {
        assert!(!sample.name.is_empty() && sample.name.chars().all(is_name));
        assert!(sample.labels.len() <= LABELS_MAX);
    }
    let reading = super::reading::Reading::of(&found, 0.0);
    // Whatever it says can be shown.
    let _ = super::view::draw(&reading, &[], crate::palette::Palette::PLAIN);
    found.samples.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Exposition {
        Exposition::parse(text.as_bytes())
    }

    #[test]
    fn samples_are_read() {
        let found = parse(
            "# HELP a b\n# TYPE a counter\na_total 3\nb{x=\"1\",y=\"two \\\"quoted\\\" \\\\ \\n\"} 1.5e-3 1700000000\n\
             c_bucket{le=\"+Inf\"} 7 # {trace=\"x\"} 0.5\nd +Inf\r\n\n# EOF\nignored 1\n",
        );
        assert_eq!((found.samples.len(), found.skipped, found.is_whole), (4, 0, true));
        assert_eq!(found.value("a_total"), Some(3.0));
        let b = found.of("b").next().unwrap();
        assert_eq!((b.label("x"), b.label("y"), b.value), (Some("1"), Some("two \"quoted\" \\ \n"), 1.5e-3));
        assert_eq!(found.by("c_bucket", "le").collect::<Vec<_>>(), [("+Inf", 7.0)]);
        assert_eq!(found.value("d"), None, "no number");
    }

    #[test]
    fn what_cannot_be_understood_is_passed_over() {
        for odd in [
            "a",
            "a ",
            "a b",
            "{} 1",
            "=1",
            "a{ 1",
            "a{x} 1",
            "a{x=} 1",
            "a{x=\"} 1",
            "a{x=\"1\" 1",
            "a{x=\"\\",
            "a{=\"1\"} 1",
            "a{é=\"1\"} 1",
            "é 1",
            "a 1_000",
            "a 0x1f",
            " a 1",
            "a{x=\"1\"}",
            "a\u{0}b 1",
            "-",
        ] {
            let found = parse(&format!("{odd}\nfine 1"));
            assert_eq!((found.skipped, found.samples.len()), (1, 1), "{odd:?}: {found:?}");
        }
        let found = Exposition::parse(b"a 1\n\xff\xfe 2\nb{x=\"\xff\"} 1\nc 1");
        assert_eq!((found.skipped, found.samples.len(), found.is_whole), (2, 2, false));
        // Strange, and allowed.
        assert_eq!(
            parse("a{} 1\nb{x=\"1\",} 2\nc{ x = \"1\" } 3\nd{x=\"}\"} 4\ne{x=\"é\"}5").samples.len(),
            5
        );
    }

    #[test]
    fn everything_is_bounded() {
        let many = "a 1\n".repeat(SAMPLES_MAX + 5);
        let found = parse(&many);
        assert_eq!((found.samples.len(), found.skipped), (SAMPLES_MAX, 5));
        let labels = (0..=LABELS_MAX).map(|at| format!("l{at}=\"\",")).collect::<String>();
        assert_eq!(parse(&format!("a{{{labels}}} 1")).skipped, 1);
        let long = format!("a{{x=\"{}\"}} 1\n# EOF", "x".repeat(BYTES_MAX));
        assert!(!parse(&long).is_whole, "what is beyond the bound is not looked at");
    }
}
