//! `cortexkg allocate`: a file of facts in, a node for each mention out.

use std::io::{BufReader, Read, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use cortexkg::{AllocationEngine, EngineConfig};
use cortexkg_scalable::{Alert, Resolved, ScalableAllocationEngine};

use crate::allocation::{Allocated, Allocator};
use crate::commands::input_args::InputArgs;
use crate::config_file::{ConfigArgs, ConfigFile};
use crate::console::Console;
use crate::durable::{COMMIT_FACTS, Durability, DurableGraph};
use crate::embedder;
use crate::failure::{Failure, Outcome};
use crate::graph::{MemoryBudget, notes_of, to_create};
use crate::input::{FactInput, InputError, Refusal};
use crate::layers::{ScalabilityArgs, environment, reason};
use crate::monitoring::{Monitoring, MonitoringArgs};
use crate::outputs::{OutputFile, check_distinct};
use crate::palette::Palette;
use crate::progress::Progress;
use crate::rejects::Rejects;
use crate::report::{Report, grouped};
use crate::sink::{DecisionRows, Sink, json_line};
use crate::stop::{STDIN_BYTES, Stop, StoppableStdin};

/// Options of `cortexkg allocate`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Write one CSV row per mention: record_id,node_id,decision,confidence,margin,method. - is standard output.
    ///
    /// The file is written as FILE.PROCESS.partial and takes its name at the end. If the input breaks on the way, the file
    /// holds what was decided before. Decision is existing, new or possible; confidence is a probability; margin is
    /// in bits.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write why each mention went where it went: one JSON object per line. Decides one by one.
    #[arg(long, value_name = "FILE")]
    pub explain: Option<PathBuf>,
    /// Print the final report as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
    /// Threads. The decisions are the same with any number; with more than one, the time of a single decision is
    /// known as the mean of its batch only.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    pub threads: usize,
    /// Report the rate of every N records, to see how cost grows with the graph; 0 reports none.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub progress_every: u64,
    /// Folder of a model that makes the vectors of facts that bring none [default: none; words are compared as they are spelt].
    ///
    /// A static model (model2vec, WordLlama: *.safetensors and tokenizer.json) or a BERT encoder (all-MiniLM-L6-v2: config.json as
    /// well); which, is found from the files. Nothing is downloaded. The program must be built with the feature static-embedder or
    /// minilm-embedder. With --data, the graph keeps what the model said: only facts that come later need it again.
    #[arg(long, value_name = "PATH")]
    pub embedder: Option<PathBuf>,
    /// What to take for granted.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How the layers are set.
    #[command(flatten)]
    pub layers: ScalabilityArgs,
    /// With --data: when what was decided is safe on the disk [default: batch].
    #[arg(long, value_enum)]
    pub durability: Option<Durability>,
    /// With --data: facts that are committed together [default: 1024].
    #[arg(long, value_name = "N", value_parser = batch)]
    pub batch: Option<usize>,
    /// With --data: look again at what came in since the last time whenever so many mentions have come in, as `consolidate` does with
    /// everything [default: never].
    #[arg(long, value_name = "N", value_parser = mentions)]
    pub consolidate_every: Option<NonZeroU64>,
    /// With --data: most memory to take, at least 32M, like 512M or 1G [default: as much as the graph needs].
    ///
    /// What has not been looked at lately is then read from the disk. The decisions are the same, and slower.
    #[arg(long, value_name = "SIZE", value_parser = MemoryBudget::parse)]
    pub memory_budget: Option<MemoryBudget>,
    /// How to watch over it.
    #[command(flatten)]
    pub monitoring: MonitoringArgs,
    /// Let the layers set themselves by what is measured on the way: on or off [default: off].
    ///
    /// The index is switched on when scans get slow, searches are tuned to the recall that is asked for, vectors kept at fewer bits when
    /// memory gets short (--memory-budget), tiers resized; what made things worse is taken back. With --data, every change of what has
    /// a say in decisions stands in the log, with its reason. As timing has a say, decisions may differ from run to run by what an index
    /// misses.
    #[arg(long, value_name = "on|off", action = clap::ArgAction::Set, value_parser = on_or_off, default_value = "off", hide_default_value = true)]
    pub adaptive: bool,
    /// No progress bar and no table; errors and rejections are still shown.
    #[arg(long, short)]
    pub quiet: bool,
}

const AFTER_HELP: &str = "\
Formats:
  CSV, TSV    a header, then one record per row; empty cells are absent fields
  JSONL       one object per line: {\"name\": \"Citrus\", \"at\": {\"city\": \"LA\"}} is a record (nested keys are joined by
              dots); {\"text\": …} is a short text; {\"subject\": …, \"predicate\": …, \"object\": …} is a triple. Beside a
              text or a triple stand source, time (seconds since 1970) and confidence (0 to 1) if you like; in each
              of the three, \"embedding\": [0.1, …] brings a vector
  N-Triples   one triple per line; the line number identifies it
  A triple has two mentions, its subject and its object: ID#s and ID#o.

A graph that stays:
  With --data DIR the graph is kept in DIR, which is made if it is not there; a later run continues it, and the result
  is the same as that of one long run. A record that its source has given before is skipped and its assignment
  repeated, so a run that was cut off is finished by running it again. Rows are written after their commit. Ctrl-C and
  SIGTERM end a run after the batch at hand, as does a closed pipe behind --out -. Without --data nothing is kept.

What is known of fields:
  Kinds of fields and how their values are compared are found from the data. A file for --config says it otherwise:
    [fields.phone]                  kind: identifier, date, number, category, name, long_text, list; key: the value
    kind = \"identifier\"             is the identity, the same is the same thing and another another
    comparator = \"exact\"            identifier: code, exact. date: date, code, exact. number: number, digits, size, exact.
                                    category: name, exact. name: name, long_text, exact. long_text: long_text, name,
                                    exact. list: list, exact. The first is what is used if nothing is said
    [fields.\"address.note\"]
    ignore = true                   kept and shown; no evidence, and not searched

Examples:
  cortexkg allocate people.csv --out nodes.csv
  cortexkg allocate papers.jsonl.gz --id doi --explain why.jsonl
  zcat dump.nt.gz | cortexkg allocate - --source wikidata --json
  cortexkg allocate monday.csv --data graph --source crm
  cortexkg allocate terms.csv --data graph --embedder models/all-MiniLM-L6-v2
  cortexkg allocate people.csv --config people.toml

Exit codes:
  0  every record was allocated (a table with a header only has none)
  1  the run failed on the way (disk, broken compression, asked to end, rows of a graph that nobody reads any more); what
     was decided before is written
  2  wrong usage, or an input that cannot be used: missing, empty, no header, no such --id column
  3  finished, but some records were rejected: each is counted, the first 10 are shown";

/// Reads, allocates, writes and reports.
///
/// # Errors
/// See the exit codes in the help text.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut inputs = vec![("INPUT", args.input.path.as_path())];
    inputs.extend(args.config.config.as_deref().map(|path| ("--config", path)));
    inputs.extend(args.monitoring.alerts.as_deref().map(|path| ("--alerts", path)));
    check_distinct(
        &inputs,
        &[
            ("--out", args.out.as_deref()),
            ("--explain", args.explain.as_deref()),
            ("--rejects", args.input.rejects.as_deref()),
            ("--metrics", args.monitoring.metrics.as_deref()),
        ],
    )?;
    check_durable(args, data)?;
    let config = args.config.read()?;
    let layers = args.layers.resolve(Some(&config), environment())?;
    // In memory there is nothing to end cleanly.
    let stop = if data.is_some() { Stop::on_signals()? } else { Stop::default() };
    let Console { input: stdin, out, err, draws_progress, out_palette, err_palette, .. } = console;
    let mut stdin: Box<dyn Read + '_> = match data {
        Some(_) => Box::new(BufReader::with_capacity(
            STDIN_BYTES,
            StoppableStdin { input: stdin, stop: stop.clone() },
        )),
        None => Box::new(stdin),
    };
    // First the input: one that cannot be used must not leave an empty graph behind.
    let mut input = args.input.open(&mut stdin)?;
    // Others may come into a graph that stays.
    if let Some(columns) = input.columns().filter(|_| data.is_none()) {
        config.check_columns(columns)?;
    }
    let mut monitoring = args.monitoring.prepare(data)?;
    let mut stdout: Option<&mut dyn Write> = if args.json { None } else { Some(&mut **out) };
    let mut run = Run {
        rows: match &args.out {
            Some(path) => Some(DecisionRows::new(Sink::open(path, &mut stdout)?)?),
            None => None,
        },
        explanations: match &args.explain {
            Some(path) => Some(Sink::open(path, &mut stdout)?),
            None => None,
        },
        rejects: Rejects::new(match &args.input.rejects {
            Some(path) => Some(OutputFile::create(path)?),
            None => None,
        }),
        unexplained: 0,
        allocator: allocator(args, &config, &layers, data, &mut **err)?,
        stop,
        progress: Progress::new(*draws_progress && !args.quiet, input.bytes_total()),
        err: &mut **err,
        err_palette: *err_palette,
    };
    let stdout_is_free = stdout.is_some();
    if let (Some(monitoring), Some(directory)) = (&mut monitoring, data) {
        monitoring.write_in(directory);
    }
    if args.adaptive {
        let given: Vec<&str> = layers.given().map(|setting| setting.field).collect();
        run.allocator.adapt(&given, args.memory_budget.map(|budget| budget.of_engine() as u64));
    }
    run.allocator.set_monitoring(monitoring);
    let streamed = run.stream(&mut input, args.input.limit);
    run.progress.finish();
    let monitoring = run.allocator.end_monitoring();
    let monitored = monitoring.map_or_else(Vec::new, |monitoring| run.tell_end(monitoring));
    let mut ending = match streamed {
        // A graph is closed in order first, and it must be said how far it came.
        Err(Failure::OutputClosed) if run.allocator.is_durable() => Ending::Unheard,
        streamed => streamed?,
    };
    let records = run.allocator.counts().records;
    let rejected = run.rejects.count();
    let repeated = run.allocator.counts().repeated;
    let mut report =
        Report::of(&run.allocator, input.source(), input.format(), rejected, args.progress_every)?;
    report.error = ending.error();
    report.settings = layers.given().collect();
    let unknown = config.notes(&run.allocator.ask(AllocationEngine::model));
    let (mut notes, graph, is_heard) = run.finish()?;
    notes.extend(unknown);
    notes.extend(monitored);
    if !is_heard {
        ending = Ending::Unheard;
    }
    if let Some(graph) = graph {
        report.repeated = Some(repeated);
        let (store, note) = graph.close()?;
        report.store = Some(store);
        notes.extend(note);
    }
    for note in notes {
        let _ = writeln!(err, "{note}");
    }
    if args.json {
        let json = serde_json::to_string(&report).map_err(|error| Failure::Run(error.to_string()))?;
        print_report(out, &format!("{json}\n"))?;
    } else if !args.quiet && stdout_is_free {
        print_report(out, &report.to_table(*out_palette))?;
    } else if !args.quiet {
        let _ = err.write_all(report.to_table(*err_palette).as_bytes());
    }
    match ending {
        Ending::Broken(error) => Err(Failure::from(error)),
        Ending::Asked => Err(Failure::Run(ASKED.to_owned())),
        Ending::Unheard => Err(Failure::Run(format!(
            "whoever read standard output has gone; {} facts of this run are committed: run the same command again, \
             and it goes on from there and repeats their rows",
            grouped(records)
        ))),
        Ending::Whole if rejected > 0 => Ok(Outcome::WithRejections),
        Ending::Whole => {
            if report.records == 0 && repeated == 0 {
                let _ = writeln!(err, "note: the input has no records, only a header or blank lines");
            }
            Ok(Outcome::Complete)
        }
    }
}

/// How a stream ended.
enum Ending {
    /// At its end, or where it was to stop.
    Whole,
    /// The input broke.
    Broken(InputError),
    /// A signal asked for it.
    Asked,
    /// Nobody reads the rows any more.
    Unheard,
}

impl Ending {
    fn error(&self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Broken(error) => Some(error.to_string()),
            Self::Asked => Some(ASKED.to_owned()),
            Self::Unheard => Some("whoever read standard output has gone".to_owned()),
        }
    }
}

const ASKED: &str =
    "asked to end; what was decided is in the graph: run the same command again, and it goes on from there";

/// Everything a run holds on its way.
struct Run<'a> {
    allocator: Allocator,
    rows: Option<DecisionRows<'a>>,
    explanations: Option<Sink<'a>>,
    rejects: Rejects,
    unexplained: u64,
    progress: Progress,
    stop: Stop,
    err: &'a mut (dyn Write + 'a),
    err_palette: Palette,
}

impl Run<'_> {
    /// Runs the whole input; how it ended.
    fn stream(&mut self, input: &mut FactInput<'_>, limit: Option<u64>) -> Result<Ending, Failure> {
        // In memory an explanation speaks of the moment of its decision, so those go one by one. A log keeps the decision.
        let one_by_one = self.explanations.is_some() && !self.allocator.is_durable();
        let batch_size = if one_by_one { 1 } else { self.allocator.batch_facts() };
        let mut batch = Vec::with_capacity(batch_size);
        let mut read = 0u64;
        let mut ending = Ending::Whole;
        while limit.is_none_or(|limit| read < limit) {
            if self.stop.is_asked() {
                ending = Ending::Asked;
                break;
            }
            match input.next() {
                None => break,
                Some(Ok(entry)) => batch.push(entry),
                Some(Err(Refusal::Rejected(rejection))) => self.reject(&rejection)?,
                Some(Err(Refusal::Broken(error))) => {
                    ending = if self.stop.is_asked() { Ending::Asked } else { Ending::Broken(error) };
                    break;
                }
            }
            read += 1;
            if batch.len() == batch_size {
                self.decide(std::mem::replace(&mut batch, Vec::with_capacity(batch_size)))?;
            }
            if read.is_multiple_of(256) {
                let nodes = self.allocator.ask(AllocationEngine::node_count);
                self.progress.update(input.bytes_read(), read, nodes, self.allocator.elapsed());
            }
        }
        self.decide(batch)?;
        Ok(ending)
    }

    fn decide(&mut self, batch: Vec<crate::input::Entry>) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        for Allocated { source, outcome } in self.allocator.allocate(batch)? {
            let result = match outcome {
                Ok(result) => result,
                Err(rejection) => {
                    self.reject(&rejection)?;
                    continue;
                }
            };
            for mention in result.mentions() {
                if let Some(rows) = &mut self.rows {
                    rows.mention(mention)?;
                }
                if let Some(sink) = &mut self.explanations {
                    match self.allocator.explain(source.as_deref(), &mention.record_id)? {
                        Some(found) => json_line(sink, &found)?,
                        None => self.unexplained += 1,
                    }
                }
            }
        }
        let told = self.allocator.monitoring().map_or_else(Vec::new, Monitoring::take_told);
        self.tell_alerts(&told);
        // Whoever reads along learns of what is committed, and of nothing else.
        if let Some(rows) = self.rows.as_mut().filter(|_| self.allocator.is_durable()) {
            rows.flush()?;
        }
        Ok(())
    }

    fn tell_alerts(&mut self, alerts: &[Alert]) {
        for alert in alerts {
            let line = alert.to_string();
            let line = if alert.event.is_firing() { self.err_palette.alarm(&line) } else { line };
            self.progress.aside(|| drop(writeln!(self.err, "{line}")));
        }
    }

    /// Tells of alerts that are over with the run; gives what else is to be said.
    fn tell_end(&mut self, mut monitoring: Monitoring) -> Vec<String> {
        self.tell_alerts(&monitoring.take_told());
        monitoring.finish()
    }

    fn reject(&mut self, rejection: &crate::input::Rejection) -> Result<(), Failure> {
        if let Some(monitoring) = self.allocator.monitoring() {
            monitoring.record_refused();
        }
        self.rejects.tell(rejection, &self.progress, self.err, self.err_palette)
    }

    /// Closes every file; what is left to say, the graph if it is to be closed, and whether the rows were read to their end.
    fn finish(self) -> Result<(Vec<String>, Option<DurableGraph>, bool), Failure> {
        let is_durable = self.allocator.is_durable();
        let mut is_heard = true;
        let mut heard = |finished: Result<(), Failure>| match finished {
            Err(Failure::OutputClosed) if is_durable => {
                is_heard = false;
                Ok(())
            }
            finished => finished,
        };
        let mut notes = Vec::new();
        notes.extend(self.rejects.finish()?);
        if self.unexplained > 0 {
            notes.push(format!("note: {} mentions have no explanation on record", self.unexplained));
        }
        if let Some(rows) = self.rows {
            heard(rows.finish())?;
        }
        if let Some(sink) = self.explanations {
            heard(sink.finish())?;
        }
        Ok((notes, self.allocator.into_durable(), is_heard))
    }
}

/// Prints the report; that nobody reads it does not change how the run went.
fn print_report(out: &mut dyn Write, report: &str) -> Result<(), Failure> {
    match out.write_all(report.as_bytes()).map_err(|error| Failure::of_output(&error)) {
        Err(Failure::OutputClosed) => Ok(()),
        printed => printed,
    }
}

/// The engine that facts go to, in memory or in the graph's directory.
fn allocator(
    args: &Args,
    file: &ConfigFile,
    layers: &Resolved,
    data: Option<&Path>,
    err: &mut dyn Write,
) -> Result<Allocator, Failure> {
    let config = file.over(embedder::configuration(args.embedder.as_deref())?);
    let Some(directory) = data else {
        return Allocator::new(config, layers.config.clone(), args.threads, args.progress_every);
    };
    let config = EngineConfig { layers: layers.config.layers(), ..config };
    let mut graph = to_create(directory, config, args.memory_budget)?;
    file.check_bound(graph.inhibition())?;
    graph.consolidate_every(args.consolidate_every);
    for note in notes_of(&graph).into_iter().chain(file.note_on_silence(graph.fields_given())) {
        let _ = writeln!(err, "{note}");
    }
    let durability = args.durability.unwrap_or(Durability::Batch);
    let present = layers.config.clone().adopting(graph.engine().layers());
    let wanted = layers.over(&present).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut graph = ScalableAllocationEngine::around(graph, present);
    graph.set_config(wanted, &reason(layers))?;
    let graph = DurableGraph::new(graph, directory, durability, args.batch.unwrap_or(COMMIT_FACTS));
    Allocator::durable(graph, args.threads, args.progress_every)
}

/// Options that speak of a graph need one.
fn check_durable(args: &Args, data: Option<&Path>) -> Result<(), Failure> {
    let wanted = [
        ("--durability", args.durability.is_some()),
        ("--batch", args.batch.is_some()),
        ("--consolidate-every", args.consolidate_every.is_some()),
    ];
    match wanted.iter().find(|(_, given)| *given) {
        Some((option, _)) if data.is_none() => Err(Failure::Usage(format!(
            "{option} speaks of a graph that stays; name its directory with --data DIR"
        ))),
        _ if args.durability == Some(Durability::Each) && args.batch.is_some_and(|facts| facts > 1) => Err(
            Failure::Usage("--durability each commits every fact by itself; leave --batch out".to_owned()),
        ),
        _ => Ok(()),
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".to_owned()),
    }
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("a number from 1 to 1024".into()),
    }
}

fn mentions(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| "a whole number of mentions from 1 up; leave the option out for never".into())
}

fn batch(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(facts @ 1..=1_000_000) => Ok(facts),
        _ => Err("a number from 1 to 1000000".into()),
    }
}
