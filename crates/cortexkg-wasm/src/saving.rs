//! How a state gets into its storage: what has changed since the last time, or everything anew where that costs less.

use js_sys::Promise;
use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::JsValue;

use crate::kg::{Shared, State, with};
use crate::pieces::{self, Chain};
use crate::storage::Storage;
use crate::tracked::Changed;
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

/// A piece on its way, and what it takes to have it not written after all.
struct Piece {
    bytes: Vec<u8>,
    /// The chain to which it is added; none if it takes the place of all.
    behind: Option<Chain>,
    taken: Option<Changed>,
    columns: Vec<u8>,
    tick: u64,
}

impl State {
    /// Whether the storage lacks something.
    pub(crate) fn is_changed(&self) -> bool {
        let is_kept = |kept: &Kept| kept.chain.is_some() && kept.tick == self.columns.pool().tick();
        !self.kept.as_ref().is_some_and(is_kept) || self.graph.is_changed()
    }

    /// The piece that the storage lacks; none if it has everything.
    fn piece(&mut self) -> Result<Option<Piece>, JsValue> {
        let Some(kept) = self.kept.as_ref().filter(|_| self.is_changed()) else { return Ok(None) };
        let pool = self.columns.pool();
        let (columns, tick) = (pool.encode(), pool.tick());
        let taken = self.graph.take_changed();
        if let (Some(chain), Some(changed)) = (kept.chain, &taken) {
            let moved = (kept.tick != tick).then(|| pool.encode_since(&kept.columns));
            let change = moved
                .transpose()
                .map_err(error)
                .and_then(|moved| self.graph.change(&chain, changed, moved.as_deref()).map_err(error));
            match change {
                Ok(bytes) if chain.takes(&bytes) => {
                    return Ok(Some(Piece { bytes, behind: Some(chain), taken, columns, tick }));
                }
                Ok(_) => {}
                Err(why) => {
                    self.graph.give_back(taken);
                    return Err(why);
                }
            }
        }
        match self.graph.export() {
            Ok(graph) => {
                let bytes = pieces::base(&graph, &columns);
                Ok(Some(Piece { bytes, behind: None, taken, columns, tick }))
            }
            Err(why) => {
                self.graph.give_back(taken);
                Err(error(why))
            }
        }
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
        Ok(storage.zip(state.piece()?))
    })?;
    let Some((storage, piece)) = lacking else { return Ok(()) };
    let written = match piece.behind {
        Some(_) => storage.append(&piece.bytes).await,
        None => storage.replace(&piece.bytes).await,
    };
    with(phase, |state| {
        let Err(why) = written else {
            if let Some(kept) = &mut state.kept {
                kept.chain = Some(match piece.behind {
                    Some(chain) => chain.followed_by(&piece.bytes),
                    None => Chain::of(&piece.bytes),
                });
                (kept.columns, kept.tick) = (piece.columns, piece.tick);
            }
            return Ok(());
        };
        state.graph.give_back(piece.taken);
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
