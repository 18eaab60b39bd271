use std::process::ExitCode;

use chancery_dataset::Progress as _;
use chancery_dataset::synth::{DictionaryVersion, Encoding, Kind, Plan, write};

use super::{Context, Result, json};
use crate::args::{self, Dictionary, Format, SynthKind};
use crate::text;

pub(crate) fn run(context: &Context, args: &args::Synth) -> Result {
    let plan = Plan {
        kind: match args.kind {
            SynthKind::Tmsis => Kind::Tmsis,
            SynthKind::Taf => Kind::Taf,
        },
        people: args.people,
        seed: args.seed,
        states: args.states.clone(),
        malformed: args.malformed,
        version: match args.dictionary {
            Dictionary::V3 => DictionaryVersion::V3,
            Dictionary::V4 => DictionaryVersion::V4,
            Dictionary::Mixed => DictionaryVersion::Mixed,
        },
        encoding: match args.encoding {
            args::Encoding::Psv => Encoding::Psv,
            args::Encoding::Flf => Encoding::Flf,
        },
    };
    context.progress.begin("making people up", plan.people);
    let written = write(&plan, &args.out, &|people| context.progress.advance(people))?;
    context.progress.finish();
    text::print(&match context.format {
        Format::Json => json(&serde_json::json!({
            "files": written.files, "people": written.people, "rows": written.rows,
            "bytes": written.bytes,
        }))?,
        Format::Text => format!(
            "Wrote {} synthetic people, {} rows, {} bytes, in {} files in {}",
            text::count(written.people),
            text::count(written.rows),
            text::count(written.bytes),
            written.files.len(),
            args.out.display(),
        ),
    });
    Ok(ExitCode::SUCCESS)
}
