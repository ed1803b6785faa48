//! `cortexkg evaluate`: a scorecard on a file of one's own.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use cortexkg::ablation::Ablation;
use cortexkg::columns::Column;
use cortexkg::{DurableEngine, EngineConfig, Fact};
use cortexkg_store::{MemoryStore, Sync};

use crate::allocation::{Counts, per_second};
use crate::commands::input_args::InputArgs;
use crate::commands::score;
use crate::config_file::ConfigArgs;
use crate::console::Console;
use crate::embedder;
use crate::evaluation::{
    Bands, ExhaustiveSample, Graph, Review, Scorecard, Seen, Stage, TruthFigures, Witness, in_orders,
    reliability_svg,
};
use crate::failure::{Failure, Outcome};
use crate::input::{Entry, FactInput, Refusal, Rejection};
use crate::layers::{ScalabilityArgs, environment};
use crate::outputs::{OutputFile, check_distinct};
use crate::palette::Palette;
use crate::progress::Progress;
use crate::rejects::Rejects;
use crate::report::Decisions;
use crate::scoring::{Grouping, ScoreError};

/// Options of `cortexkg evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// What to take for granted.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How the layers are set.
    #[command(flatten)]
    pub layers: ScalabilityArgs,
    /// CSV with the columns record_id,cluster_id: the truth. The engine never sees it.
    #[arg(long, value_name = "CLUSTERS")]
    pub truth: Option<PathBuf>,
    /// Draw the reliability diagram, probabilities beside what came of them, as an SVG. Needs --truth.
    #[arg(long, value_name = "FILE", requires = "truth")]
    pub calibration: Option<PathBuf>,
    /// Compare N records, drawn at random, with every node of their moment; 0 compares none [default: 200, with --truth 0].
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// List the N least certain decisions; 0 lists none [default: 20, with --truth 0].
    #[arg(long, value_name = "N")]
    pub review: Option<usize>,
    /// Decide the same facts again in N other orders, drawn at random, and say how far the outcomes agree; 0 for none, at most 1000.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = orders)]
    pub orders: usize,
    /// Folder of a model that makes the vectors of facts that bring none, as for allocate.
    #[arg(long, value_name = "PATH")]
    pub embedder: Option<PathBuf>,
    /// Leave a part of the engine out, to see what it is worth.
    #[arg(long, value_enum, value_name = "PART")]
    pub leave_out: Option<Part>,
    /// Print the scorecard as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// No progress bar; rejections are still shown.
    #[arg(long, short)]
    pub quiet: bool,
}

/// A part of the engine that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Similarity of embeddings.
    SemanticColumn,
    /// Fields and neighbours.
    StructuralColumn,
    /// Dates and recency.
    TemporalColumn,
    /// Conflicts in fields that the members of a node agree on.
    ExceptionColumn,
    /// Spikes; candidates come by MinHash.
    SpikesForMinhash,
    /// Spikes; candidates come by trigrams.
    SpikesForTrigrams,
    /// Competition of candidates with each other.
    Inhibition,
}

impl From<Part> for Ablation {
    fn from(part: Part) -> Self {
        match part {
            Part::SemanticColumn => Self::Column(Column::Semantic),
            Part::StructuralColumn => Self::Column(Column::Structural),
            Part::TemporalColumn => Self::Column(Column::Temporal),
            Part::ExceptionColumn => Self::Column(Column::Exception),
            Part::SpikesForMinhash => Self::SpikesForMinHash,
            Part::SpikesForTrigrams => Self::SpikesForTrigrams,
            Part::Inhibition => Self::Inhibition,
        }
    }
}

const AFTER_HELP: &str = "\
Decides INPUT record by record, as allocate does, then looks again at what was decided, as consolidate does, and keeps
nothing. Records that CLUSTERS does not name are
unlabelled, as for score; records that it names and that are not in INPUT are left out, and counted.

With --truth:
  pairwise, B-cubed    as for score; the 95 % interval is that of 1,000 draws of true clusters
  adjusted Rand index  agreement of nodes and clusters, corrected for chance: 1 is perfect, 0 is chance
  blocking recall      of the decisions on a record of whose cluster some node held an earlier one, those where such a
                       node was among the candidates
  false merges         of the links (decisions existing), those to a node that held no record of the true cluster, with
                       a Clopper-Pearson upper bound
  calibration error    how far the probability that the leading candidate is the true node is from how often it is, in
                       15 bins of equal mass; the true node is one most of whose labelled records are of the cluster
With --orders:
  agreement            adjusted Rand index of the nodes of every two orders: 1 where the order does not matter
  wrong pairs          pairs of records put together that should not be, or the other way round
Without --truth:
  best node, best link how often the best of all nodes, by the engine's own evidence, had been recalled
  least certain        the decisions whose leading candidate is nearest to even odds, with what speaks for and against

Examples:
  cortexkg evaluate people.csv --truth clusters.csv --calibration calibration.svg
  cortexkg evaluate people.csv --review 50
  cortexkg evaluate people.csv --truth clusters.csv --orders 20

Exit codes:
  0  scored
  1  the run failed on the way
  2  wrong usage, or an input or truth that cannot be used
  3  scored, but some records were rejected: each is counted, the first 10 are shown";

/// Records that are compared with every node, and decisions that are listed, where there is no truth.
const SAMPLE_RECORDS: usize = 200;
const REVIEW_DECISIONS: usize = 20;

/// Every order keeps its nodes until all are compared, each with each.
const ORDERS_MAX: usize = 1000;

fn orders(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(orders @ 0..=ORDERS_MAX) => Ok(orders),
        _ => Err(format!("a number from 0 to {ORDERS_MAX}")),
    }
}

/// Reads, decides, measures and prints.
///
/// # Errors
/// See the exit codes in the help text.
pub fn run(args: &Args, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut inputs = vec![("INPUT", args.input.path.as_path())];
    inputs.extend(args.config.config.as_deref().map(|path| ("--config", path)));
    inputs.extend(args.truth.as_deref().map(|path| ("--truth", path)));
    check_distinct(
        &inputs,
        &[("--calibration", args.calibration.as_deref()), ("--rejects", args.input.rejects.as_deref())],
    )?;
    let truth = args.truth.as_deref().map(|path| score::read(path, "cluster_id")).transpose()?;
    if truth.as_ref().is_some_and(|truth| truth.records().len() == 0) {
        return Err(unusable(&ScoreError::NoTruth));
    }
    let diagram = args.calibration.as_deref().map(OutputFile::create).transpose()?;
    let (card, notes) = measure(args, truth.as_ref(), console)?;
    if let (Some(file), Some(truth)) = (diagram, &card.truth) {
        draw(file, &card.source, truth)?;
    }
    notes.iter().for_each(|note| console.tell(note));
    if args.json {
        console.print_json(&card)?;
    } else {
        console.print(&card.to_table(console.out_palette))?;
    }
    Ok(if card.rejected > 0 { Outcome::WithRejections } else { Outcome::Complete })
}

/// Runs the whole input; the scorecard, and what is to be said of rejections and of the config.
fn measure(
    args: &Args,
    truth: Option<&Grouping>,
    console: &mut Console<'_>,
) -> Result<(Scorecard, Vec<String>), Failure> {
    let config = args.config.read()?;
    let layers = args.layers.resolve(Some(&config), environment())?;
    let Console { input: stdin, err, draws_progress, err_palette, .. } = console;
    let mut input = args.input.open(stdin)?;
    if let Some(columns) = input.columns() {
        config.check_columns(columns)?;
    }
    let ablation = args.leave_out.map(Ablation::from);
    let of_engine = config.over(EngineConfig {
        ablation,
        layers: layers.config.layers(),
        ..embedder::configuration(args.embedder.as_deref())?
    });
    let by_default = |count| if truth.is_some() { 0 } else { count };
    let mut run = Run {
        graph: DurableEngine::open(MemoryStore::default(), of_engine.clone())?,
        witness: truth.map(Witness::new),
        sample: ExhaustiveSample::new(args.sample.unwrap_or_else(|| by_default(SAMPLE_RECORDS))),
        review: Review::new(args.review.unwrap_or_else(|| by_default(REVIEW_DECISIONS))),
        kept: (args.orders > 0).then(Vec::new),
        counts: Counts::default(),
        in_engine: Duration::ZERO,
        rejects: Rejects::new(args.input.rejects.as_deref().map(OutputFile::create).transpose()?),
        progress: Progress::new(*draws_progress && !args.quiet, input.bytes_total()),
        err: &mut **err,
        err_palette: *err_palette,
    };
    let streamed = run.stream(&mut input, args.input.limit);
    run.progress.finish();
    streamed?;
    let Run { mut graph, witness, sample, review, kept, counts, in_engine, rejects, err, .. } = run;
    let nodes = graph.engine().node_count();
    let mut stages = vec![Stage::of("online", &graph)?];
    let before = Instant::now();
    let consolidation = graph.consolidate()?;
    let consolidation_s = before.elapsed().as_secs_f64();
    stages.push(Stage::of("consolidated", &graph)?);
    // Before the orders: a truth of other records is told at once.
    let of_truth = match (truth, witness) {
        (Some(truth), Some(witness)) => Some(against(truth, &stages, witness)?),
        _ => None,
    };
    let orders = match &kept {
        Some(facts) => {
            let progress = |order| {
                if *draws_progress && !args.quiet {
                    let _ = writeln!(err, "order {} of {}", order + 1, args.orders);
                }
            };
            Some(in_orders(facts, args.orders, &of_engine, truth, progress)?)
        }
        None => None,
    };
    let sampled = sample.figures();
    let card = Scorecard {
        source: input.source().to_owned(),
        format: input.format(),
        records: counts.records,
        rejected: rejects.count(),
        mentions: counts.mentions,
        nodes,
        consolidation,
        consolidation_s,
        decisions: Bands::of(Decisions::from(counts)),
        decisions_per_s: per_second(counts.mentions, in_engine),
        settings: layers.given().collect(),
        truth: of_truth,
        exhaustive: (sampled.records > 0).then_some(sampled),
        orders,
        review: review.into_doubts(),
    };
    let mut notes = config.notes(&graph.engine().model());
    notes.extend(rejects.finish()?);
    Ok((card, notes))
}

fn unusable(error: &ScoreError) -> Failure {
    Failure::Usage(error.to_string())
}

/// What the truth says of the stages and of the decisions.
fn against(truth: &Grouping, stages: &[Stage], witness: Witness<'_>) -> Result<TruthFigures, Failure> {
    let decided = stages.first().map(|stage| &stage.nodes);
    let labelled = decided.map_or_else(Grouping::default, |nodes| truth.within(nodes));
    if labelled.records().len() == 0 {
        let first =
            |of: Option<&Grouping>| of.and_then(|of| of.records().next()).unwrap_or("nothing").to_owned();
        return Err(unusable(&ScoreError::NoOverlap {
            labelled: truth.records().len(),
            labels: first(Some(truth)),
            decided: first(decided),
        }));
    }
    let scored: Result<Vec<_>, _> = stages.iter().map(|stage| stage.score(&labelled)).collect();
    Ok(TruthFigures {
        labelled: labelled.records().len(),
        labelled_missing: truth.records().len() - labelled.records().len(),
        true_clusters: labelled.group_count(),
        stages: scored.map_err(|error| unusable(&error))?,
        decisions: witness.figures(),
    })
}

fn draw(mut file: OutputFile, source: &str, truth: &TruthFigures) -> Result<(), Failure> {
    let picture = reliability_svg(source, &truth.decisions.calibration, &truth.decisions.calibration_unsure);
    file.write_all(picture.as_bytes()).map_err(|error| Failure::of_write(file.name(), &error))?;
    file.finish()
}

/// Everything that looks on while the stream goes by.
struct Run<'a> {
    graph: Graph,
    witness: Option<Witness<'a>>,
    sample: ExhaustiveSample,
    review: Review,
    /// The facts, if they are to come again.
    kept: Option<Vec<Fact>>,
    counts: Counts,
    in_engine: Duration,
    rejects: Rejects,
    progress: Progress,
    err: &'a mut (dyn Write + 'a),
    err_palette: Palette,
}

impl Run<'_> {
    fn stream(&mut self, input: &mut FactInput<'_>, limit: Option<u64>) -> Result<(), Failure> {
        let started = Instant::now();
        let mut read = 0u64;
        while limit.is_none_or(|limit| read < limit) {
            match input.next() {
                None => break,
                Some(Ok(entry)) => self.decide(entry)?,
                Some(Err(Refusal::Rejected(rejection))) => self.reject(&rejection)?,
                Some(Err(Refusal::Broken(error))) => return Err(error.into()),
            }
            read += 1;
            if read.is_multiple_of(256) {
                let nodes = self.graph.engine().node_count();
                self.progress.update(input.bytes_read(), read, nodes, started.elapsed());
            }
        }
        Ok(())
    }

    fn decide(&mut self, Entry { line, fact }: Entry) -> Result<(), Failure> {
        if let Some(kept) = &mut self.kept {
            kept.push(fact.clone());
        }
        let best = self.sample.look(&mut self.graph, &fact)?;
        let (source, record_id) = (fact.source.clone(), fact.record_id.clone().unwrap_or_default());
        let mut seen = Vec::with_capacity(2);
        let before = Instant::now();
        let outcome = self.graph.allocate_observed(fact, Sync::Lazy, |candidates, ballot| {
            seen.push(Seen::of(candidates, ballot));
        })?;
        self.in_engine += before.elapsed();
        let result = match outcome {
            Ok(result) => result,
            Err(error) => return self.reject(&Rejection::refused(line, &record_id, &error)),
        };
        self.counts.count(&result);
        if let (Some(best), Some(seen)) = (&best, seen.first()) {
            self.sample.note(best, seen);
        }
        for (mention, seen) in result.mentions().zip(&seen) {
            if let Some(witness) = &mut self.witness {
                witness.note(&mention.record_id, seen, mention.allocated_node);
            }
            self.review.note(&self.graph, source.as_deref(), &mention.record_id, seen)?;
        }
        Ok(())
    }

    fn reject(&mut self, rejection: &Rejection) -> Result<(), Failure> {
        self.rejects.tell(rejection, &self.progress, self.err, self.err_palette)
    }
}
