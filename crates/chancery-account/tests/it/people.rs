//! The account of one person, and what shows it.

use chancery_account::{Disclosure, Facts, PersonAccount, PersonProof};
use chancery_register::{Found, Person};
use chancery_release::manifest::Party;

use crate::case::Case;

fn disclosure(on: &str) -> Disclosure {
    Disclosure {
        release: format!("{on}-dhs-ice-5d6b1a90"),
        on: on.parse().unwrap(),
        recipient: Party {
            agency: "dhs/ice".to_owned(),
            name: "U.S. Immigration and Customs Enforcement".to_owned(),
            address: None,
        },
        elements: vec!["address".to_owned()],
        purpose: "immigration-enforcement/civil".to_owned(),
        permitted_by: vec!["us/usc/8/1360-b#permit".to_owned()],
        clauses: Vec::new(),
        justification: "case 1".to_owned(),
        authority: vec!["us/usc/8/1360-b".to_owned()],
        interpretations: Vec::new(),
        entry: 1,
        accounted_by: vec!["45 CFR 164.528(a)(1)".to_owned()],
    }
}

/// A series has a single purpose (`45 CFR 164.528(b)(3)`): what was said to be for something else, or
/// on another authority, stands by itself.
#[test]
fn what_was_asked_for_another_reason_is_no_series() {
    let first = disclosure("2026-01-10");
    let of = |second: Disclosure| {
        let account = PersonAccount {
            disclosures: vec![first.clone(), second],
            suspended: false,
            from: "2020-02-01".parse().unwrap(),
            on: "2026-02-01".parse().unwrap(),
            due: None,
            complete: true,
            gaps: Vec::new(),
        };
        account.series().len()
    };
    let second = disclosure("2026-01-12");
    assert_eq!(of(second.clone()), 1);
    let justification = "case 2".to_owned();
    assert_eq!(
        of(Disclosure {
            justification,
            ..second.clone()
        }),
        2
    );
    let authority = vec!["us/fr/90-53324".to_owned()];
    assert_eq!(
        of(Disclosure {
            authority,
            ..second
        }),
        2
    );
}

/// A proof over all releases, some with the person and some without.
struct Proven {
    case: Case,
    proof: PersonProof,
}

impl Proven {
    fn new() -> Self {
        let case = Case::with_releases(260);
        let register = case.workspace.register().unwrap();
        let keys = case.workspace.register_keys().unwrap();
        let facts = Facts::read(&case.workspace).unwrap();
        let mut told = Vec::new();
        for origin in case.dataset.origins_of_people() {
            case.dataset
                .each_person::<chancery_dataset::Error>(origin, &mut |id, _, _| {
                    told.push((origin.to_owned(), id.to_owned()));
                    Ok(())
                })
                .unwrap();
        }
        let found = |(origin, id): &(String, String)| {
            let person = Person::new(origin, id).unwrap();
            register.find(&keys, &person).unwrap().presences.len()
        };
        let some = 1..facts.releases.len();
        let (origin, id) = told.iter().find(|one| some.contains(&found(one))).unwrap();
        let person = Person::new(origin, id).unwrap();
        let releases: Vec<_> = facts.releases.iter().collect();
        let proof = PersonProof::make(&case.workspace, &register, &keys, &person, &releases);
        let proof = proof.unwrap();
        Self { case, proof }
    }

    /// Why the proof is refused once it is changed.
    #[track_caller]
    fn refused(&self, change: impl FnOnce(&mut PersonProof)) -> String {
        let mut proof = self.proof.clone();
        change(&mut proof);
        assert_ne!(proof, self.proof);
        let refused = proof.check(&self.case.workspace.ledger_keys().unwrap());
        refused.unwrap_err().to_string()
    }
}

/// What left about the person, where they were in a release.
fn elements(proof: &mut PersonProof) -> &mut Vec<String> {
    let releases = proof.releases.iter_mut();
    let present = releases.filter_map(|one| match &mut one.people.bucket.as_mut()?.found {
        Found::Elements(elements) => Some(elements),
        Found::Other(_) | Found::Nothing => None,
    });
    present.into_iter().next().unwrap()
}

#[test]
fn a_proof_that_shows_nothing_or_not_in_order_is_refused() {
    let proven = Proven::new();
    let shown = proven
        .proof
        .check(&proven.case.workspace.ledger_keys().unwrap());
    let shown = shown.unwrap();
    assert_eq!(shown.releases.len(), proven.proof.releases.len());
    assert_eq!(
        (&shown.origin, &shown.id),
        (&proven.proof.origin, &proven.proof.id)
    );
    assert_eq!(
        shown.tree_size,
        proven.case.workspace.ledger_reader().unwrap().size()
    );

    let nothing = proven.refused(|proof| proof.releases.clear());
    assert!(nothing.contains("no release is in it"), "{nothing}");
    let twice = proven.refused(|proof| proof.releases.insert(0, proof.releases[0].clone()));
    assert!(twice.contains("is in it twice"), "{twice}");
    let turned = proven.refused(|proof| proof.releases.reverse());
    assert!(turned.contains("not in the ledger's order"), "{turned}");
    let key = proven.refused(|proof| proof.pseudonyms.push(proof.pseudonyms[0].clone()));
    assert!(key.contains("a key is in it twice"), "{key}");
    for id in ["", "CA\u{0}9", "CA\u{7}9"] {
        let nobody = proven.refused(|proof| id.clone_into(&mut proof.id));
        assert!(nobody.contains("names nobody"), "{nobody}");
    }
    let nobody = proven.refused(|proof| proof.origin.clear());
    assert!(nobody.contains("names nobody"), "{nobody}");
    proven.refused(|proof| proof.releases[0].index += 1);
    proven.refused(|proof| proof.releases[0].path.clear());
    proven.refused(|proof| proof.releases[0].entry.push(' '));
    proven.refused(|proof| proof.checkpoint.push('x'));
    proven.refused(|proof| proof.pseudonyms.clear());
}

/// Elements are hashed with a zero byte after each, so that two in one text have the hash of two.
#[test]
fn what_left_is_a_list_of_elements_and_no_other_spelling_of_it() {
    let proven = Proven::new();
    let not_a_list = "its elements are not names";
    let joined = proven.refused(|proof| {
        let elements = elements(proof);
        *elements = vec![elements.join("\0")];
    });
    assert!(joined.contains(not_a_list), "{joined}");
    for forged in [vec![], vec![String::new()], vec!["a\u{1b}[2J".to_owned()]] {
        let refused = proven.refused(|proof| *elements(proof) = forged);
        assert!(refused.contains(not_a_list), "{refused}");
    }
    let other = proven.refused(|proof| drop(elements(proof).pop()));
    assert!(
        other.contains("does not lead to the root") || other.contains(not_a_list),
        "{other}"
    );
}

/// One checkpoint and each key once: what a release adds is its entry and its paths.
#[test]
fn a_proof_of_hundreds_of_releases_is_small_enough_to_be_read() {
    let proven = Proven::new();
    let size = |releases: usize| {
        let mut proof = proven.proof.clone();
        proof.releases.truncate(releases);
        serde_json::to_vec_pretty(&proof).unwrap().len()
    };
    let all = proven.proof.releases.len();
    let each = (size(all) - size(0)) / all;
    assert!(size(0) + 300 * each < 16 << 20, "{each}");
    let text = serde_json::to_string(&proven.proof).unwrap();
    let signed = proven.proof.checkpoint.lines().next().unwrap();
    assert_eq!(text.matches(&format!("{signed}\\n")).count(), 1);
    assert_eq!(proven.proof.pseudonyms.len(), 1);
}
