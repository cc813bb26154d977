//! Numbers of variable length, seven bits a byte, the lowest first, as Protobuf writes them.

/// Appends a number.
#[inline]
pub(super) fn write(mut bits: u64, out: &mut Vec<u8>) {
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

/// A signed number so that small ones of either sign stay short.
pub(super) const fn zig(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// What [`zig`] was given.
pub(super) const fn zag(bits: u64) -> i64 {
    (bits >> 1) as i64 ^ -((bits & 1) as i64)
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoVarint {
    /// The bytes end before it does.
    Short,
    /// It has more than 64 bits.
    Long,
}

/// Takes a number off the front.
///
/// # Errors
/// When there is none.
#[inline]
pub(super) fn read(bytes: &mut &[u8]) -> Result<u64, NoVarint> {
    if let [byte, left @ ..] = *bytes
        && *byte < 0x80
    {
        *bytes = left;
        return Ok(u64::from(*byte));
    }
    read_slow(bytes)
}

fn read_slow(bytes: &mut &[u8]) -> Result<u64, NoVarint> {
    let mut bits = 0_u64;
    for (index, byte) in bytes.iter().enumerate() {
        if index == 9 && *byte > 1 {
            return Err(NoVarint::Long);
        }
        bits |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Ok(bits);
        }
    }
    Err(NoVarint::Short)
}
