//! A seeded register of people that never was: as many as wanted, the same everywhere.
//!
//! Person *n* has a name (given name and surname of two to four syllables, from about 8,000 and 260,000 possible ones, the common
//! ones commoner), a town (one of 20,000, Zipf-like), a date of birth and a telephone number. Three persons in ten are spoken of
//! twice; the second time one of name, town or number is written otherwise or left out.

use cortexkg::Fact;

/// SplitMix64.
pub struct Sequence(pub u64);

impl Sequence {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Small numbers more often than large ones.
    fn skewed(&mut self, bound: u64) -> u64 {
        let limit = 1 + self.below(bound);
        self.below(limit)
    }
}

const SYLLABLES: [&str; 20] = [
    "ba", "del", "fin", "gor", "hal", "jen", "ka", "lin", "mor", "na", "o", "per", "qui", "ras", "sta",
    "tor", "u", "vel", "win", "zan",
];

fn word(mut number: u64) -> String {
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[(number % 20) as usize]);
        number /= 20;
        if number == 0 {
            return word;
        }
        number -= 1;
    }
}

fn fields(person: u64, seed: u64) -> [(&'static str, String); 4] {
    let mut draw = Sequence(seed ^ person.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let name = format!("{} {}", word(20 + draw.skewed(8_000)), word(420 + draw.skewed(260_000)));
    let town = format!(
        "{} {}",
        word(draw.skewed(20_000)),
        ["hill", "bridge", "on sea", "green"][draw.below(4) as usize]
    );
    let born = format!("19{:02}-{:02}-{:02}", draw.below(90) + 10, draw.below(12) + 1, draw.below(28) + 1);
    let phone = format!("0{:09}", draw.below(1_000_000_000));
    [("name", name), ("town", town), ("born", born), ("phone", phone)]
}

/// The facts of the register, one after the other.
pub struct People {
    seed: u64,
    draw: Sequence,
    persons: u64,
    facts: u64,
}

impl People {
    pub fn new(seed: u64) -> Self {
        Self { seed, draw: Sequence(seed), persons: 0, facts: 0 }
    }
}

impl Iterator for People {
    type Item = Fact;

    fn next(&mut self) -> Option<Fact> {
        let again = self.persons > 0 && self.draw.below(13) < 3;
        let person = if again { self.draw.below(self.persons) } else { self.persons };
        let mut fields: Vec<_> = fields(person, self.seed).to_vec();
        if again {
            let at = [0, 1, 3][self.draw.below(3) as usize];
            match self.draw.below(2) {
                0 => drop(fields.remove(at)),
                _ => {
                    let text = &mut fields[at].1;
                    let cut = self.draw.below(text.len() as u64) as usize;
                    text.remove(cut);
                }
            }
        } else {
            self.persons += 1;
        }
        self.facts += 1;
        Some(Fact::record(fields).with_id(self.facts.to_string()).with_source("register"))
    }
}
