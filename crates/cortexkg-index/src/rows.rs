//! Codes of one precision, row after row: each its code, its factor and its id.

use bytes::Bytes;
use cortexkg_simd::{Kernels, RowParts, Rows};

use crate::precision::Precision;
use crate::score::Score;
use crate::vector::Vector;

/// Bytes of the factor and the id that follow a code.
const TAIL: usize = 4 + 8;

/// Steps of 4-bit codes that are tried, as multiples of a vector's typical value (1/√d after rotation), in units of 1/64: around
/// 0.335, the best for normal values (Max 1960), with room for vectors that are spread less evenly.
const FOUR_BIT_STEPS: [f32; 3] = [19.0 / 64.0, 22.0 / 64.0, 26.0 / 64.0];

/// Rows of a fixed number of bytes.
#[derive(Debug, Clone)]
pub(crate) struct CodeRows {
    precision: Precision,
    padded: usize,
    stride: usize,
    memory: Memory,
}

#[derive(Debug, Clone)]
enum Memory {
    Own(RowParts),
    /// Read or mapped by somebody else. Copied before the first change.
    Shared(Bytes),
}

/// Stored levels count from 0 upwards; the values that they stand for lie evenly around 0, two apart.
#[derive(Debug, Clone, Copy)]
struct Levels {
    twice: i32,
    offset: i32,
    scale: f32,
}

impl Levels {
    #[inline]
    fn score(self, dot: i32, factor: f32) -> Score {
        Score::of((self.twice * dot - self.offset) as f32 * (factor * self.scale))
    }
}

/// Rows that a scan compares at once.
const ROWS_AT_ONCE: usize = 256;

/// Memory that scoring uses again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    ints: Vec<i32>,
    floats: Vec<f32>,
    scores: Vec<Score>,
}

impl CodeRows {
    pub(crate) fn new(precision: Precision, padded: usize) -> Self {
        let stride = precision.row_bytes(padded);
        Self { precision, padded, stride, memory: Memory::Own(RowParts::new(stride)) }
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn len(&self) -> usize {
        self.rows().len()
    }

    fn code_len(&self) -> usize {
        self.precision.code_bytes(self.padded)
    }

    #[inline]
    fn rows(&self) -> Rows<'_> {
        match &self.memory {
            Memory::Own(rows) => rows.rows(),
            Memory::Shared(bytes) => Rows::new(bytes, self.stride),
        }
    }

    #[inline]
    pub(crate) fn row(&self, slot: u32) -> &[u8] {
        match &self.memory {
            Memory::Own(rows) => rows.row(slot as usize),
            Memory::Shared(bytes) => &bytes[slot as usize * self.stride..][..self.stride],
        }
    }

    /// Its own rows, to be changed.
    fn own(&mut self) -> &mut RowParts {
        if let Memory::Shared(bytes) = &self.memory {
            let mut own = RowParts::new(self.stride);
            own.extend(bytes);
            self.memory = Memory::Own(own);
        }
        match &mut self.memory {
            Memory::Own(rows) => rows,
            Memory::Shared(_) => unreachable!("they have just been made its own"),
        }
    }

    fn row_mut(&mut self, slot: u32) -> &mut [u8] {
        self.own().row_mut(slot as usize)
    }

    /// Adds an empty row at the end.
    pub(crate) fn push(&mut self) -> u32 {
        let slot = self.len() as u32;
        self.own().push();
        slot
    }

    /// All rows in order, as many at once as lie together.
    pub(crate) fn raw(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let (own, shared) = match &self.memory {
            Memory::Own(rows) => (Some(rows.parts()), None),
            Memory::Shared(bytes) => (None, Some(&**bytes)),
        };
        own.into_iter().flatten().chain(shared)
    }

    /// Rows as [`raw`](Self::raw) gave them, one after the other; `None` unless they are whole.
    pub(crate) fn from_raw(precision: Precision, padded: usize, raw: Bytes) -> Option<Self> {
        let mut rows = Self::new(precision, padded);
        if !raw.len().is_multiple_of(rows.stride) {
            return None;
        }
        rows.memory = Memory::Shared(raw);
        Some(rows)
    }

    #[inline]
    pub(crate) fn id(&self, slot: u32) -> u64 {
        let at = self.code_len() + 4;
        u64::from_le_bytes(self.row(slot)[at..at + 8].try_into().expect("eight bytes"))
    }

    /// Whether two rows hold the same code and factor, so that nothing can tell one from the other.
    pub(crate) fn are_equal(&self, a: u32, b: u32) -> bool {
        let len = self.code_len() + 4;
        self.row(a)[..len] == self.row(b)[..len]
    }

    #[inline]
    fn factor(&self, slot: u32) -> f32 {
        let at = self.code_len();
        f32::from_le_bytes(self.row(slot)[at..at + 4].try_into().expect("four bytes"))
    }

    /// Writes the code of a vector into a row.
    pub(crate) fn set(&mut self, kernels: &Kernels, slot: u32, id: u64, vector: &Vector) {
        let (precision, len) = (self.precision, self.code_len());
        let (code, tail) = self.row_mut(slot).split_at_mut(len);
        let factor = encode(kernels, precision, vector, code);
        tail[..4].copy_from_slice(&factor.to_le_bytes());
        tail[4..TAIL].copy_from_slice(&id.to_le_bytes());
    }

    /// Fills `scores` with the estimated cosines of the vector and these rows.
    #[inline]
    pub(crate) fn score(
        &self,
        kernels: &Kernels,
        vector: &Vector,
        slots: &[u32],
        scratch: &mut Scratch,
        scores: &mut Vec<Score>,
    ) {
        scores.clear();
        if self.is_float() {
            scratch.floats.resize(slots.len(), 0.0);
            let floats = &mut scratch.floats;
            if self.precision == Precision::Full {
                kernels.dot_f32_at(&vector.values, self.rows(), slots, floats);
            } else {
                kernels.dot_f32_f16_at(&vector.values, self.rows(), slots, floats);
            }
            let dots = slots.iter().zip(&*floats);
            scores.extend(dots.map(|(&slot, &dot)| Score::of(dot * self.factor(slot))));
        } else {
            scratch.ints.resize(slots.len(), 0);
            let ints = &mut scratch.ints;
            match self.precision {
                Precision::Eight => kernels.dot_i8_at(&vector.codes, self.rows(), slots, ints),
                Precision::Four => kernels.dot_i8_u4_at(&vector.codes, self.rows(), slots, ints),
                _ => kernels.dot_i8_b1_at(&vector.codes, self.rows(), slots, ints),
            }
            let levels = self.levels(vector);
            let dots = slots.iter().zip(&*ints);
            scores.extend(dots.map(|(&slot, &dot)| levels.score(dot, self.factor(slot))));
        }
    }

    /// Calls `each` with every slot, free ones too, and the estimate of its cosine with the vector.
    pub(crate) fn scan(
        &self,
        kernels: &Kernels,
        vector: &Vector,
        scratch: &mut Scratch,
        mut each: impl FnMut(u32, Score),
    ) {
        let levels = self.levels(vector);
        for first in (0..self.len()).step_by(ROWS_AT_ONCE) {
            let count = ROWS_AT_ONCE.min(self.len() - first);
            let slots = first as u32..(first + count) as u32;
            if self.is_float() {
                scratch.floats.resize(count, 0.0);
                let floats = &mut scratch.floats;
                if self.precision == Precision::Full {
                    kernels.dot_f32_rows(&vector.values, self.rows(), first, floats);
                } else {
                    kernels.dot_f32_f16_rows(&vector.values, self.rows(), first, floats);
                }
                slots.zip(&*floats).for_each(|(slot, &dot)| each(slot, Score::of(dot * self.factor(slot))));
            } else {
                scratch.ints.resize(count, 0);
                let ints = &mut scratch.ints;
                match self.precision {
                    Precision::Eight => kernels.dot_i8_rows(&vector.codes, self.rows(), first, ints),
                    Precision::Four => kernels.dot_i8_u4_rows(&vector.codes, self.rows(), first, ints),
                    _ => kernels.dot_i8_b1_rows(&vector.codes, self.rows(), first, ints),
                }
                slots.zip(&*ints).for_each(|(slot, &dot)| each(slot, levels.score(dot, self.factor(slot))));
            }
        }
    }

    fn is_float(&self) -> bool {
        matches!(self.precision, Precision::Full | Precision::Half)
    }

    /// How products with the levels of this precision become cosines.
    fn levels(&self, vector: &Vector) -> Levels {
        let (twice, offset) = match self.precision {
            Precision::Four => (2, 15 * vector.sum),
            Precision::One => (2, vector.sum),
            _ => (1, 0),
        };
        Levels { twice, offset, scale: vector.scale }
    }

    /// The same for one row.
    pub(crate) fn score_one(
        &self,
        kernels: &Kernels,
        vector: &Vector,
        slot: u32,
        scratch: &mut Scratch,
    ) -> Score {
        let mut scores = std::mem::take(&mut scratch.scores);
        self.score(kernels, vector, &[slot], scratch, &mut scores);
        let score = scores[0];
        scratch.scores = scores;
        score
    }

    /// The rotated values that a code stands for, of length 1 within the error of its precision.
    pub(crate) fn values(&self, kernels: &Kernels, slot: u32) -> Vec<f32> {
        let mut vector = Vector::blank(self.padded);
        if self.factor(slot) == 0.0 {
            // The zero vector, which codes of few bits have no levels for.
            return vector.values;
        }
        self.decode(kernels, slot, &mut vector);
        if !self.is_float() {
            vector.values.clear();
            vector.values.extend(vector.codes.iter().map(|&code| f32::from(code)));
        }
        // A code without a direction, which only a damaged one has, stays as it is.
        let _ = kernels.normalize_f32(&mut vector.values);
        vector.values
    }

    /// These rows, in this order.
    pub(crate) fn picked(&self, order: &[u32]) -> Self {
        let mut picked = Self::new(self.precision, self.padded);
        for &slot in order {
            let to = picked.push();
            picked.row_mut(to).copy_from_slice(self.row(slot));
        }
        picked
    }

    /// Bytes of all rows, used or not.
    pub(crate) fn bytes(&self) -> usize {
        match &self.memory {
            Memory::Own(rows) => rows.bytes(),
            Memory::Shared(bytes) => bytes.len(),
        }
    }

    /// The vector that a code stands for, as far as [`score`](Self::score) at this precision needs it.
    pub(crate) fn decode(&self, kernels: &Kernels, slot: u32, vector: &mut Vector) {
        let code = &self.row(slot)[..self.code_len()];
        vector.scale = self.factor(slot);
        vector.codes.resize(self.padded, 0);
        match self.precision {
            Precision::Full => {
                vector.values.clear();
                let floats = code.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
                vector.values.extend(floats);
                return;
            }
            Precision::Half => {
                vector.values.resize(self.padded, 0.0);
                kernels.f16_to_f32(code, &mut vector.values);
                return;
            }
            Precision::Eight => {
                for (value, &byte) in vector.codes.iter_mut().zip(code) {
                    *value = byte.cast_signed();
                }
            }
            Precision::Four => {
                for (block, values) in code.chunks_exact(32).zip(vector.codes.chunks_exact_mut(64)) {
                    let (low, high) = values.split_at_mut(32);
                    for ((&byte, low), high) in block.iter().zip(low).zip(high) {
                        *low = 2 * (byte & 15).cast_signed() - 15;
                        *high = 2 * (byte >> 4).cast_signed() - 15;
                    }
                }
            }
            Precision::One => {
                for (&byte, values) in code.iter().zip(vector.codes.as_chunks_mut::<8>().0) {
                    for (bit, value) in values.iter_mut().enumerate() {
                        *value = ((byte >> bit & 1) << 1).cast_signed() - 1;
                    }
                }
            }
        }
        vector.sum = vector.codes.iter().map(|&code| i32::from(code)).sum();
    }
}

/// Writes the code of a vector, and returns its factor: what makes the product of code and query an unbiased estimate of their cosine
/// (Gao and Long 2024), 1 / ⟨code, vector⟩.
fn encode(kernels: &Kernels, precision: Precision, vector: &Vector, code: &mut [u8]) -> f32 {
    let values = &vector.values;
    if vector.is_zero() {
        code.fill(0);
        return 0.0;
    }
    let product = match precision {
        Precision::Full => {
            for (bytes, value) in code.as_chunks_mut::<4>().0.iter_mut().zip(values) {
                *bytes = value.to_le_bytes();
            }
            return 1.0;
        }
        Precision::Half => {
            kernels.f32_to_f16(values, code);
            kernels.dot_f32_f16(values, code)
        }
        Precision::Eight => {
            for (byte, &value) in code.iter_mut().zip(&vector.codes) {
                *byte = value.cast_unsigned();
            }
            kernels.dot_f32_i8(values, &vector.codes)
        }
        Precision::Four => encode_four(kernels, values, code),
        Precision::One => {
            kernels.pack_signs(values, code);
            2.0 * kernels.dot_f32_b1(values, code) - sum(kernels, values)
        }
    };
    1.0 / product
}

/// The best of some steps: that whose code lies at the smallest angle to the vector.
fn encode_four(kernels: &Kernels, values: &[f32], code: &mut [u8]) -> f32 {
    let typical = 1.0 / (values.len() as f32).sqrt();
    let total = sum(kernels, values);
    let mut tried = vec![0; code.len()];
    let (mut best, mut best_product) = (0.0, 0.0);
    for step in FOUR_BIT_STEPS {
        kernels.quantize_u4(values, 1.0 / (step * typical), &mut tried);
        let product = 2.0 * kernels.dot_f32_u4(values, &tried) - 15.0 * total;
        let norm_squared: i32 = tried.iter().map(|&byte| square(byte & 15) + square(byte >> 4)).sum();
        let cosine_squared = product * product / norm_squared as f32;
        if cosine_squared > best {
            (best, best_product) = (cosine_squared, product);
            code.copy_from_slice(&tried);
        }
    }
    best_product
}

fn square(level: u8) -> i32 {
    let value = 2 * i32::from(level) - 15;
    value * value
}

/// The sum of all values, in the lanes of the kernels.
fn sum(kernels: &Kernels, values: &[f32]) -> f32 {
    let ones = [1.0; 256];
    values.chunks(ones.len()).map(|chunk| kernels.dot_f32(chunk, &ones[..chunk.len()])).sum()
}
