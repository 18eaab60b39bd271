use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chancery_law::{EXAMPLES, LawPack, PackSource};
use chancery_ledger::keyfile::Passphrase;
use chancery_release::{Config, System, Workspace, pack_files, write_pack};
use include_dir::{Dir, include_dir};

use super::{Context, Result};
use crate::args::{self, Format};
use crate::failure::Failure;
use crate::text;

static SHIPPED_LAW: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../law");
const PACK: &str = "us-medicaid";
const OVERLAYS: &str = "overlays";

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
    let law = Chosen::of(&args.law, &args.overlay)?;
    let passphrase = match (args.demo, context.passphrases.is_named()) {
        // A demonstration has no secrets worth a question.
        (true, false) => None,
        _ => context.passphrases.offered()?,
    };
    let is_plain = passphrase.is_none();
    let examples = if args.demo {
        law.examples()
    } else {
        Files::new()
    };
    let workspace = make(
        &args.dir,
        args.demo,
        args.ledger.as_deref(),
        &law,
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
                "workspace": root.to_string(), "demonstration": args.demo, "law": workspace.config().law,
                "overlays": workspace.config().overlays, "examples": examples.keys().collect::<Vec<_>>(),
                "ledger_keys": workspace.ledger_keys()?.keys().map(ToString::to_string).collect::<Vec<_>>(),
                "custodian_key": workspace.custodian_key()?.to_string(),
            })
        ),
        Format::Text => format!(
            "Made a workspace in {root}\n  law pack   {} ({})\n{}{}  keys       keys/*.key (secret), \
             keys/*.vkey (to publish)\n  ledger     ledger/, its first entry names the custodian's key",
            workspace.config().law.display(),
            if args.demo {
                "unsigned law counts: a demonstration"
            } else {
                "not signed off: nothing may leave yet"
            },
            workspace
                .config()
                .overlays
                .iter()
                .map(|overlay| format!("  overlay    {}\n", overlay.display()))
                .collect::<String>(),
            examples
                .keys()
                .map(|path| format!("  example    {path}\n"))
                .collect::<String>(),
        ),
    });
    Ok(ExitCode::SUCCESS)
}

/// The law of a new workspace: the files of a pack and of the overlays on it, each by the folder that
/// they go to.
pub(crate) struct Chosen {
    pack: (PathBuf, Files),
    overlays: Vec<(PathBuf, Files)>,
}

type Files = BTreeMap<String, String>;

impl Chosen {
    /// What the pack brings to try it with, by where it goes in the workspace: requests to the other
    /// requests, and the rest as it lies in the pack.
    fn examples(&self) -> Files {
        let (_, files) = &self.pack;
        let example = |(path, text): (&String, &String)| {
            let name = path.strip_prefix(EXAMPLES)?;
            let to = if name.starts_with("requests/") {
                name
            } else {
                path
            };
            Some((to.to_owned(), text.clone()))
        };
        files.iter().filter_map(example).collect()
    }

    /// The files of the pack that are law.
    fn law(&self) -> Files {
        let (_, files) = &self.pack;
        let mut files = files.clone();
        files.retain(|path, _| !path.starts_with(EXAMPLES));
        files
    }

    /// The law pack that a workspace has unless it is told otherwise.
    pub(crate) fn default_pack() -> Result<Self> {
        Self::of(PACK, &[])
    }

    /// A pack and overlays, each the name of one that is shipped or else a folder; what does not load
    /// is refused.
    fn of(pack: &str, overlays: &[String]) -> Result<Self> {
        let files = find(pack, Path::new(pack), "pack.toml", "--law")?;
        let mut source = PackSource::new(pack, files.clone());
        let mut above = Vec::new();
        for overlay in overlays {
            let shipped = Path::new(OVERLAYS).join(overlay);
            let files = find(overlay, &shipped, "overlay.toml", "--overlay")?;
            source = source.with_overlay(overlay, files.clone());
            above.push(files);
        }
        let law = LawPack::load(&source)?;
        let mut names = law.layers.into_iter().map(|layer| layer.name);
        let folder = Path::new("law");
        Ok(Self {
            pack: (folder.join(names.next().unwrap_or_default()), files),
            overlays: names
                .map(|name| folder.join(OVERLAYS).join(name))
                .zip(above)
                .collect(),
        })
    }
}

/// The files of the shipped folder, or else of the folder that is given.
fn find(given: &str, shipped: &Path, head: &str, flag: &str) -> Result<Files> {
    if let Some(dir) = SHIPPED_LAW.get_dir(shipped).filter(|dir| has(dir, head)) {
        return Ok(contents(dir));
    }
    let folder = Path::new(given);
    if folder.join(head).is_file() {
        return Ok(pack_files(folder)?);
    }
    let among = shipped
        .parent()
        .and_then(|parent| SHIPPED_LAW.get_dir(parent))
        .unwrap_or(&SHIPPED_LAW);
    let names = among.dirs().filter(|dir| has(dir, head));
    let mut names: Vec<_> = names
        .filter_map(|dir| Some(dir.path().file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Err(Failure::new(format!(
        "`{flag} {given}` is neither shipped nor a folder with a {head}"
    ))
    .hint(format!("shipped are {}", names.join(", ")))
    .invalid())
}

fn has(dir: &Dir<'_>, head: &str) -> bool {
    dir.contains(dir.path().join(head))
}

/// The text files of a shipped folder, by path below it.
fn contents(root: &Dir<'_>) -> Files {
    let mut files = BTreeMap::new();
    let mut pending: Vec<&Dir<'_>> = vec![root];
    while let Some(dir) = pending.pop() {
        pending.extend(dir.dirs());
        for file in dir.files() {
            let name = file.path().strip_prefix(root.path()).unwrap_or(file.path());
            if let Some(text) = file.contents_utf8() {
                files.insert(name.to_string_lossy().into_owned(), text.to_owned());
            }
        }
    }
    files
}

/// A workspace with a law pack.
pub(crate) fn make(
    dir: &Path,
    demonstration: bool,
    ledger: Option<&str>,
    law: &Chosen,
    passphrase: Option<&Passphrase>,
) -> Result<Workspace> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file("create", dir, &error))?;
    let name = if demonstration {
        "chancery.example/demonstration"
    } else {
        "chancery.example/ledger"
    };
    let (folder, _) = &law.pack;
    let config = Config {
        demonstration,
        overlays: law.overlays.iter().map(|(dir, _)| dir.clone()).collect(),
        ..Config::new(ledger.unwrap_or(name), folder)
    };
    let workspace = Workspace::init(dir, config, &law.law(), passphrase, &System)?;
    // Until an overlay that the configuration names is there, the law is refused.
    for ((_, files), dir) in law.overlays.iter().zip(workspace.overlay_dirs()) {
        write_pack(&dir, files)?;
    }
    if demonstration {
        write_pack(workspace.root(), &law.examples())?;
    }
    if demonstration && folder.ends_with(PACK) {
        for (name, text) in [("ice.toml", ICE), ("oig.toml", OIG)] {
            let path = workspace.root().join("requests").join(name);
            std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
        }
    }
    Ok(workspace)
}
