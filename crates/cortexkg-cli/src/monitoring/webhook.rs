//! Alerts to an Alertmanager, or whatever else takes `POST /api/v2/alerts`: from a thread of its own, so that nobody waits for the network.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cortexkg_scalable::{Alert, AlertSink};
use serde::Serialize;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::clock;
use crate::failure::Failure;

/// Alerts that wait to be sent; what comes beyond that is lost, and counted.
const QUEUE_MAX: usize = 64;
/// Where an Alertmanager takes alerts.
const PATH: &str = "/api/v2/alerts";

/// How patient the thread is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Time of one attempt, from the name to the last byte of the answer.
    pub(crate) attempt: Duration,
    /// Pauses between attempts; one attempt more than there are pauses.
    pub(crate) pauses: [Duration; 3],
    /// How often an alert that goes on is sent again. An Alertmanager takes an alert that is not for over.
    pub(crate) refresh: Duration,
    /// Time that is left for what is not yet sent when the run ends.
    pub(crate) end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            attempt: ms(5_000),
            pauses: [ms(500), ms(1_000), ms(2_000)],
            refresh: ms(60_000),
            end: ms(5_000),
        }
    }
}

/// One alert as Alertmanager's API has it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
}

/// What the thread and the run both know.
#[derive(Debug, Default)]
struct Shared {
    is_ending: AtomicBool,
    delivered: AtomicU64,
    lost: AtomicU64,
    last_error: Mutex<Option<String>>,
}

/// Puts alerts into the queue.
pub(crate) struct WebhookSink {
    queue: SyncSender<Alert>,
    shared: Arc<Shared>,
}

impl AlertSink for WebhookSink {
    fn send(&mut self, alert: &Alert) -> io::Result<()> {
        self.queue.try_send(alert.clone()).map_err(|error| {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            io::Error::other(error.to_string())
        })
    }
}

/// The thread that sends.
pub(crate) struct Webhook {
    thread: JoinHandle<()>,
    is_done: Receiver<()>,
    shared: Arc<Shared>,
    patience: Patience,
    url: String,
}

impl Webhook {
    /// Starts the thread. `graph` tells the alerts of this run from those of others; `started_s` is when its time began, in seconds
    /// since 1970.
    ///
    /// # Errors
    /// Where the address is none, or the thread cannot be started.
    pub(crate) fn start(
        url: &str,
        graph: &str,
        started_s: i64,
        patience: Patience,
    ) -> Result<(Self, WebhookSink), Failure> {
        let address = address(url)?;
        let (queue, alerts) = mpsc::sync_channel(QUEUE_MAX);
        let (done, is_done) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let sender = Sender {
            agent: agent(patience.attempt),
            address,
            graph: graph.to_owned(),
            started_s,
            patience,
            shared: shared.clone(),
            firing: BTreeMap::new(),
        };
        let thread = thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || {
                sender.run(&alerts);
                let _ = done.send(());
            })
            .map_err(|error| Failure::Run(format!("cannot start the thread that sends alerts: {error}")))?;
        let sink = WebhookSink { queue, shared: shared.clone() };
        Ok((Self { thread, is_done, shared, patience, url: without_secrets(url) }, sink))
    }

    /// Waits a few seconds at most for what is not yet sent, once the sink is gone; what is to be said of alerts that did not arrive.
    pub(crate) fn finish(self) -> Option<String> {
        self.shared.is_ending.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        let in_time = !matches!(self.is_done.recv_timeout(self.patience.end), Err(RecvTimeoutError::Timeout));
        let lost = self.shared.lost.load(Ordering::Relaxed);
        let error = self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).take();
        match error {
            Some(error) if lost > 0 => {
                Some(format!("note: {lost} alerts did not reach {}: {error}", self.url))
            }
            _ if lost > 0 => {
                Some(format!("note: {lost} alerts did not reach {}: too many at once", self.url))
            }
            _ if !in_time => Some(format!("note: {} did not take all alerts in time", self.url)),
            _ => None,
        }
    }
}

fn agent(attempt: Duration) -> Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .timeout_global(Some(attempt))
        .user_agent(concat!("cortexkg/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls);
    config.build().into()
}

/// Where to send to: the path of the API is added if it is not there.
fn address(url: &str) -> Result<String, Failure> {
    let wrong = |what: &str| {
        Failure::Usage(format!(
            "--alert-webhook {}: {what}; give the address of an Alertmanager, like http://localhost:9093",
            without_secrets(url)
        ))
    };
    let uri: ureq::http::Uri = url.parse().map_err(|_| wrong("this is no address"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(wrong("it must begin with http:// or https:// and a host"));
    }
    if uri.query().is_some() {
        return Err(wrong("there must be no ? in it"));
    }
    let url = url.trim_end_matches('/');
    Ok(if url.ends_with(PATH) { url.to_owned() } else { format!("{url}{PATH}") })
}

/// An address without user and password.
fn without_secrets(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host_from = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(host_from);
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// The work of the thread.
struct Sender {
    agent: Agent,
    address: String,
    graph: String,
    started_s: i64,
    patience: Patience,
    shared: Arc<Shared>,
    /// What goes on, by name.
    firing: BTreeMap<String, Alert>,
}

impl Sender {
    fn run(mut self, alerts: &Receiver<Alert>) {
        let mut refreshed = Instant::now();
        loop {
            let wait = self.patience.refresh.saturating_sub(refreshed.elapsed());
            let mut told = match alerts.recv_timeout(wait) {
                Ok(alert) => vec![alert],
                Err(RecvTimeoutError::Timeout) => {
                    let firing: Vec<Posted> = self.firing.values().map(|alert| self.posted(alert)).collect();
                    // The next refresh makes up for one that fails.
                    let _ = firing.is_empty() || self.deliver(&firing).is_ok();
                    refreshed = Instant::now();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // No more at once than wait: else whoever is quick to send could fill the memory from here.
            told.extend(alerts.try_iter().take(QUEUE_MAX - 1));
            let posted: Vec<Posted> = told.iter().map(|alert| self.posted(alert)).collect();
            match self.deliver(&posted) {
                Ok(()) => self.shared.delivered.fetch_add(told.len() as u64, Ordering::Relaxed),
                Err(error) => {
                    *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    self.shared.lost.fetch_add(told.len() as u64, Ordering::Relaxed)
                }
            };
            for alert in told {
                if alert.event.is_firing() {
                    self.firing.insert(alert.name.clone(), alert);
                } else {
                    self.firing.remove(&alert.name);
                }
            }
        }
    }

    /// As the API has it. One that goes on is over by itself if it is not refreshed four times.
    fn posted(&self, alert: &Alert) -> Posted {
        let time = |since: Duration| self.started_s.saturating_add_unsigned(since.as_secs());
        let ends_s = if alert.event.is_firing() {
            clock::now_s().saturating_add_unsigned(4 * self.patience.refresh.as_secs().max(1))
        } else {
            time(alert.at)
        };
        let labels = [
            ("alertname", alert.name.clone()),
            ("severity", alert.level.to_string()),
            ("job", "cortexkg".to_owned()),
            ("graph", self.graph.clone()),
        ];
        Posted {
            labels: labels.into(),
            annotations: [("summary", alert.summary.clone()), ("description", alert.to_string())].into(),
            starts_at: clock::iso(time(alert.since)),
            ends_at: clock::iso(ends_s),
        }
    }

    /// Tries a few times; the last error if none went well.
    fn deliver(&self, posted: &[Posted]) -> Result<(), String> {
        let body = serde_json::to_string(posted).map_err(|error| error.to_string())?;
        let mut pauses = self.patience.pauses.iter();
        loop {
            let request = self.agent.post(&self.address).content_type("application/json");
            let error = match request.send(&body) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            // What was refused as it is will be refused again; there is no time for more where the run is over.
            let is_final = matches!(error, ureq::Error::StatusCode(status) if status < 500 && status != 429);
            match pauses.next() {
                Some(pause) if !is_final && !self.is_ending() => self.pause(*pause),
                _ => return Err(error.to_string()),
            }
        }
    }

    /// Waits, but not beyond the end of the run.
    fn pause(&self, pause: Duration) {
        let since = Instant::now();
        while let Some(left) = pause.checked_sub(since.elapsed()).filter(|_| !self.is_ending()) {
            thread::park_timeout(left);
        }
    }

    fn is_ending(&self) -> bool {
        self.shared.is_ending.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
