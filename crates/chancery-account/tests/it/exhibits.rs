use std::collections::BTreeMap;

use chancery_account::{bundle, exhibit};

use crate::samples;

#[test]
fn look() {
    let start = std::time::Instant::now();
    let mut data = samples::exhibit();
    data.appendix.files.push(chancery_account::FileRow { path: "keys/ledger.vkey".into(), what: "The ledger's public keys.".into(), digest: "00ff".repeat(16) });
    let bytes = exhibit(&data).unwrap();
    eprintln!("exhibit {:?}", start.elapsed());
    std::fs::write("/tmp/docs-exhibit.pdf", bytes).unwrap();
    let evidence = BTreeMap::from([("proofs/27.tlog-proof".to_owned(), b"x".to_vec())]);
    std::fs::write("/tmp/docs-bundle.zip", bundle(&samples::exhibit(), &evidence).unwrap()).unwrap();
}
