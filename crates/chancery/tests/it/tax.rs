//! Another domain: federal tax information, with its own law pack and a dataset by map. Nothing in
//! the program knows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::workbench::{Bench, Ran, chancery, files};

const CRIMINAL: &str = "criminal-investigation/immigration";
const IDENTITY: [&str; 3] = ["filing", "mailing_address", "name"];
const RETURN: [&str; 6] = [
    "filing",
    "filing_status",
    "income",
    "information_return",
    "mailing_address",
    "name",
];

fn workspace() -> Bench {
    let bench = Bench::empty();
    let mut init = chancery();
    init.arg("init").arg(bench.workspace());
    init.args(["--demo", "--law", "us-tax-information"]);
    Ran::of(init).expect(0);
    // What the pack brings to try it with.
    let people = bench.workspace().join("examples");
    let path = |name: &str| people.join(name).to_str().unwrap().to_owned();
    let added = bench.run(&[
        "dataset",
        "add",
        "returns",
        &path("returns.csv"),
        "--kind",
        "table",
        "--map",
        &path("map.toml"),
        "--determinations",
        &path("determinations.csv"),
    ]);
    let added = added.expect(0).stdout;
    assert!(added.contains("15 people, 17 rows"), "{added}");
    bench
}

fn request(recipient: &str, purpose: &str) -> String {
    format!(
        "recipient = \"{recipient}\"\npurpose = \"{purpose}\"\ncustodian = \"treasury/irs\"\n\
         dataset = \"returns\"\nformat = \"csv\"\n"
    )
}

/// How many people each set of elements leaves about.
type Classes = BTreeMap<BTreeSet<String>, u64>;

fn classes(expected: &[(u64, &[&str])]) -> Classes {
    let class = |(people, elements): &(u64, &[&str])| {
        let elements: BTreeSet<String> = elements.iter().map(|name| (*name).to_owned()).collect();
        (elements, *people)
    };
    expected.iter().map(class).collect()
}

#[test]
fn the_answers_on_tax_information() {
    let bench = workspace();
    // Everything that the file holds, `tin` among it.
    let all = [&RETURN[..], &["administrative", "bank_account", "tin"]].concat();
    let consented = [&RETURN[..], &["tin"]].concat();
    let to_ice: &[(u64, &[&str])] = &[(3, &IDENTITY), (1, &["filing", "name"]), (11, &[])];
    let nothing: &[(u64, &[&str])] = &[(15, &[])];
    for (recipient, purpose, on, expected) in [
        // The memorandum opens, the stay closes.
        ("dhs/ice", CRIMINAL, "2025-04-06", nothing),
        ("dhs/ice", CRIMINAL, "2025-04-07", to_ice),
        ("dhs/ice", CRIMINAL, "2025-11-20", to_ice),
        ("dhs/ice", CRIMINAL, "2025-11-21", nothing),
        // It is for ICE and for crimes under the immigration laws.
        ("dhs/ice", "criminal-investigation", "2025-06-01", nothing),
        ("dhs/ice", "immigration-enforcement", "2025-06-01", nothing),
        ("dhs/ice", "tax-administration", "2025-06-01", nothing),
        ("dhs", CRIMINAL, "2025-06-01", nothing),
        ("doj", CRIMINAL, "2025-06-01", nothing),
        ("congress", "tax-administration", "2025-06-01", nothing),
        ("public", "public-reporting", "2025-06-01", nothing),
        // What must go on.
        (
            "designee/bank-of-example",
            "consent",
            "2026-01-10",
            &[(1, &consented), (14, &[])],
        ),
        ("designee", "consent", "2026-01-10", nothing),
        (
            "treasury/tigta",
            "tax-administration",
            "2026-01-10",
            &[(15, &all)],
        ),
        ("taxpayer", "own-access", "2026-01-10", &[(15, &all)]),
        ("treasury/tigta", "own-access", "2026-01-10", nothing),
    ] {
        bench.file("r.toml", request(recipient, purpose));
        let ran = bench.run(&["decide", "r.toml", "--on", on, "--format", "json"]);
        let decision = ran
            .expect(if expected.len() == 1 && expected[0].1.is_empty() {
                2
            } else {
                0
            })
            .json();
        let found = decision["classes"].as_array().unwrap().iter().map(|class| {
            let elements: BTreeSet<String> =
                serde_json::from_value(class["elements"].clone()).unwrap();
            (elements, class["subjects"].as_u64().unwrap())
        });
        assert_eq!(
            found.collect::<Classes>(),
            classes(expected),
            "{recipient} {purpose} {on}"
        );
        assert_eq!(decision["law"]["pack"], "us-tax-information");
    }
}

#[test]
fn tax_information_is_released_and_verified() {
    let bench = workspace();
    bench.file("r.toml", request("dhs/ice", CRIMINAL));
    let ran = bench.run(&[
        "release",
        "r.toml",
        "--on",
        "2025-06-01",
        "--format",
        "json",
    ]);
    let report = ran.expect(0).json();
    let release = Path::new(report["path"].as_str().unwrap());
    let data = files(&release.join("data"));
    assert_eq!(data.keys().collect::<Vec<_>>(), ["RETURNS/imf.csv"]);
    // An address that two people share leaves only if both are named; what asks for it alone gets
    // nothing.
    insta::assert_snapshot!(
        "tax_returns",
        std::fs::read_to_string(&data["RETURNS/imf.csv"]).unwrap()
    );
    let id = report["id"].as_str().unwrap();
    bench.run(&["verify", id, "--replay"]).expect(0);
    let profile = bench
        .run(&["dataset", "profile", "returns"])
        .expect(0)
        .stdout;
    assert!(
        profile.contains("no finding") && profile.contains("request"),
        "{profile}"
    );
    let shown = bench
        .run(&["law", "show", "us/usc/26/6103-i-2"])
        .expect(0)
        .stdout;
    assert!(
        shown.contains("address-alone") && shown.contains("unverified sample"),
        "{shown}"
    );
    bench.run(&["law", "check"]).expect(0);
}

/// A demonstration of a pack brings what it takes to try it, which is no part of the law.
#[test]
fn a_pack_brings_its_own_examples() {
    let bench = workspace();
    assert!(
        !bench
            .workspace()
            .join("law/us-tax-information/examples")
            .exists()
    );
    let request = ["decide", "requests/irs-ice.toml", "--on", "2025-06-01"];
    let root = bench.workspace();
    let request = [
        request[0],
        root.join(request[1]).to_str().unwrap(),
        "--on",
        request[3],
    ]
    .map(str::to_owned);
    let request: Vec<&str> = request.iter().map(String::as_str).collect();
    let decided = bench.run(&request).expect(0).stdout;
    assert!(decided.contains("11  73.3 %  nothing"), "{decided}");
    // The pack's folder, examples and all, is the same law.
    let folder = crate::workbench::repository().join("law/us-tax-information");
    let impact = bench.run(&["law", "impact", folder.to_str().unwrap(), "2025-06-01"]);
    let impact = impact.expect(0).stdout;
    assert!(impact.contains("SAME: no answer changes."), "{impact}");
    let digest = |line: &str| {
        let line = impact
            .lines()
            .find(|known| known.starts_with(line))
            .unwrap();
        line.split(['(', ')']).nth(1).unwrap().to_owned()
    };
    assert_eq!(digest("Old: "), digest("New: "));
    // Only a demonstration brings invented people.
    let other = Bench::empty();
    let mut init = chancery();
    init.arg("init").arg(other.workspace());
    init.args(["--law", "us-tax-information"]);
    Ran::of(init).expect(0);
    assert!(!other.workspace().join("examples").exists());
}

/// What an officer looks at works on any pack: the proof, the events of the litigation, and the
/// memorandum against the law.
#[test]
fn the_memorandum_is_reviewed_and_its_litigation_shown() {
    let bench = workspace();
    let proof = bench.run(&["law", "prove"]).expect(0).stdout;
    assert!(proof.contains("HOLDS: all 15 assertions"), "{proof}");
    let timeline = bench.run(&["law", "timeline"]).expect(0).stdout;
    for line in [
        "7 April 2025",
        "may now leave: mailing_address",
        "changes nothing for this flow",
        "held back by us/dcd/1-25-cv-00457/order-2025-11-21#nothing-to-homeland-security",
    ] {
        assert!(timeline.contains(line), "{line}:\n{timeline}");
    }
    let review = bench.run(&["law", "review", "--on", "2026-01-10"]).stdout;
    for line in [
        "it purports to allow what the court bars: Order of 21 Nov 2025",
        "the authority that it names is narrower: 26 USC 6103(i)(2)",
    ] {
        assert!(review.contains(line), "{line}:\n{review}");
    }
    // Its people are stated: nothing is found of those whom no request names.
    for line in [
        "everyone is assumed",
        "it needs what nothing permits",
        "26 USC 6103(i)(1)",
    ] {
        assert!(!review.contains(line), "{line}:\n{review}");
    }
}

#[test]
fn a_workspace_may_have_any_law_pack() {
    let bench = Bench::empty();
    let init = |law: &str, more: &[&str]| {
        let mut init = chancery();
        init.arg("init")
            .arg(bench.workspace())
            .args(["--demo", "--law", law])
            .args(more);
        Ran::of(init)
    };
    let error = init("us-nothing", &[]).expect_error(3);
    assert!(
        error.contains("shipped are us-medicaid, us-tax-information"),
        "{error}"
    );
    let error = init("us-medicaid", &["--overlay", "nowhere"]).expect_error(3);
    assert!(error.contains("shipped are ca-dhcs"), "{error}");
    let error = init("us-tax-information", &["--overlay", "ca-dhcs"]).expect_error(3);
    assert!(
        error.contains("another pack than `us-tax-information`"),
        "{error}"
    );
    assert!(!bench.workspace().join("chancery.toml").exists());
    // A folder, and what is in it is the law.
    let folder = crate::workbench::repository().join("law/us-tax-information");
    init(folder.to_str().unwrap(), &[]).expect(0);
    let listed = bench
        .run(&["law", "list", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(listed["pack"], "us-tax-information");
    assert!(!bench.workspace().join("requests/ice.toml").exists());
}

/// Outside the kinds of datasets and the demonstration the code has no word of the one domain or the
/// other: both are packs, and comments may take them for examples.
#[test]
fn the_code_of_law_plan_release_and_ledger_knows_no_domain() {
    const WORDS: [&str; 14] = [
        "medicaid", "msis", "chip_", "immigra", "citizen", "fips", "enrol", "hhs", "cms", "dhs",
        "ssn", "tax", "irs/", "treasury",
    ];
    let mut read = 0;
    for crate_name in ["model", "law", "plan", "release", "ledger"] {
        let src = crate::workbench::repository().join(format!("crates/chancery-{crate_name}/src"));
        for (name, path) in files(&src) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (at, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap().to_ascii_lowercase();
                // "syntax" is no tax.
                let code = code.replace("syntax", "");
                let word = WORDS.iter().find(|word| code.contains(**word));
                assert!(
                    word.is_none(),
                    "chancery-{crate_name}/src/{name}:{}: {line}",
                    at + 1
                );
                read += 1;
            }
        }
    }
    assert!(read > 5_000, "{read} lines");
}
