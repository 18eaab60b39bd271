//! What a file and the determinations say of a person's citizenship, immigration and programme.

use super::dice::Dice;

/// What a person is, before anyone writes it down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    #[default]
    Citizen,
    National,
    /// A qualified non-citizen.
    Qualified,
    /// Lawfully present and covered by a state's option for children and pregnant women.
    Lawful,
    /// Covered for emergency services only: lawfully present or not, the code does not say.
    Emergency,
    /// Nobody wrote it down, or not in a code that exists.
    Missing,
}

impl Status {
    pub(super) fn is_noncitizen(self) -> bool {
        matches!(self, Self::Qualified | Self::Lawful | Self::Emergency)
    }
}

/// Non-citizens by status.
const NONCITIZENS: [(u32, Status); 3] = [
    (55, Status::Qualified),
    (15, Status::Lawful),
    (30, Status::Emergency),
];

/// Everyone else by status.
const OTHERS: [(u32, Status); 3] = [
    (9_670, Status::Citizen),
    (33, Status::National),
    (297, Status::Missing),
];

pub(super) fn noncitizen(dice: &mut impl Dice) -> Status {
    dice.weighted(&NONCITIZENS)
}

pub(super) fn anyone_else(dice: &mut impl Dice) -> Status {
    dice.weighted(&OTHERS)
}

/// The codes of one span of time: CITIZENSHIP-IND and IMMIGRATION-STATUS.
pub(super) type Codes = (&'static str, &'static str);

/// Codes that are no evidence of anything: absent, blank, filled with 8s or 9s, or never defined.
const NO_EVIDENCE: [Codes; 12] = [
    ("", ""),
    ("", ""),
    ("", "8"),
    (" ", " "),
    ("7", ""),
    ("7", "8"),
    ("9", "9"),
    ("9", "8"),
    ("", "X"),
    ("8", "88"),
    ("99", "99"),
    ("", "888"),
];

/// The codes that a state wrote for a person of this status: mostly the right ones.
pub(super) fn codes(status: Status, dice: &mut impl Dice) -> Codes {
    if dice.chance(400) {
        return padded(status);
    }
    let slip = dice.below(100_000);
    match status {
        Status::Citizen if slip < 250 => ("1", "1"),
        Status::Citizen if slip < 1_100 => ("1", ""),
        Status::Citizen if slip < 1_200 => ("1", "X"),
        Status::Citizen => ("1", "8"),
        Status::National => ("2", "8"),
        Status::Qualified if slip < 500 => ("0", "X"),
        Status::Qualified if slip < 1_200 => ("0", ""),
        Status::Qualified => ("0", "1"),
        Status::Lawful => ("0", "2"),
        Status::Emergency if slip < 500 => ("", "3"),
        Status::Emergency => ("0", "3"),
        Status::Missing => dice.pick(&NO_EVIDENCE),
    }
}

/// The right codes, padded with blanks as a fixed-length extract leaves them.
fn padded(status: Status) -> Codes {
    match status {
        Status::Citizen => ("1 ", "8 "),
        Status::National => ("2 ", "8 "),
        Status::Qualified => ("0 ", "1 "),
        Status::Lawful => ("0 ", "2 "),
        Status::Emergency => ("0 ", "3 "),
        Status::Missing => ("  ", "  "),
    }
}

/// What contradicts the codes of this status: alien where there was a citizen, and the reverse.
pub(super) fn contradiction(status: Status) -> Codes {
    if status.is_noncitizen() {
        ("1", "8")
    } else {
        ("0", "1")
    }
}

/// What a source found: the determination and the source.
pub(super) type Finding = (&'static str, &'static str);

const CITIZEN: Finding = ("citizen", "ssa/numident");
const CITIZEN_BY_DOCUMENT: Finding = ("citizen", "state/document-review");
const PRESENT: Finding = ("lawfully_present", "uscis/save");
const PRESENT_BY_DOCUMENT: Finding = ("lawfully_present", "state/document-review");
const NOT_PRESENT: Finding = ("not_lawfully_present", "uscis/save");
const NOT_PRESENT_BY_REVIEW: Finding = ("not_lawfully_present", "eoir/final-order");

/// The findings of people of one status: weights out of 10,000.
type Findings = [(u32, &'static [Finding])];

const OF_EMERGENCY: [(u32, &[Finding]); 6] = [
    (3_200, &[NOT_PRESENT]),
    (680, &[NOT_PRESENT_BY_REVIEW]),
    (220, &[PRESENT]),
    (110, &[NOT_PRESENT, PRESENT_BY_DOCUMENT]),
    (30, &[CITIZEN_BY_DOCUMENT, NOT_PRESENT]),
    (5_760, &[]),
];
const OF_LAWFUL: [(u32, &[Finding]); 4] = [
    (200, &[PRESENT]),
    (50, &[NOT_PRESENT]),
    (15, &[PRESENT, NOT_PRESENT_BY_REVIEW]),
    (9_735, &[]),
];
const OF_MISSING: [(u32, &[Finding]); 4] = [
    (250, &[CITIZEN]),
    (180, &[PRESENT]),
    (60, &[NOT_PRESENT]),
    (9_510, &[]),
];
const OF_CITIZENS: [(u32, &[Finding]); 4] = [
    (10, &[CITIZEN]),
    (2, &[NOT_PRESENT]),
    (1, &[CITIZEN, PRESENT]),
    (9_987, &[]),
];

/// What the determinations say of a person of this status, where they say anything.
pub(super) fn findings(status: Status, dice: &mut impl Dice) -> &'static [Finding] {
    let table: &Findings = match status {
        Status::Emergency => &OF_EMERGENCY,
        Status::Qualified | Status::Lawful => &OF_LAWFUL,
        Status::Missing => &OF_MISSING,
        Status::Citizen | Status::National => &OF_CITIZENS,
    };
    dice.weighted(table)
}

/// What the determinations say of an id that no file holds.
pub(super) const STRAY: Finding = NOT_PRESENT;

/// CHIP-CODEs of children and of adults. 0 is not among them: nobody here is unenrolled.
const CHIP_OF_CHILDREN: [(u32, &str); 6] = [
    (770, "1"),
    (120, "2"),
    (85, "3"),
    (10, "4"),
    (12, ""),
    (3, "9"),
];
const CHIP_OF_ADULTS: [(u32, &str); 6] = [
    (9_720, "1"),
    (60, "2"),
    (60, "3"),
    (10, "4"),
    (120, ""),
    (30, "9"),
];

pub(super) fn chip(age: u32, dice: &mut impl Dice) -> &'static str {
    dice.weighted(if age < 19 {
        &CHIP_OF_CHILDREN
    } else {
        &CHIP_OF_ADULTS
    })
}

/// ELIGIBILITY-GROUP, RESTRICTED-BENEFITS-CODE and DUAL-ELIGIBLE-CODE of one span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coverage {
    pub(super) group: &'static str,
    pub(super) restricted: &'static str,
    pub(super) dual: &'static str,
}

/// What of a person decides the group under which they are covered.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub(super) struct Circumstances {
    pub(super) age: u32,
    pub(super) pregnant: bool,
    pub(super) disabled: bool,
    pub(super) emergency: bool,
    pub(super) expansion: bool,
}

pub(super) fn coverage(about: Circumstances, chip: &'static str, dice: &mut impl Dice) -> Coverage {
    let group = group(about, chip, dice);
    let dual = dual(about, group, dice);
    Coverage {
        group,
        restricted: restricted(about, group, dice),
        dual,
    }
}

fn group(about: Circumstances, chip: &str, dice: &mut impl Dice) -> &'static str {
    match (about.age, chip) {
        (0..19, "3") => "61",
        (0..19, "2") => "31",
        (0..19, "4") => "65",
        (_, "3") if about.pregnant => "67",
        _ if about.pregnant => "05",
        (0, _) => dice.pick(&["06", "07", "07"]),
        (1..19, _) => dice.weighted(&[(92, "07"), (4, "28"), (2, "08"), (2, "54")]),
        (65.., _) => dice.weighted(&[(40, "11"), (35, "46"), (18, "23"), (7, "59")]),
        _ if about.disabled => dice.weighted(&[(60, "11"), (15, "13"), (15, "47"), (10, "60")]),
        _ if about.expansion => dice.weighted(&[(58, "72"), (32, "01"), (6, "27"), (4, "70")]),
        _ => dice.weighted(&[(75, "01"), (10, "27"), (10, "70"), (5, "56")]),
    }
}

fn restricted(about: Circumstances, group: &str, dice: &mut impl Dice) -> &'static str {
    match group {
        _ if about.emergency => "2",
        "23" => "3",
        "70" => "6",
        "05" => dice.weighted(&[(80, "1"), (20, "4")]),
        "72" => dice.weighted(&[(80, "1"), (20, "7")]),
        _ => dice.weighted(&[(970, "1"), (20, "5"), (5, "D"), (5, "")]),
    }
}

fn dual(about: Circumstances, group: &str, dice: &mut impl Dice) -> &'static str {
    match group {
        _ if about.emergency => "00",
        "23" => "01",
        _ if about.age >= 65 => {
            dice.weighted(&[(60, "02"), (18, "08"), (8, "04"), (4, "03"), (10, "00")])
        }
        _ if about.disabled => dice.weighted(&[(22, "02"), (6, "08"), (72, "00")]),
        _ => "00",
    }
}
