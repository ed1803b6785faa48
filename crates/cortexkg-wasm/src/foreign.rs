//! Bytes that JavaScript keeps, and that pass through here a part at a time: files, and arrays that are not copied whole.

use std::cell::RefCell;
use std::io::{self, Write};

use cortexkg::SwapFile;
use cortexkg_store::snapshot::Source;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::allocation::message;

#[wasm_bindgen]
extern "C" {
    /// A file that answers at once.
    #[derive(Debug, Clone)]
    type File;
    #[wasm_bindgen(method, catch)]
    fn read(this: &File, at: f64, into: &mut [u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &File, at: f64, bytes: &[u8]) -> Result<(), JsValue>;
}

#[derive(Debug, Clone)]
enum Place {
    File(File),
    Array(Uint8Array),
}

thread_local! {
    /// What is open, by number. Values of JavaScript stay on their thread, and whoever reads need not know of it.
    static PLACES: RefCell<Vec<Option<Place>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes of JavaScript's, known by a number until it is dropped.
#[derive(Debug)]
pub(crate) struct Foreign {
    number: usize,
    bytes: u64,
}

impl Foreign {
    /// An array, as it is now.
    pub(crate) fn array(array: Uint8Array) -> Self {
        let bytes = u64::from(array.length());
        Self::over(Place::Array(array), bytes)
    }

    /// An object `{read(at, into)}` of so many bytes, or also `{write(at, bytes)}`.
    pub(crate) fn file(object: JsValue, bytes: u64) -> Self {
        Self::over(Place::File(object.unchecked_into()), bytes)
    }

    fn over(place: Place, bytes: u64) -> Self {
        let number = PLACES.with_borrow_mut(|places| {
            let free = places.iter().position(Option::is_none);
            let number = free.unwrap_or(places.len());
            match free {
                Some(at) => places[at] = Some(place),
                None => places.push(Some(place)),
            }
            number
        });
        Self { number, bytes }
    }

    /// It is not borrowed while JavaScript runs, which may come back here.
    fn place(&self) -> io::Result<Place> {
        let place = PLACES.with_borrow(|places| places.get(self.number).cloned().flatten());
        place.ok_or_else(|| io::Error::other("it is open on another thread"))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        PLACES.with_borrow_mut(|places| places[self.number] = None);
    }
}

impl Source for Foreign {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.bytes)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        if at.checked_add(into.len() as u64).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self.place()? {
            Place::File(file) => file.read(at as f64, into).map_err(|why| failed(&why)),
            Place::Array(array) => {
                let from = at as u32;
                array.subarray(from, from + into.len() as u32).copy_to(into);
                Ok(())
            }
        }
    }
}

impl SwapFile for Foreign {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        Source::read_at(self, at, into)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        match self.place()? {
            Place::File(file) => file.write(at as f64, bytes).map_err(|why| failed(&why))?,
            Place::Array(_) => return Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
        self.bytes = self.bytes.max(at + bytes.len() as u64);
        Ok(())
    }
}

/// Bytes that are written here and put together there.
#[derive(Default)]
pub(crate) struct Parts {
    done: Vec<Uint8Array>,
    buffer: Vec<u8>,
}

/// Bytes that are handed over at once.
const PART_BYTES: usize = 1 << 20;

impl Parts {
    /// All of them in one array.
    pub(crate) fn joined(mut self) -> Uint8Array {
        self.hand_over();
        let all = Uint8Array::new_with_length(self.done.iter().map(Uint8Array::length).sum());
        let mut at = 0;
        for part in &self.done {
            all.set(part, at);
            at += part.length();
        }
        all
    }

    fn hand_over(&mut self) {
        self.done.push(Uint8Array::from(&*self.buffer));
        self.buffer.clear();
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART_BYTES {
            self.hand_over();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a value has a function of this name.
pub(crate) fn has_function(value: &JsValue, name: &str) -> bool {
    Reflect::get(value, &JsValue::from_str(name)).is_ok_and(|found| found.is_function())
}

fn failed(why: &JsValue) -> io::Error {
    io::Error::other(message(why).as_string().unwrap_or_default())
}
