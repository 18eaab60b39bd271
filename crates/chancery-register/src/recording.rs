use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use chancery_model::Digest;
use roaring::RoaringBitmap;
use sha2::{Digest as _, Sha256};

use crate::bitmap::Bitmap;
use crate::commitment::{Commitment, Members, bits};
use crate::map::Mapped;
use crate::record::{ClassPart, Damage, Header, OriginPart, Section, section, segment, trailer};
use crate::segment::{Newcomer, Segment, places};
use crate::{Error, Person, PublicKey, Register, SecretKey};

/// So many newcomers are given their pseudonyms at a time.
const BATCH: usize = 16_384;

/// What a record commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The root over the people of the release.
    pub root: Digest,
    /// The key that checks whose pseudonym is whose.
    pub key: PublicKey,
}

/// A record that is being written: origin by origin, in their order.
///
/// Only [`Recording::finish`] makes a record of it; what a crash leaves has no header and is never read.
pub struct Recording<'a> {
    register: &'a Register,
    key: &'a SecretKey,
    release: String,
    path: PathBuf,
    file: BufWriter<File>,
    body: Sha256,
    offset: u64,
    base: u32,
    next: u32,
    origins: Vec<OriginPart>,
    classes: Vec<Class>,
    workers: usize,
}

struct Class {
    elements: Vec<String>,
    numbers: RoaringBitmap,
    subjects: BTreeMap<String, u64>,
}

/// The people of one origin, of whom a recording is told.
pub struct People<'r, 'a> {
    recording: &'r mut Recording<'a>,
    origin: String,
    known: Vec<Segment<'a>>,
    /// The numbers in each class of those who are known.
    found: Vec<Vec<u32>>,
    waiting: Vec<(String, Newcomer)>,
    newcomers: Vec<Newcomer>,
}

impl<'a> Recording<'a> {
    pub(crate) fn begin(
        register: &'a Register,
        key: &'a SecretKey,
        release: &str,
        path: &Path,
        classes: Vec<Vec<String>>,
        workers: usize,
    ) -> Result<Self, Error> {
        register.is_whole(&key.public())?;
        let file = private(path)?;
        let base = register.people(&key.public());
        let base = u32::try_from(base).map_err(|_| full(path))?;
        let class = |elements| Class {
            elements,
            numbers: RoaringBitmap::new(),
            subjects: BTreeMap::new(),
        };
        Ok(Self {
            register,
            key,
            release: release.to_owned(),
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 20, file),
            body: Sha256::new(),
            offset: 0,
            base,
            next: base,
            origins: Vec::new(),
            classes: classes.into_iter().map(class).collect(),
            workers: workers.max(1),
        })
    }

    /// Begins with the people of an origin; origins come in the order of their names.
    ///
    /// # Errors
    ///
    /// When one comes out of order, or a record of before is damaged.
    pub fn origin(&mut self, origin: &str) -> Result<People<'_, 'a>, Error> {
        let last = self.origins.last().map_or("", |part| part.origin.as_str());
        if origin <= last {
            return Err(people(origin, "something is out of order"));
        }
        Ok(People {
            known: self.register.segments(&self.key.public(), origin)?,
            found: vec![Vec::new(); self.classes.len()],
            origin: origin.to_owned(),
            waiting: Vec::with_capacity(BATCH),
            newcomers: Vec::new(),
            recording: self,
        })
    }

    /// Writes what is left, and makes it last.
    ///
    /// # Errors
    ///
    /// When the disk refuses, or what was written does not read back.
    pub fn finish(mut self) -> Result<Recorded, Error> {
        let mut classes = Vec::with_capacity(self.classes.len());
        for mut class in std::mem::take(&mut self.classes) {
            class.numbers.optimize();
            let mut bytes = Vec::with_capacity(class.numbers.serialized_size());
            let written = class.numbers.serialize_into(&mut bytes);
            written.map_err(Error::io("write", &self.path))?;
            classes.push(ClassPart {
                numbers: self.write(&bytes)?,
                elements: class.elements,
                subjects: class.subjects,
            });
        }
        let mut header = Header {
            release: self.release.clone(),
            key: self.key.public(),
            base: self.base,
            origins: std::mem::take(&mut self.origins),
            classes,
            root: Digest::from_bytes([0; 32]),
            body: Digest::from_bytes([0; 32]),
        };
        self.file.flush().map_err(Error::io("write", &self.path))?;
        header.root = self.commit(&mut header)?;
        header.body = Digest::from_bytes(self.body.clone().finalize().into());
        let end = trailer(&header).ok_or_else(|| Error::damaged(&self.path, "is damaged"))?;
        self.file
            .write_all(&end)
            .map_err(Error::io("write", &self.path))?;
        let file = self.file.into_inner();
        let file = file.map_err(|error| Error::io("write", &self.path)(error.into_error()))?;
        file.sync_all().map_err(Error::io("write", &self.path))?;
        Ok(Recorded {
            root: header.root,
            key: header.key,
        })
    }

    /// Writes the roots of the buckets, and gives back the root of all.
    fn commit(&mut self, header: &mut Header) -> Result<Digest, Error> {
        // What was written is read where it lies, as those who check it will.
        let mapped = Mapped::open(&self.path)?;
        let damaged = |Damage| Error::damaged(&self.path, "is damaged");
        let mut numbers = Vec::with_capacity(header.classes.len());
        for class in &header.classes {
            let bitmap = section(mapped.bytes(), class.numbers).and_then(Bitmap::new);
            numbers.push((
                class.elements.as_slice(),
                bitmap.ok_or(Damage).map_err(damaged)?,
            ));
        }
        let members = Members {
            release: &self.release,
            key: self.key,
            classes: numbers,
        };
        let mut commitment = Commitment::default();
        let mut all = Vec::with_capacity(header.origins.len());
        for part in &header.origins {
            let mut segments = self.register.segments(&header.key, &part.origin)?;
            segments.extend(segment(header, mapped.bytes(), &part.origin).map_err(damaged)?);
            let first = commitment.roots.len();
            let roots = members
                .roots(&segments, part.bits, first, self.workers)
                .map_err(damaged)?;
            let stored = roots.concat();
            let pushed = commitment.push(&part.origin, part.bits, &stored);
            pushed.ok_or(Damage).map_err(damaged)?;
            all.push(stored);
        }
        for (at, stored) in all.into_iter().enumerate() {
            let section = self.write(&stored)?;
            if let Some(part) = header.origins.get_mut(at) {
                part.buckets = section;
            }
        }
        Ok(commitment.root())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<Section, Error> {
        self.file
            .write_all(bytes)
            .map_err(Error::io("write", &self.path))?;
        self.body.update(bytes);
        let section = Section {
            offset: self.offset,
            length: bytes.len() as u64,
        };
        self.offset += section.length;
        Ok(section)
    }
}

impl People<'_, '_> {
    /// A person about whom the elements of a class left.
    ///
    /// # Errors
    ///
    /// When the id cannot be taken, there is no such class, or a record of before is damaged.
    pub fn add(&mut self, id: &str, class: usize) -> Result<(), Error> {
        let person = Person::new(&self.origin, id);
        let person = person.ok_or_else(|| people(&self.origin, "an id has a NUL"))?;
        let (place, tag) = (person.place(), self.recording.key.tag(&person));
        for segment in &self.known {
            let found = segment.find(place, tag);
            if let Some(number) =
                found.map_err(|Damage| people(&self.origin, "a record is damaged"))?
            {
                let found = self.found.get_mut(class);
                found
                    .ok_or_else(|| people(&self.origin, "there is no such class"))?
                    .push(number);
                return Ok(());
            }
        }
        let newcomer = Newcomer {
            place,
            tag,
            pseudonym: [0; 12],
            class: u16::try_from(class)
                .map_err(|_| people(&self.origin, "too many classes are"))?,
        };
        self.waiting.push((id.to_owned(), newcomer));
        if self.waiting.len() == BATCH {
            self.name();
        }
        Ok(())
    }

    /// Gives those who wait their pseudonyms.
    fn name(&mut self) {
        let (key, origin) = (self.recording.key, self.origin.as_str());
        let each = self.waiting.len().div_ceil(self.recording.workers).max(1);
        std::thread::scope(|scope| {
            for some in self.waiting.chunks_mut(each) {
                scope.spawn(move || {
                    for (id, newcomer) in some {
                        if let Some(person) = Person::new(origin, id) {
                            newcomer.pseudonym = key.pseudonym(&person);
                        }
                    }
                });
            }
        });
        let named = self.waiting.drain(..).map(|(_, newcomer)| newcomer);
        self.newcomers.extend(named);
    }

    /// Writes those who are new, and ends the origin.
    ///
    /// # Errors
    ///
    /// When two of them cannot be told apart, or the disk refuses.
    pub fn finish(mut self) -> Result<(), Error> {
        self.name();
        let origin = self.origin;
        let mut newcomers = self.newcomers;
        newcomers.sort_unstable();
        let twice = |pair: &[Newcomer]| match pair {
            [one, other] => (one.place, one.tag) == (other.place, other.tag),
            _ => false,
        };
        if newcomers.windows(2).any(twice) {
            return Err(people(&origin, "two cannot be told apart"));
        }
        let recording = self.recording;
        let count = u32::try_from(newcomers.len()).map_err(|_| full(&recording.path))?;
        let next = recording
            .next
            .checked_add(count)
            .ok_or_else(|| full(&recording.path))?;
        for (number, newcomer) in (recording.next..next).zip(&newcomers) {
            if let Some(numbers) = self.found.get_mut(usize::from(newcomer.class)) {
                numbers.push(number);
            } else {
                return Err(people(&origin, "there is no such class"));
            }
        }
        let mut subjects = 0;
        for (class, mut numbers) in recording.classes.iter_mut().zip(self.found) {
            numbers.sort_unstable();
            let all = numbers.len() as u64;
            let sorted = RoaringBitmap::from_sorted_iter(numbers);
            let sorted = sorted.map_err(|_| people(&origin, "somebody is told twice"))?;
            if all > 0 {
                class.numbers |= sorted;
                class.subjects.insert(origin.clone(), all);
                subjects += all;
            }
        }
        if subjects == 0 {
            return Ok(());
        }
        let places = recording.write(&places(&newcomers))?;
        let tags: Vec<u8> = newcomers
            .iter()
            .flat_map(|one| one.tag.to_le_bytes())
            .collect();
        let tags = recording.write(&tags)?;
        let pseudonyms: Vec<u8> = newcomers.iter().flat_map(|one| one.pseudonym).collect();
        let pseudonyms = recording.write(&pseudonyms)?;
        recording.next = next;
        recording.origins.push(OriginPart {
            bits: bits(subjects),
            newcomers: count,
            places,
            tags,
            pseudonyms,
            buckets: Section::default(),
            origin,
        });
        Ok(())
    }
}

fn people(origin: &str, problem: &'static str) -> Error {
    Error::People {
        origin: origin.to_owned(),
        problem,
    }
}

fn full(path: &Path) -> Error {
    Error::damaged(path, "would have more people than a register can number")
}

/// A new file for its owner alone.
fn private(path: &Path) -> Result<File, Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.map_err(Error::io("create", path))
}
