//! The process that holds one index and carries out orders, timing itself.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::machine;
use crate::order::{Order, Reply};
use crate::rows::Rows;
use crate::systems::{self, System};

struct Hold {
    system: Box<dyn System>,
    rows: Rows,
    queries: Vec<f32>,
    threads: usize,
    /// Memory of reading, and what was read.
    bytes: Vec<u8>,
    vectors: Vec<f32>,
    resident_before: u64,
}

/// Room for the rows of one order.
const ROWS_MAX: usize = 4096;

/// Serves until standard input ends.
pub fn serve(name: &str, path: &Path, dimension: usize, count: usize, threads: usize) -> Result<()> {
    let rows = Rows::open(path, dimension, 0)?;
    let queries = rows.read(count, rows.count() - count)?;
    let (mut bytes, mut vectors) = (Vec::new(), Vec::new());
    // Touched before memory is measured.
    rows.read_into(0, ROWS_MAX.min(count), &mut bytes, &mut vectors)?;
    let resident_before = machine::resident_bytes();
    let system = systems::create(name, dimension, count, path, threads)?;
    let mut hold = Hold { system, rows, queries, threads, bytes, vectors, resident_before };
    for line in std::io::stdin().lock().lines() {
        let reply = hold.carry_out(serde_json::from_str(&line?)?)?;
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &reply)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

impl Hold {
    fn carry_out(&mut self, order: Order) -> Result<Reply> {
        let mut reply = Reply::default();
        let reads = self.system.reads();
        match order {
            Order::Add { first, count } => {
                self.read(first, count)?;
                let start = Instant::now();
                self.add(first)?;
                reply.seconds = start.elapsed().as_secs_f64();
            }
            Order::Allocate { first, count } => {
                self.read(first, count)?;
                let start = Instant::now();
                self.allocate(first)?;
                reply.seconds = start.elapsed().as_secs_f64();
            }
            Order::SetEffort(effort) => self.system.set_effort(effort)?,
            Order::Search => self.ask_all(&mut reply, |system, query, found| system.search(query, found))?,
            Order::Find => self.ask_all(&mut reply, |system, query, found| system.find(query, found))?,
            Order::Report => {
                reply.resident_bytes = machine::resident_bytes().saturating_sub(self.resident_before);
                reply.reported_bytes = self.system.reported_bytes();
                reply.hardware = self.system.hardware();
            }
        }
        reply.reads = self.system.reads() - reads;
        reply.cpu_ns = machine::cpu_ns();
        (reply.run_ns, reply.wait_ns) = machine::run_and_wait_ns();
        Ok(reply)
    }

    fn read(&mut self, first: usize, count: usize) -> Result<()> {
        self.rows.read_into(first, count, &mut self.bytes, &mut self.vectors)
    }

    fn add(&mut self, first: usize) -> Result<()> {
        let dimension = self.rows.dimension();
        if self.threads > 1
            && let Some(system) = self.system.concurrent()
        {
            return self.on_threads(first, |id, vector| system.add(id, vector));
        }
        if self.threads > 1
            && let Some(added) = self.system.add_batches(first as u64, &self.vectors, self.threads)
        {
            return added;
        }
        for (vector, id) in self.vectors.chunks_exact(dimension).zip(first as u64..) {
            self.system.add(id, vector)?;
        }
        Ok(())
    }

    fn allocate(&mut self, first: usize) -> Result<()> {
        let dimension = self.rows.dimension();
        if self.threads > 1
            && let Some(concurrent) = self.system.concurrent()
        {
            return self.on_threads(first, |id, vector| {
                self.system.search(vector, &mut Vec::new())?;
                concurrent.add(id, vector)
            });
        }
        if self.threads > 1
            && let Some(allocated) = self.system.allocate_batches(first as u64, &self.vectors, self.threads)
        {
            return allocated;
        }
        let mut found = Vec::new();
        for (vector, id) in self.vectors.chunks_exact(dimension).zip(first as u64..) {
            found.clear();
            self.system.allocate(id, vector, &mut found)?;
        }
        Ok(())
    }

    /// Does something with every vector that was read, each thread with its share of them.
    fn on_threads(&self, first: usize, each: impl Fn(u64, &[f32]) -> Result<()> + Sync) -> Result<()> {
        let dimension = self.rows.dimension();
        let share = (self.vectors.len() / dimension).div_ceil(self.threads);
        let work = |(part, vectors): (usize, &[f32])| {
            let ids = (first + part * share) as u64..;
            vectors.chunks_exact(dimension).zip(ids).try_for_each(|(vector, id)| each(id, vector))
        };
        let work = &work;
        std::thread::scope(|scope| {
            let shares = self.vectors.chunks(share * dimension).enumerate();
            let threads: Vec<_> = shares.map(|part| scope.spawn(move || work(part))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
        })
    }

    /// Asks with every query, each thread with its share of them.
    fn ask_all(
        &self,
        reply: &mut Reply,
        ask: impl Fn(&dyn System, &[f32], &mut Vec<u64>) -> Result<()> + Sync,
    ) -> Result<()> {
        let (system, dimension) = (&*self.system, self.rows.dimension());
        let share = (self.queries.len() / dimension).div_ceil(self.threads);
        let work = |queries: &[f32]| -> Result<Vec<(f32, Vec<u64>)>> {
            let one = |query| {
                let mut found = Vec::with_capacity(crate::truth::K);
                let start = Instant::now();
                ask(system, query, &mut found)?;
                Ok((start.elapsed().as_secs_f32() * 1e6, found))
            };
            queries.chunks_exact(dimension).map(one).collect()
        };
        let start = Instant::now();
        let answers: Vec<_> = if self.threads == 1 {
            vec![work(&self.queries)]
        } else {
            std::thread::scope(|scope| {
                let work = &work;
                let shares = self.queries.chunks(share * dimension);
                let threads: Vec<_> = shares.map(|queries| scope.spawn(move || work(queries))).collect();
                threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
            })
        };
        reply.seconds = start.elapsed().as_secs_f64();
        for share in answers {
            for (micros, found) in share? {
                reply.micros.push(micros);
                reply.found.push(found);
            }
        }
        Ok(())
    }
}
