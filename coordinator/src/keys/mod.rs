//! Keys the coordinator holds: for encrypting fields, for certificates, for plans.
//!
//! Rule: a key leaves its file only as the operation it is for; none has Debug or Serialize that shows it.

pub mod ca;
pub mod files;
pub mod kek;
pub mod marks;
pub mod signer;
pub mod tls;
