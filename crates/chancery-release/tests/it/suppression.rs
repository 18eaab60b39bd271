use chancery_release::Shown;

#[test]
fn a_small_count_is_hidden_with_its_complement() {
    for withheld in 1..=10 {
        let (total, shown) = Shown::withheld(500 + withheld, 500);
        assert_eq!(shown, Shown::Hidden("<11".to_owned()));
        assert!(total.is_hidden(), "the total gives {withheld} away");
    }
}

#[test]
fn nothing_withheld_and_many_withheld_are_shown() {
    assert_eq!(
        Shown::withheld(500, 500),
        (Shown::Count(500), Shown::Count(0))
    );
    assert_eq!(
        Shown::withheld(511, 500),
        (Shown::Count(511), Shown::Count(11))
    );
}

/// Every assignment of counts that is consistent with what is shown; a hidden part is found out if
/// all of them agree on it.
fn found_out(shown: &[Shown], sum: &Shown) -> bool {
    let choices: Vec<Vec<u64>> = shown
        .iter()
        .map(|part| match part {
            Shown::Count(count) => vec![*count],
            Shown::Hidden(_) => (1..=10).collect(),
        })
        .collect();
    let mut assignments: Vec<Vec<u64>> = vec![Vec::new()];
    for choice in &choices {
        let extend = |a: Vec<u64>| choice.iter().map(move |c| [a.clone(), vec![*c]].concat());
        assignments = assignments.into_iter().flat_map(extend).collect();
    }
    assignments.retain(|parts| match sum {
        Shown::Count(count) => parts.iter().sum::<u64>() == *count,
        Shown::Hidden(_) => true,
    });
    shown.iter().enumerate().any(|(at, part)| {
        part.is_hidden() && assignments.iter().all(|a| a[at] == assignments[0][at])
    })
}

#[test]
fn hidden_parts_cannot_be_computed_from_their_sum() {
    for a in 0..=13 {
        for b in 0..=13 {
            for c in [0, 1, 10, 11, 40] {
                let (sum, shown) = Shown::parts(&[a, b, c]);
                assert!(
                    !found_out(&shown, &sum),
                    "{a} {b} {c}: {shown:?} of {sum:?}"
                );
            }
        }
    }
}
