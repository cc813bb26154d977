//! `eventyard schema sample`: valid random events, one a line.

use super::args::SampleArgs;
use super::files::Files;
use crate::cli::exit::{End, Stop, print};
use crate::machines::codec::Schema;
use crate::random::Stream;
use crate::units::SimTime;

/// Text that is printed at once.
const BUFFER_BYTES: usize = 64 << 10;

/// # Errors
/// A file that cannot be read or is no schema; a schema without a valid event.
pub(super) fn sample(args: &SampleArgs) -> Result<End, Stop> {
    let files = Files::new(&args.reading)?;
    let schema = files.schema(&args.schema)?;
    if let Err(why) = schema.can_generate() {
        return Err(Stop::findings(format!("{}: {why}", args.schema.display())));
    }
    let mut rng = Stream::new(args.seed, "schema", "sample");
    let mut out = String::new();
    for _ in 0..args.count {
        out.push_str(&event(&schema, &mut rng, args.hex).map_err(Stop::ours)?);
        out.push('\n');
        if out.len() > BUFFER_BYTES {
            print(&out)?;
            out.clear();
        }
    }
    print(&out)?;
    Ok(End::Fine)
}

fn event(schema: &Schema, rng: &mut Stream, as_hex: bool) -> Result<String, String> {
    let mut payload = Vec::new();
    schema.generate(rng, SimTime::ZERO, &mut payload);
    if as_hex {
        return Ok(payload.iter().map(|byte| format!("{byte:02x}")).collect());
    }
    schema.to_json(&payload).map(|value| value.to_string())
}
