//! Who may sign off, suspend and reinstate law: Cedar policies of the workspace, and the people they
//! are about.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, PolicySet, Request, RestrictedExpression,
    Schema, ValidationMode, Validator,
};
use chancery_model::{Digest, Fault, Place};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::expression::uid;
use crate::{Error, PackSource, Unit, UnitKind};

const SCHEMA: &str = "roles.cedarschema";
const POLICIES: &str = "policies.cedar";
const PEOPLE: &str = "people.toml";

/// What somebody does about a unit of law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Signs it off.
    Sign,
    /// Suspends it.
    Suspend,
    /// Signs it off again after a suspension, to lift that.
    Reinstate,
    /// Withdraws an own sign-off.
    Revoke,
}

impl Act {
    /// Its name among the actions of `roles.cedarschema`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Revoke => "revoke",
        }
    }
}

/// Someone who acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Tells people apart: the office, not the person's own name.
    pub name: String,
    /// Their agency.
    pub agency: String,
    /// Their roles, by the ledger's codes.
    pub roles: BTreeSet<String>,
    /// Their key, a vkey line.
    #[serde(rename = "vkey")]
    pub key: String,
    /// The first day.
    pub from: Date,
    /// The last day, if there is one.
    pub until: Option<Date>,
}

impl Person {
    /// Whether they hold a role on a day.
    pub fn holds(&self, role: &str, on: Date) -> bool {
        let then = self.from <= on && self.until.is_none_or(|until| on <= until);
        then && self.roles.contains(role)
    }

    /// The key itself, behind its name: one key under two names is one.
    fn material(&self) -> &str {
        self.key.splitn(3, '+').nth(2).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct People {
    valid_months: u32,
    #[serde(default)]
    person: Vec<Spanned<Person>>,
}

/// The rules about signing off, and the people they are about.
pub struct Roles {
    /// The digest over their files.
    pub digest: Digest,
    people: Vec<Person>,
    valid_months: u32,
    schema: Schema,
    policies: PolicySet,
}

impl std::fmt::Debug for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roles")
            .field("digest", &self.digest)
            .field("people", &self.people)
            .finish_non_exhaustive()
    }
}

impl Roles {
    /// What the files are called as a unit that is signed off.
    pub const UNIT: &'static str = "roles";

    /// The files that a new workspace begins with: no people yet.
    pub fn shipped() -> BTreeMap<String, String> {
        [
            (SCHEMA, include_str!("../roles/roles.cedarschema")),
            (POLICIES, include_str!("../roles/policies.cedar")),
            (PEOPLE, include_str!("../roles/people.toml")),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into()
    }

    /// Parses and validates the files.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the first defect, with file and line.
    pub fn load(source: &PackSource) -> Result<Self, Error> {
        let one = |fault: Fault| Error::Invalid(vec![fault]);
        let at =
            |file: &str, problem: String| one(Fault::new(Place::file(source.name(file)), problem));
        let known = [SCHEMA, POLICIES, PEOPLE];
        if let Some(file) = source
            .files()
            .keys()
            .find(|file| !known.contains(&file.as_str()))
        {
            return Err(at(
                file,
                "is no file of the roles, and would not be read".to_owned(),
            ));
        }
        let text = source.text(SCHEMA).map_err(one)?;
        let (schema, _) =
            Schema::from_cedarschema_str(text).map_err(|error| at(SCHEMA, error.to_string()))?;
        let text = source.text(POLICIES).map_err(one)?;
        let policies: PolicySet = text
            .parse()
            .map_err(|error: cedar_policy::ParseErrors| at(POLICIES, error.to_string()))?;
        let checked = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if let Some(error) = checked.validation_errors().next() {
            return Err(at(POLICIES, error.to_string()));
        }
        let people: People = source.toml(PEOPLE).map_err(one)?;
        check(source, &people).map_err(one)?;
        let unit = Unit::new(Self::UNIT, UnitKind::Roles, source.files().clone());
        Ok(Self {
            digest: unit.digest(),
            people: people.person.into_iter().map(Spanned::into_inner).collect(),
            valid_months: people.valid_months,
            schema,
            policies,
        })
    }

    /// The people.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Whose key this is.
    pub fn person(&self, key: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.key == key)
    }

    /// The last day on which a sign-off of a day counts.
    pub fn lapses(&self, signed: Date) -> Date {
        let months = i64::from(self.valid_months);
        let end = signed.checked_add(months.months());
        end.and_then(Date::yesterday).unwrap_or(signed)
    }

    /// Whether a person may do something in a role on a day: what the policies permit to them,
    /// without an error.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when the schema does not admit the question.
    pub fn may(
        &self,
        act: Act,
        person: &Person,
        role: &str,
        unit: (&str, UnitKind),
        on: Date,
    ) -> Result<bool, Error> {
        let people = [entity(person, Some(role), on)];
        self.ask(act.as_str(), person, unit, people, Context::empty())
            .map_err(Error::Schema)
    }

    /// Whether two of the people could sign a unit off on a day, each in one of these roles.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when the schema does not admit the question.
    pub fn completes(
        &self,
        unit: (&str, UnitKind),
        roles: &[&str],
        on: Date,
    ) -> Result<bool, Error> {
        let mut able = Vec::new();
        for person in &self.people {
            for role in roles {
                if person.holds(role, on) && self.may(Act::Sign, person, role, unit, on)? {
                    able.push((person, *role, on));
                }
            }
        }
        for first in &able {
            for second in &able {
                if self.suffice(*first, *second, unit)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether two people's sign-offs together count: never those of one person or with one key,
    /// whatever the policies say.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when the schema does not admit the question.
    pub fn suffice(
        &self,
        first: (&Person, &str, Date),
        second: (&Person, &str, Date),
        unit: (&str, UnitKind),
    ) -> Result<bool, Error> {
        if first.0.name == second.0.name || first.0.material() == second.0.material() {
            return Ok(false);
        }
        let ask = || {
            let people = [first, second].map(|(person, role, on)| entity(person, Some(role), on));
            let first = RestrictedExpression::new_entity_uid(uid("Person", &first.0.name)?);
            let context = Context::from_pairs([("first".to_owned(), first)]);
            let context = context.map_err(|error| error.to_string())?;
            self.ask("complete", second.0, unit, people, context)
        };
        ask().map_err(Error::Schema)
    }

    fn ask(
        &self,
        action: &str,
        person: &Person,
        (unit, kind): (&str, UnitKind),
        people: impl IntoIterator<Item = Result<Entity, String>>,
        context: Context,
    ) -> Result<bool, String> {
        let mut entities = people.into_iter().collect::<Result<Vec<_>, _>>()?;
        let kind = RestrictedExpression::new_string(kind.as_str().to_owned());
        let resource = uid("Unit", unit)?;
        let attributes = [("kind".to_owned(), kind)].into();
        let entity = Entity::new(resource.clone(), attributes, HashSet::new());
        entities.push(entity.map_err(|error| error.to_string())?);
        let entities = Entities::from_entities(entities, Some(&self.schema))
            .map_err(|error| error.to_string())?;
        let request = Request::new(
            uid("Person", &person.name)?,
            uid("Action", action)?,
            resource,
            context,
            Some(&self.schema),
        );
        let request = request.map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        let erred = response.diagnostics().errors().next().is_some();
        Ok(!erred && response.decision() == Decision::Allow)
    }
}

/// A person in the one role in question, if they hold it on the day.
fn entity(person: &Person, role: Option<&str>, on: Date) -> Result<Entity, String> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let attributes = [
        ("agency".to_owned(), text(&person.agency)),
        ("key".to_owned(), text(&person.key)),
    ];
    let held = role.filter(|role| person.holds(role, on));
    let parents = held.map(|role| uid("Role", role)).into_iter();
    let parents = parents.collect::<Result<HashSet<_>, _>>()?;
    Entity::new(uid("Person", &person.name)?, attributes.into(), parents)
        .map_err(|error| error.to_string())
}

/// The longest that a sign-off may stand.
const MOST_MONTHS: u32 = 120;

fn check(source: &PackSource, people: &People) -> Result<(), Fault> {
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for person in &people.person {
        let place = || source.span(PEOPLE, person.span());
        let one = person.get_ref();
        if one.name.is_empty() || !names.insert(one.name.as_str()) {
            return Err(Fault::new(place(), "names nobody, or somebody twice").field("name"));
        }
        let key = one.material();
        if key.is_empty() || !keys.insert(key) {
            return Err(
                Fault::new(place(), "is no vkey line, or another person's key")
                    .field("vkey")
                    .hint("`chancery law key FILE --name NAME` makes a key and prints its vkey"),
            );
        }
        if one.until.is_some_and(|until| until < one.from) {
            return Err(Fault::new(place(), "ends before it begins").field("until"));
        }
    }
    if (1..=MOST_MONTHS).contains(&people.valid_months) {
        return Ok(());
    }
    let place = Place::file(source.name(PEOPLE));
    Err(Fault::new(place, "is not from 1 to 120").field("valid_months"))
}
