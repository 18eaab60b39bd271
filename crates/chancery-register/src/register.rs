use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use chancery_model::Digest;

use crate::commitment::Members;
use crate::key::Pseudonym;
use crate::proof::{BucketProof, digests, found};
use crate::record::Record;
use crate::segment::Segment;
use crate::{
    Error, Person, PseudonymProof, PublicKey, Recorded, Recording, ReleaseProof, SecretKey,
    commitment, tree, trie,
};

/// A release that the ledger holds, with where its record is.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub release: String,
    /// What its entry commits to; entries of before there were registers commit to nothing.
    pub people: Option<Recorded>,
    /// Its record, beside the released files.
    pub record: PathBuf,
}

/// Who was in which release: the records of all of them, mapped and not loaded.
#[derive(Debug)]
pub struct Register {
    records: Vec<Record>,
    /// By release, where in `records`.
    by_release: BTreeMap<String, usize>,
    unrecorded: Vec<Unrecorded>,
}

/// A release of which there is no record.
#[derive(Debug)]
struct Unrecorded {
    release: String,
    /// The key of the record that there should be.
    key: Option<PublicKey>,
    /// How many records there were before it.
    after: usize,
}

/// What the register says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The releases that they were in, in the order of the ledger.
    pub presences: Vec<Presence<'a>>,
    /// The releases of which it cannot say whether they were.
    pub unknown: BTreeSet<&'a str>,
}

/// A person's number and pseudonym under a key.
struct Known {
    number: Option<u32>,
    pseudonym: Pseudonym,
}

/// A release that a person was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence<'a> {
    /// The release.
    pub release: &'a str,
    /// What left about them, in the order asked.
    pub elements: &'a [String],
}

/// How many people of an origin were in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<'a> {
    /// The origin.
    pub origin: &'a str,
    /// What left about them.
    pub elements: &'a [String],
    /// How many they were.
    pub subjects: u64,
}

impl Register {
    /// Opens the register of these releases, in the order in which the ledger holds them. A record
    /// that `index` lacks is linked there from the release; what neither has is unrecorded, and
    /// every answer says so.
    ///
    /// # Errors
    ///
    /// When a record is damaged, is not the one that the ledger's entry commits to, or does not follow
    /// those before it.
    pub fn open(index: &Path, releases: &[Listed]) -> Result<Self, Error> {
        let mut register = Self {
            records: Vec::with_capacity(releases.len()),
            by_release: BTreeMap::new(),
            unrecorded: Vec::new(),
        };
        for listed in releases {
            register.add(index, listed)?;
        }
        Ok(register)
    }

    /// Makes the index anew from the releases' records alone, each read and held against its digest.
    /// A record that only the index still has is put back into its release.
    ///
    /// # Errors
    ///
    /// As for [`Register::open`].
    pub fn rebuild(index: &Path, releases: &[Listed]) -> Result<Self, Error> {
        for listed in releases {
            let Some(people) = listed.people else {
                continue;
            };
            let indexed = index.join(&listed.release);
            if Self::is_record(&listed.record, &listed.release, people.root) {
                link(&listed.record, &indexed)?;
            } else if Self::is_record(&indexed, &listed.release, people.root) {
                link(&indexed, &listed.record)?;
            }
        }
        let register = Self::open(index, releases)?;
        register.check()?;
        Ok(register)
    }

    /// Whether a file is the whole record of a release with this root.
    pub fn is_record(file: &Path, release: &str, root: Digest) -> bool {
        let record = Record::open(file).and_then(|record| record.check().map(|()| record));
        record.is_ok_and(|record| record.header.release == release && record.header.root == root)
    }

    fn add(&mut self, index: &Path, listed: &Listed) -> Result<(), Error> {
        let mut unrecorded = Unrecorded {
            release: listed.release.clone(),
            key: None,
            after: self.records.len(),
        };
        let Some(people) = listed.people else {
            self.unrecorded.push(unrecorded);
            return Ok(());
        };
        let path = index.join(&listed.release);
        if !path.exists() {
            if !listed.record.exists() {
                unrecorded.key = Some(people.key);
                self.unrecorded.push(unrecorded);
                return Ok(());
            }
            link(&listed.record, &path)?;
        }
        let record = Record::open(&path)?;
        let header = &record.header;
        if header.release != listed.release
            || (header.root, header.key) != (people.root, people.key)
        {
            return Err(Error::damaged(
                &path,
                "is not what the ledger's entry commits to",
            ));
        }
        let before = self.people(&people.key);
        let base = u64::from(header.base);
        // Whom an unrecorded release was the first to be about is missing.
        if base < before || (base > before && self.is_whole(&people.key).is_ok()) {
            return Err(Error::OutOfOrder {
                release: listed.release.clone(),
            });
        }
        self.by_release
            .insert(listed.release.clone(), self.records.len());
        self.records.push(record);
        Ok(())
    }

    /// Whether it has every record under a key: if not, it cannot be gone on with, as people would get
    /// a second number.
    pub(crate) fn is_whole(&self, key: &PublicKey) -> Result<(), Error> {
        let mut unrecorded = self.unrecorded.iter();
        match unrecorded.find(|one| one.key == Some(*key)) {
            None => Ok(()),
            Some(lost) => Err(Error::Lost {
                release: lost.release.clone(),
            }),
        }
    }

    /// Reads all of the records, and holds each against its digest.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`].
    pub fn check(&self) -> Result<(), Error> {
        self.records.iter().try_for_each(Record::check)
    }

    /// The releases of which it has no record.
    pub fn unrecorded(&self) -> impl Iterator<Item = &str> {
        self.unrecorded.iter().map(|one| one.release.as_str())
    }

    /// How many people it knows under a key.
    pub fn people(&self, key: &PublicKey) -> u64 {
        let mut records = self.records.iter().rev();
        records
            .find(|record| record.header.key == *key)
            .map_or(0, Record::after)
    }

    /// The keys under which releases were recorded, in the order of first use.
    pub fn keys(&self) -> Vec<PublicKey> {
        let mut keys = Vec::new();
        for record in &self.records {
            if !keys.contains(&record.header.key) {
                keys.push(record.header.key);
            }
        }
        keys
    }

    /// How many releases it knows.
    pub fn releases(&self) -> usize {
        self.records.len()
    }

    /// How many bytes the records have.
    pub fn bytes(&self) -> u64 {
        self.records
            .iter()
            .map(|record| record.bytes().len() as u64)
            .sum()
    }

    /// Begins the record of a release, in a new file, over these classes of elements.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] when a record under this key is not there; when the file cannot be made.
    pub fn record<'a>(
        &'a self,
        key: &'a SecretKey,
        release: &str,
        path: &Path,
        classes: Vec<Vec<String>>,
        workers: usize,
    ) -> Result<Recording<'a>, Error> {
        Recording::begin(self, key, release, path, classes, workers)
    }

    /// The people of an origin under a key, release by release.
    pub(crate) fn segments(
        &self,
        key: &PublicKey,
        origin: &str,
    ) -> Result<Vec<Segment<'_>>, Error> {
        let records = self
            .records
            .iter()
            .filter(|record| record.header.key == *key);
        let segments = records.map(|record| record.segment(origin));
        segments.filter_map(Result::transpose).collect()
    }

    /// The releases that a person was in, and those of which it cannot say: they have no record, were
    /// recorded under a key that is not among `keys`, or came after one that is lost, which may have been the
    /// first to be about this person.
    ///
    /// What it says rests on the records as they are: [`Register::confirm`] holds it against the ledger.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`].
    pub fn find(&self, keys: &[SecretKey], person: &Person<'_>) -> Result<Answer<'_>, Error> {
        let mut answer = Answer::default();
        answer.unknown.extend(self.unrecorded());
        let mut numbers = BTreeMap::new();
        for (at, record) in self.records.iter().enumerate() {
            let key = &record.header.key;
            if !numbers.contains_key(key) {
                let secret = secret(keys, record).ok();
                let number = secret.map(|secret| self.number(secret, person));
                numbers.insert(*key, number.transpose()?);
            }
            let number = numbers.get(key).copied().flatten();
            let there = match number.flatten() {
                Some(number) => presence(record, number)?,
                None => None,
            };
            if there.is_none() && (number.is_none() || self.follows_a_lost(at, key)) {
                answer.unknown.insert(&record.header.release);
            }
            answer.presences.extend(there);
        }
        Ok(answer)
    }

    fn follows_a_lost(&self, at: usize, key: &PublicKey) -> bool {
        let mut unrecorded = self.unrecorded.iter();
        unrecorded.any(|one| one.key == Some(*key) && one.after <= at)
    }

    /// What [`Register::find`] says of a person, held against the root that each release's entry
    /// commits to: their bucket is made anew.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when a record says something else than the ledger holds.
    pub fn confirm(&self, keys: &[SecretKey], person: &Person<'_>) -> Result<Answer<'_>, Error> {
        let answer = self.find(keys, person)?;
        let mut known = BTreeMap::new();
        for (at, record) in self.records.iter().enumerate() {
            // After one that is lost, the people of a bucket are not all known.
            if !self.follows_a_lost(at, &record.header.key)
                && let Ok(key) = secret(keys, record)
            {
                let known = match known.entry(record.header.key) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.known(key, person)?),
                };
                self.shown(record, key, person, known)?;
            }
        }
        Ok(answer)
    }

    /// What stands for a person under a key.
    fn known(&self, key: &SecretKey, person: &Person<'_>) -> Result<Known, Error> {
        Ok(Known {
            number: self.number(key, person)?,
            pseudonym: key.pseudonym(person),
        })
    }

    /// A person's number under a key.
    fn number(&self, key: &SecretKey, person: &Person<'_>) -> Result<Option<u32>, Error> {
        let (place, tag) = (person.place(), key.tag(person));
        let public = key.public();
        for record in self
            .records
            .iter()
            .filter(|record| record.header.key == public)
        {
            let Some(segment) = record.segment(person.origin())? else {
                continue;
            };
            let Some(number) = segment.find(place, tag).map_err(|_| record.damaged())? else {
                continue;
            };
            // A tag is 64 bits: that it is this person is for the pseudonym to say.
            return if segment.pseudonym(number) == Some(key.pseudonym(person)) {
                Ok(Some(number))
            } else {
                Err(record.damaged())
            };
        }
        Ok(None)
    }

    /// How many people of each origin were in each class of a release.
    ///
    /// # Errors
    ///
    /// [`Error::Unrecorded`].
    pub fn counts(&self, release: &str) -> Result<Vec<Count<'_>>, Error> {
        let record = self.of(release)?;
        let classes = record.header.classes.iter();
        let counts = classes.flat_map(|class| {
            let origins = class.subjects.iter();
            origins.map(|(origin, subjects)| Count {
                origin,
                elements: &class.elements,
                subjects: *subjects,
            })
        });
        Ok(counts.collect())
    }

    fn of(&self, release: &str) -> Result<&Record, Error> {
        let at = self.by_release.get(release);
        let record = at.and_then(|at| self.records.get(*at));
        record.ok_or_else(|| Error::Unrecorded {
            release: release.to_owned(),
        })
    }

    /// What shows that a person was, or was not, in a release, and that the pseudonym in it is theirs.
    ///
    /// # Errors
    ///
    /// [`Error::Unrecorded`], [`Error::KeyMissing`], [`Error::Damaged`].
    pub fn prove(
        &self,
        keys: &[SecretKey],
        person: &Person<'_>,
        release: &str,
    ) -> Result<(PseudonymProof, ReleaseProof), Error> {
        let record = self.of(release)?;
        let key = secret(keys, record)?;
        let at = self.by_release.get(release).copied().unwrap_or_default();
        if self.follows_a_lost(at, &record.header.key) {
            return Err(Error::Unrecorded {
                release: release.to_owned(),
            });
        }
        let known = self.known(key, person)?;
        Ok((key.prove(person)?, self.shown(record, key, person, &known)?))
    }

    /// What is where a person would be in a release, out of the people and numbers of the records and held
    /// against the root.
    fn shown(
        &self,
        record: &Record,
        key: &SecretKey,
        person: &Person<'_>,
        known: &Known,
    ) -> Result<ReleaseProof, Error> {
        let presence = known.number.map(|number| presence(record, number));
        let presence = presence.transpose()?;
        let elements = presence.flatten().map(|presence| presence.elements);
        let release = record.header.release.as_str();
        let committed = record.commitment()?;
        let leaves = committed.leaves();
        let place = person.place();
        let mut proof = ReleaseProof {
            release: release.to_owned(),
            origins: committed.origins.clone(),
            bucket: None,
            top: None,
        };
        let Some(index) = committed.index(person.origin(), place) else {
            if elements.is_some() {
                return Err(record.damaged());
            }
            proof.top = Some(Digest::from_bytes(tree::root(&leaves)));
            return Ok(proof);
        };
        let mut origins = committed.origins.iter();
        let bits = origins
            .find(|one| one.origin == person.origin())
            .map_or(0, |one| one.bits);
        let members = Members {
            release,
            key,
            classes: record.classes()?,
        };
        let segments = self.segments_until(record, person.origin())?;
        let bucket = commitment::bucket(place, bits);
        let inside = members
            .leaves(&segments, bits, bucket, index)
            .map_err(|_| record.damaged())?;
        if trie::root(&inside).as_ref() != committed.roots.get(index) {
            return Err(record.damaged());
        }
        let label = commitment::label(release, &known.pseudonym);
        let found = found(&inside, &label, elements).ok_or_else(|| record.damaged())?;
        proof.bucket = Some(BucketProof {
            found: found.0,
            path: found.1,
            top: digests(tree::path(&leaves, index)),
        });
        Ok(proof)
    }

    /// The people of an origin whom the register knew after a record.
    fn segments_until(&self, record: &Record, origin: &str) -> Result<Vec<Segment<'_>>, Error> {
        let all = self.segments(&record.header.key, origin)?;
        let until = |segment: &Segment<'_>| {
            let Range { end, .. } = segment.numbers();
            u64::from(end) <= record.after()
        };
        Ok(all.into_iter().filter(until).collect())
    }
}

fn secret<'k>(keys: &'k [SecretKey], record: &Record) -> Result<&'k SecretKey, Error> {
    let mut keys = keys.iter();
    let key = keys.find(|key| key.public() == record.header.key);
    key.ok_or_else(|| Error::KeyMissing {
        release: record.header.release.clone(),
    })
}

/// What left about a number in a release, if it was in it.
fn presence(record: &Record, number: u32) -> Result<Option<Presence<'_>>, Error> {
    // Whom a later release was the first to be about was not in this one.
    if u64::from(number) >= record.after() {
        return Ok(None);
    }
    for class in &record.header.classes {
        if record
            .class(class)?
            .contains(number)
            .ok_or_else(|| record.damaged())?
        {
            return Ok(Some(Presence {
                release: &record.header.release,
                elements: &class.elements,
            }));
        }
    }
    Ok(None)
}

/// The same file under another name, or a copy where the system has no links.
fn link(from: &Path, to: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt as _;
    if let Some(folder) = to.parent() {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.map_err(Error::io("create", folder))?;
    }
    let mut beside = to.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = PathBuf::from(beside);
    let _ = std::fs::remove_file(&beside);
    if std::fs::hard_link(from, &beside).is_err() {
        std::fs::copy(from, &beside).map_err(Error::io("copy", from))?;
    }
    std::fs::rename(&beside, to).map_err(Error::io("create", to))
}
