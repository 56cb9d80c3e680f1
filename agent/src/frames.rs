//! Records one after the other in a file: length, CRC-32C (RFC 3720 §12.1), payload.
//!
//! Rule: what is not whole is no record; what a torn tail means is decided by whoever owns the file.
//! Neighbours: `exec/journal` and `attempts`.

use std::io;

/// Length and checksum.
const HEAD: usize = 8;
/// The longest payload, bytes: a permit with its sealed secrets.
const LONGEST: usize = 1024 * 1024;

/// Adds a record.
pub(crate) fn put(bytes: &mut Vec<u8>, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= LONGEST);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the record is too long"))?;
    bytes.extend(length.to_be_bytes());
    bytes.extend(crc32c::crc32c(payload).to_be_bytes());
    bytes.extend(payload);
    Ok(())
}

/// The payload of the first record, if it is whole, and how many bytes the record fills.
pub(crate) fn first(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let length = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
    let sum = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    let payload = bytes.get(HEAD..HEAD + length.min(LONGEST))?;
    (length <= LONGEST && crc32c::crc32c(payload) == sum).then_some((payload, HEAD + length))
}
