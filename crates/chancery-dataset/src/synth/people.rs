//! Synthetic households and the people in them: the one source of both kinds of file.

use std::sync::LazyLock;

use super::dice::{Dice, StateDice};
use super::evidence::{
    self, Circumstances, Codes, Coverage, Finding, Status, anyone_else, noncitizen,
};
use super::names::{FIRST, LAST, STREET_KINDS, STREETS, TOWNS};
use super::states::State;
use super::text::{Day, Text};

/// The most spans that a person has.
pub(super) const MOST_SPANS: usize = 3;

/// Where a household or a person lives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Home {
    pub(super) line_1: Text,
    pub(super) line_2: Text,
    pub(super) town: &'static str,
    pub(super) zip: Text,
    pub(super) county: Text,
    pub(super) phone: Text,
}

/// What held of a person from one day to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: Day,
    pub(super) to: Day,
    pub(super) codes: Codes,
    pub(super) chip: &'static str,
    pub(super) coverage: Coverage,
}

/// A synthetic person, as both kinds of file describe them.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// From which what only one kind of file says is drawn.
    pub(super) salt: u64,
    /// MSIS-IDENTIFICATION-NUM, unique in the state.
    pub(super) id: Text,
    /// MSIS-CASE-NUM, empty if the state did not write it.
    pub(super) case: Text,
    /// A second case that the person belongs to, mostly none.
    pub(super) other_case: Text,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) middle: &'static str,
    pub(super) born: Day,
    pub(super) died: Option<Day>,
    pub(super) sex: &'static str,
    pub(super) marital: &'static str,
    /// Empty if the person has none or the state does not know it.
    pub(super) ssn: Text,
    pub(super) income: &'static str,
    pub(super) veteran: &'static str,
    pub(super) citizenship_pending: &'static str,
    pub(super) immigration_pending: &'static str,
    pub(super) bar_ends: Option<Day>,
    pub(super) language: &'static str,
    pub(super) english: &'static str,
    pub(super) household_size: &'static str,
    pub(super) pregnant: &'static str,
    pub(super) ethnicity: &'static str,
    pub(super) deaf: bool,
    pub(super) disabled: bool,
    pub(super) home: Home,
    spans: [Option<Span>; MOST_SPANS],
    pub(super) findings: &'static [Finding],
}

impl Person {
    /// The person's spans, the earliest first.
    pub(super) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().flatten()
    }
}

/// What the members of a household share.
struct Household {
    size: u32,
    case: Text,
    home: Home,
    last: &'static str,
    /// How the state writes this household's names.
    casing: Casing,
    language: &'static str,
    english: &'static str,
    income: &'static str,
    size_code: &'static str,
}

#[derive(Clone, Copy, Debug, Default)]
enum Casing {
    #[default]
    Upper,
    Title,
    Lower,
    /// Upper case, with blanks behind it.
    Padded,
}

/// A name in every casing, in the order of [`Casing`].
type Cased = [String; 4];

static FIRST_NAMES: LazyLock<Vec<Cased>> = LazyLock::new(|| cased(&FIRST));
static LAST_NAMES: LazyLock<Vec<Cased>> = LazyLock::new(|| cased(&LAST));

fn cased(names: &[&str]) -> Vec<Cased> {
    let all = |name: &&str| {
        let upper = name.to_uppercase();
        let padded = upper.clone() + "   ";
        [upper, (*name).to_owned(), name.to_lowercase(), padded]
    };
    names.iter().map(all).collect()
}

fn name(names: &'static [Cased], casing: Casing, dice: &mut impl Dice) -> &'static str {
    let position = dice.below(u32::try_from(names.len()).unwrap_or_default());
    let Some([upper, title, lower, padded]) = names.get(position as usize) else {
        return "";
    };
    match casing {
        Casing::Upper => upper,
        Casing::Title => title,
        Casing::Lower => lower,
        Casing::Padded => padded,
    }
}

const MIDDLES: [&str; 26] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S",
    "T", "U", "V", "W", "X", "Y", "Z",
];

/// HOUSEHOLD-SIZE by its number.
const SIZES: [&str; 8] = ["", "01", "02", "03", "04", "05", "06", "07"];

/// Whether the codes of everyone in a household will agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mix {
    /// Nobody is a non-citizen.
    None,
    /// Non-citizens live with at least one citizen.
    Mixed,
    /// All are non-citizens.
    All,
}

/// The people of one state, household by household.
pub(super) struct People<'a> {
    state: &'a State,
    dice: StateDice,
    made: u64,
    households: u64,
    previous_case: Text,
}

impl<'a> People<'a> {
    pub(super) fn new(state: &'a State, seed: u64) -> Self {
        let dice = StateDice::new(seed, state.number);
        Self {
            state,
            dice,
            made: 0,
            households: 0,
            previous_case: Text::default(),
        }
    }

    /// Puts the next household into `members`; false when the state has no more people.
    pub(super) fn next_household(&mut self, members: &mut Vec<Person>) -> bool {
        members.clear();
        let left = u32::try_from(self.state.people - self.made).unwrap_or(u32::MAX);
        if left == 0 {
            return false;
        }
        let mix = self.mix();
        let household = self.household(left, mix);
        let head = noncitizen(&mut self.dice);
        for place in 0..household.size {
            let status = self.status(place, household.size, mix, head);
            members.push(self.person(&household, place, status));
            self.made += 1;
        }
        self.previous_case = household.case;
        self.households += 1;
        true
    }

    /// An id in the state's style that no person of the state has: the `n`th.
    pub(super) fn stray_id(&self, n: u64) -> Text {
        id(self.state, self.state.people + n)
    }

    fn mix(&mut self) -> Mix {
        if !self.dice.chance(15_400) {
            return Mix::None;
        }
        if self.dice.chance(80_000) {
            Mix::Mixed
        } else {
            Mix::All
        }
    }

    fn household(&mut self, left: u32, mix: Mix) -> Household {
        let size = self.dice.weighted(&[
            (25, 1),
            (20, 2),
            (20, 3),
            (17, 4),
            (10, 5),
            (5, 6),
            (3, 7_u32),
        ]);
        let size = size.min(left);
        let language = self.language(mix);
        let casing = self.dice.weighted(&[
            (55, Casing::Upper),
            (33, Casing::Title),
            (10, Casing::Lower),
            (2, Casing::Padded),
        ]);
        Household {
            size,
            case: case(self.state, self.households),
            home: self.home(),
            last: name(&LAST_NAMES, casing, &mut self.dice),
            casing,
            language,
            english: self.english(language),
            income: self.dice.weighted(&[
                (52, "01"),
                (24, "02"),
                (7, "03"),
                (8, "04"),
                (4, "05"),
                (2, "06"),
                (1, "07"),
                (2, ""),
            ]),
            size_code: SIZES.get(size as usize).copied().unwrap_or_default(),
        }
    }

    fn language(&mut self, mix: Mix) -> &'static str {
        if mix == Mix::None {
            return self
                .dice
                .weighted(&[(925, "ENG"), (45, "SPA"), (5, "NAV"), (25, "")]);
        }
        let common = [
            (30, "ENG"),
            (45, "SPA"),
            (3, "ZHO"),
            (3, "VIE"),
            (2, "HAT"),
            (2, "ARA"),
        ];
        let all = [
            (85, ""),
            (3, "RUS"),
            (3, "UKR"),
            (3, "POR"),
            (3, "SOM"),
            (3, "UND"),
        ];
        match self.dice.weighted(&all) {
            "" => self.dice.weighted(&common),
            rare => rare,
        }
    }

    fn english(&mut self, language: &str) -> &'static str {
        match language {
            "ENG" => "0",
            "" => "",
            _ => self
                .dice
                .weighted(&[(20, "0"), (25, "1"), (35, "2"), (20, "3")]),
        }
    }

    fn home(&mut self) -> Home {
        let dice = &mut self.dice;
        let line_1 = Text::default()
            .number(u64::from(1 + dice.below(9_899)), 1)
            .text(" ")
            .text(dice.pick(&STREETS))
            .text(" ")
            .text(dice.pick(&STREET_KINDS));
        let line_2 = match dice.below(100) {
            0..22 => Text::of("Apt ").number(u64::from(1 + dice.below(480)), 1),
            22..26 => Text::of("Unit ").number(u64::from(1 + dice.below(60)), 1),
            _ => Text::default(),
        };
        let zip = Text::default().number(u64::from(self.state.zip_prefix), 3);
        let zip = zip.number(u64::from(dice.below(100)), 2);
        let four = dice.chance(20_000);
        Home {
            line_1,
            line_2,
            town: dice.pick(&TOWNS),
            zip: if four {
                zip.number(u64::from(dice.below(10_000)), 4)
            } else {
                zip
            },
            county: Text::default().number(u64::from(1 + 2 * dice.below(30)), 3),
            phone: phone(self.state, dice),
        }
    }

    fn status(&mut self, place: u32, size: u32, mix: Mix, head: Status) -> Status {
        let foreign = match mix {
            Mix::None => false,
            Mix::All => true,
            Mix::Mixed if place == 0 => true,
            Mix::Mixed if place + 1 == size => return Status::Citizen,
            Mix::Mixed => self.dice.chance(35_000),
        };
        match (foreign, place) {
            (false, _) => anyone_else(&mut self.dice),
            (true, 0) => head,
            // Members of one household came mostly in the same way.
            (true, _) if self.dice.chance(60_000) => head,
            (true, _) => noncitizen(&mut self.dice),
        }
    }

    fn person(&mut self, household: &Household, place: u32, status: Status) -> Person {
        let salt = self.dice.salt();
        let born = self.birth(place, household.size);
        let age = Day::LAST.since(born) * 100 / 36_525;
        let sex = self.dice.weighted(&[(532, "F"), (465, "M"), (3, "U")]);
        let pregnant = sex == "F" && (15..46).contains(&age) && self.dice.chance(4_500);
        let disabled = self.dice.chance(if age < 19 { 3_000 } else { 8_000 });
        let about = Circumstances {
            age,
            pregnant,
            disabled,
            emergency: status == Status::Emergency,
            expansion: self.state.expansion,
        };
        let died =
            (age > 40 && self.dice.chance(700)).then(|| Day::LAST.minus(self.dice.below(25)));
        let married = place < 2 && household.size > 1;
        Person {
            salt,
            id: id(self.state, self.made),
            case: self.case(household),
            other_case: self.other_case(),
            first: name(&FIRST_NAMES, household.casing, &mut self.dice),
            last: self.last_name(household),
            middle: self.middle(),
            born,
            died,
            sex,
            marital: self.marital(age, married),
            ssn: self.ssn(status),
            income: household.income,
            veteran: self.veteran(age),
            citizenship_pending: self.pending(status == Status::Citizen),
            immigration_pending: self.pending(status.is_noncitizen()),
            bar_ends: self.bar_ends(status),
            language: household.language,
            english: household.english,
            household_size: household.size_code,
            pregnant: if pregnant { "1" } else { "0" },
            ethnicity: self.ethnicity(household.language),
            deaf: disabled && self.dice.chance(12_000),
            disabled,
            home: self.home_of(household),
            spans: self.spans(status, about, born, died),
            findings: evidence::findings(status, &mut self.dice),
        }
    }

    fn birth(&mut self, place: u32, size: u32) -> Day {
        let (youngest, years) = match (place, size) {
            (0, 1) => self
                .dice
                .weighted(&[(72, (19, 46)), (18, (65, 34)), (10, (1, 17))]),
            (0, _) => (20, 42),
            (1, 2) => self
                .dice
                .weighted(&[(40, (20, 42)), (55, (0, 19)), (5, (65, 30))]),
            (1, _) => self
                .dice
                .weighted(&[(50, (20, 42)), (48, (0, 19)), (2, (65, 30))]),
            _ => self
                .dice
                .weighted(&[(90, (0, 19)), (7, (19, 6)), (3, (60, 38))]),
        };
        let days = youngest * 36_525 / 100 + self.dice.below(years * 36_525 / 100);
        Day::LAST.minus(days)
    }

    /// The household's case number: about one state record in a hundred lacks it.
    fn case(&mut self, household: &Household) -> Text {
        match self.dice.below(1_000) {
            0..10 => Text::default(),
            10..20 => household.case.text("  "),
            _ => household.case,
        }
    }

    /// Rarely, the case of the household before this one, as of a child of separated parents.
    fn other_case(&mut self) -> Text {
        if self.dice.chance(300) {
            self.previous_case
        } else {
            Text::default()
        }
    }

    fn last_name(&mut self, household: &Household) -> &'static str {
        match self.dice.below(1_000) {
            0..120 => name(&LAST_NAMES, household.casing, &mut self.dice),
            120..123 => "",
            _ => household.last,
        }
    }

    fn middle(&mut self) -> &'static str {
        if self.dice.chance(60_000) {
            self.dice.pick(&MIDDLES)
        } else {
            ""
        }
    }

    fn marital(&mut self, age: u32, married: bool) -> &'static str {
        match age {
            0..18 => "01",
            _ if married => self
                .dice
                .weighted(&[(60, "02"), (25, "01"), (10, "05"), (5, "")]),
            _ => self
                .dice
                .weighted(&[(50, "01"), (15, "05"), (12, "07"), (15, "06"), (8, "")]),
        }
    }

    /// A number from ranges in which no SSN was ever issued: areas 900 to 999, 666 and 000. Groups
    /// stop at 49, so that none is a taxpayer number (ITIN) either.
    fn ssn(&mut self, status: Status) -> Text {
        let missing = match status {
            Status::Emergency => 82_000,
            Status::Missing => 25_000,
            _ => 2_000,
        };
        if self.dice.chance(missing) {
            return Text::default();
        }
        let start = u64::from(self.state.number) * 877_013;
        let mixed = (start + self.made) * 7_368_787 % (102 * 49 * 10_000);
        let area = match mixed / 490_000 {
            100 => 666,
            101 => 0,
            area => 900 + area,
        };
        let text = Text::default()
            .number(area, 3)
            .number(mixed / 10_000 % 49 + 1, 2);
        text.number(mixed % 10_000, 4)
    }

    fn veteran(&mut self, age: u32) -> &'static str {
        match age {
            0..19 => "0",
            _ => self.dice.weighted(&[(940, "0"), (40, "1"), (20, "")]),
        }
    }

    fn pending(&mut self, concerned: bool) -> &'static str {
        if !concerned {
            return "0";
        }
        self.dice.weighted(&[(955, "0"), (25, "1"), (20, "")])
    }

    fn bar_ends(&mut self, status: Status) -> Option<Day> {
        let barred = status == Status::Qualified && self.dice.chance(30_000);
        barred.then(|| Day::LAST.plus(730).minus(self.dice.below(2_900)))
    }

    fn ethnicity(&mut self, language: &str) -> &'static str {
        if language == "SPA" {
            return self
                .dice
                .weighted(&[(58, "1"), (12, "2"), (6, "3"), (18, "4"), (6, "5")]);
        }
        self.dice.weighted(&[
            (80, "0"),
            (7, "1"),
            (2, "2"),
            (2, "4"),
            (3, "6"),
            (5, "9"),
            (1, ""),
        ])
    }

    /// The household's home, but for a few who live or can be reached elsewhere.
    fn home_of(&mut self, household: &Household) -> Home {
        match self.dice.below(100) {
            0..3 => self.home(),
            3..11 => Home {
                phone: phone(self.state, &mut self.dice),
                ..household.home
            },
            11 => Home {
                phone: Text::default(),
                ..household.home
            },
            _ => household.home,
        }
    }

    /// One span for most people, two or three for a quarter, and codes that change in some.
    fn spans(
        &mut self,
        status: Status,
        about: Circumstances,
        born: Day,
        died: Option<Day>,
    ) -> [Option<Span>; MOST_SPANS] {
        let oldest = Day::LAST.since(born).min(3_600);
        let mut from = Day::LAST.minus(self.dice.below(oldest + 1));
        let count = self.dice.weighted(&[(75, 1), (19, 2), (6, 3_u32)]);
        let chip = evidence::chip(about.age, &mut self.dice);
        let mut span = Span {
            from,
            to: self.last_day(from, died),
            codes: evidence::codes(status, &mut self.dice),
            chip,
            coverage: evidence::coverage(about, chip, &mut self.dice),
        };
        let last = span.to.min(Day::LAST);
        let mut spans = [None; MOST_SPANS];
        let mut slots = spans.iter_mut();
        for left in (1..count).rev() {
            let room = last.since(from) / (left + 1);
            if room < 60 {
                break;
            }
            let next = from.plus(30 + self.dice.below(room - 30));
            if let Some(slot) = slots.next() {
                *slot = Some(Span {
                    from,
                    to: next.minus(1),
                    ..span
                });
            }
            from = next;
            span = self.changed(span, status, about);
        }
        if let Some(slot) = slots.next() {
            *slot = Some(Span { from, ..span });
        }
        spans
    }

    fn last_day(&mut self, from: Day, died: Option<Day>) -> Day {
        if let Some(died) = died {
            return died.max(from);
        }
        if self.dice.chance(7_000) {
            return from.plus(self.dice.below(Day::LAST.since(from) + 1));
        }
        Day::OPEN
    }

    /// The span after `span`, in which some of the codes are different.
    fn changed(&mut self, span: Span, status: Status, about: Circumstances) -> Span {
        let codes = match self.dice.below(1_000) {
            0..18 => evidence::contradiction(status),
            18..26 => ("", ""),
            26..120 => evidence::codes(status, &mut self.dice),
            _ => span.codes,
        };
        let chip = match self.dice.below(100) {
            0..5 => evidence::chip(about.age, &mut self.dice),
            _ => span.chip,
        };
        let coverage = match self.dice.below(100) {
            0..25 => evidence::coverage(about, chip, &mut self.dice),
            _ => span.coverage,
        };
        Span {
            codes,
            chip,
            coverage,
            ..span
        }
    }
}

/// Area codes are computed from the state; 555-01xx is set aside for fiction.
fn phone(state: &State, dice: &mut impl Dice) -> Text {
    let area = 201 + (u64::from(state.number) * 13 + u64::from(dice.below(4)) * 190) % 780;
    Text::default()
        .number(area, 3)
        .text("55501")
        .number(u64::from(dice.below(100)), 2)
}

/// Numbers that look drawn but never repeat below a thousand million: `scale` has no factor in
/// common with ten. Each state begins elsewhere.
fn shuffled(state: &State, n: u64, scale: u64) -> u64 {
    let start = u64::from(state.number) * scale + scale / 7;
    (n % 1_000_000_000 * scale + start) % 1_000_000_000
}

/// The `n`th id of a state, in one of five styles that states use.
fn id(state: &State, n: u64) -> Text {
    let number = shuffled(state, n, 618_033_989);
    match state.number % 5 {
        0 => Text::of("00").number(number, 9),
        1 => Text::of(&state.letters).number(number, 9),
        2 => Text::of("00000000000").number(number, 9),
        3 => Text::default().number(number, 9).text(check_letter(number)),
        _ => Text::of("M").number(number, 9).text("X1"),
    }
}

fn check_letter(number: u64) -> &'static str {
    MIDDLES
        .get(usize::try_from(number % 26).unwrap_or_default())
        .copied()
        .unwrap_or_default()
}

/// The case number of the `n`th household of a state.
fn case(state: &State, n: u64) -> Text {
    let number = shuffled(state, n, 271_828_183);
    match state.number % 3 {
        0 => Text::default().number(number, 10),
        1 => Text::of("C").number(number, 9),
        _ => Text::of(&state.letters).number(number, 9),
    }
}
