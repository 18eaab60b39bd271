//! How fast and how big: `cargo test --release -p chancery-dataset -- --ignored --nocapture speed`.

use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use chancery_dataset::{Kind, Progress};

use crate::bench::{Bench, header};

struct Clock(Mutex<Vec<(String, u64, Instant)>>);

impl Progress for Clock {
    fn begin(&self, what: &str, total_bytes: u64) {
        let mut steps = self.0.lock().unwrap();
        steps.push((what.to_owned(), total_bytes, Instant::now()));
    }
    fn advance(&self, _bytes: u64) {}
}

#[expect(clippy::cast_precision_loss, reason = "a measurement for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[test]
#[ignore = "measures; run it in release"]
fn speed() {
    let bench = Bench::new();
    let people = 1_500_000;
    let path = bench.dir.path().join("06.psv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    file.write_all(header("V3.0.0", "06").as_bytes()).unwrap();
    for at in 0..people {
        let id = format!("{:012}", at * 7919_u64 % 999_999_999_989);
        write!(
            file,
            "ELG00002|06|{at}|{id}|MARIA{at}|GONZALEZ|A|F|19800412||20200101|99991231|\n\
             ELG00003|06|{at}|{id}|01||{at:09}|1|02|0|{cit}|0|{imm}|0||1|ENG|04|0|||1|20200101|99991231|\n\
             ELG00004|06|{at}|{id}|01|{at} MAIN STREET|||SPRINGFIELD|06|902101234|037|5550001234||20200101|99991231|\n\
             ELG00005|06|{at}|{id}|C{case:010}||00|1|01|||||||||||1||20200101|99991231|\n\
             ELG00021|06|{at}|{id}|1|20200101|99991231|\n",
            cit = at % 3,
            imm = if at % 3 == 0 { "3" } else { "8" },
            case = at / 3,
        )
        .unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let clock = Clock(Mutex::default());
    let dataset = bench
        .add_with(Kind::Tmsis, &[path], None, None, &clock)
        .unwrap();
    let end = Instant::now();
    assert_eq!(dataset.census.total(), people);
    let steps = clock.0.into_inner().unwrap();
    for (at, (what, bytes, start)) in steps.iter().enumerate() {
        let stop = steps.get(at + 1).map_or(end, |next| next.2);
        let seconds = stop.duration_since(*start).as_secs_f64();
        println!(
            "{what}: {seconds:.2} s, {:.0} MB/s, {:.0} people/s",
            megabytes(*bytes) / seconds,
            megabytes(people) * 1e6 / seconds
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!(
        "{:?}",
        status.lines().find(|line| line.starts_with("VmHWM"))
    );
    println!("working copy: {} MB", {
        let files = dataset
            .catalogue
            .tables
            .iter()
            .flat_map(|table| &table.files);
        files.map(|file| file.bytes).sum::<u64>() / 1_000_000
    });
}
