//! The seam to whatever keeps bytes: an object of the caller's, or what the package that these bindings are in opens by name.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;

use js_sys::futures::JsFuture;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::foreign::{Foreign, has_function};
use crate::pieces::Piece;
use crate::values::{bytes, error, given, is_array, items, object, property, quoted};

thread_local! {
    static OPENER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Says what opens a storage by its name where none is given: a function `(name) => Promise<Storage>`. The package for JavaScript says it;
/// `undefined` takes it back.
///
/// # Errors
/// If it is no function.
#[wasm_bindgen]
pub fn set_storage_opener(
    #[wasm_bindgen(unchecked_param_type = "((name: string) => Promise<Storage>) | undefined")] open: &JsValue,
) -> Result<(), JsValue> {
    let opener = given(open.clone()).map(|open| {
        let refused = |open: JsValue| error(format!("open must be a function, and is {}", quoted(&open)));
        open.dyn_into::<Function>().map_err(refused)
    });
    OPENER.set(opener.transpose()?);
    Ok(())
}

/// Where pieces of a state are kept.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    name: String,
    this: JsValue,
    load: Function,
    append: Function,
    replace: Function,
    /// Read and written part by part, if it can be.
    open: Option<Function>,
    begin: Option<Function>,
}

#[wasm_bindgen]
extern "C" {
    /// A piece that is written part by part.
    #[derive(Debug)]
    type Replacing;
    #[wasm_bindgen(method, catch)]
    fn write(this: &Replacing, bytes: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn end(this: &Replacing) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn abandon(this: &Replacing) -> Result<(), JsValue>;
}

/// Bytes that are handed over at once.
const PART_BYTES: usize = 1 << 18;

/// A piece on its way to take the place of all.
#[derive(Debug)]
pub(crate) struct Replacement {
    piece: Replacing,
    buffer: Vec<u8>,
    /// What the storage said when it took no more; an `io::Error` cannot carry it.
    failed: Option<JsValue>,
}

impl Replacement {
    fn hand_over(&mut self) -> io::Result<()> {
        let written = self.piece.write(&self.buffer);
        self.buffer.clear();
        written.map_err(|why| {
            self.failed = Some(why);
            io::Error::other("the storage took no more")
        })
    }

    /// Lets it take the place of all; returns when the storage says that it has.
    pub(crate) async fn end(mut self) -> Result<(), JsValue> {
        if self.hand_over().is_err() {
            return Err(self.abandon().unwrap_or(JsValue::UNDEFINED));
        }
        let ended = self.piece.end()?;
        JsFuture::from(Promise::resolve(&ended)).await.map(|_| ())
    }

    /// Gives it up; what the storage said when it took no more, if that was why.
    pub(crate) fn abandon(self) -> Option<JsValue> {
        // Why it is given up says more than why that did not work.
        let _ = self.piece.abandon();
        self.failed
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART_BYTES {
            self.hand_over()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Storage {
    /// What the package opens under a name.
    pub(crate) async fn open(name: String, storage: JsValue) -> Result<Self, JsValue> {
        if given(storage.clone()).is_some() {
            return Self::over(name, &storage);
        }
        let Some(opener) = OPENER.with_borrow(Clone::clone) else {
            return Err(error(format!(
                "storage {name:?}: bindings without their package have no storage of their own; give an object with load(), \
                 append(piece) and replace(piece), or call initialize() to keep everything in memory"
            )));
        };
        let opened = opener.call1(&JsValue::UNDEFINED, &JsValue::from_str(&name))?;
        Self::over(name, &JsFuture::from(Promise::resolve(&opened)).await?)
    }

    /// Over `{load(), append(piece), replace(piece)}`, and maybe `{open(), begin()}`.
    fn over(name: String, value: &JsValue) -> Result<Self, JsValue> {
        object(value, "the storage")?;
        let function = |called: &str| {
            let found = Reflect::get(value, &JsValue::from_str(called))?;
            found
                .dyn_into::<Function>()
                .map_err(|_| error(format!("storage {name:?} has no function {called}")))
        };
        let (load, append, replace) = (function("load")?, function("append")?, function("replace")?);
        let [open, begin] =
            ["open", "begin"].map(|called| has_function(value, called).then(|| function(called)));
        let (open, begin) = (open.transpose()?, begin.transpose()?);
        Ok(Self { load, append, replace, open, begin, this: value.clone(), name })
    }

    /// All pieces that are kept; none if there is nothing yet.
    pub(crate) async fn load(&self) -> Result<Vec<Piece>, JsValue> {
        let loaded = self.open.as_ref().unwrap_or(&self.load).call0(&self.this)?;
        let loaded = JsFuture::from(Promise::resolve(&loaded)).await?;
        let refused = |what: &JsValue| {
            let (name, what) = (&self.name, quoted(what));
            let kind = if self.open.is_some() { "pieces" } else { "Uint8Array" };
            error(format!("storage {name:?} must load an array of {kind}, and gave {what}"))
        };
        if !is_array(&loaded) {
            return Err(refused(&loaded));
        }
        let piece = |piece: &JsValue| -> Result<Piece, JsValue> {
            if self.open.is_none() {
                return Ok(Arc::new(bytes(piece.dyn_ref::<Uint8Array>().ok_or_else(|| refused(piece))?)));
            }
            let length = if has_function(piece, "read") { property(piece, "length")? } else { None };
            let length = length.and_then(|length| length.as_f64()).ok_or_else(|| refused(piece))?;
            Ok(Arc::new(Foreign::file(piece.clone(), length as u64)))
        };
        items(&loaded, "what a storage loads", usize::MAX)?.iter().map(piece).collect()
    }

    /// Whether a piece can take the place of all part by part.
    pub(crate) fn takes_parts(&self) -> bool {
        self.begin.is_some()
    }

    /// Begins a piece that is to take the place of all; none if it cannot be done part by part.
    pub(crate) fn begin(&self) -> Result<Option<Replacement>, JsValue> {
        let Some(begin) = &self.begin else { return Ok(None) };
        let piece = begin.call0(&self.this)?;
        if !["write", "end", "abandon"].into_iter().all(|called| has_function(&piece, called)) {
            let (name, what) = (&self.name, quoted(&piece));
            return Err(error(format!(
                "storage {name:?}: begin() must give write, end and abandon, and gave {what}"
            )));
        }
        Ok(Some(Replacement { piece: piece.unchecked_into(), buffer: Vec::new(), failed: None }))
    }

    /// Keeps a piece behind the others; returns when the storage says that it is kept.
    pub(crate) async fn append(&self, piece: &[u8]) -> Result<(), JsValue> {
        self.keep(&self.append, piece).await
    }

    /// Keeps a piece in the place of all; returns when the storage says that it is kept.
    pub(crate) async fn replace(&self, piece: &[u8]) -> Result<(), JsValue> {
        self.keep(&self.replace, piece).await
    }

    /// Lets go of it, if it can be let go of.
    pub(crate) async fn close(&self) -> Result<(), JsValue> {
        let found = Reflect::get(&self.this, &JsValue::from_str("close"))?;
        let Ok(close) = found.dyn_into::<Function>() else { return Ok(()) };
        let closed = close.call0(&self.this)?;
        JsFuture::from(Promise::resolve(&closed)).await.map(|_| ())
    }

    async fn keep(&self, how: &Function, piece: &[u8]) -> Result<(), JsValue> {
        let kept = how.call1(&self.this, &Uint8Array::from(piece))?;
        JsFuture::from(Promise::resolve(&kept)).await.map(|_| ())
    }
}
