//! One Eligible file: a header, then the records of one person after the other.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::Encoding;
use super::dice::{Dice, SaltDice};
use super::layout::{Segment, Version, segments};
use super::malformed::{Flaw, Flaws};
use super::people::{Home, Person, Span};
use super::record::Record;
use super::states::State;
use super::text::{Day, Text};
use super::{Error, Tally};

/// The first and the last day of the reporting period, and the day the file was made.
const PERIOD: (&str, &str, &str) = ("20251201", "20251231", "20260106");

/// How much is gathered before it is written.
const BUFFER: usize = 1 << 18;

/// An Eligible file that is being written.
pub(super) struct Eligible<'a> {
    state: &'a State,
    version: Version,
    encoding: Encoding,
    segments: Vec<Segment>,
    record: Record,
    line: Vec<u8>,
    out: BufWriter<File>,
    flaws: Flaws,
    people: u64,
    records: u64,
    bytes: u64,
}

impl<'a> Eligible<'a> {
    /// Creates the file and writes its header, with a count that [`Eligible::finish`] corrects.
    pub(super) fn create(
        path: &Path,
        state: &'a State,
        version: Version,
        encoding: Encoding,
        malformed: u32,
    ) -> Result<Self, Error> {
        let out = File::create_new(path).map_err(|source| Error::io(path, source))?;
        let mut file = Self {
            state,
            version,
            encoding,
            segments: segments(version)?,
            record: Record::default(),
            line: Vec::new(),
            out: BufWriter::with_capacity(BUFFER, out),
            flaws: Flaws::new(malformed, state.people),
            people: 0,
            records: 0,
            bytes: 0,
        };
        file.header();
        file.put_line().map_err(|source| Error::io(path, source))?;
        Ok(file)
    }

    /// Writes the last line, if it is to be cut off, and the right count into the header.
    pub(super) fn finish(mut self, last: Option<&Person>) -> io::Result<Tally> {
        if let (Some(last), true) = (last, self.flaws.any()) {
            self.cut_off_identifier(last)?;
        }
        self.header();
        let mut file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&self.line)?;
        Ok(Tally {
            rows: self.records,
            bytes: self.bytes,
        })
    }

    fn header(&mut self) {
        let encoding = match self.encoding {
            Encoding::Psv => "PSV",
            Encoding::Flf => "FLF",
        };
        let count = Text::default().number(self.records, 11);
        self.record.begin(1);
        self.record
            .put("RECORD-ID", "ELG00001")
            .put("DATA-DICTIONARY-VERSION", self.version.written())
            .put("SUBMISSION-TRANSACTION-TYPE", "C")
            .put("FILE-ENCODING-SPECIFICATION", encoding)
            .put("DATA-MAPPING-DOCUMENT-VERSION", "1.0")
            .put("FILE-NAME", "ELIGIBLE")
            .put("SUBMITTING-STATE", &self.state.fips)
            .put("DATE-FILE-CREATED", PERIOD.2)
            .put("START-OF-TIME-PERIOD", PERIOD.0)
            .put("END-OF-TIME-PERIOD", PERIOD.1)
            .put("FILE-STATUS-INDICATOR", "T")
            .put("SSN-INDICATOR", "0")
            .put("TOT-REC-CNT", count.as_str())
            .put("SEQUENCE-NUMBER", "0001")
            .put("STATE-NOTATION", "SYNTHETIC PEOPLE");
        self.encode();
    }

    /// Writes all records of a person, in the order of their segments.
    pub(super) fn person(&mut self, person: &Person) -> io::Result<()> {
        let dice = &mut SaltDice::new(person.salt);
        self.primary_demographics(person)?;
        self.variable_demographics(person, dice)?;
        self.contacts(person, dice)?;
        self.determinants(person, dice)?;
        self.health_home(person, dice)?;
        self.lock_in_and_mfp(person, dice)?;
        self.options_and_waivers(person, dice)?;
        self.long_term_care(person, dice)?;
        self.managed_care(person, dice)?;
        self.ethnicity_and_race(person, dice)?;
        self.disability_and_demonstration(person, dice)?;
        self.home_and_community_based(person, dice)?;
        self.enrollment(person)?;
        self.identifiers(person, dice)?;
        for flaw in self.flaws.due(self.people) {
            self.flawed(person, flaw)?;
        }
        self.people += 1;
        Ok(())
    }

    fn primary_demographics(&mut self, person: &Person) -> io::Result<()> {
        self.name_record(
            person,
            person.first.as_bytes(),
            person.born.compact().as_str(),
        );
        self.put()
    }

    fn name_record(&mut self, person: &Person, first: &[u8], born: &str) {
        self.begin(2, "ELG00002", person)
            .put_bytes("ELIGIBLE-FIRST-NAME", first)
            .put("ELIGIBLE-LAST-NAME", person.last)
            .put("ELIGIBLE-MIDDLE-INIT", person.middle)
            .put("SEX", person.sex)
            .put("DATE-OF-BIRTH", born)
            .day_if_any("DATE-OF-DEATH", person.died)
            .day("PRIMARY-DEMOGRAPHIC-ELEMENT-EFF-DATE", first_day(person))
            .day("PRIMARY-DEMOGRAPHIC-ELEMENT-END-DATE", Day::OPEN);
    }

    fn variable_demographics(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        let poverty_level = poverty_level(person.income, dice);
        let verified = if person.ssn.is_empty() {
            "0"
        } else {
            dice.weighted(&[(95, "1"), (5, "2")])
        };
        for span in person.spans() {
            let dual = !matches!(span.coverage.dual, "00" | "10");
            let (claim, beneficiary) = if dual {
                medicare(person)
            } else {
                Default::default()
            };
            self.begin(3, "ELG00003", person)
                .put("MARITAL-STATUS", person.marital)
                .put("SSN", person.ssn.as_str())
                .put("SSN-VERIFICATION-FLAG", verified)
                .put("INCOME-CODE", person.income)
                .put("VETERAN-IND", person.veteran)
                .put("CITIZENSHIP-IND", span.codes.0)
                .put("CITIZENSHIP-VERIFICATION-FLAG", person.citizenship_pending)
                .put("IMMIGRATION-STATUS", span.codes.1)
                .put("IMMIGRATION-VERIFICATION-FLAG", person.immigration_pending)
                .day_if_any("IMMIGRATION-STATUS-FIVE-YEAR-BAR-END-DATE", person.bar_ends)
                .put("ENGL-PROF-CODE", person.english)
                .put("PRIMARY-LANGUAGE-CODE", person.language)
                .put("HOUSEHOLD-SIZE", person.household_size)
                .put("PREGNANCY-IND", person.pregnant)
                .put("MEDICARE-HIC-NUM", claim.as_str())
                .put("MEDICARE-BENEFICIARY-IDENTIFIER", beneficiary.as_str())
                .put("CHIP-CODE", span.chip)
                .day("VARIABLE-DEMOGRAPHIC-ELEMENT-EFF-DATE", span.from)
                .day("VARIABLE-DEMOGRAPHIC-ELEMENT-END-DATE", span.to)
                .put(
                    "ELIGIBLE-FEDERAL-POVERTY-LEVEL-PERCENTAGE",
                    poverty_level.as_str(),
                );
            self.put()?;
        }
        Ok(())
    }

    fn contacts(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        let arrangement = dice.weighted(&[(94, ""), (3, "LIVES ALONE"), (3, "WITH RELATIVES")]);
        self.contact(person, "01", &person.home, arrangement)?;
        if dice.chance(14_000) {
            let line_1 = Text::of("PO Box ").number(u64::from(10 + dice.below(9_000)), 1);
            let mail = Home {
                line_1,
                line_2: Text::default(),
                ..person.home
            };
            self.contact(person, "06", &mail, "")?;
        }
        Ok(())
    }

    fn contact(
        &mut self,
        person: &Person,
        kind: &str,
        home: &Home,
        arrangement: &str,
    ) -> io::Result<()> {
        let state = self.state;
        self.begin(4, "ELG00004", person)
            .put("ELIGIBLE-ADDR-TYPE", kind)
            .put("ELIGIBLE-ADDR-LN1", home.line_1.as_str())
            .put("ELIGIBLE-ADDR-LN2", home.line_2.as_str())
            .put("ELIGIBLE-CITY", home.town)
            .put("ELIGIBLE-STATE", &state.fips)
            .put("ELIGIBLE-ZIP-CODE", home.zip.as_str())
            .put("ELIGIBLE-COUNTY-CODE", home.county.as_str())
            .put("ELIGIBLE-PHONE-NUM", home.phone.as_str())
            .put("TYPE-OF-LIVING-ARRANGEMENT", arrangement)
            .day("ELIGIBLE-ADDR-EFF-DATE", first_day(person))
            .day("ELIGIBLE-ADDR-END-DATE", Day::OPEN);
        self.put()
    }

    fn determinants(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        for span in person.spans() {
            self.determinant(person, person.case, "1", span, dice)?;
        }
        match last_span(person) {
            Some(span) if !person.other_case.is_empty() => {
                self.determinant(person, person.other_case, "0", span, dice)
            }
            _ => Ok(()),
        }
    }

    fn determinant(
        &mut self,
        person: &Person,
        case: Text,
        primary: &str,
        span: &Span,
        dice: &mut SaltDice,
    ) -> io::Result<()> {
        let ssi = matches!(span.coverage.group, "11" | "13");
        let ended = if span.to == Day::OPEN {
            ""
        } else {
            dice.pick(&["01", "03", "08", "21"])
        };
        self.begin(5, "ELG00005", person)
            .put("MSIS-CASE-NUM", case.as_str())
            .put("DUAL-ELIGIBLE-CODE", span.coverage.dual)
            .put("PRIMARY-ELIGIBILITY-GROUP-IND", primary)
            .put("ELIGIBILITY-GROUP", span.coverage.group)
            .put(
                "LEVEL-OF-CARE-STATUS",
                dice.weighted(&[(97, ""), (2, "003"), (1, "005")]),
            )
            .put("SSDI-IND", if person.disabled { "1" } else { "0" })
            .put("SSI-IND", if ssi { "1" } else { "0" })
            .put(
                "SSI-STATE-SUPPLEMENT-STATUS-CODE",
                if ssi { "002" } else { "000" },
            )
            .put("SSI-STATUS", if ssi { "001" } else { "000" })
            .put("STATE-SPEC-ELIG-GROUP", span.coverage.group)
            .put("CONCEPTION-TO-BIRTH-IND", "0")
            .put("ELIGIBILITY-CHANGE-REASON", ended)
            .put("RESTRICTED-BENEFITS-CODE", span.coverage.restricted)
            .put(
                "TANF-CASH-CODE",
                dice.weighted(&[(70, "0"), (24, "1"), (6, "2")]),
            )
            .day("ELIGIBILITY-DETERMINANT-EFF-DATE", span.from)
            .day("ELIGIBILITY-DETERMINANT-END-DATE", span.to)
            .day(
                "ELIGIBILITY-REDETERMINATION-DATE",
                Day::LAST.plus(dice.below(365)),
            )
            .put(
                "ELIGIBILITY-EXTENSION-CODE",
                dice.weighted(&[(95, ""), (5, "001")]),
            )
            .put(
                "CONTINUOUS-ELIGIBILITY-CODE",
                dice.weighted(&[(80, ""), (20, "001")]),
            )
            .put(
                "INCOME-STANDARD-CODE",
                dice.weighted(&[(60, "01"), (40, "02")]),
            );
        self.put()
    }

    fn health_home(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        if !dice.chance(900) {
            return Ok(());
        }
        let (plan, entity) = ("Chronic Conditions Health Home", "Linden Care Network");
        let from = first_day(person);
        self.begin(6, "ELG00006", person)
            .put("HEALTH-HOME-SPA-NAME", plan)
            .put("HEALTH-HOME-ENTITY-NAME", entity)
            .day("HEALTH-HOME-SPA-PARTICIPATION-EFF-DATE", from)
            .day("HEALTH-HOME-SPA-PARTICIPATION-END-DATE", Day::OPEN)
            .day("HEALTH-HOME-ENTITY-EFF-DATE", from);
        self.put()?;
        self.begin(7, "ELG00007", person)
            .put("HEALTH-HOME-SPA-NAME", plan)
            .put("HEALTH-HOME-ENTITY-NAME", entity)
            .put("HEALTH-HOME-PROV-NUM", provider(dice).as_str())
            .day("HEALTH-HOME-SPA-PROVIDER-EFF-DATE", from)
            .day("HEALTH-HOME-SPA-PROVIDER-END-DATE", Day::OPEN)
            .day("HEALTH-HOME-ENTITY-EFF-DATE", from);
        self.put()?;
        let condition = dice.pick(&["A", "B", "C", "D", "E", "F", "G", "H"]);
        self.begin(8, "ELG00008", person)
            .put("HEALTH-HOME-CHRONIC-CONDITION", condition)
            .put(
                "HEALTH-HOME-CHRONIC-CONDITION-OTHER-EXPLANATION",
                if condition == "H" { "CHRONIC PAIN" } else { "" },
            )
            .day("HEALTH-HOME-CHRONIC-CONDITION-EFF-DATE", from)
            .day("HEALTH-HOME-CHRONIC-CONDITION-END-DATE", Day::OPEN);
        self.put()
    }

    fn lock_in_and_mfp(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        if dice.chance(200) {
            self.begin(9, "ELG00009", person)
                .put("LOCKIN-PROV-NUM", provider(dice).as_str())
                .put("LOCKIN-PROV-TYPE", dice.pick(&["01", "02", "05"]))
                .day("LOCKIN-EFF-DATE", first_day(person))
                .day("LOCKIN-END-DATE", Day::OPEN);
            self.put()?;
        }
        if dice.chance(150) {
            self.begin(10, "ELG00010", person)
                .put("MFP-LIVES-WITH-FAMILY", dice.pick(&["0", "1"]))
                .put("MFP-QUALIFIED-INSTITUTION", dice.pick(&["01", "02", "03"]))
                .put("MFP-QUALIFIED-RESIDENCE", dice.pick(&["01", "02", "03"]))
                .day("MFP-ENROLLMENT-EFF-DATE", first_day(person))
                .day("MFP-ENROLLMENT-END-DATE", Day::OPEN);
            self.put()?;
        }
        Ok(())
    }

    fn options_and_waivers(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        if dice.chance(7_000) {
            self.begin(11, "ELG00011", person)
                .put(
                    "STATE-PLAN-OPTION-TYPE",
                    dice.pick(&["01", "02", "03", "04", "05", "06"]),
                )
                .day("STATE-PLAN-OPTION-EFF-DATE", first_day(person))
                .day("STATE-PLAN-OPTION-END-DATE", Day::OPEN);
            self.put()?;
        }
        if dice.chance(4_000) {
            let number = u64::from(dice.below(9_000));
            let waiver = Text::of(&self.state.letters)
                .text(".")
                .number(number, 4)
                .text(".R02.00");
            self.begin(12, "ELG00012", person)
                .put("WAIVER-ID", waiver.as_str())
                .put(
                    "WAIVER-TYPE",
                    dice.pick(&["01", "06", "08", "12", "22", "33"]),
                )
                .day("WAIVER-ENROLLMENT-EFF-DATE", first_day(person))
                .day("WAIVER-ENROLLMENT-END-DATE", Day::OPEN);
            self.put()?;
        }
        Ok(())
    }

    fn long_term_care(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        if !dice.chance(2_200) {
            return Ok(());
        }
        self.begin(13, "ELG00013", person)
            .put("LTSS-LEVEL-CARE", dice.pick(&["1", "2", "3"]))
            .put("LTSS-PROV-NUM", provider(dice).as_str())
            .day("LTSS-ELIGIBILITY-EFF-DATE", first_day(person))
            .day("LTSS-ELIGIBILITY-END-DATE", Day::OPEN);
        self.put()
    }

    fn managed_care(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        let kind = dice.weighted(&[
            (78, "01"),
            (7, "00"),
            (6, "14"),
            (5, "08"),
            (2, "02"),
            (2, "17"),
        ]);
        let number = u64::from(dice.below(40));
        let plan = match kind {
            "00" => Text::default(),
            _ => Text::of(&self.state.letters).text("MC").number(number, 8),
        };
        self.begin(14, "ELG00014", person)
            .put("MANAGED-CARE-PLAN-ID", plan.as_str())
            .put("ENROLLED-MANAGED-CARE-PLAN-TYPE", kind)
            .day("MANAGED-CARE-PLAN-ENROLLMENT-EFF-DATE", first_day(person))
            .day("MANAGED-CARE-PLAN-ENROLLMENT-END-DATE", last_day(person));
        self.put()
    }

    fn ethnicity_and_race(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        self.begin(15, "ELG00015", person)
            .put("ETHNICITY-CODE", person.ethnicity)
            .day("ETHNICITY-DECLARATION-EFF-DATE", first_day(person))
            .day("ETHNICITY-DECLARATION-END-DATE", Day::OPEN)
            .put("ETHNICITY-OTHER", "");
        self.put()?;
        let race = dice.weighted(&[
            (48, "001"),
            (24, "002"),
            (3, "003"),
            (3, "004"),
            (2, "005"),
            (2, "006"),
            (1, "007"),
            (1, "008"),
            (2, "009"),
            (2, "010"),
            (1, "016"),
            (8, "017"),
            (3, "018"),
        ]);
        self.race(person, race, dice)?;
        if dice.chance(9_000) {
            let second = if race == "001" { "002" } else { "001" };
            self.race(person, second, dice)?;
        }
        Ok(())
    }

    fn race(&mut self, person: &Person, race: &str, dice: &mut SaltDice) -> io::Result<()> {
        let native = if race == "003" {
            dice.pick(&["1", "2"])
        } else {
            "0"
        };
        self.begin(16, "ELG00016", person)
            .put("RACE", race)
            .put("RACE-OTHER", if race == "018" { "OTHER" } else { "" })
            .put("AMERICAN-INDIAN-ALASKA-NATIVE-INDICATOR", native)
            .day("RACE-DECLARATION-EFF-DATE", first_day(person))
            .day("RACE-DECLARATION-END-DATE", Day::OPEN);
        self.put()
    }

    fn disability_and_demonstration(
        &mut self,
        person: &Person,
        dice: &mut SaltDice,
    ) -> io::Result<()> {
        if person.disabled {
            let other = dice.pick(&["02", "03", "04", "05", "06", "07"]);
            self.begin(17, "ELG00017", person)
                .put(
                    "DISABILITY-TYPE-CODE",
                    if person.deaf { "01" } else { other },
                )
                .day("DISABILITY-TYPE-EFF-DATE", first_day(person))
                .day("DISABILITY-TYPE-END-DATE", Day::OPEN);
            self.put()?;
        }
        if dice.chance(400) {
            self.begin(18, "ELG00018", person)
                .put("1115A-DEMONSTRATION-IND", "1")
                .day("1115A-EFF-DATE", first_day(person))
                .day("1115A-END-DATE", Day::OPEN);
            self.put()?;
        }
        Ok(())
    }

    fn home_and_community_based(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        if !dice.chance(1_500) {
            return Ok(());
        }
        let conditions = [
            "001", "002", "003", "004", "005", "006", "007", "008", "009", "010",
        ];
        self.begin(20, "ELG00020", person)
            .put(
                "HCBS-CHRONIC-CONDITION-NON-HEALTH-HOME-CODE",
                dice.pick(&conditions),
            )
            .day(
                "HCBS-CHRONIC-CONDITION-NON-HEALTH-HOME-EFF-DATE",
                first_day(person),
            )
            .day("HCBS-CHRONIC-CONDITION-NON-HEALTH-HOME-END-DATE", Day::OPEN);
        self.put()
    }

    fn enrollment(&mut self, person: &Person) -> io::Result<()> {
        for span in person.spans() {
            self.enrollment_span(person, span, span.from.compact().as_str());
            self.put()?;
        }
        Ok(())
    }

    fn enrollment_span(&mut self, person: &Person, span: &Span, from: &str) {
        self.begin(21, "ELG00021", person)
            .put("ENROLLMENT-TYPE", if span.chip == "3" { "2" } else { "1" })
            .put("ENROLLMENT-EFF-DATE", from)
            .day("ENROLLMENT-END-DATE", span.to);
    }

    fn identifiers(&mut self, person: &Person, dice: &mut SaltDice) -> io::Result<()> {
        let number = Text::default().number(u64::from(dice.next()), 10);
        let issuer = self.state.letters.clone();
        if dice.chance(88_000) {
            self.identifier(person, "1", &issuer, number, "");
        } else {
            let reason = dice.pick(&["MERGE", "UNMERGE", "LSE", "TCAM"]);
            self.identifier(
                person,
                "2",
                &issuer,
                Text::of("OLD").text(number.as_str()),
                reason,
            );
        }
        self.put()?;
        let documented = person
            .spans()
            .any(|span| matches!(span.codes.1.trim(), "1" | "2"));
        if documented {
            // Numbers of registration begin with other digits, so this one is nobody's.
            let number = Text::of("A000").number(u64::from(dice.below(1_000_000)), 6);
            self.identifier(person, "3", "DHS", number, "");
            self.put()?;
        }
        Ok(())
    }

    fn identifier(
        &mut self,
        person: &Person,
        kind: &str,
        issuer: &str,
        number: Text,
        reason: &str,
    ) {
        self.begin(22, "ELG00022", person)
            .put("ELG-IDENTIFIER-TYPE", kind)
            .put("ELG-IDENTIFIER-ISSUING-ENTITY-ID", issuer)
            .day("ELG-IDENTIFIER-EFF-DATE", first_day(person))
            .day("ELG-IDENTIFIER-END-DATE", Day::OPEN)
            .put("ELG-IDENTIFIER", number.as_str())
            .put("REASON-FOR-CHANGE", reason);
    }

    /// Writes a malformed line that carries the person's id.
    fn flawed(&mut self, person: &Person, flaw: Flaw) -> io::Result<()> {
        let born = person.born.compact();
        match flaw {
            Flaw::TooFewFields => {
                self.name_record(person, person.first.as_bytes(), born.as_str());
                self.encode();
                self.shorten();
            }
            Flaw::BadDate => {
                self.name_record(person, person.first.as_bytes(), "20251345");
                self.encode();
            }
            Flaw::UnknownRecord(id) => {
                self.name_record(person, person.first.as_bytes(), born.as_str());
                self.encode();
                for (byte, of_id) in self.line.iter_mut().zip(id.bytes()) {
                    *byte = of_id;
                }
            }
            Flaw::InvalidUtf8 => {
                self.name_record(person, b"Zo\xff\xfe\xc3(", born.as_str());
                self.encode();
            }
            Flaw::OtherState => {
                let other = if self.state.fips == "06" { "48" } else { "06" };
                self.record.begin(21);
                self.key("ELG00021", other, person);
                self.record.put("ENROLLMENT-TYPE", "1");
                self.record.day("ENROLLMENT-EFF-DATE", first_day(person));
                self.record.day("ENROLLMENT-END-DATE", Day::OPEN);
                self.encode();
            }
        }
        self.put_line()
    }

    /// Cuts the line off after its fifth field, or in a fixed-length file after the id.
    fn shorten(&mut self) {
        let cut = match self.encoding {
            Encoding::Psv => {
                let mut pipes = self
                    .line
                    .iter()
                    .enumerate()
                    .filter(|(_, byte)| **byte == b'|');
                pipes.nth(4).map_or(0, |(position, _)| position)
            }
            Encoding::Flf => 41,
        };
        self.line.truncate(cut);
        self.line.push(b'\n');
    }

    fn cut_off_identifier(&mut self, person: &Person) -> io::Result<()> {
        self.identifier(person, "1", "CUT", Text::of("0000000000"), "");
        self.encode();
        self.line.truncate(self.line.len() / 2);
        self.put_line()
    }

    /// Begins a record about a person with the four key fields.
    fn begin(&mut self, segment: usize, id: &'static str, person: &Person) -> &mut Record {
        self.record.begin(segment);
        let state = self.state;
        self.key(id, &state.fips, person)
    }

    fn key(&mut self, id: &str, state: &str, person: &Person) -> &mut Record {
        self.records += 1;
        let number = Text::default().number(self.records, 1);
        self.record
            .put("RECORD-ID", id)
            .put("SUBMITTING-STATE", state)
            .put("RECORD-NUMBER", number.as_str())
            .put("MSIS-IDENTIFICATION-NUM", person.id.as_str())
    }

    fn put(&mut self) -> io::Result<()> {
        self.encode();
        self.put_line()
    }

    fn encode(&mut self) {
        if let Some(segment) = self.segments.get_mut(self.record.segment) {
            self.record.encode(segment, self.encoding, &mut self.line);
        }
    }

    fn put_line(&mut self) -> io::Result<()> {
        self.bytes += self.line.len() as u64;
        self.out.write_all(&self.line)
    }
}

fn first_day(person: &Person) -> Day {
    person.spans().next().map_or(Day::LAST, |span| span.from)
}

fn last_day(person: &Person) -> Day {
    last_span(person).map_or(Day::OPEN, |span| span.to)
}

fn last_span(person: &Person) -> Option<&Span> {
    person.spans().last()
}

/// A claim number of Medicare on the person's own number, and a beneficiary identifier that
/// begins with 0, which none that was issued does.
fn medicare(person: &Person) -> (Text, Text) {
    let claim = if person.ssn.is_empty() {
        Text::default()
    } else {
        person.ssn.text("A")
    };
    let number = person.salt % 10_000_000;
    let beneficiary = Text::of("0EG").number(number / 1_000_000, 1).text("TE");
    (
        claim,
        beneficiary
            .number(number / 10 % 10, 1)
            .text("MK")
            .number(number % 100, 2),
    )
}

fn provider(dice: &mut SaltDice) -> Text {
    Text::of("P").number(u64::from(dice.below(100_000_000)), 9)
}

fn poverty_level(income: &str, dice: &mut SaltDice) -> Text {
    let (least, most) = match income {
        "01" => (0, 100),
        "02" => (101, 133),
        "03" => (134, 150),
        "04" => (151, 200),
        "05" => (201, 255),
        "06" => (256, 300),
        "07" => (301, 400),
        _ => return Text::default(),
    };
    Text::default().number(u64::from(least + dice.below(most - least + 1)), 1)
}
