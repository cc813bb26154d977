//! MD5, which SQS answers with so that a sender sees what was stored. Not for secrets.
//!
//! Source: RFC 1321, "MD5 Algorithm Description". Start at [`digest`].

/// How far each of the 64 operations rotates: four rounds, each with four numbers again and again.
const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
const BLOCK_BYTES: usize = 64;

/// The digest in hexadecimal, as SQS writes it.
pub(super) fn digest(message: &[u8]) -> String {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % BLOCK_BYTES != BLOCK_BYTES - 8 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64).wrapping_mul(8).to_le_bytes());
    let state = padded.chunks_exact(BLOCK_BYTES).fold(START, mixed);
    state.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect()
}

fn mixed(state: [u32; 4], block: &[u8]) -> [u32; 4] {
    let word = |at: usize| block[4 * at..4 * at + 4].iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    let [mut a, mut b, mut c, mut d] = state;
    for step in 0..64 {
        let (chosen, at) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
            2 => (b ^ c ^ d, (3 * step + 5) % 16),
            _ => (c ^ (b | !d), (7 * step) % 16),
        };
        let sum = a.wrapping_add(chosen).wrapping_add(constant(step)).wrapping_add(word(at));
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4])));
    }
    [a.wrapping_add(state[0]), b.wrapping_add(state[1]), c.wrapping_add(state[2]), d.wrapping_add(state[3])]
}

/// The RFC's table T: the whole part of 4294967296 × |sin(i + 1)|.
fn constant(step: usize) -> u32 {
    (libm::sin(step as f64 + 1.0).abs() * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The RFC's own test suite (A.5).
    #[test]
    fn agrees_with_the_rfc() {
        let cases = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
            ("12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"),
        ];
        for (message, wanted) in cases {
            assert_eq!(digest(message.as_bytes()), wanted, "{message}");
        }
    }
}
