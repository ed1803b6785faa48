//! Which fields a name may have been meant for.

use strsim::osa_distance;

use crate::fields::{FIELDS, Field};
use crate::source::PROFILE;

/// Slips of the pen within which a name is taken for another.
const SLIPS_MAX: usize = 2;
/// Names that are told.
const NEAR_MAX: usize = 3;
/// How the names of switches begin.
const SWITCH: &str = "enable_";
/// Characters beyond which a name is like none.
const CHARS_MAX: usize = 128;

/// The names of fields that are spelt most like a name; the last part of a name may stand for all of it.
pub(crate) fn near(name: &str) -> Vec<&'static str> {
    let name: String = name.chars().take(CHARS_MAX).collect();
    let last = name.rsplit('.').next().unwrap_or_default();
    let slips = |field: &Field| {
        let of_last = osa_distance(last, field.last_name()) + usize::from(field.name.contains('.'));
        osa_distance(&name, field.name).min(of_last)
    };
    let ranked: Vec<_> = FIELDS
        .iter()
        .map(|field| (slips(field), field.name))
        .chain([(osa_distance(&name, PROFILE), PROFILE)])
        .collect();
    let least = ranked.iter().map(|(slips, _)| *slips).min();
    ranked
        .into_iter()
        .filter(|(slips, _)| Some(*slips) == least)
        .map(|(_, name)| name)
        .take(NEAR_MAX)
        .collect()
}

/// Whether a name that no field has was meant for one.
pub(crate) fn is_meant(name: &str) -> bool {
    let is_near =
        |known: &str| known.len().abs_diff(name.len()) <= SLIPS_MAX && osa_distance(name, known) <= SLIPS_MAX;
    name.starts_with(SWITCH)
        || is_near(PROFILE)
        || FIELDS.iter().any(|field| is_near(field.name) || field.last_name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_last_parts_find_their_fields() {
        assert_eq!(near("hnsw_config.ef_serch"), ["hnsw_config.ef_search"]);
        assert_eq!(near("ef_search"), ["hnsw_config.ef_search"]);
        assert_eq!(near("hnsw.ef_search"), ["hnsw_config.ef_search"]);
        assert_eq!(near("above_nodes"), ["hnsw_config.above_nodes", "distribution_config.above_nodes"]);
        assert_eq!(near("enable_hnsw"), ["enable_hnsw_indexing"]);
        assert_eq!(near("profil"), [PROFILE]);
        assert!(!near("").is_empty() && !near(&"x".repeat(1 << 20)).is_empty());
    }

    #[test]
    fn names_of_others_are_left_to_them() {
        for theirs in ["simd", "service_host", "port", "port_80_tcp_addr", "version", "home", "torture_seed"]
        {
            assert!(!is_meant(theirs), "{theirs}");
        }
        for meant in ["profle", "hnsw_config_ef_search", "ef_search", "enable_hnsw", "enable_hnsw_indexng"] {
            assert!(is_meant(meant), "{meant}");
        }
    }
}
