//! Seeds of a fuzz directory and mutations of them, the same in every run, for whatever reads foreign bytes.
//!
//! Rule: small and without a library of its own, so that any crate can use it by its path (proto, agent).

use std::fs;
use std::path::Path;

/// A reading, as `parsers.rs` lists it.
pub(crate) type Parser = (&'static str, fn(&[u8]) -> Result<(), String>);

/// Every reading has a target, which calls it, and seeds.
pub(crate) fn have_targets_and_seeds(fuzz: &str, parsers: &[Parser]) {
    for (name, _) in parsers {
        let target = fs::read_to_string(Path::new(fuzz).join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("parsers::run(\"{name}\"")), "{name}");
        assert!(!seeds(fuzz, name).is_empty(), "{name}");
    }
}

/// Every beginning and every end of every seed.
pub(crate) fn answer_pieces_of_seeds(fuzz: &str, parsers: &[Parser]) {
    for (name, parse) in parsers {
        for seed in seeds(fuzz, name) {
            for at in 0..=seed.len() {
                assert_eq!(parse(&seed[..at]), Ok(()), "{name} up to {at}");
                assert_eq!(parse(&seed[at..]), Ok(()), "{name} from {at}");
            }
        }
    }
}

/// So many changed seeds each.
pub(crate) fn keep_their_promise_over_mutations(fuzz: &str, parsers: &[Parser], mutations: u32) {
    for (name, parse) in parsers {
        let seeds = seeds(fuzz, name);
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for round in 0..mutations {
            let mutated = mutate(&seeds, &mut dice);
            let outcome = std::panic::catch_unwind(|| parse(&mutated));
            let kept = matches!(outcome, Ok(Ok(())));
            assert!(kept, "{name}, mutation {round}: {outcome:?} of {}", mutated.escape_ascii());
        }
    }
}

fn seeds(fuzz: &str, parser: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(fuzz).join("corpus").join(parser);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// One to four changes of one seed: flipped bits, odd bytes, pieces of another seed, pieces twice or not at all.
fn mutate(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(24)).min(bytes.len());
        match dice.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.insert(at, b"\0\xff\x80-/.\\ \n\"'@:%#"[dice.below(15)]),
            2 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                let piece = other[from..(from + dice.below(64)).min(other.len())].to_vec();
                bytes.splice(at..end, piece);
            }
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.drain(at..end)),
        }
    }
    bytes
}

/// Small, and the same everywhere (Steele and others, SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (end.max(1) as u64)).unwrap()
    }
}
