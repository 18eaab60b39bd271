use std::collections::BTreeMap;

use chancery_account::{bundle, exhibit};

use crate::samples;

#[test]
fn look() {
    let start = std::time::Instant::now();
    let bytes = exhibit(&samples::exhibit()).unwrap();
    eprintln!("exhibit {:?}", start.elapsed());
    std::fs::write("/tmp/docs-exhibit.pdf", bytes).unwrap();
    let evidence = BTreeMap::from([("proofs/27.tlog-proof".to_owned(), b"x".to_vec())]);
    std::fs::write("/tmp/docs-bundle.zip", bundle(&samples::exhibit(), &evidence).unwrap()).unwrap();
}
