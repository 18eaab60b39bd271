//! The letter that answers a person who asked.

use chancery_account::letter::{
    Basis, Contact, Custodian, Disclosure, Exclusion, Language, LastFour, Ledger, Letter, Office,
    Person as Addressee, Recipient, When, letter, state,
};
use chancery_account::{Facts, PersonAccount, Series};
use chancery_law::LawPack;
use chancery_register::Person;
use chancery_release::Workspace;

use super::Result;
use crate::failure::Failure;

/// What a letter is made from.
pub(crate) struct Answer<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) pack: &'a LawPack,
    pub(crate) facts: &'a Facts,
    pub(crate) account: &'a PersonAccount,
    pub(crate) person: &'a Person<'a>,
    /// The entry of the look-up, by which custodian and person name the letter.
    pub(crate) number: u64,
}

impl Answer<'_> {
    /// Sets the letter. An account that is not complete has none: it would tell a person that there is no
    /// more.
    pub(crate) fn letter(&self, language: Language) -> Result<Vec<u8>> {
        if !self.account.complete {
            let failure = Failure::new("no letter is written from an account that is not complete");
            return Err(failure.hint("put back what is missing; the account itself lists it"));
        }
        let series = self.account.series();
        let disclosures = series.iter().map(|one| self.disclosure(one, language));
        let demonstration = match language {
            Language::English => "A DEMONSTRATION. NO REAL PERSON IS MEANT.",
            Language::Spanish => "UNA DEMOSTRACIÓN. NO SE REFIERE A NINGUNA PERSONA REAL.",
        };
        let ledger = &self.facts.ledger;
        let set = letter(&Letter {
            language,
            date: self.account.on,
            asked: None,
            number: self.number.to_string(),
            custodian: self.custodian(language)?,
            person: Addressee {
                state: state(self.person.origin()).map(str::to_owned),
                id: LastFour::of(self.person.id()),
            },
            period: (self.account.from, self.account.on),
            disclosures: disclosures.collect(),
            exclusions: Exclusion::ALL.to_vec(),
            complaints: Office::civil_rights(language),
            ledger: Ledger {
                origin: ledger.name.clone(),
                size: ledger.size,
                root: ledger.root.to_string(),
            },
            mark: self
                .workspace
                .config()
                .demonstration
                .then(|| demonstration.to_owned()),
        });
        set.map_err(|error| Failure::new(error.to_string()))
    }

    fn disclosure(&self, series: &Series<'_>, language: Language) -> Disclosure {
        let vocabulary = self.pack.vocabulary();
        let first = series.first;
        let elements = first.elements.iter().map(|name| {
            let element = vocabulary.element(name);
            element.map_or_else(|| name.clone(), |one| language.element(one).to_owned())
        });
        let purpose = vocabulary.purpose(&first.purpose);
        let basis = first.permitted_by.iter().filter_map(|id| {
            let (instrument, _) = id.split_once('#')?;
            let instrument = self.pack.instrument(instrument)?;
            let provision = instrument.provisions.iter().find(|one| one.id == *id)?;
            Some(Basis {
                title: instrument.title.clone(),
                clause: provision.clause.clone(),
            })
        });
        let agency = vocabulary.agency(&first.recipient.agency);
        Disclosure {
            when: match series.number {
                1 => When::On(first.on),
                times => When::Series {
                    first: first.on,
                    last: series.last,
                    times: times as u64,
                },
            },
            recipient: Recipient {
                name: agency.map_or_else(
                    || first.recipient.name.clone(),
                    |agency| language.agency(&agency).to_owned(),
                ),
                address: first.recipient.address.clone(),
            },
            elements: elements.collect(),
            purpose: purpose.map_or_else(
                || first.purpose.clone(),
                |one| language.purpose(one).to_owned(),
            ),
            basis: basis.collect(),
            releases: self.entries(&series.releases),
        }
    }

    fn entries(&self, releases: &[&str]) -> Vec<(String, u64)> {
        let all = self.account.disclosures.iter();
        let told = all.filter(|one| releases.contains(&one.release.as_str()));
        told.map(|one| (one.release.clone(), one.entry)).collect()
    }

    /// Who answers: as the workspace is configured, or else the custodian of the newest release.
    fn custodian(&self, language: Language) -> Result<Custodian> {
        let office = self.workspace.config().privacy_office.as_ref();
        let newest = self.facts.releases.last();
        let path = office.map(|office| office.agency.as_str());
        let path = path.or_else(|| newest.map(|release| release.logged.custodian.as_str()));
        let agency = path.and_then(|path| self.pack.vocabulary().agency(path));
        let agency = agency.ok_or_else(|| {
            Failure::new("nobody knows who answers: no agency of the law pack is named")
                .hint("chancery.toml: [privacy_office] agency = \"hhs/cms\"")
        })?;
        let address = agency.address.as_deref().unwrap_or_default();
        let plain = match language {
            Language::English => "Privacy Office",
            Language::Spanish => "Oficina de Privacidad",
        };
        Ok(Custodian {
            name: language.agency(&agency).to_owned(),
            address: match address.split_once(", ") {
                Some((street, place)) => vec![street.to_owned(), place.to_owned()],
                None => vec![address.to_owned()],
            },
            contact: Contact {
                office: office
                    .and_then(|office| office.office.clone())
                    .unwrap_or_else(|| plain.to_owned()),
                phone: office.and_then(|office| office.phone.clone()),
                email: office.and_then(|office| office.email.clone()),
            },
        })
    }
}
