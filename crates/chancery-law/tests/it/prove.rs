//! Assertions held against provisions, case by case.

use chancery_law::prove::Claim;

use crate::pack::shipped;

#[test]
fn the_shipped_pack_does_what_its_instruments_say() {
    let t = std::time::Instant::now();
    let law = shipped();
    println!("load {:?}", t.elapsed());
    let q = law.questions(&[]).unwrap();
    println!("questions {:?}", t.elapsed());
    let periods = law.periods();
    println!("periods {:?}", periods.len());
    let l = law
        .in_force(
            periods.last().unwrap().from,
            chancery_law::SignOff::Demonstration,
        )
        .unwrap();
    let a = l.answers(&q, "disclose").unwrap();
    println!("answers {:?}", t.elapsed());
    let sp = a.space();
    println!(
        "{} {} {} {}",
        sp.custodians.len(),
        sp.recipients.len(),
        sp.purposes.len(),
        sp.elements.len()
    );
    let mut n = 0;
    for at in sp.each() {
        n += a.cell(at).hits.len();
    }
    println!("cells {n} {:?}", t.elapsed());
    let report = shipped().prove(&Claim::default()).unwrap();
    println!(
        "{} cases, {} classes, {} periods",
        report.cases, report.classes, report.periods
    );
    println!("proved {:?}", t.elapsed());
    for f in &report.assertions {
        println!("{:?} {} {}", f.vacuous, f.cases, f.assertion);
    }
    for f in &report.provisions {
        println!("{f:?}");
    }
    for f in &report.interpretations {
        println!("{f:?}");
    }
    for (f, e) in report.broken() {
        println!("BROKEN {} {e:?}", f.assertion);
    }
    for (f, e) in report.unproven() {
        println!("UNPROVEN {} {e:?}", f.assertion);
    }
}
