//! Sources in any order give what an oracle gives that looks at one field at a time.

use std::collections::BTreeMap;

use cortexkg_scalable::{ConfigSource, Origin, Profile, Resolved};
use proptest::prelude::*;

/// Fields that ask nothing of each other, each with texts that are all in range and told as they are written.
const FIELDS: [(&str, [&str; 3]); 8] = [
    ("profile", ["plain", "production", "development"]),
    ("enable_hnsw_indexing", ["true", "false", "true"]),
    ("enable_adaptive_quantization", ["true", "false", "false"]),
    ("hnsw_config.ef_search", ["1", "64", "65536"]),
    ("hnsw_config.recall_target", ["0.5", "0.95", "0.999"]),
    ("cache_config.l1_size", ["0", "7", "512M"]),
    ("quantization_config.finest", ["b1", "q8", "f32"]),
    ("quantization_config.vector_budget", ["none", "1G", "1025"]),
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    File,
    Environment,
    Flags,
}

/// A source, and what it says: of which fields, which of the texts.
type Said = (Kind, Vec<(usize, usize)>);

fn sources() -> impl Strategy<Value = Vec<Said>> {
    let kind = prop_oneof![Just(Kind::File), Just(Kind::Environment), Just(Kind::Flags)];
    let said = prop::collection::vec((0..FIELDS.len(), 0..3usize), 0..6);
    prop::collection::vec((kind, said), 0..6)
}

fn source(kind: Kind, said: &[(usize, usize)]) -> ConfigSource {
    let pairs = said.iter().map(|&(field, text)| (FIELDS[field].0, FIELDS[field].1[text]));
    match kind {
        Kind::File => {
            // A key may come once only.
            let last: BTreeMap<&str, &str> = pairs.collect();
            let lines = last.into_iter().map(|(field, text)| {
                let is_bare = text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok();
                if is_bare { format!("{field} = {text}\n") } else { format!("{field} = \"{text}\"\n") }
            });
            ConfigSource::file("c.toml", &lines.collect::<String>()).expect("a good file")
        }
        Kind::Environment => {
            let variable = |field: &str| format!("CORTEXKG_{}", field.replace('.', "__").to_uppercase());
            ConfigSource::environment(pairs.map(|(field, text)| (variable(field), text.to_owned())))
                .expect("a good environment")
        }
        Kind::Flags => {
            let mut source = ConfigSource::default();
            pairs.for_each(|(field, text)| source.assign(&format!("{field}={text}")).expect("a good flag"));
            source
        }
    }
}

/// What a field is, and the kind of source that said so, if one did.
fn oracle(field: usize, sources: &[Said]) -> Option<(&'static str, Kind)> {
    let mut said = sources.iter().flat_map(|(kind, said)| said.iter().map(move |one| (*kind, *one)));
    said.rfind(|(_, (of, _))| *of == field).map(|(kind, (_, text))| (FIELDS[field].1[text], kind))
}

proptest! {
    #[test]
    fn any_order_gives_what_the_oracle_gives(sources in sources()) {
        let read: Vec<_> = sources.iter().map(|(kind, said)| source(*kind, said)).collect();
        let resolved = Resolved::of(&read).expect("nothing is out of range");
        prop_assert_eq!(resolved.config.check(), Ok(()));
        let of_profile = oracle(0, &sources).map_or("default", |(name, _)| name);
        let profile: Profile = of_profile.parse().expect("a profile");
        let begun = source(Kind::Flags, &[]);
        let mut named = ConfigSource::default();
        named.assign(&format!("profile={profile}")).expect("a good flag");
        let usual = Resolved::of([&begun, &named]).expect("a profile is whole");
        prop_assert_eq!(&usual.config, &profile.config());
        let unsaid: BTreeMap<_, _> =
            usual.settings().map(|setting| (setting.field, (setting.value, setting.origin))).collect();
        for setting in resolved.settings() {
            let field = FIELDS.iter().position(|(name, _)| *name == setting.field);
            match field.and_then(|field| oracle(field, &sources)) {
                Some((text, kind)) => {
                    prop_assert_eq!(&setting.value, text, "{}", setting.field);
                    let is_there = matches!(
                        (&setting.origin, kind),
                        (Origin::File { .. }, Kind::File)
                            | (Origin::Environment { .. }, Kind::Environment)
                            | (Origin::Flag { .. }, Kind::Flags)
                    );
                    prop_assert!(is_there, "{:?}", setting);
                }
                None if setting.field == "profile" => prop_assert_eq!(setting.origin, Origin::Default),
                None => prop_assert_eq!(&(setting.value, setting.origin), &unsaid[setting.field]),
            }
        }
    }

    #[test]
    fn no_file_panics(text in "\\PC{0,200}") {
        if let Ok(source) = ConfigSource::file("c.toml", &text)
            && let Ok(resolved) = Resolved::of([&source])
        {
            prop_assert_eq!(resolved.config.check(), Ok(()));
        }
    }
}
