//! Watching over a run: what is counted of it, the file that tells, and who is alerted.

pub mod exposition;
mod reading;
mod view;
mod webhook;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cortexkg::{AllocationResult, FactError};
use cortexkg_scalable::{
    Alert, AlertRules, Backing, MetricsCollector, RunTimes, ScalabilityMonitor, ScalableAllocationEngine,
};

use crate::clock;
use crate::failure::Failure;
use crate::outputs::OutputFile;
use crate::process::memory_resident_bytes;
pub(crate) use reading::{Reading, RunState};
pub(crate) use view::draw;
use webhook::{Patience, Webhook};

/// Name of the file in the directory of a graph.
pub(crate) const METRICS_FILE: &str = "metrics.prom";
/// Time between two updates of the file, and between two looks at the alerts.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most bytes of a file of rules.
const RULES_BYTES_MAX: u64 = 1 << 20;

/// Options of commands that are watched over.
#[derive(Debug, clap::Args)]
pub struct MonitoringArgs {
    /// Write what is measured to this file about every second and at the end, as OpenMetrics text [default with --data:
    /// metrics.prom in its directory].
    ///
    /// Each time the file is replaced whole. `cortexkg top` shows it while the run goes on; node_exporter takes it where its
    /// textfile collector looks.
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// TOML file of rules when to alert [default with --metrics, --data or --alert-webhook: p99 of a decision above 100 ms, or memory
    /// above 50 GB, each for 30 s].
    ///
    /// Alerts are told on standard error when they begin and when they are over. The rules of the file replace the usual ones:
    /// tables `rules`, each with name, metric, above or below, level (warning or critical), for_s, clear_share, repeat_interval_s, summary.
    #[arg(long, value_name = "FILE")]
    pub alerts: Option<PathBuf>,
    /// Send alerts to an Alertmanager, like http://localhost:9093, as well.
    ///
    /// They are sent from a thread of its own; nothing waits for the network, but for up to 5 s at the end of the run.
    #[arg(long, value_name = "URL")]
    pub alert_webhook: Option<String>,
}

impl MonitoringArgs {
    /// What is to watch over a run, if that is asked for. `data` is the directory of its graph, which need not be there yet.
    ///
    /// # Errors
    /// Where the rules cannot be read, the webhook has no address, or a file that is named cannot be written.
    pub(crate) fn prepare(&self, data: Option<&Path>) -> Result<Option<Monitoring>, Failure> {
        if self.metrics.is_none() && self.alerts.is_none() && self.alert_webhook.is_none() && data.is_none() {
            return Ok(None);
        }
        if let Some(path) = &self.metrics {
            check_replaceable(path)?;
        }
        let rules = self.alerts.as_deref().map_or_else(|| Ok(AlertRules::default()), read_rules)?;
        let mut monitor =
            ScalabilityMonitor::new(rules).map_err(|error| Failure::Usage(error.to_string()))?;
        let webhook = match &self.alert_webhook {
            Some(url) => {
                let graph = data.map_or_else(|| "memory".to_owned(), |data| data.display().to_string());
                let (webhook, sink) = Webhook::start(url, &graph, clock::now_s(), Patience::default())?;
                monitor.alert_manager.add_sink(sink);
                Some(webhook)
            }
            None => None,
        };
        let mut monitoring = Monitoring {
            monitor,
            file: self.metrics.clone(),
            started: Instant::now(),
            started_s: clock::now_precise_s(),
            looked: Instant::now(),
            told: Vec::new(),
            webhook,
            write_error: None,
            is_ended: false,
        };
        // What comes is told by its difference to this.
        monitoring.monitor.monitor_performance(Duration::ZERO);
        monitoring.write();
        monitoring.write_error.take().map_or(Ok(Some(monitoring)), Err)
    }
}

/// Refuses what cannot be replaced again and again: a pipe, to which writing waits until somebody reads, and standard output.
fn check_replaceable(path: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    let is_pipe = std::fs::metadata(path)
        .is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()));
    #[cfg(not(unix))]
    let is_pipe = false;
    if is_pipe || path.as_os_str() == "-" {
        let name = path.display();
        return Err(Failure::Usage(format!(
            "--metrics {name}: the file is replaced about every second, which a pipe cannot be; name an ordinary file"
        )));
    }
    Ok(())
}

/// Reads rules from a file.
fn read_rules(path: &Path) -> Result<AlertRules, Failure> {
    let name = path.display();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(RULES_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| Failure::Usage(format!("cannot read {name}: {error}; check the path")))?;
    if text.len() as u64 > RULES_BYTES_MAX {
        let what =
            format!("cannot read {name}: it has more than {RULES_BYTES_MAX} bytes; is it a file of rules?");
        return Err(Failure::Usage(what));
    }
    let rules: AlertRules = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text.bytes().take(span.start).filter(|&byte| byte == b'\n').count());
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::Usage(format!("{name}, line {}: {message}", line + 1))
    })?;
    rules.check().map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    Ok(rules)
}

/// Watches over one run.
pub(crate) struct Monitoring {
    monitor: ScalabilityMonitor,
    file: Option<PathBuf>,
    started: Instant,
    started_s: f64,
    looked: Instant,
    /// Alerts that nobody has been told of on standard error.
    told: Vec<Alert>,
    webhook: Option<Webhook>,
    /// Why the file could not be written, the last time.
    write_error: Option<Failure>,
    is_ended: bool,
}

impl Monitoring {
    /// Begins to write to the file in a graph's directory, if no other was named. To be called once that graph is ours: before, the
    /// file may be that of another run.
    pub(crate) fn write_in(&mut self, directory: &Path) {
        if self.file.is_none() {
            self.file = Some(directory.join(METRICS_FILE));
            self.write();
        }
    }

    /// Counts what became of some facts that took so long together.
    pub(crate) fn record(&self, results: &[Result<AllocationResult, FactError>], took: Duration) {
        let decided = results.iter().flatten();
        let mentions: usize =
            decided.clone().filter(|result| !result.repeated).map(|result| result.mentions().count()).sum();
        let each =
            u32::try_from(mentions).ok().filter(|&mentions| mentions > 0).map(|mentions| took / mentions);
        for result in decided {
            self.monitor.metrics_collector.record_allocation(result, each);
        }
    }

    /// Where the engine is to count.
    pub(crate) fn collector(&self) -> MetricsCollector {
        self.monitor.metrics_collector.clone()
    }

    /// Counts a record that was refused.
    pub(crate) fn record_refused(&self) {
        self.monitor.metrics_collector.record_refused();
    }

    /// Looks at how things stand, if it is time to.
    pub(crate) fn look<E: Backing>(&mut self, now: Instant, engine: &ScalableAllocationEngine<E>) {
        if now.saturating_duration_since(self.looked) >= INTERVAL {
            self.looked = now;
            self.measure(engine);
            self.monitor.monitor_performance(now.saturating_duration_since(self.started));
            self.note_alerts();
            self.write();
        }
    }

    /// Looks for the last time.
    pub(crate) fn end<E: Backing>(&mut self, engine: &ScalableAllocationEngine<E>) {
        self.measure(engine);
        self.close();
    }

    /// Alerts since the last call.
    pub(crate) fn take_told(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.told)
    }

    /// Waits a moment for alerts that are on their way; what is to be said.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.close();
        let error = self.write_error.take();
        let unwritten = error.map(|error| format!("note: the metrics are not up to date: {error}"));
        let webhook = self.webhook.take();
        // The queue ends with the sink, and the sink with the monitor.
        self.monitor = ScalabilityMonitor::default();
        unwritten.into_iter().chain(webhook.and_then(Webhook::finish)).collect()
    }

    fn measure<E: Backing>(&self, engine: &ScalableAllocationEngine<E>) {
        let collector = &self.monitor.metrics_collector;
        collector.observe(engine);
        if let Some(bytes) = memory_resident_bytes() {
            collector.set_resident_bytes(bytes);
        }
    }

    /// Says that the run is over, once.
    fn close(&mut self) {
        if !std::mem::replace(&mut self.is_ended, true) {
            self.monitor.end(self.started.elapsed());
            self.note_alerts();
            self.write();
        }
    }

    fn note_alerts(&mut self) {
        self.told.extend_from_slice(self.monitor.told());
    }

    /// Writes the file. That it cannot be written stops no run.
    fn write(&mut self) {
        let Some(path) = &self.file else { return };
        let run = RunTimes {
            started_s: self.started_s,
            updated_s: clock::now_precise_s(),
            is_ended: self.is_ended,
        };
        self.monitor.metrics_collector.set_run(run);
        let text = self.monitor.metrics_collector.encode();
        let written = OutputFile::create(path).and_then(|mut file| {
            let name = file.name().to_owned();
            file.write_all(text.as_bytes()).map_err(|error| Failure::of_write(&name, &error))?;
            file.finish_unsynced()
        });
        self.write_error = written.err();
    }
}

impl Drop for Monitoring {
    /// A run that failed is over as well.
    fn drop(&mut self) {
        self.close();
    }
}
