//! The code of a node's vector as it lies in memory and in a snapshot.

use cortexkg_index::Q8Code;

use crate::paged::Record;

/// The code of a node's vector; empty if it has none. Its scale is of no use and not kept.
#[derive(Debug)]
pub(crate) struct NodeCode;

/// Members after which a node's vector moves no slower: the newest always counts for at least 1/16.
const MEMBERS_MAX: u32 = 16;

/// The vector of a node, moved towards that of a new member, the node's `members`-th.
pub(crate) fn moved_towards(old: &Q8Code, new: &Q8Code, members: u32) -> Q8Code {
    let weight = members.clamp(2, MEMBERS_MAX) as i32;
    let moved = old.values().iter().zip(new.values()).map(|(&old, &new)| {
        let sum = i32::from(old) * (weight - 1) + i32::from(new);
        // Rounded to nearest, halves away from zero.
        ((2 * sum + sum.signum() * weight) / (2 * weight)) as i8
    });
    let moved: Vec<i8> = moved.collect();
    Q8Code::from_parts(moved, 1.0).expect("between two codes lies a code")
}

/// One as it lies there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeView<'a>(&'a [u8]);

impl CodeView<'_> {
    /// The code, if there is one.
    pub(crate) fn code(self) -> Option<Q8Code> {
        if self.0.is_empty() {
            return None;
        }
        let values: Vec<i8> = self.0.iter().map(|&byte| byte as i8).collect();
        Q8Code::from_parts(values, 1.0).ok()
    }

    /// Appends its values, if there is one.
    pub(crate) fn read(self, into: &mut Vec<f32>) -> bool {
        into.extend(self.0.iter().map(|&byte| f32::from(byte as i8)));
        !self.0.is_empty()
    }
}

impl Record for NodeCode {
    type View<'a> = CodeView<'a>;
    type Content<'c> = [i8];
    const EMPTY: &'static [u8] = &[];

    fn view(bytes: &[u8]) -> CodeView<'_> {
        CodeView(bytes)
    }

    fn is_sound(bytes: &[u8]) -> bool {
        Self::view(bytes).code().is_some()
    }

    fn encode(code: &[i8], into: &mut Vec<u8>) {
        into.extend(code.iter().map(|&value| value as u8));
    }
}
