//! An account as an exhibit, with the evidence that goes with it.

mod charts;

mod matrix;

use std::collections::{BTreeMap, BTreeSet};

use chancery_release::{Entry, Error, Workspace, entry};
use jiff::civil::Date;

use crate::Amount;
use crate::exhibit::{
    Appendix, Caption, Cell, Declaration, EntryRow, ExhibitData, InstrumentRow, InterpretationRow,
    KeyRow, Paragraph, ReleaseRow, Section,
};
use crate::facts::{Facts, Release};
use crate::letter::state;
use crate::tally::{Account, Copy, Group, Law, Listed, OrderAccount, Sources, Span};

/// What is said of an exhibit besides the account.
#[derive(Clone, Debug)]
pub struct Filing {
    /// The day it is made.
    pub date: Date,
    /// The case, and what the exhibit is called in it.
    pub caption: Caption,
    /// Who stands for it.
    pub declaration: Option<Declaration>,
    /// A line over every page.
    pub mark: Option<String>,
}

/// The most entries whose paths through the tree are printed; those of others are in the files.
const PRINTED: usize = 12;

impl Filing {
    /// The exhibit of an account that was made from these sources, and its evidence by path.
    ///
    /// # Errors
    ///
    /// When the ledger does not prove an entry that the account rests on, a file cannot be read, or the
    /// law pack's answer to a flow cannot be had.
    pub fn exhibit(
        self,
        workspace: &Workspace,
        sources: Sources<'_>,
        account: &Account,
    ) -> Result<(ExhibitData, BTreeMap<String, Vec<u8>>), Error> {
        let Sources { facts, law, .. } = sources;
        let words = Words(law);
        let releases = account.releases.iter();
        let rows: Vec<&Release> = releases
            .filter_map(|listed| facts.releases.iter().find(|one| one.entry == listed.entry))
            .collect();
        let cited = cited(account);
        let open = rows.iter().copied().filter(|release| {
            account.copy == Copy::Custodian
                || sources.showing.shows_manifest(release, sources.counts)
        });
        let open: Vec<&Release> = open.collect();
        let (entries, evidence) = evidence(workspace, facts, &open, &cited)?;
        let mut matrices = Vec::new();
        for release in before_and_after(&rows, account) {
            matrices.extend(words.matrix(workspace, release, sources, account.copy)?);
        }
        let data = ExhibitData {
            date: self.date,
            caption: self.caption,
            mark: self.mark,
            copy: account.copy,
            sections: words.sections(account),
            releases: account.releases.iter().map(|one| words.row(one)).collect(),
            charts: words.charts(account),
            matrices,
            instruments: instruments(&rows, law),
            interpretations: interpretations(account, law),
            declaration: self.declaration,
            appendix: Appendix {
                origin: facts.ledger.name.clone(),
                size: facts.ledger.size,
                root: base64(facts.ledger.root.as_bytes()),
                signed: None,
                entries,
                keys: keys(facts),
                files: Vec::new(),
            },
        };
        Ok((data, evidence))
    }
}

/// The newest release with a manifest, and before it, of an order, the last that left before that was in
/// force.
fn before_and_after<'a>(releases: &[&'a Release], account: &Account) -> Vec<&'a Release> {
    let spans = account.order.iter().flat_map(|order| &order.spans);
    let in_force = spans
        .filter(|span| span.in_force)
        .filter_map(|span| span.from);
    let first_day = in_force.min();
    let signed = releases
        .iter()
        .copied()
        .filter(|release| release.signed().is_some());
    let (before, after): (Vec<&Release>, Vec<&Release>) =
        signed.partition(|release| first_day.is_some_and(|day| release.on() < day));
    let newest = |of: Vec<&'a Release>| of.into_iter().max_by_key(|one| (one.on(), one.entry));
    newest(before).into_iter().chain(newest(after)).collect()
}

/// The entries that anything in an account rests on.
fn cited(account: &Account) -> BTreeSet<u64> {
    let mut cited: BTreeSet<u64> = account.releases.iter().map(|one| one.entry).collect();
    cited.extend(account.refused.iter().map(|one| one.entry));
    cited.extend(account.aborted.iter().map(|one| one.entry));
    let afterwards = account.releases.iter().flat_map(|one| &one.afterwards);
    cited.extend(afterwards.map(|one| one.entry));
    cited
}

fn cell(amount: Amount) -> Cell {
    match amount {
        Amount::Exactly(count) => Cell::Count(count),
        Amount::AtLeast(count) => Cell::Hidden(format!("at least {}", grouped(count))),
        Amount::Suppressed => Cell::Hidden("suppressed".to_owned()),
        Amount::Unknown => Cell::Hidden("not known".to_owned()),
    }
}

/// A cell within a sentence.
fn said(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => grouped(*count),
        Cell::Hidden(words) => words.clone(),
    }
}

fn words(amount: Amount) -> String {
    match amount {
        Amount::Exactly(1) => "1".to_owned(),
        Amount::Exactly(count) => grouped(count),
        Amount::AtLeast(count) => format!("at least {}", grouped(count)),
        Amount::Suppressed => "a suppressed number of".to_owned(),
        Amount::Unknown => "an unknown number of".to_owned(),
    }
}

/// "1 release", "at least 12 releases", "a suppressed number of releases".
fn counted(amount: Amount, noun: &str) -> String {
    let plural = if amount == Amount::Exactly(1) {
        ""
    } else {
        "s"
    };
    match amount {
        Amount::Exactly(0) => format!("no {noun}s"),
        _ => format!("{} {noun}{plural}", words(amount)),
    }
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How the law pack calls agencies, purposes and elements.
struct Words<'a, 'b>(&'a Law<'b>);

impl Words<'_, '_> {
    fn agency(&self, path: &str) -> String {
        let agency = self.0.pack().vocabulary().agency(path);
        agency.map_or_else(|| path.to_owned(), |agency| agency.name)
    }

    fn purpose(&self, path: &str) -> String {
        let purpose = self.0.pack().vocabulary().purpose(path);
        purpose.map_or_else(|| path.to_owned(), |purpose| purpose.title.clone())
    }

    fn element(&self, name: &str) -> String {
        let element = self.0.pack().vocabulary().element(name);
        element.map_or_else(|| name.to_owned(), |element| element.title.clone())
    }

    /// An origin by its name, where an instrument or the list of states has one.
    fn origin(&self, code: &str) -> String {
        let instruments = self.0.pack().instruments().iter();
        let mut parties = instruments.flat_map(|instrument| &instrument.parties);
        let party = parties.find(|party| party.origin == code);
        let named = party
            .map(|party| party.name.as_str())
            .or_else(|| state(code));
        named.map_or_else(
            || format!("Origin {code}"),
            |name| format!("{name} ({code})"),
        )
    }

    fn clauses(&self, provisions: &[String]) -> String {
        let clauses = provisions.iter().map(|id| {
            let provision = self.0.pack().provision(id);
            provision.map_or_else(|| id.clone(), |(_, one)| quoted(&one.clause))
        });
        clauses.collect::<Vec<_>>().join("; ")
    }

    fn row(&self, listed: &Listed) -> ReleaseRow {
        ReleaseRow {
            id: listed.id.clone(),
            date: listed.on,
            recipient: listed
                .recipient
                .name
                .clone()
                .unwrap_or_else(|| listed.recipient.agency.clone()),
            purpose: self.purpose(&listed.purpose),
            people: cell(listed.people),
            elements: listed
                .elements
                .iter()
                .map(|name| self.element(name))
                .collect(),
            manifest: listed
                .manifest
                .as_deref()
                .map(|digest| digest.trim_start_matches("sha256:").to_owned())
                .unwrap_or_default(),
            entry: listed.entry,
        }
    }

    fn sections(&self, account: &Account) -> Vec<Section> {
        let mut sections = vec![Section {
            heading: "What left".to_owned(),
            paragraphs: self.left(account),
        }];
        if let Some(order) = &account.order {
            sections.push(Section {
                heading: format!("Before and after {}", order.citation),
                paragraphs: order
                    .spans
                    .iter()
                    .map(|one| self.span(one, order))
                    .collect(),
            });
        }
        let mut asked: Vec<Paragraph> = account
            .refused
            .iter()
            .map(|one| Paragraph {
                text: format!(
                    "On {} a request of {} for {}, out of the dataset {}, was refused in full.{}",
                    long(one.on),
                    self.agency(&one.recipient),
                    self.purpose(&one.purpose),
                    one.dataset,
                    one.barred_by
                        .as_ref()
                        .filter(|barred| !barred.is_empty())
                        .map(|barred| format!(" It was barred by {}.", self.clauses(barred)))
                        .unwrap_or_default()
                ),
                entries: vec![one.entry],
            })
            .collect();
        if asked.is_empty() {
            asked.push(Paragraph {
                text: match &account.order {
                    Some(order) => format!(
                        "No request was refused in full because of the {}.",
                        order.kind
                    ),
                    None => "No request within this account was refused in full.".to_owned(),
                },
                entries: Vec::new(),
            });
        }
        sections.push(Section {
            heading: "What was asked for and refused".to_owned(),
            paragraphs: asked,
        });
        sections.push(Section {
            heading: "What was done since".to_owned(),
            paragraphs: since(account),
        });
        sections
    }

    fn left(&self, account: &Account) -> Vec<Paragraph> {
        let total = &account.total;
        let mut paragraphs = vec![Paragraph {
            text: format!(
                "Records about people left in {}: {}, as each person counts once in each release.",
                counted(total.releases.count, "release"),
                counted(total.disclosures.count, "disclosure"),
            ),
            entries: total.releases.entries.clone(),
        }];
        let each =
            |heading: &str, groups: &[Group], name: &dyn Fn(&str) -> String| -> Vec<Paragraph> {
                let groups = groups.iter();
                groups
                    .map(|group| Paragraph {
                        text: format!(
                            "{heading} {}: {}, {}.",
                            name(&group.key),
                            counted(group.releases.count, "release"),
                            counted(group.disclosures.count, "disclosure")
                        ),
                        entries: group.releases.entries.clone(),
                    })
                    .collect()
            };
        paragraphs.extend(each("To", &account.by_recipient, &|path| self.agency(path)));
        paragraphs.extend(each("For", &account.by_purpose, &|path| self.purpose(path)));
        if !account.complete {
            let gaps = account
                .incomplete
                .iter()
                .map(|gap| format!("entry {}: {}", gap.entry, gap.problem));
            paragraphs.push(Paragraph {
                text: format!(
                    "This account is not complete: {}.",
                    gaps.collect::<Vec<_>>().join("; ")
                ),
                entries: account.incomplete.iter().map(|gap| gap.entry).collect(),
            });
        }
        paragraphs
    }

    fn span(&self, span: &Span, order: &OrderAccount) -> Paragraph {
        let when = match (span.from, span.until) {
            (None, Some(until)) => format!("Until {}", long(until)),
            (Some(from), Some(until)) => format!("From {} to {}", long(from), long(until)),
            (Some(from), None) => format!("From {} on", long(from)),
            (None, None) => "At all times".to_owned(),
        };
        let events = if span.events.is_empty() {
            String::new()
        } else {
            format!(" ({})", span.events.join(", "))
        };
        let state = if span.in_force {
            "in force"
        } else {
            "not in force"
        };
        let what = if order.kind == "order" {
            "order"
        } else {
            "instrument"
        };
        let elements = span.covered_elements.iter();
        let elements: Vec<String> = elements.map(|group| self.element(&group.key)).collect();
        // What left while it was in force left as it lets it, which the tables below say group by group.
        let elements = match (span.in_force, elements.is_empty()) {
            (true, _) => String::new(),
            (false, true) => format!(" Of the elements that the {what} later barred, none left."),
            (false, false) => format!(
                " Of the elements that the {what} bars for some people once it is in force, these left: {}.",
                elements.join("; ")
            ),
        };
        let protected = span.covered_origins.iter().map(|group| {
            let people = words(group.disclosures.count);
            format!("{}: {people}", self.origin(&group.key))
        });
        let protected: Vec<String> = protected.collect();
        let protected = if span.total.releases.count == Amount::Exactly(0) {
            String::new()
        } else if protected.is_empty() {
            format!(" None is known to be about people of the places that the {what} protects.")
        } else {
            format!(
                " Of these disclosures, the following were about people of the places that the {what} protects: {}.",
                protected.join("; ")
            )
        };
        let mut entries = span.total.releases.entries.clone();
        entries.extend(&span.refused.entries);
        Paragraph {
            text: format!(
                "{when}{events}, the {what} was {state}. Of the disclosures that it governs there {} {}, {} and \
                 {}.{protected}{elements}",
                if span.total.releases.count == Amount::Exactly(1) {
                    "was"
                } else {
                    "were"
                },
                counted(span.total.releases.count, "release"),
                counted(span.total.disclosures.count, "disclosure"),
                counted(span.refused.count, "refused request"),
            ),
            entries,
        }
    }
}

fn since(account: &Account) -> Vec<Paragraph> {
    let mut paragraphs = Vec::new();
    for listed in &account.releases {
        for one in &listed.afterwards {
            paragraphs.push(Paragraph {
                text: format!(
                    "On {} a {} of the release {} was entered: {}.",
                    long(one.recorded),
                    one.kind.replace('_', " "),
                    listed.id,
                    one.said
                ),
                entries: vec![one.entry],
            });
        }
    }
    if paragraphs.is_empty() {
        paragraphs.push(Paragraph {
            text: "No release has been recalled, and none has been certified as destroyed."
                .to_owned(),
            entries: Vec::new(),
        });
    }
    paragraphs
}

/// Words of the law with what stands between backticks quoted, as in print.
pub(crate) fn quoted(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| match at {
        0 => part.to_owned(),
        odd if odd % 2 == 1 => format!("“{part}"),
        _ => format!("”{part}"),
    });
    parts.collect()
}

fn long(day: Date) -> String {
    day.strftime("%B %-d, %Y").to_string()
}

fn instruments(releases: &[&Release], law: &Law<'_>) -> Vec<InstrumentRow> {
    let mut cited: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for manifest in releases.iter().filter_map(|release| release.signed()) {
        for provision in &manifest.law.provisions {
            if let Some((instrument, _)) = provision.id.split_once('#') {
                cited
                    .entry(instrument)
                    .or_default()
                    .insert(&provision.reason);
            }
        }
    }
    let rows = cited.into_iter().filter_map(|(id, reasons)| {
        let instrument = law.pack().instrument(id)?;
        Some(InstrumentRow {
            citation: instrument.citation.clone(),
            title: instrument.title.clone(),
            effect: quoted(&reasons.into_iter().collect::<Vec<_>>().join(" ")),
            review: instrument.review.status.clone(),
        })
    });
    rows.collect()
}

fn interpretations(account: &Account, law: &Law<'_>) -> Vec<InterpretationRow> {
    let rows = account.interpretations.iter().map(|relied| {
        let (id, name) = relied.id.split_once('#').unwrap_or((&relied.id, ""));
        let instrument = law.pack().instrument(id);
        let reading =
            instrument.and_then(|one| one.interpretations.iter().find(|r| r.name == name));
        InterpretationRow {
            instrument: instrument.map_or_else(|| id.to_owned(), |one| one.citation.clone()),
            question: quoted(&relied.question),
            reading: quoted(&relied.reading),
            alternatives: reading
                .map(|reading| reading.alternatives.iter().map(|one| quoted(one)).collect())
                .unwrap_or_default(),
            effect: reading
                .map(|reading| quoted(&reading.effect))
                .unwrap_or_default(),
        }
    });
    rows.collect()
}

fn keys(facts: &Facts) -> Vec<KeyRow> {
    let shortened = |line: &str| {
        if line.len() > 120 {
            let digest = chancery_model::Digest::from_bytes(sha256(line.as_bytes()));
            format!("{}… ({digest})", line.chars().take(60).collect::<String>())
        } else {
            line.to_owned()
        }
    };
    let ledger = facts.ledger.keys.lines().map(|line| KeyRow {
        signs: "the checkpoints of the ledger".to_owned(),
        key: shortened(line),
    });
    let custodian = KeyRow {
        signs: "the manifests of releases".to_owned(),
        key: shortened(&facts.ledger.custodian_key),
    };
    ledger.chain([custodian]).collect()
}

type Evidence = (Vec<EntryRow>, BTreeMap<String, Vec<u8>>);

/// What an exhibit is checked with: the keys, a proof for each entry that is cited, and the manifests
/// of the releases that whoever gets the exhibit may see them of.
fn evidence(
    workspace: &Workspace,
    facts: &Facts,
    releases: &[&Release],
    cited: &BTreeSet<u64>,
) -> Result<Evidence, Error> {
    let reader = workspace.ledger_reader()?;
    let mut files = BTreeMap::new();
    files.insert(
        "keys/ledger.vkey".to_owned(),
        facts.ledger.keys.clone().into_bytes(),
    );
    let custodian = format!("{}\n", facts.ledger.custodian_key.trim_end());
    files.insert("keys/custodian.vkey".to_owned(), custodian.into_bytes());
    let mut rows = Vec::with_capacity(cited.len());
    for index in cited {
        let bytes = reader.entry(*index)?;
        let proof = reader.prove(*index)?;
        let path = proof.hashes.iter().map(|hash| base64(hash));
        let path = if cited.len() <= PRINTED {
            path.collect()
        } else {
            Vec::new()
        };
        rows.push(EntryRow {
            index: *index,
            recorded: Entry::from_bytes(&bytes)
                .known()
                .map(|entry| entry.recorded().to_string())
                .unwrap_or_default(),
            says: Entry::from_bytes(&bytes)
                .known()
                .map_or_else(|| "not readable here".to_owned(), |entry| says(&entry)),
            leaf: entry::leaf_hash(&bytes).hex(),
            path,
        });
        let text = workspace.receipt(*index)?;
        files.insert(format!("proofs/{index}.tlog-proof"), text.into_bytes());
    }
    for release in releases {
        let folder = workspace.releases_dir().join(release.id());
        for name in ["manifest.dsse.json", "receipt.tlog-proof"] {
            let file = folder.join(name);
            // A release that is gone is in the account as incomplete.
            if let Ok(bytes) = std::fs::read(&file) {
                files.insert(format!("releases/{}/{name}", release.id()), bytes);
            }
        }
    }
    Ok((rows, files))
}

fn says(entry: &Entry) -> String {
    let kind = entry.kind().replace('_', " ");
    match entry {
        Entry::Release(fact) | Entry::Refusal(fact) => format!("{kind} {}", fact.id),
        Entry::Abort { id, .. } => format!("{kind} of {id}"),
        Entry::Recall(fact) => format!("{kind} of {}", fact.release),
        Entry::Destruction(fact) => format!("{kind} of {}", fact.release),
        Entry::UseStatement(fact) => format!("{kind} on {}", fact.release),
        _ => kind,
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(bytes)
}
