//! Who is in a dataset and what the law may ask about them: ids and coded columns of all tables
//! are read origin by origin, and each person's evidence becomes attributes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, RecordBatch, StringArray, StringViewArray, UInt8Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt8Type};
use chancery_model::{Census, Count, Domain, Group, Presence, Signature, UNKNOWN};

use crate::columnar::{self, Source, TableWriter, trim};
use crate::index::Index;
use crate::ingest::Origins;
use crate::parallel;
use crate::progress::step;
use crate::quarantine::{self, About, EVERYWHERE, Part, Quarantined, is_unprintable};
use crate::rules::{CodeBits, Outcome, Rules};
use crate::tmsis::is_filled;
use crate::{
    Error, Law, Progress, Separability, SeparabilityRow, SubjectsFile, Table, TableFile,
    determinations,
};

/// Origins in work at a time: the memory of the step is theirs.
const WORKERS: usize = 2;
/// Rows that one worker may take at a time from files that mix origins.
const MIXED_ROWS: u64 = 8 << 20;
/// The column of `subjects/<origin>.parquet` with the tables in which a person has rows, a bit each. No
/// attribute has a name with spaces.
pub(crate) const PRESENCE: &str = "rows in";
/// Rows of `subjects/<origin>.parquet` written at a time.
const WRITE_ROWS: usize = 64 << 10;
/// An id this long that is all 8s or 9s is a filling and no id.
const FILLED_ID_BYTES: usize = 9;

/// What the step gives.
pub(crate) struct Classified {
    pub(crate) census: Census,
    pub(crate) separability: Separability,
    pub(crate) subjects: Vec<SubjectsFile>,
    /// Determinations about nobody in the dataset.
    pub(crate) unmatched: u64,
}

/// Classifies the people of `tables`, whose files and asides lie in `dir`.
pub(crate) fn classify(
    dir: &Path,
    tables: &[Table],
    constants: &BTreeMap<String, String>,
    law: &Law<'_>,
    progress: &dyn Progress,
) -> Result<Classified, Error> {
    let rules = Rules::new(law)?;
    let step = Step {
        dir,
        tables,
        law,
        origins: Origins::new(law.classification, law.domain),
        constants: constant_bits(&rules, constants),
        keys: group_keys(law),
        quarantined: quarantine::load(dir)?,
        rules,
        progress,
    };
    let all_files = tables.iter().flat_map(|table| &table.files);
    progress.begin("classifying", all_files.map(|file| file.bytes).sum());
    let jobs = jobs(tables);
    let done = parallel::map(&jobs, WORKERS, |job| job.rows, |job| step.run(job))?;
    let mut census = Census::new(tables.iter().map(|table| table.name.clone()).collect());
    step.count_unowned(&mut census);
    let mut rows = Vec::new();
    let mut subjects = Vec::new();
    let mut unmatched = step.count_elsewhere(&jobs)?;
    for one in done.into_iter().flatten() {
        unmatched += one.unmatched;
        for (group, count) in one.groups {
            add(census.groups.entry(group).or_default(), &count);
        }
        rows.extend(one.separability);
        subjects.push(one.file);
    }
    rows.sort();
    subjects.sort_by(|a: &SubjectsFile, b| a.origin.cmp(&b.origin));
    Ok(Classified {
        census,
        separability: Separability {
            attributes: law.classification.separability.clone(),
            rows,
        },
        subjects,
        unmatched,
    })
}

/// Origins that one worker takes at a time.
struct Job {
    origins: Vec<String>,
    rows: u64,
}

/// An origin with files of its own is a job; origins that share files are taken together, as many
/// as fit, so that the shared files are read few times.
fn jobs(tables: &[Table]) -> Vec<Job> {
    let files = || {
        let owned = tables.iter().filter(|table| table.id.is_some());
        owned.flat_map(|table| &table.files)
    };
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for (origin, count) in files().flat_map(|file| &file.rows_by_origin) {
        *rows.entry(origin).or_default() += count;
    }
    let mixed: BTreeSet<&str> = files()
        .filter(|file| file.rows_by_origin.len() > 1)
        .flat_map(|file| file.rows_by_origin.keys().map(String::as_str))
        .collect();
    let limit = rows.values().copied().max().unwrap_or(0).max(MIXED_ROWS);
    let mut jobs: Vec<Job> = Vec::new();
    let mut open: Option<Job> = None;
    for (origin, count) in rows {
        let job = Job {
            origins: vec![origin.to_owned()],
            rows: count,
        };
        if !mixed.contains(origin) {
            jobs.push(job);
            continue;
        }
        open = Some(match open.take() {
            None => job,
            Some(mut last) if last.rows + count <= limit => {
                last.origins.extend(job.origins);
                last.rows += count;
                last
            }
            Some(last) => {
                jobs.push(last);
                job
            }
        });
    }
    jobs.extend(open);
    jobs
}

/// The keys that group rules share, each once.
fn group_keys(law: &Law<'_>) -> Vec<String> {
    let keys: BTreeSet<&String> = law.classification.groups.iter().map(|r| &r.key).collect();
    keys.into_iter().cloned().collect()
}

fn constant_bits(rules: &Rules<'_>, constants: &BTreeMap<String, String>) -> u32 {
    let bits = |(input, code): (&String, &String)| {
        rules
            .bits(input, &BTreeMap::new())
            .map_or(0, |codes| codes.of(code))
    };
    constants.iter().map(bits).fold(0, |all, bits| all | bits)
}

/// What all workers share.
struct Step<'s> {
    dir: &'s Path,
    tables: &'s [Table],
    law: &'s Law<'s>,
    origins: Origins<'s>,
    constants: u32,
    keys: Vec<String>,
    quarantined: BTreeMap<String, Vec<Quarantined>>,
    rules: Rules<'s>,
    progress: &'s dyn Progress,
}

/// What one origin gave.
struct OneOrigin {
    groups: BTreeMap<Group, Count>,
    separability: Vec<SeparabilityRow>,
    file: SubjectsFile,
    unmatched: u64,
}

impl Step<'_> {
    fn run(&self, job: &Job) -> Result<Vec<OneOrigin>, Error> {
        let mut people: Vec<People> = job
            .origins
            .iter()
            .map(|_| People::new(self.keys.len()))
            .collect();
        for (at, table) in self.tables.iter().enumerate() {
            self.scan_table(at, table, job, &mut people)?;
        }
        let finish = |(origin, people): (&String, People)| self.finish(origin, people);
        job.origins.iter().zip(people).map(finish).collect()
    }

    fn scan_table(
        &self,
        at: usize,
        table: &Table,
        job: &Job,
        people: &mut [People],
    ) -> Result<(), Error> {
        let Some(id) = &table.id else {
            return Ok(());
        };
        for file in &table.files {
            let shared = file.rows_by_origin.iter();
            let rows: u64 = shared
                .filter(|(origin, _)| job.origins.contains(origin))
                .map(|(_, rows)| rows)
                .sum();
            if rows > 0 {
                self.scan_file(table, id, file, job, people)?;
                let all: u64 = file.rows_by_origin.values().sum();
                let share = u128::from(file.bytes) * u128::from(rows) / u128::from(all.max(1));
                step(self.progress, u64::try_from(share).unwrap_or_default())?;
            }
        }
        for one in people {
            one.close_table(at);
        }
        Ok(())
    }

    fn scan_file(
        &self,
        table: &Table,
        id: &str,
        file: &TableFile,
        job: &Job,
        people: &mut [People],
    ) -> Result<(), Error> {
        let source = Source::open(&self.dir.join(&file.path))?;
        let held = |name: &str| source.fields().iter().any(|field| field.name() == name);
        let roles = self.roles(table, &held);
        let mut names = vec![id];
        let is_told = file.rows_by_origin.len() == 1 && !file.rows_by_origin.contains_key(UNKNOWN);
        let origin = table.origin.as_deref().filter(|_| !is_told);
        names.extend(origin);
        let first_role = names.len();
        names.extend(roles.iter().map(|(name, _)| *name));
        let mut slots = Slots::new(&self.origins, &job.origins, file);
        let (mut located, mut odd) = (Vec::new(), BTreeSet::new());
        for batch in source.texts(&names)? {
            let batch = batch?;
            let mut columns = batch.iter();
            let Some(ids) = columns.next() else { continue };
            let spellings = origin.and_then(|_| columns.next());
            slots.locate(ids, spellings, people, &mut located);
            odd.clear();
            add_odd(&mut odd, ids, None);
            if let Some(column) = spellings {
                add_odd(&mut odd, column, None);
            }
            for ((_, role), column) in roles.iter().zip(batch.iter().skip(first_role)) {
                match role {
                    Role::Evidence(bits) => {
                        add_odd(&mut odd, column, Some(bits));
                        add_evidence(people, &located, column, bits);
                    }
                    Role::Key(key) => {
                        add_odd(&mut odd, column, None);
                        add_groups(people, &located, column, *key);
                    }
                }
            }
            let keys = roles.iter().zip(batch.iter().skip(first_role));
            let keys = keys.filter(|((_, role), _)| matches!(role, Role::Key(_)));
            let keys: Vec<_> = keys.map(|(_, column)| column).collect();
            for row in &odd {
                distrust_row(people, &located, *row, ids, &keys);
            }
            step(self.progress, 0)?;
        }
        Ok(())
    }

    /// The columns that play a part, and which.
    fn roles<'t>(&self, table: &'t Table, held: &dyn Fn(&str) -> bool) -> Vec<(&'t str, Role)> {
        let columns = table.columns.iter().filter(|column| held(&column.name));
        columns
            .filter_map(|column| {
                let role = column.role.as_deref()?;
                if let Some(key) = self.keys.iter().position(|key| key == role) {
                    return Some((column.name.as_str(), Role::Key(key)));
                }
                let bits = self.rules.bits(role, &column.recode)?;
                Some((column.name.as_str(), Role::Evidence(bits)))
            })
            .collect()
    }

    /// The attributes of an origin's people, written and counted.
    fn finish(&self, origin: &str, mut people: People) -> Result<OneOrigin, Error> {
        let unmatched = self.add_determinations(origin, &mut people)?;
        let outcomes = self.decide(origin, &mut people);
        let file = self.write(origin, &people, &outcomes)?;
        let (groups, by_outcome) = self.count(&people, &outcomes);
        Ok(OneOrigin {
            groups,
            separability: self.separability(origin, &outcomes, &by_outcome),
            file,
            unmatched,
        })
    }

    /// The determinations about origins of which nobody is in the dataset.
    fn count_elsewhere(&self, jobs: &[Job]) -> Result<u64, Error> {
        let mut count = 0;
        for origin in self.origins.all() {
            if !jobs.iter().any(|job| job.origins.contains(origin)) {
                determinations::each(self.dir, origin, &mut |_, _| count += 1)?;
            }
        }
        Ok(count)
    }

    /// Adds what was found about people, and returns how often it is about nobody.
    fn add_determinations(&self, origin: &str, people: &mut People) -> Result<u64, Error> {
        let Some(bits) = self.rules.bits(determinations::INPUT, &BTreeMap::new()) else {
            return Ok(0);
        };
        let mut unmatched = 0;
        determinations::each(self.dir, origin, &mut |id, word| {
            let found = people.index.find(trim(id));
            if let Some(mask) = found.and_then(|at| people.masks.get_mut(at as usize)) {
                *mask |= bits.of(word);
            } else {
                unmatched += 1;
            }
        })?;
        Ok(unmatched)
    }

    /// Turns every person's evidence into the number of an outcome.
    fn decide(&self, origin: &str, people: &mut People) -> Vec<Outcome> {
        let mut outcomes = Outcomes::new(self, origin);
        let mut last = None;
        for mask in &mut people.masks {
            let evidence = *mask | self.constants;
            let number = match last {
                Some((known, number)) if known == evidence => number,
                _ => outcomes.of_evidence(self, evidence),
            };
            last = Some((evidence, number));
            *mask = number;
        }
        let mut quarantined = std::mem::take(&mut people.doubted);
        for origin in [origin, EVERYWHERE] {
            let listed = self.quarantined.get(origin);
            quarantined.extend(listed.into_iter().flatten().cloned());
        }
        people.distrust(&quarantined);
        // Members count with what their own evidence says, so every rule sees the same outcomes.
        let flags: Vec<Vec<bool>> = self
            .law
            .classification
            .groups
            .iter()
            .map(|rule| {
                let met: Vec<bool> = outcomes
                    .all
                    .iter()
                    .map(|(evidence, outcome)| self.rules.meets(rule, *evidence, outcome))
                    .collect();
                people.met_groups(self.key(&rule.key), &met, &quarantined)
            })
            .collect();
        for (rule, flags) in self.law.classification.groups.iter().zip(&flags) {
            let standing = people.standing(self.key(&rule.key), flags);
            let mut known = HashMap::new();
            for (mask, standing) in people.masks.iter_mut().zip(standing) {
                let key = (*mask, standing);
                *mask = *known
                    .entry(key)
                    .or_insert_with(|| outcomes.of_standing(self, rule, *mask, standing));
            }
        }
        outcomes
            .all
            .into_iter()
            .map(|(_, outcome)| outcome)
            .collect()
    }

    fn key(&self, key: &str) -> usize {
        self.keys
            .iter()
            .position(|known| known == key)
            .unwrap_or(usize::MAX)
    }

    fn write(
        &self,
        origin: &str,
        people: &People,
        outcomes: &[Outcome],
    ) -> Result<SubjectsFile, Error> {
        let path = PathBuf::from(format!("subjects/{origin}.parquet"));
        let full = self.dir.join(&path);
        let schema = subjects_schema(self.law.domain);
        let attributes: Vec<&str> = self
            .law
            .domain
            .attributes()
            .iter()
            .map(|attribute| attribute.name.as_str())
            .collect();
        let mut writer = TableWriter::create(&full, schema.clone(), &attributes)?;
        let values = attribute_values(self.law.domain);
        let mut ids = people.index.iter();
        let mut profiles = people.profiles.iter();
        let mut tables: HashMap<u32, u64> = HashMap::new();
        for chunk in people.masks.chunks(WRITE_ROWS) {
            // The ids were text when they were read.
            let texts = ids.by_ref().take(chunk.len()).map(std::str::from_utf8);
            let texts: Result<Vec<&str>, _> = texts.collect();
            let texts = texts.map_err(|_| columnar::misbuilt(&full))?;
            let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(texts))];
            for (at, names) in values.iter().enumerate() {
                let value = |number: &u32| {
                    let outcome = outcomes.get(*number as usize)?;
                    outcome.values.get(at).copied()
                };
                let keys: UInt8Array = chunk.iter().map(value).collect();
                let column = DictionaryArray::<UInt8Type>::try_new(keys, names.clone());
                columns.push(Arc::new(column.map_err(|_| columnar::misbuilt(&full))?));
            }
            let here = profiles.by_ref().take(chunk.len()).map(|profile| {
                let presence = || people.rows(*profile, self.tables.len()).0.0;
                *tables.entry(*profile).or_insert_with(presence)
            });
            columns.push(Arc::new(UInt64Array::from_iter_values(here)));
            let batch = RecordBatch::try_new(schema.clone(), columns);
            writer.write(&batch.map_err(|_| columnar::misbuilt(&full))?)?;
            step(self.progress, 0)?;
        }
        let written = writer.finish()?;
        Ok(SubjectsFile {
            origin: origin.to_owned(),
            path,
            subjects: people.masks.len() as u64,
            bytes: written.bytes,
            sha256: written.sha256,
        })
    }

    /// People and rows by attributes and tables, and people by outcome.
    fn count(
        &self,
        people: &People,
        outcomes: &[Outcome],
    ) -> (BTreeMap<Group, Count>, BTreeMap<u32, u64>) {
        let mut tallies: HashMap<(u32, u32), u64> = HashMap::new();
        for key in people
            .masks
            .iter()
            .copied()
            .zip(people.profiles.iter().copied())
        {
            *tallies.entry(key).or_default() += 1;
        }
        let mut groups: BTreeMap<Group, Count> = BTreeMap::new();
        let mut by_outcome: BTreeMap<u32, u64> = BTreeMap::new();
        for ((number, profile), subjects) in tallies {
            *by_outcome.entry(number).or_default() += subjects;
            let Some(outcome) = outcomes.get(number as usize) else {
                continue;
            };
            let (presence, mut rows) = people.rows(profile, self.tables.len());
            for count in &mut rows {
                *count *= subjects;
            }
            let group = Group {
                signature: Signature::new(outcome.values.clone()),
                presence,
            };
            add(groups.entry(group).or_default(), &Count { subjects, rows });
        }
        (groups, by_outcome)
    }

    fn separability(
        &self,
        origin: &str,
        outcomes: &[Outcome],
        by_outcome: &BTreeMap<u32, u64>,
    ) -> Vec<SeparabilityRow> {
        let mut rows: BTreeMap<(Vec<String>, Option<String>), u64> = BTreeMap::new();
        for (number, subjects) in by_outcome {
            let Some(outcome) = outcomes.get(*number as usize) else {
                continue;
            };
            let (mut values, mut reason) = (Vec::new(), None);
            for name in &self.law.classification.separability {
                let Some((at, attribute)) = self.law.domain.attribute(name) else {
                    continue;
                };
                let value = outcome.values.get(at).copied().unwrap_or_default();
                let value = attribute.values.get(usize::from(value));
                values.push(value.cloned().unwrap_or_default());
                if reason.is_none() {
                    reason = outcome.reasons.get(at).cloned().flatten();
                }
            }
            *rows.entry((values, reason)).or_default() += subjects;
        }
        let row = |((values, reason), subjects)| SeparabilityRow {
            origin: origin.to_owned(),
            values,
            reason,
            subjects,
        };
        rows.into_iter().map(row).collect()
    }

    /// Rows of tables without ids belong to nobody.
    fn count_unowned(&self, census: &mut Census) {
        for (at, table) in self.tables.iter().enumerate() {
            if table.id.is_some() {
                continue;
            }
            let files = table.files.iter().flat_map(|file| &file.rows_by_origin);
            for (origin, rows) in files {
                let outcome = self.rules.nothing_known(self.rules.origin(origin), UNKNOWN);
                let signature = Signature::new(outcome.values);
                let counts = census
                    .unowned
                    .entry(signature)
                    .or_insert_with(|| vec![0; self.tables.len()]);
                if let Some(count) = counts.get_mut(at) {
                    *count += rows;
                }
            }
        }
    }
}

fn add(to: &mut Count, more: &Count) {
    to.subjects += more.subjects;
    to.rows.resize(to.rows.len().max(more.rows.len()), 0);
    for (to, more) in to.rows.iter_mut().zip(&more.rows) {
        *to += more;
    }
}

fn subjects_schema(domain: &Domain) -> SchemaRef {
    let names = || {
        let kind = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
        let attributes = domain.attributes().iter();
        attributes.map(move |attribute| Field::new(&attribute.name, kind.clone(), false))
    };
    let id = Field::new("id", DataType::Utf8, false);
    let presence = Field::new(PRESENCE, DataType::UInt64, false);
    let fields = [id].into_iter().chain(names()).chain([presence]);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn attribute_values(domain: &Domain) -> Vec<ArrayRef> {
    let attributes = domain.attributes().iter();
    attributes
        .map(|attribute| Arc::new(StringArray::from(attribute.values.clone())) as ArrayRef)
        .collect()
}

/// What a column is for.
enum Role {
    Evidence(CodeBits),
    Key(usize),
}

/// The outcomes that occur in an origin.
struct Outcomes {
    all: Vec<(u32, Outcome)>,
    by_evidence: HashMap<u32, u32>,
    origin: u8,
}

/// The number of the outcome of people with bad lines.
const QUARANTINED: u32 = 0;
/// The number of the outcome of rows that name nobody.
const NOBODY: u32 = 1;

impl Outcomes {
    fn new(step: &Step<'_>, origin: &str) -> Self {
        let origin = step.rules.origin(origin);
        let fixed = ["quarantined segment", "missing id"];
        let all = fixed.map(|reason| (0, step.rules.nothing_known(origin, reason)));
        Self {
            all: all.to_vec(),
            by_evidence: HashMap::new(),
            origin,
        }
    }

    fn of_evidence(&mut self, step: &Step<'_>, evidence: u32) -> u32 {
        if let Some(number) = self.by_evidence.get(&evidence) {
            return *number;
        }
        let outcome = step.rules.evaluate(evidence, self.origin);
        let number = self.push(evidence, outcome);
        self.by_evidence.insert(evidence, number);
        number
    }

    fn of_standing(
        &mut self,
        step: &Step<'_>,
        rule: &chancery_model::GroupRule,
        number: u32,
        standing: Standing,
    ) -> u32 {
        let Some((evidence, outcome)) = self.all.get(number as usize) else {
            return number;
        };
        let is_met = match standing {
            Standing::Alone => return number,
            Standing::NoneMet => false,
            Standing::SomeMet => true,
        };
        if outcome.is_final {
            return number;
        }
        let outcome = step.rules.in_group(rule, outcome, is_met);
        self.push(*evidence, outcome)
    }

    fn push(&mut self, evidence: u32, outcome: Outcome) -> u32 {
        self.all.push((evidence, outcome));
        // Outcomes are combinations of evidence that occur: far fewer than people.
        u32::try_from(self.all.len() - 1).unwrap_or(QUARANTINED)
    }
}

/// How a person stands to a group rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Standing {
    /// In no group.
    Alone,
    /// In groups in which nobody meets the rule.
    NoneMet,
    /// In a group in which somebody does.
    SomeMet,
}

/// The people of one origin, by number in order of first appearance.
struct People {
    index: Index,
    /// Evidence; after `decide`, the number of an outcome.
    masks: Vec<u32>,
    /// In which tables and with how many rows: a node of `nodes`.
    profiles: Vec<u32>,
    /// Rows in the table being read.
    counts: Vec<u32>,
    /// Chains of (the rest, table, rows); many people share one.
    nodes: Vec<(u32, usize, u32)>,
    groups: Vec<Groups>,
    /// Who has a row that cannot be compared safely.
    doubted: BTreeSet<Quarantined>,
}

/// The groups by one key, and who is in them.
#[derive(Default)]
struct Groups {
    index: Index,
    members: Vec<(u32, u32)>,
}

impl People {
    fn new(keys: usize) -> Self {
        Self {
            index: Index::default(),
            masks: Vec::new(),
            profiles: Vec::new(),
            counts: Vec::new(),
            nodes: vec![(0, usize::MAX, 0)],
            groups: (0..keys).map(|_| Groups::default()).collect(),
            doubted: BTreeSet::new(),
        }
    }

    /// Counts a row of the person with this id.
    fn see(&mut self, id: &str) -> u32 {
        let number = self.index.insert(id);
        if number as usize == self.masks.len() {
            self.masks.push(0);
            self.profiles.push(0);
            self.counts.push(0);
        }
        if let Some(count) = self.counts.get_mut(number as usize) {
            *count += 1;
        }
        number
    }

    fn close_table(&mut self, table: usize) {
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        for (profile, count) in self.profiles.iter_mut().zip(&mut self.counts) {
            if *count > 0 {
                *profile = *known.entry((*profile, *count)).or_insert_with(|| {
                    self.nodes.push((*profile, table, *count));
                    u32::try_from(self.nodes.len() - 1).unwrap_or_default()
                });
                *count = 0;
            }
        }
    }

    /// The tables that a profile stands for, and the rows in each.
    fn rows(&self, profile: u32, tables: usize) -> (Presence, Vec<u64>) {
        let (mut presence, mut rows) = (Presence::default(), vec![0; tables]);
        let mut node = profile;
        while let Some((rest, table, count)) = self.nodes.get(node as usize).filter(|_| node > 0) {
            presence.insert(*table);
            if let Some(slot) = rows.get_mut(*table) {
                *slot = u64::from(*count);
            }
            node = *rest;
        }
        (presence, rows)
    }

    /// Gives people with bad lines, and rows that name nobody, the outcome that says so.
    fn distrust(&mut self, quarantined: &BTreeSet<Quarantined>) {
        let cut = quarantined.iter().filter(|who| who.is_prefix);
        let starts = Starts::new(cut.filter_map(|who| who.id.as_deref()));
        for (id, mask) in self.index.iter().zip(&mut self.masks) {
            if starts.begin(id) {
                *mask = QUARANTINED;
            }
            if id.is_empty() || (id.len() >= FILLED_ID_BYTES && is_filled(id)) {
                *mask = NOBODY;
            }
        }
        let whole = quarantined.iter().filter(|who| !who.is_prefix);
        for id in whole.filter_map(|who| who.id.as_deref()) {
            let found = self.index.find(id);
            if let Some(mask) = found.and_then(|at| self.masks.get_mut(at as usize)) {
                *mask = QUARANTINED;
            }
        }
    }

    /// The groups in which somebody's outcome meets a rule. A bad line that puts somebody in a
    /// group counts: whoever lives there lives with a person of whom nothing is known.
    fn met_groups(
        &self,
        key: usize,
        met: &[bool],
        quarantined: &BTreeSet<Quarantined>,
    ) -> Vec<bool> {
        let Some(groups) = self.groups.get(key) else {
            return Vec::new();
        };
        let mut flags = vec![false; groups.index.len()];
        for (person, group) in &groups.members {
            let outcome = self.masks.get(*person as usize);
            let is_met = outcome.and_then(|number| met.get(*number as usize));
            if is_met == Some(&true)
                && let Some(flag) = flags.get_mut(*group as usize)
            {
                *flag = true;
            }
        }
        if met.get(QUARANTINED as usize) == Some(&true) {
            let is_cut = |who: &&Quarantined| who.id.is_none() && who.is_prefix;
            let cut = quarantined.iter().filter(is_cut);
            let starts = Starts::new(cut.filter_map(|who| who.group.as_deref()));
            if !starts.0.is_empty() {
                for (group, flag) in groups.index.iter().zip(&mut flags) {
                    *flag |= starts.begin(group);
                }
            }
            let whole = quarantined.iter().filter(|who| !is_cut(who));
            for group in whole.filter_map(|who| who.group.as_deref()) {
                let found = groups.index.find(group);
                if let Some(flag) = found.and_then(|group| flags.get_mut(group as usize)) {
                    *flag = true;
                }
            }
        }
        flags
    }

    fn standing(&self, key: usize, flags: &[bool]) -> Vec<Standing> {
        let mut standing = vec![Standing::Alone; self.masks.len()];
        let members = self
            .groups
            .get(key)
            .map_or(&[][..], |groups| &groups.members);
        for (person, group) in members {
            let Some(slot) = standing.get_mut(*person as usize) else {
                continue;
            };
            if flags.get(*group as usize) == Some(&true) {
                *slot = Standing::SomeMet;
            } else if *slot == Standing::Alone {
                *slot = Standing::NoneMet;
            }
        }
        standing
    }
}

/// Starts of texts by their length, so that each text costs a look-up per length.
struct Starts<'q>(BTreeMap<usize, HashSet<&'q [u8]>>);

impl<'q> Starts<'q> {
    fn new(all: impl Iterator<Item = &'q str>) -> Self {
        let mut starts: BTreeMap<usize, HashSet<&[u8]>> = BTreeMap::new();
        for one in all {
            starts.entry(one.len()).or_default().insert(one.as_bytes());
        }
        Self(starts)
    }

    /// Whether `text` begins with one of them.
    fn begin(&self, text: &[u8]) -> bool {
        let mut fitting = self.0.range(..=text.len());
        fitting.any(|(length, starts)| text.get(..*length).is_some_and(|s| starts.contains(s)))
    }
}

/// A row's origin among those of the job, and its person; none if the row is of another job.
type Located = Vec<Option<(usize, u32)>>;

/// Finds whose each row is.
struct Slots<'s> {
    origins: &'s Origins<'s>,
    wanted: &'s [String],
    /// The slot of every row, if the file has one origin.
    only: Option<usize>,
    last: Option<(String, Option<usize>)>,
}

impl<'s> Slots<'s> {
    fn new(origins: &'s Origins<'s>, wanted: &'s [String], file: &TableFile) -> Self {
        let first = file.rows_by_origin.keys().next();
        let only = first.and_then(|origin| wanted.iter().position(|one| one == origin));
        Self {
            origins,
            wanted,
            only,
            last: None,
        }
    }

    fn locate(
        &mut self,
        ids: &StringViewArray,
        spellings: Option<&StringViewArray>,
        people: &mut [People],
        located: &mut Located,
    ) {
        located.clear();
        let mut one = |slot: Option<usize>, id: Option<&str>| {
            let slot = slot?;
            let person = people.get_mut(slot)?.see(trim(id.unwrap_or_default()));
            Some((slot, person))
        };
        match spellings {
            None => located.extend(ids.iter().map(|id| one(self.only, id))),
            Some(spellings) => {
                for (id, spelling) in ids.iter().zip(spellings) {
                    let slot = self.slot(spelling.unwrap_or_default());
                    located.push(one(slot, id));
                }
            }
        }
    }

    fn slot(&mut self, spelling: &str) -> Option<usize> {
        if let Some((known, slot)) = &self.last
            && known == spelling
        {
            return *slot;
        }
        let origin = self.origins.of(spelling);
        let slot = self.wanted.iter().position(|one| one == origin);
        self.last = Some((spelling.to_owned(), slot));
        slot
    }
}

/// Notes the rows with a value that cannot be compared safely; one that a map gives a meaning can.
fn add_odd(odd: &mut BTreeSet<usize>, column: &StringViewArray, codes: Option<&CodeBits>) {
    for (row, value) in column.iter().enumerate() {
        if let Some(value) = value.map(trim)
            && is_unprintable(value)
            && codes.is_none_or(|codes| codes.of(value) == 0)
        {
            odd.insert(row);
        }
    }
}

/// Has the person of a row, and whoever shares a group with it, distrusted.
fn distrust_row(
    people: &mut [People],
    located: &Located,
    row: usize,
    ids: &StringViewArray,
    keys: &[&StringViewArray],
) {
    let Some((slot, _)) = located.get(row).copied().flatten() else {
        return;
    };
    let parts = |column: &StringViewArray| {
        let value = column.is_valid(row).then(|| column.value(row));
        Part::spellings(value.unwrap_or_default().as_bytes(), false)
    };
    let about = About {
        ids: parts(ids),
        other_origin: None,
        groups: keys.iter().flat_map(|column| parts(column)).collect(),
    };
    if let Some(people) = people.get_mut(slot) {
        people.doubted.extend(about.of(EVERYWHERE));
    }
}

fn add_evidence(
    people: &mut [People],
    located: &Located,
    column: &StringViewArray,
    codes: &CodeBits,
) {
    for (place, value) in located.iter().zip(column) {
        let (Some((slot, person)), Some(value)) = (place, value) else {
            continue;
        };
        let bits = codes.of(trim(value));
        if bits != 0
            && let Some(people) = people.get_mut(*slot)
            && let Some(mask) = people.masks.get_mut(*person as usize)
        {
            *mask |= bits;
        }
    }
}

fn add_groups(people: &mut [People], located: &Located, column: &StringViewArray, key: usize) {
    for (place, value) in located.iter().zip(column) {
        let (Some((slot, person)), Some(value)) = (place, value.map(trim)) else {
            continue;
        };
        // Nothing, only 8s or only 9s.
        if is_filled(value.as_bytes()) {
            continue;
        }
        let groups = people.get_mut(*slot).and_then(|p| p.groups.get_mut(key));
        if let Some(groups) = groups {
            let membership = (*person, groups.index.insert(value));
            if groups.members.last() != Some(&membership) {
                groups.members.push(membership);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(files: &[&[(&str, u64)]]) -> Table {
        let file = |rows: &&[(&str, u64)]| TableFile {
            path: PathBuf::new(),
            rows_by_origin: rows.iter().map(|(o, n)| ((*o).to_owned(), *n)).collect(),
            bytes: 0,
            sha256: chancery_model::Digest::from_bytes([0; 32]),
        };
        Table {
            name: "T".to_owned(),
            columns: Vec::new(),
            id: Some("id".to_owned()),
            origin: None,
            files: files.iter().map(file).collect(),
        }
    }

    #[test]
    fn origins_that_share_files_are_taken_together_while_they_fit() {
        let most = MIXED_ROWS;
        let tables = [table(&[
            &[("01", most / 2), ("02", most / 2), ("03", 1)],
            &[("04", most)],
            &[("03", 1)],
        ])];
        let jobs = jobs(&tables);
        let origins: Vec<_> = jobs.iter().map(|job| job.origins.join(" ")).collect();
        assert_eq!(origins, ["01 02", "04", "03"]);
    }

    #[test]
    fn rows_of_another_job_are_passed_over() {
        let mut people = vec![People::new(0)];
        let law = chancery_model::Classification::default();
        let domain = Domain::new(vec![chancery_model::Attribute {
            name: String::new(),
            values: ["06", "48", UNKNOWN].map(str::to_owned).into(),
        }])
        .unwrap();
        let origins = Origins::new(&law, &domain);
        let wanted = ["48".to_owned()];
        let table = table(&[&[("06", 2), ("48", 1)]]);
        let mut slots = Slots::new(&origins, &wanted, &table.files[0]);
        let ids = StringViewArray::from(vec!["a", "b", "c"]);
        let spellings = StringViewArray::from(vec!["06", "48 ", "06"]);
        let mut located = Vec::new();
        slots.locate(&ids, Some(&spellings), &mut people, &mut located);
        assert_eq!(located, [None, Some((0, 0)), None]);
    }
}
