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
            // What is held against the root is the truth, or an error.
            for (person, there) in [(&absent, 0), (&present, 1)] {
                if let Ok(answer) = register.confirm(&keys, person) {
                    assert_eq!(answer.presences.len(), there, "byte {at}");
                    assert!(answer.unknown.is_empty());
                }
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

/// A record that is gone is missing from every answer, and so are those after it of whom it may have been the first to know.
#[test]
fn what_is_not_recorded_is_said() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let all = [10, 20, 30].map(|count| shelf.add(&keys[0], &people(count)));
    let record = shelf.listed[1].record.clone();
    let aside = shelf.dir.path().join("aside");
    std::fs::rename(&record, &aside).unwrap();
    std::fs::remove_dir_all(shelf.index()).unwrap();
    let register = shelf.register();
    assert!(register.unrecorded().eq([all[1].as_str()]));
    let told = |id: &str| {
        let person = Person::new("06", id).unwrap();
        let answer = register.confirm(&keys, &person).unwrap();
        let there: Vec<&str> = answer.presences.iter().map(|one| one.release).collect();
        let unknown: Vec<&str> = answer.unknown.into_iter().collect();
        [there.join(" "), unknown.join(" ")]
    };
    let [first, second, third] = &all;
    assert_eq!(told("P15"), [String::new(), format!("{second} {third}")]);
    assert_eq!(told("P25"), [third.clone(), second.clone()]);
    assert_eq!(told("P5"), [format!("{first} {third}"), second.clone()]);
    assert_eq!(told("P99"), [String::new(), format!("{second} {third}")]);
    let stranger = Person::new("06", "P15").unwrap();
    let refused = register.prove(&keys, &stranger, third).unwrap_err();
    assert!(matches!(refused, Error::Unrecorded { .. }), "{refused}");
    let refused = register.counts(second).unwrap_err();
    assert!(matches!(refused, Error::Unrecorded { .. }), "{refused}");

    // Nobody gets a second number: nothing is recorded after it, but under another key.
    let path = shelf.dir.path().join("next");
    let refused = register.record(&keys[0], "next", &path, classes(), 1).err();
    assert!(matches!(refused, Some(Error::Lost { .. })), "{refused:?}");
    assert!(
        register
            .record(&key(2), "next", &path, classes(), 1)
            .is_ok()
    );

    std::fs::rename(&aside, &record).unwrap();
    assert!(shelf.register().unrecorded().next().is_none());
    shelf.listed[0].people = None;
    std::fs::remove_dir_all(shelf.index()).unwrap();
    assert!(Register::open(&shelf.index(), &shelf.listed).is_err());
}

/// What only the index still has is put back, and nothing that is whole is lost.
#[test]
fn the_last_copy_of_a_record_is_kept() {
    let mut shelf = Shelf::new();
    let keys = [key(1)];
    let release = shelf.add(&keys[0], &people(20));
    shelf.register();
    let record = shelf.listed[0].record.clone();
    let genuine = std::fs::read(&record).unwrap();
    std::fs::remove_file(&record).unwrap();
    let register = Register::rebuild(&shelf.index(), &shelf.listed).unwrap();
    assert_eq!(register.releases(), 1);
    assert_eq!(std::fs::read(&record).unwrap(), genuine);
    // A damaged record in the release is replaced by the whole one in the index.
    std::fs::remove_file(&record).unwrap();
    std::fs::write(&record, b"damaged").unwrap();
    Register::rebuild(&shelf.index(), &shelf.listed).unwrap();
    assert_eq!(std::fs::read(&record).unwrap(), genuine);
    std::fs::remove_file(shelf.index().join(&release)).unwrap();
    std::fs::write(shelf.index().join(&release), b"damaged").unwrap();
    Register::rebuild(&shelf.index(), &shelf.listed).unwrap();
    assert_eq!(
        std::fs::read(shelf.index().join(&release)).unwrap(),
        genuine
    );
}

#[test]
fn what_is_no_file_is_no_record() {
    let mut shelf = Shelf::new();
    shelf.add(&key(1), &people(3));
    let record = &shelf.listed[0].record;
    std::fs::remove_file(record).unwrap();
    std::fs::create_dir(record).unwrap();
    assert!(Register::open(&shelf.index(), &shelf.listed).is_err());
}

#[test]
fn a_key_that_is_missing_is_no_absence() {
    let mut shelf = Shelf::new();
    let release = shelf.add(&key(1), &people(3));
    let later = shelf.add(&key(2), &people(2));
    let person = Person::new("06", "P1").unwrap();
    let register = shelf.register();
    let answer = register.confirm(&[key(2)], &person).unwrap();
    assert_eq!(answer.presences.len(), 1);
    assert_eq!(answer.presences[0].release, later);
    assert!(answer.unknown.into_iter().eq([release.as_str()]));
    let refused = register.prove(&[key(2)], &person, &release).unwrap_err();
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
