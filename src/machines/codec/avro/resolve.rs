//! Whether one datum of a writer can be read with a reader's schema, and if not, at which field and why: the
//! specification's resolution, datum by datum. A schema that cannot read all data may well read this one.
//!
//! In: bytes that are valid under the writer's schema. Must not know: where they come from. Start at [`resolve`].

use super::check::Cursor;
use super::fits::{AvroRules, Fits, Run, Source, is_promoted};
use super::outline::{Outline, PartIx, Shape};

/// # Errors
/// The first field that cannot be read, in words.
pub(super) fn resolve(reader: &Outline, writer: &Outline, rules: AvroRules, bytes: &[u8]) -> Result<(), String> {
    let mut walk = Walk { fits: Fits::new(reader, writer, rules), cursor: Cursor::new(bytes), path: Vec::new() };
    walk.read(Some(0), 0)
}

struct Walk<'a, 'b> {
    fits: Fits<'a>,
    cursor: Cursor<'b>,
    /// Fields around, from the outermost on.
    path: Vec<String>,
}

impl Walk<'_, '_> {
    /// One part of the writer as a part of the reader; without one it is passed over.
    fn read(&mut self, reader: Option<PartIx>, writer: PartIx) -> Result<(), String> {
        if let Shape::Union { first, count } = self.fits.writer.shape(writer) {
            let at = self.long()?;
            let branch = usize::try_from(at).ok().and_then(|at| self.fits.writer.branches(first, count).get(at).copied());
            return self.read(reader, branch.ok_or("no such branch")?);
        }
        let reader = match reader.map(|reader| (reader, self.fits.reader.shape(reader))) {
            Some((_, Shape::Union { first, count })) => Some(self.branch((first, count), writer)?),
            _ => reader,
        };
        if let Some(reader) = reader {
            self.same_kind(reader, writer)?;
        }
        let shape = reader.map(|reader| self.fits.reader.shape(reader));
        match self.fits.writer.shape(writer) {
            Shape::Record { first, count } => self.record(reader, (first, count)),
            Shape::Enum { first, count, .. } => {
                let at = self.long()?;
                let symbol = usize::try_from(at).ok().and_then(|at| self.fits.writer.symbols(first, count).get(at));
                self.symbol(reader, symbol.ok_or("no such symbol")?)
            }
            Shape::Array(item) => {
                let of = if let Some(Shape::Array(of)) = shape { Some(of) } else { None };
                self.blocks(|walk, at| walk.within(format!("[{at}]"), |walk| walk.read(of, item)))
            }
            Shape::Map(value) => {
                let of = if let Some(Shape::Map(of)) = shape { Some(of) } else { None };
                self.blocks(|walk, _| {
                    let key = walk.cursor.sized("map key").map_err(|wrong| wrong.words())?;
                    let key = String::from_utf8_lossy(key).into_owned();
                    walk.within(key, |walk| walk.read(of, value))
                })
            }
            scalar => self.scalar(scalar, shape),
        }
    }

    /// The branch of a reader's union that is for the writer's part: one that reads all of it, or one of its kind.
    fn branch(&mut self, (first, count): Run, writer: PartIx) -> Result<PartIx, String> {
        let branches = self.fits.reader.branches(first, count);
        if let Some(at) = self.fits.branch_for(branches, writer) {
            return Ok(branches[at]);
        }
        let meant = branches.iter().find(|branch| self.is_kind(**branch, writer));
        meant.copied().ok_or_else(|| self.refusal(&format!("the reader's union has no branch for {}", self.word(writer))))
    }

    /// Whether a datum of the one can be one of the other, whatever is in it.
    fn is_kind(&self, reader: PartIx, writer: PartIx) -> bool {
        is_kind(&self.fits, reader, writer)
    }

    fn same_kind(&self, reader: PartIx, writer: PartIx) -> Result<(), String> {
        if self.is_kind(reader, writer) {
            return Ok(());
        }
        let name = |outline: &Outline, part| outline.part(part).name.as_ref().map_or_else(String::new, |name| format!(" {}", name.full));
        let (expected, found) = (self.fits.reader.shape(reader).word(), self.word(writer));
        let (wanted, written) = (name(self.fits.reader, reader), name(self.fits.writer, writer));
        Err(self.refusal(&format!("the data is {found}{written}, the reader wants {expected}{wanted}")))
    }

    fn record(&mut self, reader: Option<PartIx>, (first, count): Run) -> Result<(), String> {
        let mut read_as = vec![None; count as usize];
        if let Some(Shape::Record { first: of, count: wanted }) = reader.map(|reader| self.fits.reader.shape(reader)) {
            for (position, field) in self.fits.reader.fields(of, wanted).iter().enumerate() {
                match self.fits.source(field, position, (first, count)) {
                    Source::Field { at, .. } => read_as[at] = Some(field.part),
                    Source::None if field.default.is_some() => {}
                    Source::None => {
                        let words = "the data has no such field, and the reader gives no default";
                        return self.within(field.name.to_string(), |walk| Err(walk.refusal(words)));
                    }
                    Source::Several => {
                        return self.within(field.name.to_string(), |walk| Err(walk.refusal("the data has several fields for it")));
                    }
                }
            }
        }
        let fields = self.fits.writer.fields(first, count);
        fields.iter().zip(read_as).try_for_each(|(field, as_part)| {
            let writer = field.part;
            self.within(field.name.to_string(), |walk| walk.read(as_part, writer))
        })
    }

    fn symbol(&self, reader: Option<PartIx>, symbol: &str) -> Result<(), String> {
        let Some(reader) = reader else { return Ok(()) };
        let Shape::Enum { first, count, .. } = self.fits.reader.shape(reader) else { return Ok(()) };
        if self.fits.reader.has_symbol(first, count, symbol, 0) || self.fits.default_symbol(reader).is_some() {
            return Ok(());
        }
        Err(self.refusal(&format!("the reader does not know the symbol {symbol}")))
    }

    /// Blocks of items up to a block of none; a negative count is followed by the block's size in bytes.
    fn blocks(&mut self, mut each: impl FnMut(&mut Self, u64) -> Result<(), String>) -> Result<(), String> {
        let mut total = 0;
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                each(self, total)?;
                total += 1;
            }
        }
    }

    fn scalar(&mut self, writer: Shape, reader: Option<Shape>) -> Result<(), String> {
        let taken = match writer {
            Shape::Boolean => self.cursor.take(1, "boolean").map(drop),
            Shape::Int | Shape::Long => self.cursor.long("long").map(drop),
            Shape::Float => self.cursor.take(4, "float").map(drop),
            Shape::Double => self.cursor.take(8, "double").map(drop),
            Shape::Fixed { size } => self.cursor.take(usize::try_from(size).unwrap_or(usize::MAX), "fixed").map(drop),
            Shape::Bytes | Shape::String => {
                let bytes = self.cursor.sized("bytes").map_err(|wrong| wrong.words())?;
                if reader == Some(Shape::String) && std::str::from_utf8(bytes).is_err() {
                    return Err(self.refusal("the bytes are no UTF-8, the reader wants STRING"));
                }
                Ok(())
            }
            _ => Ok(()),
        };
        taken.map_err(|wrong| wrong.words())
    }

    fn long(&mut self) -> Result<i64, String> {
        self.cursor.long("long").map_err(|wrong| wrong.words())
    }

    fn within<T>(&mut self, part: String, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(part);
        let result = walk(self);
        self.path.pop();
        result
    }

    fn word(&self, writer: PartIx) -> &'static str {
        self.fits.writer.shape(writer).word()
    }

    fn refusal(&self, what: &str) -> String {
        if self.path.is_empty() { what.to_owned() } else { format!("field {}: {what}", self.path.join(".").replace(".[", "[")) }
    }
}

/// Whether a datum of the writer's part can be one of the reader's, whatever is in it: neither is a union.
pub(super) fn is_kind(fits: &Fits<'_>, reader: PartIx, writer: PartIx) -> bool {
    match (fits.reader.shape(reader), fits.writer.shape(writer)) {
        (Shape::Record { .. }, Shape::Record { .. }) | (Shape::Enum { .. }, Shape::Enum { .. }) => fits.same_name(reader, writer),
        (Shape::Fixed { size: wanted }, Shape::Fixed { size }) => wanted == size && fits.same_name(reader, writer),
        (Shape::Array(_), Shape::Array(_)) | (Shape::Map(_), Shape::Map(_)) => true,
        (of_reader, of_writer) => of_reader == of_writer || is_promoted(of_reader, of_writer),
    }
}
