//! The closed list of reasons for which an executor refuses work.
//!
//! Rule: the code is all that leaves the server; details stay in its own audit log.

macro_rules! reject_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $words:literal;)*) => {
        /// Why an executor refused an envelope, a permit or a control message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum RejectCode {
            $($(#[$doc])* #[error($words)] $name,)*
        }

        impl RejectCode {
            /// Every code, for tests that must cover all.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text of the code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The code behind a text, if it is one of ours.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

reject_codes! {
    /// No signature at all.
    Unsigned = "UNSIGNED": "the envelope carries no signature";
    /// A signature that does not fit the bytes.
    BadSignature = "BAD_SIGNATURE": "the signature does not match the envelope's bytes";
    /// Signed with a key that is not pinned.
    KeyUnknown = "KEY_UNKNOWN": "the envelope is signed with a key this server does not trust";
    /// Bytes that do not decode, or that carry fields this version does not know.
    Malformed = "MALFORMED": "the envelope or its plan does not decode exactly";
    /// A version from the future or the past.
    Version = "VERSION": "the envelope's version is not supported by this agent";
    /// After its end.
    Expired = "EXPIRED": "the envelope has expired";
    /// Before its start.
    NotYetValid = "NOT_YET_VALID": "the envelope is not valid yet";
    /// Made for another server.
    WrongServer = "WRONG_SERVER": "the envelope is for another server";
    /// Made for another team.
    WrongTeam = "WRONG_TEAM": "the envelope is for another team";
    /// A nonce or a sequence that was used before.
    Replay = "REPLAY": "the envelope was used before";
    /// The digest does not belong to the plan.
    DigestMismatch = "DIGEST_MISMATCH": "the digest does not match the plan";
    /// A plan whose kind does not fit its envelope.
    WrongKind = "WRONG_KIND": "the plan is of another kind than its envelope says";
    /// A release of a service nobody approved here.
    NoMandate = "NO_MANDATE": "no approved plan gives a mandate for this service";
    /// A release that goes beyond its mandate.
    OutsideMandate = "OUTSIDE_MANDATE": "the release goes beyond what was approved for this service";
    /// Declared less dangerous than it is.
    RiskUnderstated = "RISK_UNDERSTATED": "a step is declared less risky than it is";
    /// The server's own policy says no.
    Policy = "POLICY": "this server's local policy refuses it";
    /// A permit for a run whose envelope is not here.
    UnknownRun = "UNKNOWN_RUN": "no envelope of this run is held here";
    /// An epoch lower than one seen before.
    StaleEpoch = "STALE_EPOCH": "another coordinator has taken over this run";
    /// A step before its predecessors are done.
    OutOfOrder = "OUT_OF_ORDER": "a step before this one is not done";
    /// A step number the plan does not have.
    NoSuchStep = "NO_SUCH_STEP": "the plan has no such step";
    /// An attempt that is not the next one.
    WrongAttempt = "WRONG_ATTEMPT": "the attempt is not the next one of this step";
    /// A step that has already succeeded.
    AlreadyDone = "ALREADY_DONE": "this step has already succeeded";
    /// A secret that is missing, unnamed by the plan, or does not open.
    Secret = "SECRET": "a secret is missing, not named in the plan, or does not open";
    /// Too much at once.
    Busy = "BUSY": "this server is working on another range of this run";
    /// A release or operation that names what this agent never recorded.
    UnknownObject = "UNKNOWN_OBJECT": "the named service or release is not on this server";
    /// The run was held here, and its journal cannot be read any more: what was done is unknown.
    JournalLost = "JOURNAL_LOST": "the journal of this run cannot be read; it was set aside on the server";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_its_text_form() {
        for code in RejectCode::ALL {
            assert_eq!(RejectCode::from_code(code.code()), Some(*code));
        }
        assert_eq!(RejectCode::from_code("ANYTHING"), None);
    }
}
