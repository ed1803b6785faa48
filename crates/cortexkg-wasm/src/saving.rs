//! How a state gets into its storage: what has changed since the last time, or everything anew where that costs less.

use js_sys::Promise;
use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::JsValue;

use crate::changed::Changed;
use crate::graph::Graph;
use crate::kg::{Shared, State, with};
use crate::pieces::{CHANGE_BYTES_MAX, Chain};
use crate::storage::{Replacement, Storage};
use crate::values::{error, property};

/// A storage with what it has already.
pub(crate) struct Kept {
    storage: Storage,
    /// None if it has nothing.
    chain: Option<Chain>,
    /// The columns as it has them, and their logical time, which tells whether they have changed since.
    columns: Vec<u8>,
    tick: u64,
    /// The last save that was asked for: the next one waits for it.
    last_save: Option<Promise>,
}

impl Kept {
    pub(crate) fn nothing(storage: Storage) -> Self {
        Self { storage, chain: None, columns: Vec::new(), tick: 0, last_save: None }
    }

    pub(crate) fn pieces(storage: Storage, chain: Chain, columns: Vec<u8>, tick: u64) -> Self {
        Self { storage, chain: Some(chain), columns, tick, last_save: None }
    }

    /// The storage, and what is on its way into it. The next save still waits for that.
    pub(crate) fn last_save(&self) -> (Storage, Option<Promise>) {
        (self.storage.clone(), self.last_save.clone())
    }

    /// Says that a save is over; a later one may be on its way.
    pub(crate) fn is_through(&mut self, save: &Promise) {
        let (last, save): (Option<&JsValue>, &JsValue) =
            (self.last_save.as_ref().map(AsRef::as_ref), save.as_ref());
        if last == Some(save) {
            self.last_save = None;
        }
    }
}

/// What is on its way, and what it takes to have it not written after all.
struct Saved {
    taken: Option<Changed>,
    columns: Vec<u8>,
    tick: u64,
    /// What stands in the storage once it has it.
    chain: Chain,
    how: How,
}

/// How it gets there.
enum How {
    /// A piece behind the others.
    Append(Vec<u8>),
    /// One in the place of all, whole or part by part.
    Replace(Vec<u8>),
    ReplaceBy(Replacement),
}

impl State {
    /// Whether the storage lacks something.
    pub(crate) fn is_changed(&self) -> bool {
        let is_kept = |kept: &Kept| kept.chain.is_some() && kept.tick == self.columns.pool().tick();
        !self.kept.as_ref().is_some_and(is_kept) || self.graph.is_changed()
    }

    /// What the storage lacks; none if it has everything.
    fn lacking(&mut self) -> Result<Option<Saved>, JsValue> {
        let Some(kept) = self.kept.as_ref().filter(|_| self.is_changed()) else { return Ok(None) };
        let (pool, storage, before) = (self.columns.pool(), kept.storage.clone(), kept.chain);
        let (columns, tick) = (pool.encode(), pool.tick());
        let moved = (kept.tick != tick).then(|| pool.encode_since(&kept.columns));
        let taken = self.graph.take_changed();
        let change = match (before, &taken) {
            (Some(chain), Some(changed)) => {
                let moved = moved.transpose().map_err(error);
                moved.and_then(|moved| change(&self.graph, &storage, chain, changed, moved.as_deref()))
            }
            _ => Ok(None),
        };
        let found = match change {
            Ok(Some(found)) => Ok(found),
            Ok(None) => replacement(&self.graph, &storage, &columns),
            Err(why) => Err(why),
        };
        match found {
            Ok((how, chain)) => Ok(Some(Saved { taken, columns, tick, chain, how })),
            Err(why) => {
                self.graph.give_back(taken);
                Err(why)
            }
        }
    }
}

/// The piece behind a chain; none if everything is to be written anew.
fn change(
    graph: &Graph,
    storage: &Storage,
    chain: Chain,
    changed: &Changed,
    columns: Option<&[u8]>,
) -> Result<Option<(How, Chain)>, JsValue> {
    if storage.takes_parts() && graph.bytes_of(changed).map_err(error)? > CHANGE_BYTES_MAX {
        return Ok(None);
    }
    let piece = graph.change(&chain, changed, columns).map_err(error)?;
    let followed = chain.takes(&piece).then(|| chain.followed_by(&piece));
    Ok(followed.map(|chain| (How::Append(piece), chain)))
}

/// The piece in the place of all.
fn replacement(graph: &Graph, storage: &Storage, columns: &[u8]) -> Result<(How, Chain), JsValue> {
    match storage.begin()? {
        None => {
            let mut piece = Vec::new();
            let chain = graph.write_base(&mut piece, columns).map_err(error)?;
            Ok((How::Replace(piece), chain))
        }
        Some(mut piece) => match graph.write_base(&mut piece, columns) {
            Ok(chain) => Ok((How::ReplaceBy(piece), chain)),
            Err(why) => Err(piece.abandon().unwrap_or_else(|| error(why))),
        },
    }
}

/// A promise of what is saved, as it is once all earlier saves are through; none without a storage.
pub(crate) fn save(phase: &Shared) -> Result<Option<Promise>, JsValue> {
    let shared = phase.clone();
    with(phase, |state| {
        let Some(kept) = &mut state.kept else { return Ok(None) };
        let before = kept.last_save.take();
        let saved = future_to_promise(async move {
            if let Some(before) = before {
                // Its failure was told to whoever asked for it.
                let _ = JsFuture::from(before).await;
            }
            write(&shared).await.map(|()| JsValue::UNDEFINED)
        });
        kept.last_save = Some(saved.clone());
        Ok(Some(saved))
    })
}

/// Writes what the storage lacks.
async fn write(phase: &Shared) -> Result<(), JsValue> {
    let lacking = with(phase, |state| {
        let storage = state.kept.as_ref().map(|kept| kept.storage.clone());
        Ok(storage.zip(state.lacking()?))
    })?;
    let Some((storage, Saved { taken, columns, tick, chain, how })) = lacking else { return Ok(()) };
    let written = match how {
        How::Append(piece) => storage.append(&piece).await,
        How::Replace(piece) => storage.replace(&piece).await,
        How::ReplaceBy(piece) => piece.end().await,
    };
    with(phase, |state| {
        let Err(why) = written else {
            if let Some(kept) = &mut state.kept {
                (kept.chain, kept.columns, kept.tick) = (Some(chain), columns, tick);
            }
            return Ok(());
        };
        state.graph.give_back(taken);
        // Some storages cannot tell whether the piece is there after all: behind it the next one would not fit. Where there was no room it is not there.
        if let Some(kept) = state.kept.as_mut().filter(|_| !is_of_room(&why)) {
            kept.chain = None;
        }
        Err(why)
    })
}

/// Whether a storage says that it has no room.
fn is_of_room(why: &JsValue) -> bool {
    let name = property(why, "name").ok().flatten().and_then(|name| name.as_string());
    name.is_some_and(|name| ["StorageQuotaError", "QuotaExceededError"].contains(&&*name))
}
