//! Every split position of every form, self-overlap, and the promise about what is held back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;

use super::*;

fn redactor(secrets: &[&[u8]]) -> Redactor {
    Redactor::new(Needles::of(secrets.iter().copied()))
}

fn whole(secrets: &[&[u8]], text: &[u8]) -> Vec<u8> {
    in_parts(secrets, &[text])
}

fn in_parts(secrets: &[&[u8]], parts: &[&[u8]]) -> Vec<u8> {
    through(&redactor(secrets), parts)
}

fn through(redactor: &Redactor, parts: &[&[u8]]) -> Vec<u8> {
    let mut redactor = redactor.fresh();
    let mut out: Vec<u8> = parts.iter().flat_map(|part| redactor.push(part)).collect();
    out.extend(redactor.finish());
    out
}

#[test]
fn a_secret_is_masked_at_every_split_position() {
    let secret: &[u8] = b"s3cr3t/p@ss w\"rd'1";
    let text = [b"before ", secret, b" after ", secret].concat();
    let expected = whole(&[secret], &text);
    assert_eq!(expected, b"before [redacted] after [redacted]");
    let redactor = redactor(&[secret]);
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let parts = [&text[..first], &text[first..second], &text[second..]];
            assert_eq!(through(&redactor, &parts), expected, "split at {first} and {second}");
        }
    }
}

#[test]
fn a_long_secret_is_masked_in_lines_of_base64() {
    let secret: Vec<u8> = (0_u8..150).map(|number| b'!' + number % 90).collect();
    let encoded = STANDARD.encode(&secret);
    for width in [64, 76] {
        let lines: Vec<&[u8]> = encoded.as_bytes().chunks(width).collect();
        let masked = vec![&b"[redacted]"[..]; lines.len()];
        assert_eq!(whole(&[&secret], &lines.join(&b'\n')), masked.join(&b'\n'), "lines of {width}");
    }
}

#[test]
fn a_secret_that_overlaps_itself_leaks_nothing() {
    let secret: &[u8] = b"aabaab";
    for text in [&b"aaabaab"[..], b"aabaabaab", b"xaabaaabaabaabx", b"aabaaaabaab"] {
        let expected = whole(&[secret], text);
        assert!(!expected.windows(6).any(|w| w == secret));
        for at in 0..=text.len() {
            assert_eq!(in_parts(&[secret], &[&text[..at], &text[at..]]), expected);
        }
    }
    assert_eq!(whole(&[secret], b"-aabaabaab-"), b"-[redacted]-");
}

#[test]
fn two_secrets_that_overlap_are_both_masked() {
    assert_eq!(whole(&[b"abcdefgh", b"efghijkl"], b"<abcdefghijkl>"), b"<[redacted]>");
    assert_eq!(whole(&[b"abcdefgh", b"cdefghxx"], b"<abcdefghij>"), b"<[redacted]ij>");
}

#[test]
fn every_common_encoding_is_masked_at_every_split_position() {
    let secret: &[u8] = b"p?>a/s~s'w\"o\\rd\n2nd-line-1";
    let text = std::str::from_utf8(secret).unwrap();
    let mut forms: Vec<Vec<u8>> = vec![
        serde_json::to_vec(text).unwrap(),
        secret.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect(),
        b"2nd-line-1".to_vec(),
        b"p%3F%3Ea%2Fs~s%27w%22o%5Crd%0A2nd-line-1".to_vec(),
        b"'p?>a/s~s'\\''w\"o\\rd'".to_vec(),
    ];
    for shift in 0..3 {
        let shifted = [&b"xyz"[..shift], secret, b"tail"].concat();
        forms.push(STANDARD.encode(&shifted).into_bytes());
        forms.push(URL_SAFE.encode(&shifted).into_bytes());
    }
    let redactor = redactor(&[secret]);
    for form in forms {
        let expected = whole(&[secret], &form);
        assert!(expected.windows(MASK.len()).any(|w| w == MASK), "{}", String::from_utf8_lossy(&form));
        for at in 0..=form.len() {
            assert_eq!(through(&redactor, &[&form[..at], &form[at..]]), expected);
        }
    }
}

/// What programs wrote of the secret, word for word.
#[test]
fn what_other_languages_write_is_masked() {
    let secret = "p<&>\"q' r/ä~(x)";
    for (who, written) in [
        ("Python's json", r#"p<&>\"q' r/\u00e4~(x)"#),
        ("Java's json", r#"p<&>\"q' r/\u00E4~(x)"#),
        ("Go's json", r#"p\u003c\u0026\u003e\"q' r/ä~(x)"#),
        ("PHP's json", r#"p<&>\"q' r\/\u00e4~(x)"#),
        ("Python's quote", "p%3C%26%3E%22q%27%20r/%C3%A4~%28x%29"),
        ("Python's quote_plus", "p%3C%26%3E%22q%27+r%2F%C3%A4~%28x%29"),
        ("encodeURIComponent", "p%3C%26%3E%22q'%20r%2F%C3%A4~(x)"),
        ("URLSearchParams", "p%3C%26%3E%22q%27+r%2F%C3%A4%7E%28x%29"),
        ("Python's html.escape", "p&lt;&amp;&gt;&quot;q&#x27; r/ä~(x)"),
        ("Go's html.EscapeString", "p&lt;&amp;&gt;&#34;q&#39; r/ä~(x)"),
        ("a text node of XML", "p&lt;&amp;&gt;\"q' r/ä~(x)"),
        ("printf %q", r#"p\<\&\>\"q\'\ r/ä~\(x\)"#),
        ("od", "703c263e22712720722fc3a47e287829"),
    ] {
        let seen = whole(&[secret.as_bytes()], format!("before {written} after").as_bytes());
        assert_eq!(String::from_utf8_lossy(&seen), "before [redacted] after", "{who}");
    }
}

/// All that is looked for, each cut at every place.
#[test]
fn every_needle_is_masked_at_every_split_position() {
    let key = b"-----BEGIN KEY-----\nMIIEvQ/+9\xc3\xa4==\nAoGBAK&<x>\n-----END KEY-----\n";
    for secret in [&b"s3cr3t/p@ss w\"rd'1"[..], b"p<&>\"q' r/\xc3\xa4~(x)", b"\xff\x00\xfebinary\x80", key] {
        let redactor = redactor(&[secret]);
        let needles: Vec<Vec<u8>> = redactor.needles.all().map(<[u8]>::to_vec).collect();
        assert!(needles.len() >= 10, "{} needles", needles.len());
        for needle in needles {
            let text = [b"<", needle.as_slice(), b">"].concat();
            let expected = through(&redactor, &[&text]);
            assert!(!expected.windows(needle.len()).any(|part| part == needle), "{}", needle.escape_ascii());
            for at in 0..=text.len() {
                let parted = through(&redactor, &[&text[..at], &text[at..]]);
                assert!(parted == expected, "{} cut at {at}", needle.escape_ascii());
            }
        }
    }
}

#[test]
fn ordinary_output_leaves_at_once() {
    let mut redactor = redactor(&[b"correct horse battery staple"]);
    assert_eq!(redactor.push(b"Step 1/3 : FROM debian\n"), b"Step 1/3 : FROM debian\n");
    assert_eq!(redactor.push(b"now correct hor"), b"now ");
    assert_eq!(redactor.push(b"n\n"), b"correct horn\n");
}

#[test]
fn a_secret_cut_off_by_the_end_is_shown_as_it_is() {
    assert_eq!(whole(&[b"abcdefgh"], b"abcdefg"), b"abcdefg");
}

#[test]
fn words_too_short_to_be_secrets_are_no_needles() {
    assert_eq!(whole(&[b"abc", b""], b"abcabc"), b"abcabc");
}

proptest! {
    #[test]
    fn the_output_does_not_depend_on_the_splits(
        secrets in proptest::collection::vec("[ab]{6,9}", 1..4),
        text in "[abc]{0,80}",
        cuts in proptest::collection::vec(0usize..80, 0..6),
    ) {
        let secrets: Vec<&[u8]> = secrets.iter().map(String::as_bytes).collect();
        let expected = whole(&secrets, text.as_bytes());
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.push(0);
        cuts.push(text.len());
        cuts.sort_unstable();
        let parts: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
        prop_assert_eq!(in_parts(&secrets, &parts), expected.clone());
        for secret in secrets {
            prop_assert!(!expected.windows(secret.len()).any(|w| w == secret));
        }
    }

    #[test]
    fn no_more_than_the_longest_needle_is_held_back(text in "[ab]{0,60}") {
        let mut redactor = redactor(&[b"abababab"]);
        let longest = redactor.needles.all().map(<[u8]>::len).max().unwrap();
        let mut out = 0;
        for (at, byte) in text.bytes().enumerate() {
            out += redactor.push(&[byte]).len();
            prop_assert!(redactor.held.len() < longest, "{} held after {}", redactor.held.len(), at);
        }
        let _ = out;
    }
}
