use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chancery_model::Digest;

use crate::commitment::Members;
use crate::key::Pseudonym;
use crate::proof::{BucketProof, digests, found};
use crate::record::Record;
use crate::segment::Segment;
use crate::{
    Error, Person, PseudonymProof, PublicKey, Recording, ReleaseProof, SecretKey, commitment, tree,
};

/// A release that the ledger holds, with where its record is.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub release: String,
    /// The root that its entry commits to; entries of before there were registers have none.
    pub root: Option<Digest>,
    /// Its record, beside the released files.
    pub record: PathBuf,
}

/// Who was in which release: the records of all of them, mapped and not loaded.
#[derive(Debug)]
pub struct Register {
    records: Vec<Record>,
    /// By release, where in `records`.
    by_release: BTreeMap<String, usize>,
    unrecorded: Vec<String>,
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

    /// Makes the index anew from the releases' records alone, each read and held against its
    /// digest.
    ///
    /// # Errors
    ///
    /// As for [`Register::open`].
    pub fn rebuild(index: &Path, releases: &[Listed]) -> Result<Self, Error> {
        if index.exists() {
            std::fs::remove_dir_all(index).map_err(Error::io("remove", index))?;
        }
        let register = Self::open(index, releases)?;
        for record in &register.records {
            record.check()?;
        }
        Ok(register)
    }

    /// Whether a file is the whole record of a release with this root.
    pub fn is_record(file: &Path, release: &str, root: Digest) -> bool {
        let record = Record::open(file).and_then(|record| record.check().map(|()| record));
        record.is_ok_and(|record| record.header.release == release && record.header.root == root)
    }

    fn add(&mut self, index: &Path, listed: &Listed) -> Result<(), Error> {
        let Some(root) = listed.root else {
            self.unrecorded.push(listed.release.clone());
            return Ok(());
        };
        let path = index.join(&listed.release);
        if !path.exists() {
            if !listed.record.exists() {
                self.unrecorded.push(listed.release.clone());
                return Ok(());
            }
            link(&listed.record, &path)?;
        }
        let record = Record::open(&path)?;
        if record.header.release != listed.release || record.header.root != root {
            return Err(Error::damaged(
                &path,
                "is not what the ledger's entry commits to",
            ));
        }
        let before = self.people(&record.header.key);
        let base = u64::from(record.header.base);
        // Whom an unrecorded release was the first to be about is missing.
        if base < before || (base > before && self.unrecorded.is_empty()) {
            return Err(Error::OutOfOrder {
                release: listed.release.clone(),
            });
        }
        self.by_release
            .insert(listed.release.clone(), self.records.len());
        self.records.push(record);
        Ok(())
    }

    /// The releases of which it does not know who was in them.
    pub fn unrecorded(&self) -> &[String] {
        &self.unrecorded
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
    /// When the file cannot be made.
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

    /// The releases that a person was in, in the order of the ledger.
    ///
    /// # Errors
    ///
    /// [`Error::KeyMissing`] when a release was recorded under a key that is not among `keys`;
    /// [`Error::Damaged`].
    pub fn find(
        &self,
        keys: &[SecretKey],
        person: &Person<'_>,
    ) -> Result<Vec<Presence<'_>>, Error> {
        let mut found = Vec::new();
        let mut numbers = BTreeMap::new();
        for record in &self.records {
            let key = &record.header.key;
            if !numbers.contains_key(key) {
                let secret = secret(keys, record)?;
                numbers.insert(*key, self.number(secret, person)?);
            }
            if let Some(Some(number)) = numbers.get(key) {
                found.extend(presence(record, *number)?);
            }
        }
        Ok(found)
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
        let pseudonym: Pseudonym = key.pseudonym(person);
        let number = self.number(key, person)?;
        let presence = number.map(|number| presence(record, number)).transpose()?;
        let elements = presence.flatten().map(|presence| presence.elements);
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
            proof.top = Some(Digest::from_bytes(tree::root(&leaves)));
            return Ok((key.prove(person)?, proof));
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
        let label = commitment::label(release, &pseudonym);
        let found = found(&inside, &label, elements).ok_or_else(|| record.damaged())?;
        proof.bucket = Some(BucketProof {
            size: u32::try_from(inside.len()).map_err(|_| record.damaged())?,
            path: digests(tree::path(&leaves, index)),
            found,
        });
        Ok((key.prove(person)?, proof))
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
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let mut beside = to.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = PathBuf::from(beside);
    std::fs::copy(from, &beside).map_err(Error::io("copy", from))?;
    std::fs::rename(&beside, to).map_err(Error::io("create", to))
}
