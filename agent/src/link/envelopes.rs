//! Signed envelopes on their way in: one stream each, put together within its credit, handed on unread.
//!
//! Rule: length and hash are those that were announced, or the stream is refused. Neighbour: `session`.

use std::collections::BTreeMap;

use hydron_proto::frame::{MAX_ENVELOPE, ReceiveCredit, STREAM_CREDIT};
use hydron_proto::wire;
use sha2::{Digest as _, Sha256};

/// The envelope itself and its signatures.
const MAX_SIGNED: usize = MAX_ENVELOPE + 4096;

/// Envelopes that are arriving.
#[derive(Debug, Default)]
pub(super) struct Envelopes(BTreeMap<u32, Arriving>);

#[derive(Debug)]
struct Arriving {
    announced: wire::EnvelopeStream,
    bytes: Vec<u8>,
    credit: ReceiveCredit,
}

/// What a frame of an envelope stream leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing to say.
    Nothing,
    /// So much credit goes back.
    Grant(u32),
    /// All of it is here.
    Complete(Vec<u8>),
    /// The stream is closed with this reason.
    Refuse(&'static str),
}

impl Envelopes {
    /// A stream opens.
    pub(super) fn open(&mut self, stream: u32, announced: wire::EnvelopeStream) -> Step {
        let fits = usize::try_from(announced.length).is_ok_and(|length| length <= MAX_SIGNED && length > 0);
        if !fits || stream.is_multiple_of(2) || self.0.contains_key(&stream) {
            return Step::Refuse("not an envelope stream");
        }
        let credit = ReceiveCredit::new(STREAM_CREDIT);
        self.0.insert(stream, Arriving { announced, bytes: Vec::new(), credit });
        Step::Nothing
    }

    /// Bytes arrive.
    pub(super) fn data(&mut self, stream: u32, data: &[u8]) -> Step {
        let Some(arriving) = self.0.get_mut(&stream) else { return Step::Nothing };
        if !arriving.credit.arrived(data.len()) {
            self.0.remove(&stream);
            return Step::Refuse("more than its credit");
        }
        arriving.bytes.extend_from_slice(data);
        let have = arriving.bytes.len() as u64;
        if have < arriving.announced.length {
            return arriving.credit.consumed(data.len()).map_or(Step::Nothing, Step::Grant);
        }
        let Some(arriving) = self.0.remove(&stream) else { return Step::Nothing };
        let hash = Sha256::digest(&arriving.bytes);
        if have == arriving.announced.length && arriving.announced.sha256 == hash.as_slice() {
            Step::Complete(arriving.bytes)
        } else {
            Step::Refuse("length or hash differ from what was announced")
        }
    }

    /// The coordinator closes a stream; an envelope that is not complete is dropped.
    pub(super) fn close(&mut self, stream: u32) {
        self.0.remove(&stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(bytes: &[u8]) -> wire::EnvelopeStream {
        wire::EnvelopeStream {
            run_id: "r".into(),
            length: bytes.len() as u64,
            sha256: Sha256::digest(bytes).to_vec(),
        }
    }

    #[test]
    fn an_envelope_is_complete_only_with_its_length_and_hash() {
        let bytes = vec![3; 1000];
        let mut envelopes = Envelopes::default();
        assert_eq!(envelopes.open(1, announced(&bytes)), Step::Nothing);
        assert_eq!(envelopes.data(1, &bytes[..400]), Step::Nothing);
        assert_eq!(envelopes.data(1, &bytes[400..]), Step::Complete(bytes.clone()));
        envelopes.open(3, announced(&bytes));
        assert!(matches!(envelopes.data(3, &[4; 1000]), Step::Refuse(_)));
        envelopes.open(5, announced(&bytes));
        assert!(matches!(envelopes.data(5, &[3; 1001]), Step::Refuse(_)));
    }

    #[test]
    fn an_envelope_over_the_limit_is_refused_before_memory_is_spent() {
        let mut announced = announced(b"x");
        announced.length = 1 << 40;
        assert!(matches!(Envelopes::default().open(1, announced), Step::Refuse(_)));
    }

    #[test]
    fn credit_goes_back_while_a_large_envelope_arrives() {
        let bytes = vec![3; 600_000];
        let mut envelopes = Envelopes::default();
        envelopes.open(1, announced(&bytes));
        let mut granted = 0;
        for chunk in bytes.chunks(32 * 1024) {
            match envelopes.data(1, chunk) {
                Step::Grant(bytes) => granted += bytes,
                Step::Nothing | Step::Complete(_) => {}
                Step::Refuse(why) => panic!("{why}"),
            }
        }
        assert!(granted > 300_000);
    }
}
