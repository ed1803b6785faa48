//! The least effort that reaches a recall.

use std::collections::HashMap;

use anyhow::Result;

use crate::order::{Holder, Order};
use crate::systems::{Effort, rescores};
use crate::truth::{K, Truth};

/// Most nodes that a search is allowed to hold on to.
const EF_MAX: usize = 1024;

/// Tries efforts on one index. The same effort finds the same, so each is tried once.
pub struct Tuner<'a> {
    holder: &'a mut Holder,
    truth: &'a Truth,
    /// Recall and seconds.
    tried: HashMap<Effort, (f64, f64)>,
}

impl<'a> Tuner<'a> {
    pub fn new(holder: &'a mut Holder, truth: &'a Truth) -> Self {
        Self { holder, truth, tried: HashMap::new() }
    }

    pub fn best_recall(&self) -> f64 {
        self.tried.values().map(|&(recall, _)| recall).fold(0.0, f64::max)
    }

    /// The effort with the smallest ef that reaches the target; where the best can be ranked again, the fastest of those with
    /// different numbers of them. Nothing if no effort reaches it.
    pub fn reach(&mut self, target: f64) -> Result<Option<Effort>> {
        if !rescores(&self.holder.name) {
            return self.least(target, None);
        }
        let (mut fastest, mut slower) = (None, 0);
        for rescored in steps(K, 1.4) {
            // Once ranking more of them costs more than it spares, still more do not help.
            if slower == 2 {
                break;
            }
            let Some(effort) = self.least(target, Some(rescored))? else { continue };
            let seconds = self.tried[&effort].1;
            if fastest.is_none_or(|(least, _)| seconds < least) {
                (fastest, slower) = (Some((seconds, effort)), 0);
            } else {
                slower += 1;
            }
        }
        Ok(fastest.map(|(_, effort)| effort))
    }

    fn least(&mut self, target: f64, rescored: Option<usize>) -> Result<Option<Effort>> {
        let efforts: Vec<Effort> =
            steps(rescored.unwrap_or(K), 1.06).map(|ef| Effort { ef, rescored }).collect();
        // Doubling first: large ones are slow.
        let (mut low, mut high) = (0, 0);
        while self.recall(efforts[high])? < target {
            if high == efforts.len() - 1 {
                return Ok(None);
            }
            low = high + 1;
            high = (2 * high + 4).min(efforts.len() - 1);
        }
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.recall(efforts[middle])? < target { low = middle + 1 } else { high = middle }
        }
        Ok(Some(efforts[high]))
    }

    fn recall(&mut self, effort: Effort) -> Result<f64> {
        if let Some(&(recall, _)) = self.tried.get(&effort) {
            return Ok(recall);
        }
        self.holder.ask(Order::SetEffort(effort))?;
        let reply = self.holder.ask(Order::Search)?;
        let recall = self.truth.recall(&reply.found);
        self.tried.insert(effort, (recall, reply.seconds));
        Ok(recall)
    }
}

/// Numbers from the first to [`EF_MAX`], each larger by this factor, but by 1 at least.
fn steps(first: usize, factor: f64) -> impl Iterator<Item = usize> {
    let next = move |&step: &usize| {
        Some(((step as f64 * factor) as usize).max(step + 1)).filter(|&next| next < EF_MAX)
    };
    std::iter::successors(Some(first), next).chain([EF_MAX])
}
