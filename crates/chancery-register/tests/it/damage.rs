use chancery_register::{Error, Person, Register};

use crate::shelf::{Release, Shelf, classes, key};

fn people(count: u32) -> Release {
    let ids = 0..count;
    ids.map(|id| (("06".to_owned(), format!("P{id}")), 0))
        .collect()
}

/// A bit that is flipped anywhere in a record is found by the check, and no answer is ever wrong for it: it is the true
/// one, or an error.
#[test]
fn a_flipped_bit_is_found() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    shelf.add(&keys[0], &people(20));
    let path = shelf.listed[0].record.clone();
    let genuine = std::fs::read(&path).unwrap();
    let present = Person::new("06", "P3").unwrap();
    let absent = Person::new("06", "P30").unwrap();
    for at in (0..genuine.len()).step_by(7) {
        let mut bytes = genuine.clone();
        bytes[at] ^= 1 << (at % 8);
        let _ = std::fs::remove_dir_all(shelf.index());
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(register) = Register::open(&shelf.index(), &shelf.listed) {
            // Of a person whose entry is whole, nothing but the truth; of others, nothing.
            if let Ok(found) = register.find(&keys, &absent) {
                assert!(found.is_empty(), "byte {at}");
            }
            if let Ok(found) = register.find(&keys, &present) {
                assert!(found.len() <= 1);
            }
        }
        let checked = Register::rebuild(&shelf.index(), &shelf.listed);
        assert!(checked.is_err(), "byte {at} of {}", genuine.len());
    }
    std::fs::write(&path, &genuine).unwrap();
    assert!(Register::rebuild(&shelf.index(), &shelf.listed).is_ok());
}

#[test]
fn what_is_cut_short_or_another_is_refused() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    shelf.add(&keys[0], &people(20));
    shelf.add(&keys[0], &people(30));
    let paths: Vec<_> = shelf.listed.iter().map(|one| one.record.clone()).collect();
    let genuine = std::fs::read(&paths[0]).unwrap();
    let _ = std::fs::remove_dir_all(shelf.index());
    for length in [0, 1, 40, genuine.len() / 2, genuine.len() - 1] {
        std::fs::write(&paths[0], &genuine[..length]).unwrap();
        let refused = Register::open(&shelf.index(), &shelf.listed).unwrap_err();
        assert!(matches!(refused, Error::Damaged { .. }), "{refused}");
        std::fs::remove_dir_all(shelf.index()).unwrap();
    }
    std::fs::copy(&paths[1], &paths[0]).unwrap();
    let refused = Register::open(&shelf.index(), &shelf.listed).unwrap_err();
    assert!(matches!(refused, Error::Damaged { .. }), "{refused}");
}

/// A record that is gone makes every answer incomplete, and a release of before there were records too.
#[test]
fn what_is_not_recorded_is_said() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let first = shelf.add(&keys[0], &people(20));
    let second = shelf.add(&keys[0], &people(30));
    std::fs::remove_dir_all(shelf.index()).unwrap();
    std::fs::remove_file(&shelf.listed[0].record).unwrap();
    let register = shelf.register();
    assert_eq!(register.unrecorded(), std::slice::from_ref(&first));
    // Whom the missing release was the first to be about cannot be found in the next one either.
    let newcomer = Person::new("06", "P25").unwrap();
    assert_eq!(register.find(&keys, &newcomer).unwrap()[0].release, second);
    assert!(matches!(
        register.counts(&first),
        Err(Error::Unrecorded { .. })
    ));
    shelf.listed[0].root = None;
    assert_eq!(shelf.register().unrecorded(), [first]);
}

#[test]
fn a_key_that_is_missing_is_no_absence() {
    let mut shelf = Shelf::new();
    shelf.add(&key(1), &people(3));
    let person = Person::new("06", "P1").unwrap();
    let refused = shelf.register().find(&[key(2)], &person).unwrap_err();
    assert!(matches!(refused, Error::KeyMissing { .. }), "{refused}");
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let shelf = Shelf::new();
    let (key, register) = (key(1), shelf.register());
    let path = shelf.dir.path().join("record");
    let mut recording = register.record(&key, "r", &path, classes(), 1).unwrap();
    let mut people = recording.origin("06").unwrap();
    assert!(people.add("a\0b", 0).is_err());
    people.add("P1", 0).unwrap();
    people.add("P1", 1).unwrap();
    assert!(matches!(people.finish(), Err(Error::People { .. })));
    let mut people = recording.origin("07").unwrap();
    people.add("P1", 3).unwrap();
    assert!(matches!(people.finish(), Err(Error::People { .. })));
    recording.origin("48").unwrap().finish().unwrap();
    assert!(recording.origin("").is_err());
    // A file that is there is not written over.
    assert!(register.record(&key, "r", &path, classes(), 1).is_err());
}
