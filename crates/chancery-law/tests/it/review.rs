//! Agreements held against the law.

use chancery_law::review::Asked;

use crate::pack::shipped;

#[test]
fn tmp() {
    let start = std::time::Instant::now();
    let pack = shipped();
    eprintln!("load {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let questions = pack.questions(&[]).unwrap();
    eprintln!(
        "questions {:?} periods {}",
        start.elapsed(),
        pack.periods().len()
    );
    let start = std::time::Instant::now();
    let law = pack
        .in_force(
            "2026-04-01".parse().unwrap(),
            chancery_law::SignOff::Demonstration,
        )
        .unwrap();
    let _ = law.answers(&questions, "disclose").unwrap();
    eprintln!("answers {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let review = pack
        .review(&Asked::on("2026-04-01".parse().unwrap()))
        .unwrap();
    eprintln!("review {:?}", start.elapsed());
    println!("{}", serde_json::to_string_pretty(&review).unwrap());
}
