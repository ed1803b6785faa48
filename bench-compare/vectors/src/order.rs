//! What the measuring process and those that hold an index say to each other: one line of JSON each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::systems::{self, Effort};
use crate::truth;

/// The variable that names the interpreter which has a package; a script of its own holds it.
fn interpreter_in(package: &str) -> String {
    format!("COMPARE_PYTHON_{}", package.to_uppercase())
}

/// Whether there is something to run a system with.
pub fn can_run(name: &str) -> bool {
    systems::package(name).is_none_or(|(package, _)| std::env::var_os(interpreter_in(package)).is_some())
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Order {
    /// Add these rows.
    Add {
        first: usize,
        count: usize,
    },
    /// Search for the nearest of each of these rows and add it.
    Allocate {
        first: usize,
        count: usize,
    },
    SetEffort(Effort),
    /// Search with all queries.
    Search,
    /// What an allocation finds, for all queries.
    Find,
    /// Nothing: say what you hold.
    Report,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Reply {
    /// For all of the order.
    pub seconds: f64,
    /// For each query.
    pub micros: Vec<f32>,
    pub found: Vec<Vec<u64>>,
    /// Full vectors read from the file.
    pub reads: u64,
    /// Memory since the process was ready.
    pub resident_bytes: u64,
    pub reported_bytes: Option<usize>,
    pub hardware: String,
    /// Since the process began: of all threads, and of the main one.
    pub cpu_ns: u64,
    pub run_ns: u64,
    pub wait_ns: u64,
}

/// A process that holds one index and nothing else.
pub struct Holder {
    pub name: String,
    child: Child,
    orders: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Holder {
    pub fn start(name: &str, data: &Data, threads: usize) -> Result<Self> {
        let package = systems::package(name);
        // The others have these where they are compiled.
        let settings =
            [systems::CONNECTIONS, systems::EF_CONSTRUCTION, truth::K].map(|number| number.to_string());
        let mut command = if let Some((package, kind)) = package {
            let variable = interpreter_in(package);
            let python = std::env::var_os(&variable).with_context(|| {
                format!("{name}: {variable} names no Python that has it; run it by `run`")
            })?;
            let mut command = Command::new(python);
            let setup = concat!(env!("CARGO_MANIFEST_DIR"), "/setup");
            command.arg(format!("{setup}/{package}_hold.py")).arg(kind);
            command
        } else {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["hold", name]);
            command
        };
        let mut child = command
            .arg(data.rows.path())
            .args([data.rows.dimension(), data.count, threads].map(|number| number.to_string()))
            .args(if package.is_some() { &settings[..] } else { &[] })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name}: no process"))?;
        let (orders, replies) = (child.stdin.take(), child.stdout.take());
        let (orders, replies) = orders.zip(replies).context("both were asked for")?;
        Ok(Self { name: name.to_owned(), child, orders, replies: BufReader::new(replies) })
    }

    /// Has it carry out an order, while it waits.
    pub fn ask(&mut self, order: Order) -> Result<Reply> {
        let mut line = serde_json::to_string(&order)?;
        line.push('\n');
        self.orders.write_all(line.as_bytes()).with_context(|| self.name.clone())?;
        line.clear();
        ensure!(self.replies.read_line(&mut line)? > 0, "{}: ended at {order:?}", self.name);
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It ends when it has read the last order; if it does not, nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
