//! The program, killed: what it has told is in the graph, and running it again leads where an uninterrupted run leads.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Count;
use crate::program::{Program, json};
use crate::step::{command, root};

/// How one chain of runs is set up.
#[derive(Clone, Copy)]
struct Setting {
    /// Data set under `data`.
    set: &'static str,
    batch: u32,
}

/// The set that is long enough for closing to write a snapshot.
const LARGE: &str = "febrl3";

const SETTINGS: [Setting; 5] = [
    Setting { set: "febrl1", batch: 1 },
    Setting { set: LARGE, batch: 512 },
    Setting { set: "febrl1", batch: 16 },
    Setting { set: "fodors-zagats", batch: 1 },
    Setting { set: LARGE, batch: 64 },
];

/// Kills in one directory before a run may end.
const KILLS_IN_A_ROW: u64 = 4;

/// When the program is killed.
enum Moment {
    After(Duration),
    /// This long after a file appeared in the directory of the graph.
    At(&'static str, Duration),
}

/// A sequence that looks random (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

#[derive(Default)]
struct Tally {
    kills: u64,
    before_anything: u64,
    while_writing_a_snapshot: u64,
    finished: u64,
    rows: u64,
}

/// Kills 500 runs in full, else 5.
pub(super) fn run(full: bool, seed: u64) -> Result<Vec<Count>> {
    let program = if full { Program::build()? } else { Program::build_for_tests()? };
    let kills = if full { 500 } else { 5 };
    let mut tally = Tally::default();
    let mut random = Random(seed);
    let mut turn = 0;
    while tally.kills < kills {
        let setting = SETTINGS[turn % SETTINGS.len()];
        chain(&program, setting, kills, &mut random, &mut tally).with_context(|| {
            format!("chain {turn} ({}, batches of {}) with seed {seed}", setting.set, setting.batch)
        })?;
        turn += 1;
        println!("{} of {kills} runs killed", tally.kills);
    }
    Ok(vec![
        Count::new("kill", "runs killed", &tally.kills),
        Count::new("kill", "before there was a graph", &tally.before_anything),
        Count::new("kill", "while a snapshot was written", &tally.while_writing_a_snapshot),
        Count::new("kill", "runs that came to the end", &tally.finished),
        Count::new("kill", "rows told of and found", &tally.rows),
    ])
}

/// Kills runs into one directory until one comes to its end.
fn chain(
    program: &Program,
    setting: Setting,
    kills: u64,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<()> {
    let scratch = program.scratch().join("torture");
    let (whole, data) = (scratch.join("whole"), scratch.join("graph"));
    for directory in [&whole, &data] {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
    }
    let start = Instant::now();
    let expected = finished(program, setting, &whole)?;
    let took = start.elapsed();
    let mut told = HashMap::new();
    let most = kills.min(tally.kills + KILLS_IN_A_ROW);
    while tally.kills < most {
        let (rows, was_killed) = interrupted(program, setting, &data, &moment(setting, took, random))?;
        tally.kills += u64::from(was_killed);
        told.extend(rows);
        if !data.join("cortexkg.redb").exists() {
            ensure!(told.is_empty(), "rows were told of, and there is no graph");
            tally.before_anything += 1;
        } else {
            tally.while_writing_a_snapshot += u64::from(data.join("cortexkg.snapshot.partial").exists());
            check(program, &data, &told)?;
        }
        if !was_killed {
            break;
        }
    }
    let found = finished(program, setting, &data)?;
    ensure!(found == expected, "the state hash is {found}, that of an uninterrupted run {expected}");
    check(program, &data, &told)?;
    tally.finished += 1;
    tally.rows += told.len() as u64;
    Ok(())
}

/// Early, late, any time, and while a snapshot is being written.
fn moment(setting: Setting, took: Duration, random: &mut Random) -> Moment {
    let took_us = took.as_micros() as u64;
    match random.below(8) {
        0 | 1 if setting.set == LARGE => {
            Moment::At("cortexkg.snapshot.partial", Duration::from_micros(random.below(4_000)))
        }
        2 => Moment::At("cortexkg.redb.new", Duration::from_micros(random.below(2_000))),
        3 => Moment::At("cortexkg.redb", Duration::from_micros(random.below(2_000))),
        4 => Moment::After(Duration::from_micros(took_us * 3 / 4 + random.below(took_us / 4))),
        _ => Moment::After(Duration::from_micros(random.below(took_us * 3 / 4))),
    }
}

fn allocate(program: &Program, setting: Setting, data: &Path) -> Command {
    let records: PathBuf = root().join("data").join(setting.set).join("records.csv");
    let mut allocate = command(program.path());
    allocate.arg("allocate").arg(records).arg("--data").arg(data).args(["--source", "torture"]);
    allocate.args(["--batch", &setting.batch.to_string()]);
    allocate
}

/// Runs to the end. Gives the state hash.
fn finished(program: &Program, setting: Setting, data: &Path) -> Result<String> {
    let report = json(allocate(program, setting, data).arg("--json"))?;
    Ok(report["state_hash"].as_str().context("the report has no state hash")?.to_owned())
}

/// Runs until a moment. Gives the rows that were told of, node by record, and whether the run was killed on its way.
fn interrupted(
    program: &Program,
    setting: Setting,
    data: &Path,
    moment: &Moment,
) -> Result<(Vec<(String, String)>, bool)> {
    let mut allocate = allocate(program, setting, data);
    allocate.args(["--quiet", "--out", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = allocate.spawn().context("the program did not start")?;
    let mut stdout = child.stdout.take().context("standard output is a pipe")?;
    let reading = thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    let was_killed = kill_at(&mut child, started, data, moment)?;
    let output = child.wait_with_output()?;
    let Ok(text) = reading.join() else { bail!("reading its output panicked") };
    ensure!(
        was_killed || output.status.success(),
        "the program failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((rows(&String::from_utf8_lossy(&text?)), was_killed))
}

/// Waits for the moment and kills. Says whether the program was still running.
fn kill_at(child: &mut Child, started: Instant, data: &Path, moment: &Moment) -> Result<bool> {
    let mut appeared = None;
    loop {
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        let is_now = match moment {
            Moment::After(time) => started.elapsed() >= *time,
            Moment::At(file, later) => {
                if appeared.is_none() && data.join(file).exists() {
                    appeared = Some(Instant::now());
                }
                appeared.is_some_and(|then| then.elapsed() >= *later)
            }
        };
        if is_now {
            // SIGKILL on Unix, TerminateProcess on Windows.
            child.kill()?;
            // It may have ended by itself in the meantime.
            return Ok(!child.wait()?.success());
        }
        thread::sleep(Duration::from_micros(100));
    }
}

/// Record and node of the rows that are whole.
fn rows(text: &str) -> Vec<(String, String)> {
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let cells = whole.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    });
    cells.collect()
}

/// The graph is clean and has all that was told of, where it was told.
fn check(program: &Program, data: &Path, told: &HashMap<String, String>) -> Result<()> {
    let output = command(program.path()).arg("verify").arg("--data").arg(data).arg("--json").output()?;
    let verified: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("verify: {}", String::from_utf8_lossy(&output.stderr)))?;
    ensure!(output.status.success() && verified["is_clean"] == true, "verify: {verified}");
    let mut assignments = command(program.path());
    let text = crate::step::output(assignments.arg("assignments").arg("--data").arg(data))?;
    let found: HashMap<_, _> = rows(&String::from_utf8_lossy(&text)).into_iter().collect();
    for (record, node) in told {
        let held = found.get(record);
        ensure!(held == Some(node), "{record} was told to be in {node}, the graph has {held:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_cut_off_is_none() {
        let row = |record: &str, node: &str| (record.to_owned(), node.to_owned());
        let text = "record_id,node_id,decision\na,n1,new\nb,n2,exist";
        assert_eq!(rows(text), [row("a", "n1")]);
        assert_eq!(rows("record_id,no"), []);
        assert_eq!(rows(""), []);
    }
}
