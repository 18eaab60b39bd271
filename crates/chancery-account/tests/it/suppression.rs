//! An attack on what is hidden: every table that fits what is shown is written down, and looked at.

use std::collections::BTreeMap;

use chancery_account::suppress::{Place, Protected, SMALL, Table};
use proptest::prelude::*;

/// A hidden count is looked for up to here.
const MOST: u64 = 34;

/// What somebody sees: the shape, and what is shown. Zeros are always shown.
struct Seen {
    rows: usize,
    columns: usize,
    shown: BTreeMap<Place, u64>,
}

fn places(rows: usize, columns: usize) -> Vec<Place> {
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| Place::Cell(row, column)));
    let totals = (0..rows).map(Place::Row);
    let totals = totals.chain((0..columns).map(Place::Column));
    cells.chain(totals).chain([Place::Total]).collect()
}

fn see(table: &Protected, rows: usize, columns: usize) -> Seen {
    let shown = places(rows, columns).into_iter();
    let shown = shown.filter_map(|place| Some((place, table.shown(place)?)));
    Seen {
        rows,
        columns,
        shown: shown.collect(),
    }
}

/// The least and the most of every hidden place over all tables that fit, by trying all of them.
fn attack(seen: &Seen) -> BTreeMap<Place, (u64, u64)> {
    let hidden: Vec<(usize, usize)> = (0..seen.rows)
        .flat_map(|row| (0..seen.columns).map(move |column| (row, column)))
        .filter(|(row, column)| !seen.shown.contains_key(&Place::Cell(*row, *column)))
        .collect();
    let mut cells: Vec<Vec<u64>> = (0..seen.rows)
        .map(|row| {
            let shown = |column| seen.shown.get(&Place::Cell(row, column)).copied();
            (0..seen.columns).map(|c| shown(c).unwrap_or(0)).collect()
        })
        .collect();
    let mut found = BTreeMap::new();
    try_all(seen, &hidden, &mut cells, &mut found);
    found
}

fn try_all(
    seen: &Seen,
    left: &[(usize, usize)],
    cells: &mut [Vec<u64>],
    found: &mut BTreeMap<Place, (u64, u64)>,
) {
    if over(seen, cells) {
        return;
    }
    let Some(((row, column), rest)) = left.split_first() else {
        return note(seen, cells, found);
    };
    for count in 1..=MOST {
        cells[*row][*column] = count;
        try_all(seen, rest, cells, found);
    }
    cells[*row][*column] = 0;
}

fn sum_of(cells: &[Vec<u64>], place: Place) -> u64 {
    match place {
        Place::Cell(row, column) => cells[row][column],
        Place::Row(row) => cells[row].iter().sum(),
        Place::Column(column) => cells.iter().map(|row| row[column]).sum(),
        Place::Total => cells.iter().flatten().sum(),
    }
}

/// Whether a total is passed already.
fn over(seen: &Seen, cells: &[Vec<u64>]) -> bool {
    let mut shown = seen.shown.iter();
    shown.any(|(place, count)| sum_of(cells, *place) > *count)
}

fn note(seen: &Seen, cells: &[Vec<u64>], found: &mut BTreeMap<Place, (u64, u64)>) {
    let mut shown = seen.shown.iter();
    if shown.any(|(place, count)| sum_of(cells, *place) != *count) {
        return;
    }
    for place in places(seen.rows, seen.columns) {
        let count = sum_of(cells, place);
        let known = found.entry(place).or_insert((count, count));
        *known = (known.0.min(count), known.1.max(count));
    }
}

fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0_u64), 3 => 1..=10_u64, 4 => 11..=16_u64]
}

fn tables() -> impl Strategy<Value = Vec<Vec<u64>>> {
    prop_oneof![Just((1, 3)), Just((2, 2)), Just((1, 4)), Just((3, 1))].prop_flat_map(
        |(rows, columns)| prop::collection::vec(prop::collection::vec(counts(), columns), rows),
    )
}

fn larger() -> impl Strategy<Value = Vec<Vec<u64>>> {
    let count = prop_oneof![3 => Just(0_u64), 3 => 1..=10_u64, 5 => 11..=5_000_u64];
    (1..6_usize, 1..7_usize).prop_flat_map(move |(rows, columns)| {
        prop::collection::vec(prop::collection::vec(count.clone(), columns), rows)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn who_tries_every_table_that_fits_learns_no_small_count(rows in tables()) {
        let (height, width) = (rows.len(), rows[0].len());
        let table = Table::new(&rows).unwrap().protect();
        let found = attack(&see(&table, height, width));
        for place in table.hidden() {
            let (least, most) = found[place];
            prop_assert!(most > *SMALL.end(), "{place:?} is within {least} to {most}");
            prop_assert!(least < most, "{place:?} is {least}");
        }
    }

    #[test]
    fn the_bounds_are_those_that_trying_finds(rows in tables()) {
        let (height, width) = (rows.len(), rows[0].len());
        let table = Table::new(&rows).unwrap().protect();
        for (place, (least, most)) in attack(&see(&table, height, width)) {
            let (computed_least, computed_most) = table.interval(place);
            prop_assert_eq!(computed_least, least);
            // Beyond what was tried nothing is found.
            if let Some(computed) = computed_most
                && computed < MOST
            {
                prop_assert_eq!(computed, most);
            }
        }
    }

    #[test]
    fn what_is_shown_is_true_and_zeros_are_shown(rows in larger()) {
        let table = Table::new(&rows).unwrap().protect();
        for place in places(rows.len(), rows[0].len()) {
            let count = sum_of(&rows, place);
            match table.shown(place) {
                Some(shown) => prop_assert_eq!(shown, count),
                None => prop_assert!(count > 0),
            }
            prop_assert!(!(SMALL.contains(&count) && table.shown(place).is_some()));
        }
    }

    #[test]
    fn nothing_is_hidden_where_nothing_is_small(rows in larger()) {
        let rows: Vec<Vec<u64>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(|n| if SMALL.contains(&n) { 0 } else { n }).collect())
            .collect();
        prop_assert!(Table::new(&rows).unwrap().protect().hidden().is_empty());
    }

    #[test]
    fn no_hidden_count_of_a_larger_table_is_bounded_to_small(rows in larger()) {
        let table = Table::new(&rows).unwrap().protect();
        for place in table.hidden() {
            let (least, most) = table.interval(*place);
            prop_assert!(most.is_none_or(|most| most > *SMALL.end() && most > least));
        }
    }
}

#[test]
fn a_small_total_is_hidden_with_everything_in_it() {
    let table = Table::list(vec![2, 5]).unwrap().protect();
    assert!(
        places(1, 2)
            .iter()
            .all(|place| table.shown(*place).is_none())
    );
}

#[test]
fn a_total_that_tells_that_its_parts_are_small_is_hidden() {
    // Both parts are at least 1, so neither can be more than 10.
    let table = Table::list(vec![5, 6]).unwrap().protect();
    assert_eq!(table.shown(Place::Total), None);
    // Here the other part could be 4, and this one 11.
    let table = Table::list(vec![5, 10]).unwrap().protect();
    assert_eq!(table.shown(Place::Total), Some(15));
}

#[test]
fn a_table_of_every_state_is_protected_at_once() {
    // Many classes that are small in many states, as a national release to one agency has them.
    let count = |row: u64, column: u64| match (row * 31 + column * 17) % 7 {
        0 => 0,
        1..=3 => (row + column * 3) % 10 + 1,
        _ => (row + 1) * (column + 3) * 11,
    };
    let rows: Vec<Vec<u64>> = (0..12)
        .map(|row| (0..57).map(|column| count(row, column)).collect())
        .collect();
    let table = Table::new(&rows).unwrap().protect();
    let shown = places(12, 57)
        .into_iter()
        .filter(|place| table.shown(*place).is_some());
    assert!(shown.count() > 12 * 57 / 3);
    assert!(table.shown(Place::Total).is_some());
}
