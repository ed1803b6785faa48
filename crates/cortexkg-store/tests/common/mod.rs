//! What several tests use.

#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub, reason = "tests")]

use std::collections::BTreeMap;
use std::panic;
use std::sync::Once;

use cortexkg_store::{Store, StoreError, Table};

/// All rows of a store.
pub type State = BTreeMap<(Table, u64), Vec<u8>>;

/// Reads everything, in order.
pub fn contents(store: &impl Store) -> Result<State, StoreError> {
    let mut found = State::new();
    for table in Table::ALL {
        store.scan(table, 0..u64::MAX, &mut |key, value| {
            found.insert((table, key), value.to_vec());
            Ok(())
        })?;
    }
    Ok(found)
}

/// Panics of redb are contained and expected here; their messages and backtraces are left out.
pub fn silence_redb() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let of_redb = info.location().is_some_and(|location| location.file().contains("/redb-"));
            // Slices that are too short and the like are reported from the standard library.
            let of_std = info.location().is_some_and(|location| location.file().starts_with("/rustc/"));
            if !of_redb && !of_std {
                before(info);
            }
        }));
    });
}
