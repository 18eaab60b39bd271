//! Small counts of what is withheld cannot be computed from what is shown beside them.

use chancery_release::Shown;

/// Whether what is shown fits a count.
fn fits(shown: &Shown, count: u64) -> bool {
    match shown {
        Shown::Count(known) => *known == count,
        Shown::Hidden(word) if word == "<11" => (1..=10).contains(&count),
        Shown::Hidden(_) => true,
    }
}

const MOST: u64 = 24;

#[test]
fn a_small_count_of_withheld_people_is_not_told_by_the_total() {
    for total in 0..=MOST {
        for released in 0..=total {
            let (shown, hidden) = Shown::withheld(total, released);
            let withheld = total - released;
            assert!(fits(&shown, total) && fits(&hidden, withheld));
            // Every count that a reader who knows how many were released can think of.
            let possible: Vec<u64> = (0..=MOST)
                .filter(|count| fits(&hidden, *count) && fits(&shown, released + count))
                .collect();
            let is_small = (1..=10).contains(&withheld);
            if is_small {
                assert_eq!(possible, (1..=10).collect::<Vec<_>>(), "{total} {released}");
            } else {
                assert_eq!(possible, [withheld], "what is not small is not hidden");
            }
        }
    }
}

/// All lists of parts that a reader can think of.
fn possible(sum: &Shown, shown: &[Shown], most: u64) -> Vec<Vec<u64>> {
    let mut all = vec![Vec::new()];
    for part in shown {
        let fitting = (0..=most).filter(|count| fits(part, *count));
        let fitting: Vec<u64> = fitting.collect();
        all = all
            .iter()
            .flat_map(|known: &Vec<u64>| {
                fitting
                    .iter()
                    .map(move |count| [known.as_slice(), &[*count]].concat())
            })
            .collect();
    }
    all.retain(|parts| fits(sum, parts.iter().sum()));
    all
}

#[test]
fn a_small_part_is_not_told_by_the_sum_and_the_other_parts() {
    for first in 0..=13 {
        for second in 0..=13 {
            for third in [0, 1, 2, 10, 11, 12] {
                for parts in [vec![first], vec![first, second], vec![first, second, third]] {
                    let (sum, shown) = Shown::parts(&parts);
                    let possible = possible(&sum, &shown, 13);
                    assert!(possible.contains(&parts));
                    for (at, part) in parts.iter().enumerate() {
                        if !(1..=10).contains(part) {
                            continue;
                        }
                        let mut values: Vec<u64> = possible.iter().map(|p| p[at]).collect();
                        values.sort_unstable();
                        values.dedup();
                        assert_eq!(
                            values,
                            (1..=10).collect::<Vec<_>>(),
                            "{parts:?}: {shown:?} of {sum:?}"
                        );
                    }
                }
            }
        }
    }
}
