//! Time, from whatever the surroundings have: the main thread, a worker, Node.

use js_sys::Date;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Fails where there is none, and where a page has put something else in its place.
    #[wasm_bindgen(catch, js_namespace = performance, js_name = now)]
    fn performance_now() -> Result<JsValue, JsValue>;
}

/// Milliseconds since some time in the past: `performance.now` where there is one, else `Date.now`.
pub(crate) fn now_ms() -> f64 {
    performance_now().ok().and_then(|now| now.as_f64()).unwrap_or_else(Date::now)
}

/// Milliseconds since 1970.
pub(crate) fn date_ms() -> f64 {
    Date::now()
}

/// How long the last calls took.
#[derive(Debug, Default)]
pub(crate) struct Times {
    last_ms: std::collections::VecDeque<f64>,
}

/// Calls that [`Times`] remembers.
const TIMES_MAX: usize = 1_000;

impl Times {
    pub(crate) fn push(&mut self, took_ms: f64) {
        if self.last_ms.len() == TIMES_MAX {
            self.last_ms.pop_front();
        }
        // A clock that was put back measures nothing.
        self.last_ms.push_back(took_ms.max(0.0));
    }

    /// The mean; 0 without any.
    pub(crate) fn mean_ms(&self) -> f64 {
        if self.last_ms.is_empty() {
            return 0.0;
        }
        self.last_ms.iter().sum::<f64>() / self.last_ms.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_the_last_thousand() {
        let mut times = Times::default();
        assert_eq!(times.mean_ms(), 0.0);
        times.push(-5.0);
        assert_eq!(times.mean_ms(), 0.0);
        (0..1_000).for_each(|_| times.push(9.0));
        (0..500).for_each(|_| times.push(1.0));
        assert_eq!(times.mean_ms(), 5.0);
    }
}
