//! What the system says of this machine and of this process.

use std::fs;

use serde::Serialize;

/// Bytes of anonymous memory that the process has in RAM: what it holds, without the files of program and data. 0 where the
/// system does not tell.
pub fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Nanoseconds that the main thread has run, and waited for a core.
pub fn run_and_wait_ns() -> (u64, u64) {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

/// Nanoseconds that all threads of the process have run, those that have ended included.
pub fn cpu_ns() -> u64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks; user and system time are fields 14 and 15, in units that Linux fixes at 1/100 s.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.flat_map(str::parse::<u64>).sum::<u64>() * 10_000_000
}

pub fn cpu_name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

/// Ticks of all cores since the start of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Ticks {
    busy: u64,
    all: u64,
}

impl Ticks {
    pub fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let numbers: Vec<u64> =
            text.lines().next().unwrap_or_default().split_whitespace().skip(1).flat_map(str::parse).collect();
        // user nice system idle iowait irq softirq steal; guest time is in user time already.
        let all = numbers.iter().take(8).sum();
        let idle: u64 = numbers.iter().skip(3).take(2).sum();
        Self { busy: all - idle, all }
    }
}

/// How the machine was used during a run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Use {
    /// Share of all cores that anybody used.
    pub busy: f64,
    /// Share of all cores that others used.
    pub others: f64,
    /// Share of their time that the systems waited for a core, their main threads.
    pub waited: f64,
    /// Processes that wanted to run, on average over the last minute of it.
    pub load: f64,
}

impl Use {
    /// Since then, while the systems used this much of all cores, and their main threads ran and waited for so long.
    pub fn since(start: Ticks, cpu_ns: u64, run_ns: u64, wait_ns: u64, seconds: f64) -> Self {
        let now = Ticks::now();
        let all = (now.all - start.all).max(1) as f64;
        let busy = (now.busy - start.busy) as f64 / all;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = fs::read_to_string("/proc/stat")
            .map(|text| text.lines().filter(|line| line.starts_with("cpu")).count().saturating_sub(1))
            .unwrap_or(cores)
            .max(1);
        let ours = cpu_ns as f64 / 1e9 / seconds / cores as f64;
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default();
        let waited = wait_ns as f64 / (run_ns + wait_ns).max(1) as f64;
        Self { busy, others: (busy - ours).max(0.0), waited, load }
    }
}
