//! `eventyard schema explain`: what a schema says in words, or what the change of one means.

use super::Answer;
use super::args::ExplainArgs;
use super::check::Judged;
use super::files::Files;
use super::words;
use crate::cli::exit::End;
use crate::machines::codec::explained;

/// # Errors
/// A file that cannot be read, or is no schema.
pub(super) fn explain(args: &ExplainArgs) -> Answer {
    let files = Files::new(&args.reading)?;
    let Some(new) = &args.new else {
        let schema = files.schema(&args.schema)?;
        return Ok((explained(&schema), End::Fine));
    };
    let judged = Judged::of(files, new, &[&args.schema], &args.judging)?;
    let mut text = words::verdict(&judged);
    if let Some((compared, search)) = words::breaking(&judged) {
        text.push_str(&words::event(&judged, compared, &search));
    }
    let steps = words::steps(&judged);
    text.push_str(&words::planned(&judged, steps.as_deref()));
    Ok((text, judged.end()))
}
