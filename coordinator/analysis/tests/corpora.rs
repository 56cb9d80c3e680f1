//! Every parser over its seeds and over mutations of them: what the fuzz targets do, on stable and in seconds.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use hydron_analysis::parsers::{self, PARSERS};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz");

fn seeds(parser: &str) -> Vec<String> {
    let dir = Path::new(FUZZ).join("corpus").join(parser);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()).collect()
}

#[test]
fn every_parser_has_a_target_and_seeds() {
    for (name, _) in PARSERS {
        let target = fs::read_to_string(Path::new(FUZZ).join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("parsers::run(\"{name}\"")), "{name}");
        assert!(!seeds(name).is_empty(), "{name}");
    }
    assert!(!parsers::run("nonsense", ""));
}

#[test]
fn no_parser_falls_over_its_seeds_or_over_pieces_of_them() {
    for (name, parse) in PARSERS {
        for seed in seeds(name) {
            parse(&seed);
            for at in (0..seed.len()).step_by(7).filter(|at| seed.is_char_boundary(*at)) {
                parse(&seed[..at]);
                parse(&seed[at..]);
            }
        }
    }
}

#[test]
fn no_parser_falls_over_mutations() {
    for (name, parse) in PARSERS {
        let cases = if matches!(*name, "manifests" | "sources") { 24 } else { 96 };
        let all = prop::sample::select(seeds(name));
        let noise = prop_oneof!["\\PC{0,12}", "[\\[\\]{}()<>$\"'\\\\:=,./*\\n\\t \u{0}é]{1,16}"];
        let cut = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
        let strategy = (all.clone(), all, cut, noise, 1_usize..40);
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&strategy, |(one, other, (from, to), noise, times)| {
            let place = |index: prop::sample::Index, text: &str| {
                let mut at = index.index(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let (from, to) = (place(from, &one), place(to, &other));
            parse(&format!("{}{}{}", &one[..from], noise.repeat(times), &other[to..]));
            Ok(())
        });
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
    }
}

#[test]
fn time_grows_with_length_and_not_faster() {
    for (name, parse) in PARSERS {
        for seed in seeds(name) {
            let text = format!("{seed}\n").repeat(200_000 / (seed.len() + 1));
            let began = Instant::now();
            parse(&text);
            let most = Duration::from_secs(if matches!(*name, "manifests" | "sources") { 60 } else { 10 });
            assert!(began.elapsed() < most, "{name} took {:?} for 200 kB", began.elapsed());
        }
    }
}
