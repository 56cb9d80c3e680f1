//! The text of an API token: `hyd_pat_`, 32 base-62 characters (190 bits), and six of their checksum, so that a scanner
//! of sources can tell a real one from noise.
//!
//! Rule: only the hash is stored; the text is shown once.

use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::services::auth::sha256_hex;

const PREFIX: &str = "hyd_pat_";
const RANDOM: usize = 32;
const CHECKSUM: usize = 6;
/// How much of a token is stored to recognise it by.
const SHOWN: usize = 4;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of a token.
pub struct ApiToken(Zeroizing<String>);

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiToken")
    }
}

impl ApiToken {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = Zeroizing::new(String::with_capacity(RANDOM));
        while random.len() < RANDOM {
            let mut byte = [0_u8];
            entropy.fill(&mut byte);
            // 248 is the largest multiple of 62 in a byte: no character is likelier than another.
            if let [byte @ 0..248] = byte {
                random.push(digit(u32::from(byte)));
            }
        }
        let checksum = checksum(&random);
        Self(Zeroizing::new(format!("{PREFIX}{}{checksum}", random.as_str())))
    }

    /// Accepts a text only if its checksum fits: noise never reaches the database.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        if body.len() != RANDOM + CHECKSUM || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (random, given) = body.split_at(RANDOM);
        (checksum(random) == given).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// How it is stored.
    pub fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The first characters, to recognise it by.
    pub fn shown(&self) -> String {
        self.0.chars().take(PREFIX.len() + SHOWN).collect()
    }

    /// The text itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn checksum(random: &str) -> String {
    let mut rest = crc32c::crc32c(random.as_bytes());
    let mut digits = Vec::with_capacity(CHECKSUM);
    for _ in 0..CHECKSUM {
        digits.push(digit(rest));
        rest /= 62;
    }
    digits.into_iter().rev().collect()
}

fn digit(value: u32) -> char {
    let index = usize::try_from(value % 62).unwrap_or(0);
    ALPHABET.get(index).map_or('0', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn a_token_parses_and_a_typing_error_does_not() {
        let token = ApiToken::generate(&SystemEntropy);
        let text = token.reveal().to_owned();
        assert_eq!(text.len(), 46);
        assert_eq!(ApiToken::parse(&text).unwrap().hash(), token.hash());
        for at in PREFIX.len()..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            assert!(ApiToken::parse(std::str::from_utf8(&wrong).unwrap()).is_none(), "at {at}");
        }
        assert!(ApiToken::parse("hyd_pat_").is_none() && ApiToken::parse(&format!("{text} ")).is_none());
    }
}
