//! The code of a node's vector as it lies in memory and in a snapshot.

use cortexkg_index::Q8Code;

use crate::paged::Record;

/// The code of a node's vector; empty if it has none. Its scale is of no use and not kept.
#[derive(Debug)]
pub(crate) struct NodeCode;

impl Record for NodeCode {
    type View<'a> = Option<Q8Code>;
    type Content<'c> = [i8];
    const EMPTY: &'static [u8] = &[];

    fn view(bytes: &[u8]) -> Option<Q8Code> {
        if bytes.is_empty() {
            return None;
        }
        let values: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
        Q8Code::from_parts(values, 1.0).ok()
    }

    fn is_sound(bytes: &[u8]) -> bool {
        Self::view(bytes).is_some()
    }

    fn encode(code: &[i8], into: &mut Vec<u8>) {
        into.extend(code.iter().map(|&value| value as u8));
    }
}
