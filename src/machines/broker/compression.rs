//! The codecs of Kafka's record batches (`compression.type`), real ones.
//!
//! In: the bytes behind a batch's header. Out: the same in a codec's framing, as Java's client writes it: gzip; blocks of
//! 32 KiB in snappy-java's stream; LZ4 frames with independent blocks of 64 KiB; one zstd frame.
//! Must not know: batches, clients. Source: org.apache.kafka.common.compress (4.0).

use std::io::{Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use thiserror::Error;

/// A batch never opens to more than this: hostile bytes could otherwise fill the memory.
pub const OPENED_BYTES_MAX: usize = 256 << 20;
/// Kafka's default levels: `compression.gzip.level`, `compression.zstd.level`.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;
/// snappy-java's stream: magic, version 1, compatible with version 1.
const SNAPPY_HEADER: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
const SNAPPY_BLOCK_BYTES: usize = 32 << 10;

/// How the records of a batch are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// DEFLATE in gzip's frame.
    Gzip,
    /// Snappy in snappy-java's blocks.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// Bytes that a codec cannot open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// They contradict the codec's format.
    #[error("the compressed records are malformed")]
    Malformed,
    /// They open to more than [`OPENED_BYTES_MAX`].
    #[error("the compressed records open to more than {} MiB", OPENED_BYTES_MAX >> 20)]
    TooLarge,
}

impl Compression {
    /// All codecs; a codec's place is its number in a batch's attributes.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];
    /// Their names as `compression.type` writes them, in the same order.
    pub const NAMES: &'static [&'static str] = &["none", "gzip", "snappy", "lz4", "zstd"];

    /// The codec of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self::ALL[place])
    }
    /// Its number in the lowest three bits of a batch's attributes.
    #[must_use]
    pub fn id(self) -> u8 {
        self as u8
    }
    /// The codec of that number.
    #[must_use]
    pub fn of_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// Appends `plain` to `out` in this codec's framing.
    pub fn pack(self, plain: &[u8], out: &mut Vec<u8>) {
        const IN_MEMORY: &str = "writing to memory does not fail";
        match self {
            Self::None => out.extend_from_slice(plain),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::new(GZIP_LEVEL));
                encoder.write_all(plain).and_then(|()| encoder.try_finish()).expect(IN_MEMORY);
            }
            Self::Snappy => pack_snappy(plain, out),
            Self::Lz4 => {
                let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
                let mut encoder = FrameEncoder::with_frame_info(info, out);
                encoder.write_all(plain).and_then(|()| encoder.try_finish().map_err(Into::into)).expect(IN_MEMORY);
            }
            Self::Zstd => zstd::stream::copy_encode(plain, out, ZSTD_LEVEL).expect(IN_MEMORY),
        }
    }

    /// Appends to `out` what [`Self::pack`] was given.
    ///
    /// # Errors
    /// The bytes are not this codec's, or open to too much.
    pub fn open(self, packed: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        match self {
            Self::None => {
                out.extend_from_slice(packed);
                Ok(())
            }
            Self::Gzip => read_all(flate2::read::GzDecoder::new(packed), out),
            Self::Snappy => open_snappy(packed, out),
            Self::Lz4 => read_all(FrameDecoder::new(packed), out),
            Self::Zstd => read_all(zstd::stream::Decoder::with_buffer(packed).map_err(|_| Unreadable::Malformed)?, out),
        }
    }
}

fn read_all(source: impl Read, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let limit = OPENED_BYTES_MAX as u64;
    let read = source.take(limit + 1).read_to_end(out).map_err(|_| Unreadable::Malformed)?;
    if read as u64 > limit { Err(Unreadable::TooLarge) } else { Ok(()) }
}

fn pack_snappy(plain: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&SNAPPY_HEADER);
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(SNAPPY_BLOCK_BYTES) {
        let packed = encoder.compress_vec(block).expect("a block of 32 KiB is within Snappy's limits");
        out.extend_from_slice(&(packed.len() as u32).to_be_bytes());
        out.extend_from_slice(&packed);
    }
}

fn open_snappy(packed: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let mut rest = packed.strip_prefix(&SNAPPY_HEADER).ok_or(Unreadable::Malformed)?;
    let mut decoder = snap::raw::Decoder::new();
    let mut opened_bytes = 0;
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<4>().ok_or(Unreadable::Malformed)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, behind) = behind.split_at_checked(length).ok_or(Unreadable::Malformed)?;
        let size = snap::raw::decompress_len(block).map_err(|_| Unreadable::Malformed)?;
        opened_bytes += size;
        if opened_bytes > OPENED_BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        let from = out.len();
        out.resize(from + size, 0);
        decoder.decompress(block, &mut out[from..]).map_err(|_| Unreadable::Malformed)?;
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_opens_again(words in prop::collection::vec("[a-f]{1,12}", 0..8_000), noise in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let mut plain = words.concat().into_bytes();
            plain.extend(noise);
            for codec in Compression::ALL {
                let (mut packed, mut opened) = (b"before".to_vec(), Vec::new());
                codec.pack(&plain, &mut packed);
                prop_assert_eq!(codec.open(&packed[6..], &mut opened), Ok(()));
                prop_assert!(opened == plain, "{codec:?}");
            }
        }

        #[test]
        fn hostile_bytes_are_refused_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), flip in 1u8..=255) {
            for codec in Compression::ALL {
                let mut out = Vec::new();
                let _ = codec.open(&bytes, &mut out);
                let mut packed = Vec::new();
                codec.pack(&bytes, &mut packed);
                if !packed.is_empty() {
                    let index = at.index(packed.len());
                    packed[index] ^= flip;
                    let _ = codec.open(&packed, &mut out);
                    let _ = codec.open(&packed[..index], &mut out);
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut packed = Vec::new();
        Compression::Zstd.pack(&vec![0; OPENED_BYTES_MAX + 1], &mut packed);
        assert!(packed.len() < 1 << 20);
        assert_eq!(Compression::Zstd.open(&packed, &mut Vec::new()), Err(Unreadable::TooLarge));
    }
}
