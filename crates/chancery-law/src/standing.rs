//! How each instrument stands with those who sign off: what lets data leave counts only when two
//! people have signed it, what holds data back counts at once.

use std::collections::BTreeMap;

use chancery_model::Digest;
use jiff::civil::Date;
use serde::Serialize;

use crate::{Effect, LawPack};

/// How an instrument, or the base of a law pack, stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Two people signed what is recorded; or they signed an earlier edition, and one of those who
    /// may sign has signed what is recorded since.
    Signed,
    /// Nobody signed it.
    #[default]
    Unsigned,
    /// One person signed it.
    SinglySigned,
    /// It was changed after two people signed it, and nobody has signed the change.
    Tampered,
    /// Who had signed it withdrew.
    Revoked,
    /// The sign-offs have lapsed.
    Expired,
    /// It is suspended.
    Suspended,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Signed,
        Self::Unsigned,
        Self::SinglySigned,
        Self::Tampered,
        Self::Revoked,
        Self::Expired,
        Self::Suspended,
    ];

    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Unsigned => "unsigned",
            Self::SinglySigned => "singly_signed",
            Self::Tampered => "tampered",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
        }
    }

    /// What it means, as the end of a sentence about an instrument.
    pub fn says(self) -> &'static str {
        match self {
            Self::Signed => "is signed off",
            Self::Unsigned => "is unsigned: nobody has signed it off",
            Self::SinglySigned => "is singly signed: it takes the sign-off of a second person",
            Self::Tampered => {
                "was tampered with: it was changed after it was signed off, and nobody has signed \
                 the change"
            }
            Self::Revoked => "is revoked: a person who had signed it off has withdrawn",
            Self::Expired => "is expired: its sign-offs have lapsed",
            Self::Suspended => "is suspended: it takes two people to reinstate it",
        }
    }
}

/// Why a permit does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its instrument is not signed off.
    Instrument(State),
    /// The base of the law pack, on which every provision rests, is not signed off.
    Base {
        /// Whose base.
        id: String,
        /// How it stands.
        state: State,
    },
    /// Something suspended is no more in the pack, and no edition of it was ever signed off: what it
    /// barred, nobody can tell.
    Gone {
        /// What is suspended.
        id: String,
    },
    /// Its instrument is edited, and the edition that was signed last does not let go what this
    /// one would, or the other way round.
    Edited,
    /// Its instrument's term has ended.
    Ended(Date),
}

impl Why {
    /// In a word, for programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Instrument(state) => state.as_str(),
            Self::Base { .. } => "base",
            Self::Gone { .. } => "gone",
            Self::Edited => "edited",
            Self::Ended(_) => "ended",
        }
    }

    /// In a sentence about the instrument that is cited as `short`.
    pub fn says(&self, short: &str) -> String {
        match self {
            Self::Instrument(state) => format!("{short} {}.", state.says()),
            Self::Base { id, state } => {
                format!("The base of the law pack, {id}, {}.", state.says())
            }
            Self::Gone { id } => format!(
                "{id} is suspended and no more in the law pack, and two people never signed it, so \
                 nobody can tell what it barred: put its folder back, and have it reinstated."
            ),
            Self::Edited => format!(
                "{short} is edited: until two people have signed the edition as recorded, it lets \
                 go only what the edition signed last lets go as well."
            ),
            Self::Ended(on) => format!("{short} is expired: its term ended on {on}."),
        }
    }
}

/// A sign-off that counts, or a suspension, as the ledger holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnRecord {
    /// The entry's index in the ledger.
    pub index: u64,
    /// The instrument, or what else was signed or suspended.
    pub unit: String,
    /// The digest of what was signed or suspended.
    pub digest: Digest,
    /// The agency of who did.
    pub agency: String,
    /// The role of who did.
    pub role: String,
    /// The key of who did; a suspension of the ledger's first form has none.
    pub key: Option<String>,
}

/// How a law pack stands, as far as was known at some time.
#[derive(Debug, Default)]
pub struct Standing {
    states: BTreeMap<String, State>,
    base: Vec<String>,
    gone: Vec<String>,
    signed: Option<LawPack>,
    sign_offs: Vec<OnRecord>,
    suspensions: Vec<OnRecord>,
    entries: u64,
    demonstration: bool,
}

impl Standing {
    /// In a demonstration, where law that nobody signed counts.
    pub fn demonstration() -> Self {
        Self {
            demonstration: true,
            ..Self::default()
        }
    }

    /// Whether it is a demonstration's.
    pub fn is_demonstration(&self) -> bool {
        self.demonstration
    }

    /// How instruments and bases stand, by id; what is not named is unsigned. `base` are the ids of
    /// the pack's bases, all of which must be signed before any permit counts.
    ///
    /// `signed` holds the edition signed last of each instrument that is recorded otherwise since
    /// then, or no more.
    pub fn new(
        states: BTreeMap<String, State>,
        base: Vec<String>,
        signed: Option<LawPack>,
    ) -> Self {
        Self {
            states,
            base,
            signed,
            ..Self::default()
        }
    }

    /// The same, with what the ledger holds of it after `entries` entries.
    #[must_use]
    pub fn on_record(
        mut self,
        sign_offs: Vec<OnRecord>,
        suspensions: Vec<OnRecord>,
        entries: u64,
    ) -> Self {
        self.sign_offs = sign_offs;
        self.suspensions = suspensions;
        self.entries = entries;
        self
    }

    /// The same where these, which are suspended, are no more in the pack in any edition: no permit
    /// counts.
    #[must_use]
    pub fn without(mut self, gone: Vec<String>) -> Self {
        self.gone = gone;
        self
    }

    /// The same with nothing of the signed editions that was recorded after a day.
    #[must_use]
    pub fn as_known(mut self, known: Date) -> Self {
        self.signed = self.signed.map(|signed| signed.as_known(known));
        self
    }

    /// How an instrument or a base stands.
    pub fn state(&self, id: &str) -> State {
        self.states.get(id).copied().unwrap_or_default()
    }

    /// How each instrument and base stands.
    pub fn states(&self) -> &BTreeMap<String, State> {
        &self.states
    }

    /// The editions signed last of what is recorded otherwise since then.
    pub fn signed(&self) -> Option<&LawPack> {
        self.signed.as_ref()
    }

    /// The ids of the pack's bases.
    pub fn base(&self) -> &[String] {
        &self.base
    }

    /// What is suspended and in no edition of the pack.
    pub fn gone(&self) -> &[String] {
        &self.gone
    }

    /// The sign-offs that count.
    pub fn sign_offs(&self) -> &[OnRecord] {
        &self.sign_offs
    }

    /// The suspensions that nobody has lifted.
    pub fn suspensions(&self) -> &[OnRecord] {
        &self.suspensions
    }

    /// How many entries of the ledger this takes account of.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Why permits of this instrument do not count, if they do not.
    pub(crate) fn why(&self, instrument: &str) -> Option<Why> {
        let state = self.state(instrument);
        if state != State::Signed {
            return Some(Why::Instrument(state));
        }
        if let Some(id) = self.gone.first() {
            return Some(Why::Gone { id: id.clone() });
        }
        if self.base.is_empty() {
            let (id, state) = ("a pack without a base".to_owned(), State::Unsigned);
            return Some(Why::Base { id, state });
        }
        self.base
            .iter()
            .map(|id| (id, self.state(id)))
            .find(|(_, state)| *state != State::Signed)
            .map(|(id, state)| Why::Base {
                id: id.clone(),
                state,
            })
    }
}

/// Whose signature the law needs before it lets data leave.
#[derive(Clone, Copy, Debug)]
pub enum SignOff<'a> {
    /// A demonstration workspace: unsigned law counts.
    Demonstration,
    /// What lets data leave counts only as far as it is signed off; what holds data back counts at
    /// once.
    Required(&'a Standing),
}

impl LawPack {
    /// The pack as it is signed off: each instrument in the edition signed last, and without what
    /// lets data leave if it is not signed. What is not signed and holds data back counts.
    ///
    /// With `only`, it is this instrument that is taken so, and the others are as recorded: held
    /// against the pack, that is what signing the instrument would change.
    #[must_use]
    pub fn as_signed(&self, standing: &Standing, only: Option<&str>) -> Self {
        let mut pack = self.clone();
        let concerned = |id: &str| only.is_none_or(|only| only == id);
        for instrument in pack.instruments_mut() {
            if !concerned(&instrument.id) {
                continue;
            }
            let signed = standing
                .signed()
                .and_then(|pack| pack.instrument(&instrument.id));
            if let Some(signed) = signed {
                *instrument = signed.clone();
            } else if standing.state(&instrument.id) != State::Signed {
                instrument
                    .provisions
                    .retain(|one| one.effect == Effect::Forbid);
            }
        }
        // What was signed and is recorded no more.
        let signed = standing.signed().map_or(&[][..], LawPack::instruments);
        let removed = signed.iter().filter(|one| concerned(&one.id));
        for one in removed.filter(|one| self.instrument(&one.id).is_none()) {
            pack.instruments_mut().push(one.clone());
        }
        let is_signed = |id: &String| standing.state(id) == State::Signed;
        if only.is_none() && !standing.base().iter().all(is_signed) {
            for instrument in pack.instruments_mut() {
                instrument
                    .provisions
                    .retain(|one| one.effect == Effect::Forbid);
            }
        }
        pack
    }
}
