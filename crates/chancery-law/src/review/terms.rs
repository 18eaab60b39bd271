use std::collections::BTreeMap;

use serde::Serialize;

use crate::agreement::{
    Agreement, Authority, ElementList, Matching, Read, Records, Required, Role, Said, Signatory,
    StatedPurpose, Term, Topic,
};
use crate::{Instrument, LawPack};

/// A document's terms, as an inventory shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// How much of the document has been read.
    pub read: Read,
    /// `S` read in a public source, `B` background, unverified.
    pub label: String,
    /// Whether it serves a computer matching program.
    pub matching: Option<Matching>,
    /// The agreements that it calls for.
    pub requires: Vec<Required>,
    /// Who gives.
    pub custodians: Vec<Participants>,
    /// Who receives.
    pub recipients: Vec<Participants>,
    /// The legal authority that it names.
    pub authorities: Vec<Authority>,
    /// The purposes that it names.
    pub purposes: Vec<StatedPurpose>,
    /// Its lists of elements.
    pub lists: Vec<ElementList>,
    /// Whose records, in its words and as attributes.
    pub people: Option<StatedPeople>,
    /// How many records.
    pub records: Option<Records>,
    /// Its dates.
    pub term: Option<Term>,
    /// What else it says.
    pub says: BTreeMap<Topic, Said>,
    /// What is not stated in what has been read.
    pub not_stated: Vec<&'static str>,
}

/// A party with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Participants {
    /// Its path.
    pub agency: String,
    /// Its name.
    pub name: String,
    /// Who signed for it.
    pub signatories: Vec<Signatory>,
}

/// Whose records are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatedPeople {
    /// The document's words.
    pub words: String,
    /// The same as attributes.
    pub who: String,
    /// Whether they are limited to the recipient's own jurisdiction.
    pub of_recipient: bool,
}

/// The terms of an instrument, if there are any.
pub(super) fn of(pack: &LawPack, instrument: &Instrument) -> Option<Terms> {
    let agreement = instrument.agreement.as_ref()?;
    let parties = |role: Role| {
        let parties = agreement.parties(role).map(|party| Participants {
            agency: party.agency.clone(),
            name: pack.vocabulary().agency_name(&party.agency),
            signatories: party.signatories.clone(),
        });
        parties.collect()
    };
    let people = agreement.people.as_ref().map(|people| StatedPeople {
        words: people.words.clone(),
        who: people.who.display(pack.domain()).to_string(),
        of_recipient: people.of_recipient,
    });
    Some(Terms {
        read: agreement.read,
        label: agreement.label.clone(),
        matching: agreement.matching.clone(),
        requires: agreement.requires.clone(),
        custodians: parties(Role::Custodian),
        recipients: parties(Role::Recipient),
        authorities: agreement.authorities.clone(),
        purposes: agreement.purposes.clone(),
        lists: agreement.lists.clone(),
        people,
        records: agreement.records.clone(),
        term: agreement.term.clone(),
        says: agreement.says.clone(),
        not_stated: not_stated(agreement),
    })
}

fn not_stated(agreement: &Agreement) -> Vec<&'static str> {
    let term = agreement.term.as_ref();
    let signed = agreement
        .parties
        .iter()
        .any(|party| !party.signatories.is_empty());
    let facts = [
        ("signatories", signed),
        ("legal authority", !agreement.authorities.is_empty()),
        ("purposes", !agreement.purposes.is_empty()),
        ("elements", !agreement.lists.is_empty()),
        ("whose records", agreement.people.is_some()),
        ("number of records", agreement.records.is_some()),
        ("first day", term.is_some_and(|term| term.from.is_some())),
        ("last day", term.is_some_and(|term| term.until.is_some())),
    ];
    let facts = facts.into_iter().filter(|(_, stated)| !stated);
    let topics = Topic::ALL.into_iter();
    let topics = topics.filter(|topic| !agreement.says.contains_key(topic));
    facts
        .map(|(title, _)| title)
        .chain(topics.map(Topic::title))
        .collect()
}
