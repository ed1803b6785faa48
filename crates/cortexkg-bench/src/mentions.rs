//! The stream: mentions of so many things, in their order.

use cortexkg::Fact;

use crate::clustered::{Clustered, disturb};
use crate::people::{person, spoken_of_again};
use crate::random::Random;

/// Length of what tells the vector of a mention from that of its thing, where that has length 1: two mentions of one thing have a cosine
/// of 0.96.
const MENTION_NOISE: f32 = 0.2;
/// Parts of the seed: people, order, mentions, clusters.
const PEOPLE: u64 = 0x70;
const ORDER: u64 = 0x6f;
const MENTIONS: u64 = 0x6d;

/// What is to be made up.
///
/// * Every one of `things` people has a name (given name and surname of two to four syllables, from about 8,000 and 260,000, the common ones
///   commoner), a city (one of 80,000, skewed alike), a telephone number and a date of birth.
/// * The first mention of a person says all that and is right. Which mentions are first ones is drawn evenly over the stream; the
///   others speak of one of the people before them, each as likely. In these, one of name, city and number is missing or has one
///   slip of the pen (a letter left out, doubled, swapped with the next, or another one in its place), and in one of four a second
///   one does. The date of birth is always right.
/// * With a dimension, the person has a place in a space of vectors ([`Clustered`]), and every mention a vector of length 1 near that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// People; at least one.
    pub things: u64,
    /// Mentions of them; at least as many.
    pub mentions: u64,
    /// Values of a vector, up to 4,096; 0: no vectors.
    pub dimension: usize,
    /// What is different for each seed: everything.
    pub seed: u64,
}

/// What cannot be made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// Nothing is to be spoken of, or some of it never.
    #[error("{mentions} mentions of {things} nodes: there must be at least one node, and a mention of each")]
    Mentions {
        /// As asked for.
        things: u64,
        /// As asked for.
        mentions: u64,
    },
    /// No graph takes vectors so long.
    #[error(
        "{dimension} dimensions: a graph takes 1 to {}, or 0 for no vectors",
        cortexkg_index::DIMENSION_MAX
    )]
    Dimension {
        /// As asked for.
        dimension: usize,
    },
}

/// One mention.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Whom it speaks of, numbered by first mention.
    pub thing: u64,
    /// What it says. Its identifier is its number in the stream, from 0 on.
    pub fact: Fact,
}

/// The stream of a recipe.
#[derive(Debug)]
pub struct Mentions {
    recipe: Recipe,
    order: Random,
    vectors: Option<Clustered>,
    things: u64,
    mentions: u64,
}

impl Mentions {
    /// From its beginning.
    ///
    /// # Errors
    /// [`RecipeError`] if the recipe makes no sense.
    pub fn new(recipe: Recipe) -> Result<Self, RecipeError> {
        let Recipe { things, mentions, dimension, seed } = recipe;
        if things == 0 || mentions < things {
            return Err(RecipeError::Mentions { things, mentions });
        }
        if dimension > cortexkg_index::DIMENSION_MAX {
            return Err(RecipeError::Dimension { dimension });
        }
        let vectors = (dimension > 0).then(|| Clustered::new(dimension, seed));
        Ok(Self { recipe, order: Random::new(seed, ORDER), vectors, things: 0, mentions: 0 })
    }

    /// What it makes.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    fn draw_thing(&mut self) -> (u64, bool) {
        let Recipe { things, mentions, .. } = self.recipe;
        let (things_left, mentions_left) = (things - self.things, mentions - self.mentions);
        // As many first mentions as are left, evenly over what is left of the stream (selection sampling, Knuth 3.4.2).
        let is_first = self.things == 0 || self.order.below(mentions_left) < things_left;
        if is_first {
            self.things += 1;
            (self.things - 1, true)
        } else {
            (self.order.below(self.things), false)
        }
    }

    fn vector(&self, thing: u64, draw: &mut Random) -> Option<Vec<f32>> {
        let vectors = self.vectors.as_ref()?;
        let mut vector = vec![0.0; vectors.dimension()];
        vectors.row(thing, &mut vector);
        disturb(&mut vector, MENTION_NOISE, draw).then_some(vector)
    }
}

impl Iterator for Mentions {
    type Item = Mention;

    fn next(&mut self) -> Option<Mention> {
        if self.mentions == self.recipe.mentions {
            return None;
        }
        let number = self.mentions;
        let (thing, is_first) = self.draw_thing();
        self.mentions += 1;
        let mut draw = Random::new(self.recipe.seed ^ MENTIONS << 56, number);
        let mut fields = person(thing, self.recipe.seed ^ PEOPLE << 56);
        if !is_first {
            spoken_of_again(&mut fields, &mut draw);
        }
        let fact = Fact::record(fields).with_id(number.to_string());
        let fact = match self.vector(thing, &mut draw) {
            Some(vector) => fact.with_embedding(vector),
            None => fact,
        };
        Some(Mention { thing, fact })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cortexkg::FactContent;
    use cortexkg_simd::Kernels;
    use proptest::prelude::*;

    use super::*;

    fn made(things: u64, mentions: u64, dimension: usize, seed: u64) -> Vec<Mention> {
        Mentions::new(Recipe { things, mentions, dimension, seed }).unwrap().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn a_stream_has_what_its_recipe_says(things in 1_u64..60, more in 0_u64..60, seed: u64) {
            let stream = made(things, things + more, 0, seed);
            prop_assert_eq!(stream.len() as u64, things + more);
            let mut met = 0;
            for mention in &stream {
                prop_assert!(mention.thing <= met, "numbered by first mention");
                met = met.max(mention.thing + 1);
                prop_assert!(mention.fact.validate().is_ok());
            }
            prop_assert_eq!(met, things);
            prop_assert_eq!(stream, made(things, things + more, 0, seed));
        }

        #[test]
        fn who_is_spoken_of_again_is_hardly_changed(seed: u64) {
            let fields = |mention: &Mention| match &mention.fact.content {
                FactContent::Record(fields) => fields.clone(),
                other => panic!("{other:?}"),
            };
            let stream = made(20, 100, 0, seed);
            let mut first: Vec<Option<&Mention>> = vec![None; 20];
            for mention in &stream {
                let Some(before) = first[mention.thing as usize] else {
                    first[mention.thing as usize] = Some(mention);
                    prop_assert_eq!(fields(mention).len(), 4);
                    continue;
                };
                let (before, again) = (fields(before), fields(mention));
                let same = again.iter().filter(|field| before.contains(field)).count();
                prop_assert!((2..=4).contains(&same), "{:?} {:?}", before, again);
            }
        }
    }

    #[test]
    fn mentions_of_one_lie_nearer_than_those_of_others() {
        let stream = made(300, 900, 384, 3);
        let vector = |mention: &Mention| mention.fact.embedding.clone().unwrap();
        let cosine = |a: &Mention, b: &Mention| Kernels::active().dot_f32(&vector(a), &vector(b));
        for (at, one) in stream.iter().enumerate().skip(500).take(20) {
            let others = stream.iter().enumerate().filter(|&(other, _)| other != at);
            for (_, other) in others {
                let cosine = cosine(one, other);
                assert_eq!(cosine > 0.9, one.thing == other.thing, "{} {} {cosine}", one.thing, other.thing);
            }
        }
    }

    #[test]
    fn seeds_and_numbers_tell_everything_apart() {
        let texts = |seed| -> HashSet<String> {
            made(50, 50, 4, seed).iter().map(|mention| format!("{:?}", mention.fact.content)).collect()
        };
        assert_eq!(texts(1).len(), 50);
        assert!(texts(1).is_disjoint(&texts(2)));
        let refused = |things, mentions, dimension| {
            Mentions::new(Recipe { things, mentions, dimension, seed: 0 }).unwrap_err().to_string()
        };
        assert!(refused(0, 5, 0).contains("at least one node"));
        assert!(refused(6, 5, 0).contains("5 mentions of 6 nodes"));
        assert!(refused(5, 5, 4_097).contains("1 to 4096"));
    }

    /// Whoever compares figures across versions relies on it.
    #[test]
    fn golden_first_mentions() {
        let stream = made(1_000, 1_300, 8, 1);
        let first = &stream[0];
        assert!(format!("{:?}", first.fact.content).contains("morquiba gorlinlin"), "{first:?}");
        let bits: u64 = stream
            .iter()
            .flat_map(|mention| mention.fact.embedding.clone().unwrap())
            .fold(0, |sum, value| sum.rotate_left(5) ^ u64::from(value.to_bits()));
        assert_eq!(format!("{bits:016x}"), "34ec96a79a421c5a");
    }
}
