//! The two axes of time, what a change of the law does, and the litigation as a picture.

use serde_json::Value;

use crate::workbench::{Bench, Ran, repository};

const SHIPPED: &str = "law/us-medicaid";

fn law(bench: &Bench, args: &[&str]) -> Ran {
    let args = [&["law"], args].concat();
    Ran::of(bench.command(&args)).expect(0)
}

fn json(bench: &Bench, args: &[&str]) -> Value {
    law(bench, &[args, &["--format", "json"]].concat()).json()
}

#[test]
fn the_picture_in_the_documentation_is_of_the_shipped_pack() {
    let bench = Bench::new();
    let drawn = bench.path().join("timeline.svg");
    law(&bench, &["timeline", "--svg", drawn.to_str().unwrap()]);
    let drawn = std::fs::read_to_string(drawn).unwrap();
    let kept = repository().join("docs/images/timeline.svg");
    if std::env::var_os("UPDATE_IMAGES").is_some() {
        std::fs::write(&kept, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(
        kept == drawn,
        "docs/images/timeline.svg is of another law: `UPDATE_IMAGES=1 cargo test -p chancery \
         --test it time::` draws it again"
    );
}

#[test]
fn the_timeline_tells_the_litigation_and_what_each_event_changed() {
    let bench = Bench::new();
    insta::assert_snapshot!("timeline", law(&bench, &["timeline"]).stdout);
    let told = json(&bench, &["timeline"]);
    let moments = told["moments"].as_array().unwrap();
    let on = |day: &str| moments.iter().find(|moment| moment["on"] == day).unwrap();
    let order = on("2025-08-12");
    assert_eq!(order["lost"][0]["elements"].as_array().unwrap().len(), 8);
    assert_eq!(order["gained"].as_array().unwrap().len(), 0);
    let joined = on("2026-03-27");
    assert_eq!(joined["events"][0]["recorded"], "2026-03-31");
    // What nobody had recorded did not happen.
    let then = json(&bench, &["timeline", "--as-known", "2026-03-30"]);
    let moments = then["moments"].as_array().unwrap();
    assert!(moments.iter().all(|moment| moment["on"] != "2026-03-27"));
    assert_eq!(then["as_known"], "2026-03-30");
}

#[test]
fn impact_of_a_day_reads_as_what_is_lost_and_gained_and_why() {
    let bench = Bench::with_people();
    let days = ["impact", "2025-08-11", "2025-08-12", "--dataset", "tmsis"];
    let told = json(&bench, &days);
    assert_eq!(told["verdict"], "stricter");
    let lost = &told["lost"][0];
    assert_eq!(lost["recipients"], serde_json::json!(["dhs/ice"]));
    // Exact: it is the custodian's own workspace.
    let by_origin = lost["by_origin"].as_object().unwrap();
    let sum: u64 = by_origin.values().map(|one| one.as_u64().unwrap()).sum();
    assert_eq!(lost["subjects"].as_u64(), Some(sum));
    assert_eq!(told["old"]["layers"].as_array().unwrap().len(), 1);
    let text = law(&bench, &days).stdout;
    let told = text
        .lines()
        .skip_while(|line| !line.starts_with("STRICTER"));
    insta::assert_snapshot!("impact", told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn impact_of_an_edit_shows_both_approvers_what_it_does() {
    let bench = Bench::new();
    let old = repository().join(SHIPPED);
    let new = bench.workspace().join(SHIPPED);
    let cedar = new.join("instruments/order-2025-12-29/provisions.cedar");
    let text = std::fs::read_to_string(&cedar).unwrap();
    let text = text.replace("Program::\"medicaid\"", "Program::\"m_chip\"");
    std::fs::write(&cedar, text).unwrap();
    let [old, new] = [&old, &new].map(|path| path.to_str().unwrap().to_owned());
    let told = json(&bench, &["impact", &old, &new, "--on", "2026-04-01"]);
    assert_eq!(told["verdict"], "both");
    let edited = told["texts"]["provisions"]["edited"].as_array().unwrap();
    assert_eq!(edited.len(), 2);
    let same = law(&bench, &["impact", &old, &old, "--on", "2026-04-01"]);
    assert!(
        same.stdout.contains("SAME: no answer changes."),
        "{}",
        same.stdout
    );
    // A folder on one side and a day of the workspace's pack on the other.
    let mixed = json(&bench, &["impact", &old, "2026-04-01"]);
    assert_eq!(mixed["verdict"], "both");
}

#[test]
fn what_cannot_be_compared_or_drawn_is_refused_with_a_hint() {
    let bench = Bench::new();
    for (args, code, said) in [
        (
            &["impact", "nowhere", "2026-01-01"][..],
            1,
            "neither a folder nor a day",
        ),
        (
            &["impact", "2026-01-01", "2026-01-02", "--on", "2026-01-01"][..],
            1,
            "days already",
        ),
        (
            &["impact", "signed", "recorded"][..],
            1,
            "nothing is signed off",
        ),
        (
            &["timeline", "us/nothing"][..],
            3,
            "unknown instrument `us/nothing`",
        ),
        (
            &["timeline", "--recipient", "dhs/icee"][..],
            3,
            "unknown agency `dhs/icee`",
        ),
        (
            &["timeline", "--purpose", "curiosity"][..],
            3,
            "unknown purpose `curiosity`",
        ),
        (
            &["timeline", "--from", "2026-01-02", "--to", "2026-01-01"][..],
            3,
            "before the first",
        ),
    ] {
        let args = [&["law"], args].concat();
        let error = Ran::of(bench.command(&args)).expect_error(code);
        assert!(error.contains(said), "{error}");
    }
    let broken = bench.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("pack.toml"), "name = 1\n").unwrap();
    let args = ["law", "impact", broken.to_str().unwrap(), "2026-01-01"];
    Ran::of(bench.command(&args)).expect_error(3);
}

/// A request of the corpus for everything about everyone, from CMS to ICE.
fn request(bench: &Bench) -> String {
    let from = crate::workbench::corpus().join("civil-2026-04-01-wisconsin/request.toml");
    let to = bench.path().join("request.toml");
    std::fs::copy(from, &to).unwrap();
    to.to_str().unwrap().to_owned()
}

#[test]
fn wisconsin_before_it_was_recorded_is_known_only_later() {
    let bench = Bench::with_people();
    let request = request(&bench);
    let decide = |more: &[&str]| {
        let args = [&["decide", &request, "--on", "2026-03-28"], more].concat();
        Ran::of(bench.command(&args)).expect(0)
    };
    let now = decide(&["--format", "json"]).json();
    assert_eq!(now.get("hindsight"), None);
    let then = decide(&["--as-known", "2026-03-28", "--format", "json"]).json();
    let audit = then["hindsight"]["elements"].as_array().unwrap();
    let name = audit.iter().find(|one| one["element"] == "name").unwrap();
    assert_eq!(
        name["known_only_later"]["when"],
        "citizenship is noncitizen and origin is 21 or 55"
    );
    assert_eq!(name["lawful_only_later"]["when"], "never");
    let leaving = |decision: &Value| {
        let elements = decision["elements"].as_array().unwrap();
        let name = elements
            .iter()
            .find(|one| one["element"] == "name")
            .unwrap();
        name["subjects"].as_u64().unwrap()
    };
    let fewer = name["known_only_later"]["subjects"].as_u64().unwrap();
    assert_eq!(leaving(&then) - leaving(&now), fewer);
    assert!(fewer > 0);
    let text = decide(&["--as-known", "2026-03-28"]).stdout;
    assert!(
        text.contains("Only what had been recorded by 28 March 2026 counts."),
        "{text}"
    );
    let audit = text.split("With what is known today").nth(1).unwrap();
    insta::assert_snapshot!("hindsight", format!("With what is known today{audit}"));
    // Once it was recorded, nothing is known only later.
    let then = decide(&["--as-known", "2026-03-31"]).stdout;
    assert!(
        then.ends_with("With what is known today: none fewer; none more.\n"),
        "{then}"
    );
}

#[test]
fn the_law_is_listed_and_shown_as_it_was_known() {
    let bench = Bench::new();
    let order = "us/cand/3-25-cv-05536/order-2025-12-29";
    let shown = |known: &str| {
        let known = ["--on", "2026-04-01", "--as-known", known];
        json(&bench, &[&["show", order][..], &known[..]].concat())
    };
    let covered = |value: &Value| value["covered"].as_array().unwrap().len();
    assert_eq!(covered(&shown("2026-03-30")), 20);
    assert_eq!(covered(&shown("2026-03-31")), 22);
    assert_eq!(shown("2025-12-28")["in_force"], false);
    let listed = law(
        &bench,
        &["list", "--on", "2026-04-01", "--as-known", "2025-12-01"],
    )
    .stdout;
    assert!(
        listed.contains("on 1 April 2026, as known on 1 December 2025"),
        "{listed}"
    );
    let checked = json(
        &bench,
        &["check", "--on", "2026-04-01", "--as-known", "2025-12-01"],
    );
    assert_eq!(checked["as_known"], "2025-12-01");
}

#[test]
fn a_hostile_pack_draws_no_script() {
    let bench = Bench::new();
    let order = bench
        .workspace()
        .join(SHIPPED)
        .join("instruments/order-2025-12-29");
    let toml = order.join("instrument.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    let evil = "</title><script>alert(1)</script> & ]]>";
    let text = text.replace("name = \"Wisconsin\"", &format!("name = \"{evil}\""));
    let text = text.replace(
        "short = \"Order of 29 Dec 2025\"",
        &format!("short = \"{evil}\""),
    );
    std::fs::write(&toml, text).unwrap();
    let file = bench.path().join("evil.svg");
    let told = law(&bench, &["timeline", "--svg", file.to_str().unwrap()]).stdout;
    let drawn = std::fs::read_to_string(file).unwrap();
    assert!(drawn.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp;"));
    assert!(!drawn.contains("<script"));
    let old = repository().join(SHIPPED);
    let new = bench.workspace();
    let args = [
        "impact",
        old.to_str().unwrap(),
        new.to_str().unwrap(),
        "--on",
        "2026-04-01",
    ];
    let compared = law(&bench, &args).stdout;
    assert!(
        compared.contains("instruments edited: us/cand"),
        "{compared}"
    );
    assert!(told.contains("</title><script>"), "{told}");
}
