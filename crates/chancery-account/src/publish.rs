//! The report to the public: pages that anybody can serve, without a script and without anything from
//! elsewhere.

mod chart;

mod check;

mod folder;

mod index;

mod law;

mod page;

mod recipient;

mod refused;

use std::collections::{BTreeMap, BTreeSet};

use chancery_law::{LawPack, Standing};
use jiff::civil::Date;

use crate::facts::Gap;
use crate::tally::{About, Account, Copy, Sources};

pub use folder::{PublishError, publish};

/// The page that checks a receipt, as it is shipped.
const VERIFIER: &[u8] = include_bytes!("../../../verifier/verify.html");

/// What a report to the public is made from. The same makes the same bytes.
///
/// Counts of people are always those for others: see [`Showing`](crate::Showing).
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The ledger, the manifests, the register and the law pack.
    pub sources: Sources<'a>,
    /// How the law stands with those who sign off.
    pub standing: &'a Standing,
    /// The day of the report.
    pub on: Date,
    /// Where the ledger is published, if it is.
    pub ledger_url: Option<&'a str>,
    /// Whether nothing in it is real.
    pub demonstration: bool,
}

/// Over the counts of each element.
const ITEMS: &str = "For each item, how many people’s records held a row of it";

/// A recipient's path, its name and its page.
struct Link {
    agency: String,
    name: String,
    file: String,
}

/// What every page is made from.
struct Report<'a> {
    site: Site<'a>,
    /// Everything, for others.
    all: Account,
    recipients: Vec<Link>,
    gaps: Vec<Gap>,
}

impl Site<'_> {
    /// The files of the report, by path.
    ///
    /// # Errors
    ///
    /// When the law pack's answer to a flow cannot be had.
    pub fn pages(&self) -> Result<BTreeMap<String, Vec<u8>>, chancery_law::Error> {
        let everything = About::Period {
            from: Date::MIN,
            to: Date::MAX,
        };
        let all = Account::of(&everything, Copy::Others, self.sources)?;
        let report = Report {
            site: *self,
            recipients: links(&all, self.sources.law.pack()),
            gaps: self.sources.gaps(),
            all,
        };
        let mut files = BTreeMap::new();
        let mut put = |name: &str, text: String| files.insert(name.to_owned(), text.into_bytes());
        put("index.html", index::page(&report));
        put("law.html", law::page(&report));
        put("refused.html", refused::page(&report));
        put("check.html", check::page(&report));
        for link in &report.recipients {
            let agency = link.agency.clone();
            let about = About::Recipient { agency };
            let account = Account::of(&about, Copy::Others, self.sources)?;
            put(&link.file, recipient::page(&report, link, &account));
        }
        let facts = &self.sources.facts.ledger;
        put("ledger.vkey", facts.keys.clone());
        put("custodian.vkey", format!("{}\n", facts.custodian_key));
        let data = serde_json::to_string_pretty(&report.all).unwrap_or_default();
        put("account.json", data + "\n");
        files.insert("verify.html".to_owned(), VERIFIER.to_vec());
        Ok(files)
    }
}

impl Report<'_> {
    fn law(&self) -> &LawPack {
        self.site.sources.law.pack()
    }

    /// What a purpose is in plain words.
    fn purpose<'a>(&'a self, path: &'a str) -> &'a str {
        let purpose = self.law().vocabulary().purpose(path);
        purpose.map_or(path, |purpose| purpose.title.as_str())
    }

    /// What an element is in plain words.
    fn element(&self, name: &str) -> String {
        page::capital(&self.title(name))
    }

    /// What the elements of the same people are in plain words.
    fn class(&self, key: &str) -> String {
        let titles: Vec<String> = key.split(", ").map(|name| self.title(name)).collect();
        page::capital(&titles.join("; "))
    }

    fn title(&self, name: &str) -> String {
        let element = self.law().vocabulary().element(name);
        element.map_or_else(|| page::words(name), |element| element.title.clone())
    }

    /// How an instrument is cited in a line.
    fn short<'a>(&'a self, provision: &'a str) -> &'a str {
        let id = provision.split('#').next().unwrap_or(provision);
        self.law()
            .instrument(id)
            .map_or(id, |one| one.short.as_str())
    }

    /// The instruments of some provisions, each once.
    fn shorts<'a>(&'a self, provisions: &'a [String]) -> Vec<&'a str> {
        let shorts: BTreeSet<&str> = provisions.iter().map(|cite| self.short(cite)).collect();
        shorts.into_iter().collect()
    }
}

/// The recipients' pages, each with a name of its own.
fn links(all: &Account, law: &LawPack) -> Vec<Link> {
    let mut taken = BTreeSet::new();
    let groups = all.by_recipient.iter();
    groups
        .map(|group| {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            let slug: String = group.key.to_ascii_lowercase().chars().map(plain).collect();
            let mut file = format!("recipients/{slug}.html");
            let mut number = 2;
            while !taken.insert(file.clone()) {
                file = format!("recipients/{slug}-{number}.html");
                number += 1;
            }
            let mut releases = all.releases.iter();
            let signed = releases.find(|listed| listed.recipient.agency == group.key);
            let signed = signed.and_then(|listed| listed.recipient.name.clone());
            Link {
                agency: group.key.clone(),
                name: signed.unwrap_or_else(|| law.vocabulary().agency_name(&group.key)),
                file,
            }
        })
        .collect()
}
