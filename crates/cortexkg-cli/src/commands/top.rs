//! `cortexkg top`: looks on while facts stream in.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::monitoring::exposition::{BYTES_MAX, Exposition};
use crate::monitoring::{METRICS_FILE, Reading, RunState, draw};
use crate::stop::Stop;

/// Rates that are kept for the sparkline.
const RATES_MAX: usize = 64;
/// Time between two looks whether to end.
const PAUSE: Duration = Duration::from_millis(100);
/// Lines and columns of a terminal that does not tell.
const SCREEN: (usize, usize) = (24, 80);

/// Options of `cortexkg top`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`allocate --data DIR` writes DIR/metrics.prom about every second, and `allocate --metrics FILE` writes FILE; neither waits for
whoever looks on. Ctrl-C ends the view, not the run. Where standard output is no terminal, one picture is printed.
lately: the last minute. Times by method and stage are since the start of the run.

Examples:
  cortexkg top --data graph
  cortexkg top metrics.prom --once
  cortexkg top --data graph --json --interval 10 >> load.jsonl")]
pub struct Args {
    /// File that `allocate --metrics` writes [default with --data: metrics.prom in its directory].
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Show it once, as it is now.
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object each time.
    #[arg(long)]
    pub json: bool,
    /// Seconds between two pictures, 0.1 to 3600.
    #[arg(long, value_name = "S", default_value = "1", value_parser = interval)]
    pub interval: Duration,
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| (0.1..=3_600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds from 0.1 to 3600".to_owned())
}

/// Shows what the file says.
///
/// # Errors
/// Where there is no file to show.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let path = match (&args.file, data) {
        (Some(_), Some(_)) => Err("name a file or --data DIR, not both"),
        (Some(file), None) => Ok(file.clone()),
        (None, Some(data)) => Ok(data.join(METRICS_FILE)),
        (None, None) => Err("name the graph that facts stream into (--data DIR), or a file of metrics"),
    };
    let path = path.map_err(|what| Failure::Usage(what.to_owned()))?;
    if args.once || !(console.out_is_terminal || args.json) {
        let reading = read(&path)?;
        return show(args, &reading, console);
    }
    let stop = Stop::on_signals()?;
    if args.json {
        while !stop.is_asked() {
            let reading = read(&path)?;
            show(args, &reading, console)?;
            console.flush()?;
            if reading.state == RunState::Ended {
                break;
            }
            wait(args.interval, &stop);
        }
        return Ok(Outcome::Complete);
    }
    // The alternate screen, without a cursor: what was on the terminal is there again at the end.
    console.print("\u{1b}[?1049h\u{1b}[?25l")?;
    let watched = watch(&path, args.interval, &stop, console);
    console.print("\u{1b}[?25h\u{1b}[?1049l")?;
    watched
}

fn show(args: &Args, reading: &Reading, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    if args.json {
        console.print_json(reading)?;
    } else {
        let lines = draw(reading, &[], console.out_palette);
        console.print(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(Outcome::Complete)
}

/// Draws again and again until asked to end.
fn watch(
    path: &Path,
    interval: Duration,
    stop: &Stop,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let mut rates = VecDeque::new();
    while !stop.is_asked() {
        let lines = match read(path) {
            Ok(reading) => {
                if reading.state == RunState::Running {
                    rates.extend(reading.decisions_per_s);
                }
                if rates.len() > RATES_MAX {
                    rates.pop_front();
                }
                draw(&reading, rates.make_contiguous(), console.out_palette)
            }
            Err(failure) => vec![failure.to_string(), "waiting for it".to_owned()],
        };
        let (rows, columns) = screen();
        let mut frame = String::from("\u{1b}[H");
        for (at, line) in lines.iter().take(rows).enumerate() {
            // Each line ends what was there before; none begins a new one at the bottom.
            let end = if at + 1 == lines.len().min(rows) { "\u{1b}[K" } else { "\u{1b}[K\r\n" };
            frame.push_str(&cut(line, columns));
            frame.push_str(end);
        }
        frame.push_str("\u{1b}[J");
        console.print(&frame)?;
        console.flush()?;
        wait(interval, stop);
    }
    Ok(Outcome::Complete)
}

/// Reads the file; it is replaced whole, so what is read is whole.
fn read(path: &Path) -> Result<Reading, Failure> {
    let mut text = Vec::new();
    let file = File::open(path).and_then(|file| file.take(BYTES_MAX as u64).read_to_end(&mut text));
    file.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Usage(format!(
            "there are no metrics at {}; `cortexkg allocate` writes them while it runs with --data DIR or --metrics FILE",
            path.display()
        )),
        _ => Failure::Usage(format!("cannot read {}: {error}", path.display())),
    })?;
    let exposition = Exposition::parse(&text);
    if !exposition.samples.iter().any(|sample| sample.name.starts_with("cortexkg_")) {
        return Err(Failure::Usage(format!(
            "{} holds no metrics of cortexkg; is it the right file?",
            path.display()
        )));
    }
    Ok(Reading::of(&exposition, clock::now_precise_s()))
}

fn wait(interval: Duration, stop: &Stop) {
    let since = Instant::now();
    while let Some(left) = interval.checked_sub(since.elapsed()).filter(|_| !stop.is_asked()) {
        thread::sleep(left.min(PAUSE));
    }
}

/// A line of at most so many columns; sequences that colour take none.
fn cut(line: &str, columns: usize) -> String {
    let (mut text, mut width, mut is_sequence) = (String::with_capacity(line.len()), 0, false);
    for c in line.chars() {
        is_sequence |= c == '\u{1b}';
        if is_sequence {
            text.push(c);
            is_sequence = c != 'm';
        } else if width < columns {
            text.push(c);
            width += 1;
        }
    }
    text
}

/// Lines and columns of the terminal.
#[cfg(unix)]
fn screen() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => (size.ws_row.into(), size.ws_col.into()),
        _ => SCREEN,
    }
}

/// Lines and columns that any terminal has.
#[cfg(not(unix))]
fn screen() -> (usize, usize) {
    SCREEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_keep_their_colours() {
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("\u{1b}[1mabc\u{1b}[0m", 2), "\u{1b}[1mab\u{1b}[0m");
        assert_eq!(cut("äö▁", 3), "äö▁");
    }

    #[test]
    fn intervals_are_bounded() {
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        for odd in ["0", "0.05", "4000", "nan", "inf", "-1", "x"] {
            assert!(interval(odd).is_err(), "{odd}");
        }
    }
}
