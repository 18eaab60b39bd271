use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use chancery_ledger::keyfile::Passphrase;
use chancery_release::{Config, System, Workspace};
use include_dir::{Dir, include_dir};

use super::{Context, Result};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

static SHIPPED_LAW: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../law");
const PACK: &str = "us-medicaid";

/// A request for a demonstration to try.
pub(crate) const ICE: &str = r#"# Immigration and Customs Enforcement asks for everything.
recipient = "dhs/ice"
purpose = "immigration-enforcement/civil"
custodian = "hhs/cms"
dataset = "tmsis-2025-12"
tables = ["*"]
elements = ["*"]
format = "parquet"
authority = ["us/usc/8/1360-b"]
justification = "identity and location of aliens"
requested_by = "a demonstration"
"#;

const OIG: &str = r#"# The Inspector General asks for everything, for program integrity: a flow that must go on.
recipient = "hhs/oig"
purpose = "program-administration/integrity"
custodian = "hhs/cms"
dataset = "tmsis-2025-12"
"#;

pub(crate) fn run(context: &Context, args: &args::Init) -> Result {
    let passphrase = match (args.demo, context.passphrases.is_named()) {
        // A demonstration has no secrets worth a question.
        (true, false) => None,
        _ => context.passphrases.offered()?,
    };
    let is_plain = passphrase.is_none();
    let workspace = make(
        &args.dir,
        args.demo,
        args.ledger.as_deref(),
        passphrase.as_ref(),
    )?;
    if is_plain && !args.demo {
        text::warn(
            "the secret keys in keys/ are not encrypted; `chancery ledger keys encrypt` does that",
        );
    }
    let root = workspace.root().display();
    text::print(&match context.format {
        Format::Json => format!(
            "{:#}",
            serde_json::json!({
                "workspace": root.to_string(), "demonstration": args.demo,
                "ledger_keys": workspace.ledger_keys()?.keys().map(ToString::to_string).collect::<Vec<_>>(),
                "custodian_key": workspace.custodian_key()?.to_string(),
            })
        ),
        Format::Text => format!(
            "Made a workspace in {root}\n  law pack   law/{PACK} ({})\n  keys       keys/*.key (secret), \
             keys/*.vkey (to publish)\n  ledger     ledger/, its first entry names the custodian's key",
            if args.demo {
                "unsigned law counts: a demonstration"
            } else {
                "not signed off: nothing may leave yet"
            },
        ),
    });
    Ok(ExitCode::SUCCESS)
}

/// A workspace with the shipped law pack.
pub(crate) fn make(
    dir: &Path,
    demonstration: bool,
    ledger: Option<&str>,
    passphrase: Option<&Passphrase>,
) -> Result<Workspace> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file("create", dir, &error))?;
    let name = if demonstration {
        "chancery.example/demonstration"
    } else {
        "chancery.example/ledger"
    };
    let config = Config {
        demonstration,
        ..Config::new(ledger.unwrap_or(name), Path::new("law").join(PACK))
    };
    let workspace = Workspace::init(dir, config, &shipped_law(), passphrase, &System)?;
    if demonstration {
        for (name, text) in [("ice.toml", ICE), ("oig.toml", OIG)] {
            let path = workspace.root().join("requests").join(name);
            std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
        }
    }
    Ok(workspace)
}

fn shipped_law() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut pending: Vec<&Dir<'_>> = SHIPPED_LAW.get_dir(PACK).into_iter().collect();
    while let Some(dir) = pending.pop() {
        pending.extend(dir.dirs());
        for file in dir.files() {
            let name = file.path().strip_prefix(PACK).unwrap_or(file.path());
            if let Some(text) = file.contents_utf8() {
                files.insert(name.to_string_lossy().into_owned(), text.to_owned());
            }
        }
    }
    files
}
