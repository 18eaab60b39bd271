//! The states and how people are divided among them.

use super::Error;

const ENROLLMENT: &str = include_str!("../../tmsis/enrollment_by_state.csv");

/// The beginning of the ZIP codes of each state.
const ZIP_PREFIXES: [(&str, u16); 51] = [
    ("AL", 350),
    ("AK", 995),
    ("AZ", 850),
    ("AR", 720),
    ("CA", 900),
    ("CO", 800),
    ("CT", 60),
    ("DE", 197),
    ("DC", 200),
    ("FL", 320),
    ("GA", 300),
    ("HI", 967),
    ("ID", 832),
    ("IL", 600),
    ("IN", 460),
    ("IA", 500),
    ("KS", 660),
    ("KY", 400),
    ("LA", 700),
    ("ME", 40),
    ("MD", 206),
    ("MA", 10),
    ("MI", 480),
    ("MN", 550),
    ("MS", 386),
    ("MO", 630),
    ("MT", 590),
    ("NE", 680),
    ("NV", 889),
    ("NH", 30),
    ("NJ", 70),
    ("NM", 870),
    ("NY", 100),
    ("NC", 270),
    ("ND", 580),
    ("OH", 430),
    ("OK", 730),
    ("OR", 970),
    ("PA", 150),
    ("RI", 28),
    ("SC", 290),
    ("SD", 570),
    ("TN", 370),
    ("TX", 750),
    ("UT", 840),
    ("VT", 50),
    ("VA", 201),
    ("WA", 980),
    ("WV", 247),
    ("WI", 530),
    ("WY", 820),
];

/// A state or the District of Columbia.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// The two digits of its FIPS code.
    pub(super) fips: String,
    /// The same as a number.
    pub(super) number: u8,
    /// The two letters of its post code.
    pub(super) letters: String,
    /// Whether adults of low income are covered as the group added in 2014.
    pub(super) expansion: bool,
    /// The first three digits of its ZIP codes.
    pub(super) zip_prefix: u16,
    /// How many people Medicaid and CHIP cover there.
    enrolled: u64,
    /// How many of the synthetic people live there.
    pub(super) people: u64,
}

/// Divides `people` among the states named in `wanted` (all, if none is named) in the proportion
/// of their enrolment: by largest remainder, and at least one person each. In order of FIPS code.
pub(super) fn split(people: u64, wanted: &[String]) -> Result<Vec<State>, Error> {
    let mut states = all()?;
    if let Some(unknown) = wanted
        .iter()
        .find(|fips| states.iter().all(|s| s.fips != **fips))
    {
        return Err(Error::UnknownState {
            fips: unknown.clone(),
        });
    }
    if !wanted.is_empty() {
        states.retain(|state| wanted.contains(&state.fips));
    }
    let count = states.len() as u64;
    if people < count {
        return Err(Error::MoreStatesThanPeople {
            states: count,
            people,
        });
    }
    divide(people - count, &mut states);
    Ok(states)
}

/// Gives each state one person, and divides the `spare` people by largest remainder.
fn divide(spare: u64, states: &mut [State]) {
    let enrolled: u128 = states.iter().map(|state| u128::from(state.enrolled)).sum();
    let mut remainders = Vec::with_capacity(states.len());
    let mut left = spare;
    for (position, state) in states.iter_mut().enumerate() {
        let part = u128::from(spare) * u128::from(state.enrolled);
        let whole = u64::try_from(part / enrolled.max(1)).unwrap_or_default();
        state.people = 1 + whole;
        left -= whole;
        remainders.push((part % enrolled.max(1), position));
    }
    remainders.sort_by_key(|(remainder, position)| (std::cmp::Reverse(*remainder), *position));
    for (_, position) in remainders
        .into_iter()
        .take(usize::try_from(left).unwrap_or_default())
    {
        if let Some(state) = states.get_mut(position) {
            state.people += 1;
        }
    }
}

fn all() -> Result<Vec<State>, csv::Error> {
    let mut reader = csv::Reader::from_reader(ENROLLMENT.as_bytes());
    reader
        .records()
        .map(|record| record.map(|record| state(&record)))
        .collect()
}

fn state(record: &csv::StringRecord) -> State {
    let field = |position: usize| record.get(position).unwrap_or_default().to_owned();
    let (fips, letters) = (field(0), field(1));
    let prefix = ZIP_PREFIXES.iter().find(|(state, _)| *state == letters);
    State {
        number: fips.parse().unwrap_or_default(),
        zip_prefix: prefix.map_or(0, |(_, prefix)| *prefix),
        enrolled: field(4).parse().unwrap_or_default(),
        expansion: field(7) == "Y",
        people: 0,
        fips,
        letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_person_is_given_to_a_state() {
        for people in [51, 52, 1_000, 20_000, 10_000_001] {
            let states = split(people, &[]).unwrap();
            assert_eq!(states.len(), 51);
            assert_eq!(states.iter().map(|state| state.people).sum::<u64>(), people);
            assert!(
                states
                    .iter()
                    .all(|state| state.people > 0 && state.zip_prefix > 0)
            );
        }
    }

    #[test]
    fn california_has_more_people_than_wyoming() {
        let states = split(10_000, &["56".to_owned(), "06".to_owned()]).unwrap();
        assert_eq!(states[0].fips, "06");
        assert!(states[0].people > 100 * states[1].people);
    }
}
