//! Letters and exhibits about nobody.

use chancery_account::{
    Appendix, Basis, Caption, Cell, Chart, Contact, Custodian, Declaration, Disclosure, EntryRow,
    Exclusion, ExhibitData, Fate, InstrumentRow, InterpretationRow, KeyRow, Language, LastFour,
    Ledger, Letter, Matrix, MatrixRow, Office, Paragraph, Period, Person, Recipient, ReleaseRow,
    Section, When,
};
use jiff::civil::date;

/// A letter with a disclosure and a series.
pub(crate) fn letter(language: Language) -> Letter {
    let say = |english: &str, spanish: &str| match language {
        Language::English => english.to_owned(),
        Language::Spanish => spanish.to_owned(),
    };
    Letter {
        language,
        date: date(2026, 4, 20),
        asked: Some(date(2026, 4, 1)),
        number: "2026-04-20-0117".to_owned(),
        custodian: Custodian {
            name: "Centers for Medicare & Medicaid Services".to_owned(),
            address: vec![
                "7500 Security Boulevard".to_owned(),
                "Baltimore, MD 21244".to_owned(),
            ],
            contact: Contact {
                office: say("Privacy Office", "Oficina de Privacidad"),
                phone: Some("1-800-555-0100".to_owned()),
                email: Some("privacy@agency.example".to_owned()),
            },
        },
        person: Person {
            state: Some("California".to_owned()),
            id: LastFour::of("904411237A"),
        },
        period: (date(2020, 4, 2), date(2026, 4, 1)),
        disclosures: disclosures(language),
        exclusions: Exclusion::ALL.to_vec(),
        complaints: Office::civil_rights(language),
        ledger: Ledger {
            origin: "cms.example/ledger".to_owned(),
            size: 61,
            root: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=".to_owned(),
        },
        mark: None,
    }
}

fn disclosures(language: Language) -> Vec<Disclosure> {
    let say = |english: &str, spanish: &str| match language {
        Language::English => english.to_owned(),
        Language::Spanish => spanish.to_owned(),
    };
    let six = vec![
        say(
            "that you have Medicaid or CHIP",
            "que usted tiene Medicaid o CHIP",
        ),
        say("your Medicaid number", "su número de Medicaid"),
        say("your date of birth", "su fecha de nacimiento"),
        say(
            "your home and mailing address",
            "la dirección de su casa y de su correo",
        ),
        say("your phone number", "su número de teléfono"),
        say("your citizenship", "su ciudadanía"),
        say("your immigration status", "su situación migratoria"),
    ];
    vec![
        Disclosure {
            when: When::On(date(2026, 1, 10)),
            recipient: Recipient {
                name: say(
                    "U.S. Immigration and Customs Enforcement",
                    "Servicio de Control de Inmigración y Aduanas de EE. UU. (ICE)",
                ),
                address: Some("500 12th Street SW, Washington, DC 20536".to_owned()),
            },
            elements: six,
            purpose: say(
                "to find and remove people under immigration law, outside of criminal court",
                "para hallar y sacar del país a personas según la ley de inmigración, sin \
                     pasar por un juzgado penal",
            ),
            basis: vec![Basis {
                title: "8 USC 1360(b)".to_owned(),
                clause: "8 USC 1360(b)".to_owned(),
            }],
            releases: vec![("2026-01-10-dhs-ice-0732b3bd".to_owned(), 27)],
        },
        Disclosure {
            when: When::Series {
                first: date(2025, 2, 3),
                last: date(2026, 3, 2),
                times: 14,
            },
            recipient: Recipient {
                name: "Social Security Administration".to_owned(),
                address: None,
            },
            elements: vec![
                say("your name", "su nombre"),
                say("your Social Security number", "su número de Seguro Social"),
            ],
            purpose: say(
                "to check who can get Medicaid",
                "para ver quién puede tener Medicaid",
            ),
            basis: vec![Basis {
                title: "42 USC 1320b-7".to_owned(),
                clause: "42 USC 1320b-7(a)(2)".to_owned(),
            }],
            releases: (0..14)
                .map(|n| {
                    (
                        format!("2025-{:02}-03-ssa-{:08x}", n % 12 + 1, n * 77_777_777_u64),
                        30 + n,
                    )
                })
                .collect(),
        },
    ]
}

/// An exhibit with something of everything.
pub(crate) fn exhibit() -> ExhibitData {
    let fact = |text: &str, entries: &[u64]| Paragraph {
        text: text.to_owned(),
        entries: entries.to_vec(),
    };
    ExhibitData {
        date: date(2026, 4, 20),
        caption: caption(),
        mark: None,
        sections: vec![
            Section {
                heading: "What was asked for".to_owned(),
                paragraphs: vec![
                    fact(
                        "On June 1, 2025, U.S. Immigration and Customs Enforcement asked the Centers for Medicare & Medicaid \
                         Services for records of the dataset tmsis-2025-12, for the purpose of civil immigration enforcement. The \
                         request was refused in full: no instrument in force on that day permitted any element to leave.",
                        &[5],
                    ),
                    fact(
                        "Between July 20, 2025 and April 1, 2026 the same agency made eleven further requests for the same purpose, \
                         of which seven were granted in part and four were refused in full.",
                        &[7, 8, 9, 12, 15, 16, 17, 18, 22, 27, 31],
                    ),
                ],
            },
            Section {
                heading: "What left".to_owned(),
                paragraphs: vec![
                    fact(
                        "On January 10, 2026, under the order of December 29, 2025, records about 525 people left. For \
                         California, a plaintiff, six elements left, and only about people of whom an authoritative determination \
                         says that they are not lawfully present.",
                        &[27],
                    ),
                    fact(
                        "No name, no Social Security number and no health information left in any release to that agency for that \
                         purpose between July 9, 2025 and the date of this exhibit.",
                        &[7, 9, 15, 17, 22, 27, 31],
                    ),
                    fact(
                        "No release to that agency has been recalled, and none has been certified as destroyed.",
                        &[],
                    ),
                ],
            },
        ],
        releases: releases(),
        charts: vec![chart()],
        matrix: Some(matrix()),
        instruments: instruments(),
        interpretations: interpretations(),
        declaration: Some(Declaration {
            name: "Jane Q. Sample".to_owned(),
            title: "Privacy Officer, Centers for Medicare & Medicaid Services".to_owned(),
        }),
        appendix: appendix(),
    }
}

fn caption() -> Caption {
    Caption {
        counsel: [
            "A. Sample (State Bar No. 000000)",
            "Office of the Attorney General",
            "455 Golden Gate Avenue, San Francisco, CA 94102",
            "Attorneys for Plaintiff State of California",
        ]
        .map(str::to_owned)
        .to_vec(),
        court: vec![
            "United States District Court".to_owned(),
            "Northern District of California".to_owned(),
        ],
        plaintiffs: "STATE OF CALIFORNIA, et al.".to_owned(),
        defendants: "U.S. DEPARTMENT OF HEALTH AND HUMAN SERVICES, et al.".to_owned(),
        case_number: "3:25-cv-05536".to_owned(),
        exhibit: "A".to_owned(),
        title:
            "Account of the Medicaid records disclosed to U.S. Immigration and Customs Enforcement"
                .to_owned(),
    }
}

fn digest(seed: u64) -> String {
    format!("{:016x}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).repeat(4)
}

fn releases() -> Vec<ReleaseRow> {
    let elements = [
        "Medicaid identification number",
        "date of birth",
        "home and mailing address",
        "telephone number",
        "citizenship as recorded by the state",
        "immigration status as recorded by the state",
    ];
    (0..9)
        .map(|n: u64| ReleaseRow {
            id: format!("2026-01-{:02}-dhs-ice-{:08x}", n + 10, n * 77_777_777),
            date: date(2026, 1, i8::try_from(n).unwrap() + 10),
            recipient: "U.S. Immigration and Customs Enforcement".to_owned(),
            purpose: "civil immigration enforcement".to_owned(),
            people: if n == 3 {
                Cell::Hidden("<11".to_owned())
            } else {
                Cell::Count(525 + n * 1_777)
            },
            elements: elements.map(str::to_owned).to_vec(),
            manifest: digest(n + 1),
            entry: 27 + n,
        })
        .collect()
}

fn chart() -> Chart {
    let months = [
        "July 2025",
        "August 2025",
        "December 2025",
        "January 2026",
        "February 2026",
        "March 2026",
    ];
    let periods = months.iter().enumerate().flat_map(|(n, month)| {
        ["California", "Texas"].map(|state| Period {
            label: format!("{month}, {state}"),
            counts: vec![
                Cell::Count(240 * (n as u64 + 1)),
                if n == 2 {
                    Cell::Hidden("<11".to_owned())
                } else {
                    Cell::Count(1_310 - 190 * n as u64)
                },
                Cell::Count(if state == "Texas" { 3_004 } else { 0 }),
            ],
        })
    });
    Chart {
        title: "People in releases to U.S. Immigration and Customs Enforcement, by class and origin".to_owned(),
        alternative: "In each month from July 2025 to March 2026 in which there was a release, the number of people in class 1 \
                      (six elements) rose from 240 to 1,440 for both states, that in class 2 (citizenship alone) fell from 1,310 \
                      to 360, and class 3 (identity and location) has 3,004 people of Texas and none of California. One count is \
                      suppressed."
            .to_owned(),
        classes: ["class 1: six elements", "class 2: citizenship alone", "class 3: identity and location"].map(str::to_owned).to_vec(),
        periods: periods.collect(),
    }
}

fn matrix() -> Matrix {
    let row = |element: &str, fates: [Fate; 4]| MatrixRow {
        element: element.to_owned(),
        fates: fates.to_vec(),
    };
    let (released, allowed, withheld) = (Fate::Released, Fate::Allowed, Fate::Withheld);
    Matrix {
        title: "What became of each element on January 10, 2026, by group.".to_owned(),
        groups: [
            "Not lawfully present, plaintiff states",
            "Lawfully present, plaintiff states",
            "Noncitizens, other states",
            "Citizens",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: vec![
            row(
                "being enrolled in the program at all",
                [released, withheld, released, withheld],
            ),
            row(
                "Medicaid identification number",
                [released, withheld, released, withheld],
            ),
            row(
                "first, middle and last name",
                [withheld, withheld, released, withheld],
            ),
            row("date of birth", [released, withheld, released, withheld]),
            row(
                "home and mailing address",
                [released, withheld, allowed, withheld],
            ),
            row("telephone number", [allowed, withheld, allowed, withheld]),
            row(
                "citizenship as recorded by the state",
                [released, withheld, released, withheld],
            ),
            row(
                "immigration status as recorded by the state",
                [released, withheld, released, withheld],
            ),
            row("Social Security number", [withheld; 4]),
            row("diagnoses", [withheld; 4]),
        ],
        entries: vec![27],
    }
}

fn instruments() -> Vec<InstrumentRow> {
    let one = |citation: &str, title: &str, effect: &str| InstrumentRow {
        citation: citation.to_owned(),
        title: title.to_owned(),
        effect: effect.to_owned(),
        review: "unverified sample".to_owned(),
    };
    vec![
        one(
            "42 USC 1396a(a)(7)",
            "Safeguards of the Medicaid state plan",
            "Bars use and disclosure that is not directly connected with administering the plan.",
        ),
        one(
            "8 USC 1360(b)",
            "Identity and location of aliens",
            "Permits, on the Attorney General's request, information on the identity and location of aliens.",
        ),
        one(
            "N.D. Cal. 3:25-cv-05536, order of December 29, 2025",
            "Second preliminary injunction",
            "Bars everything but six elements about people who are not lawfully present, from January 6, 2026.",
        ),
    ]
}

fn interpretations() -> Vec<InterpretationRow> {
    vec![
        InterpretationRow {
            instrument: "N.D. Cal. 3:25-cv-05536, order of December 29, 2025".to_owned(),
            question: "What happens to records that cannot be told apart?".to_owned(),
            reading: "They are withheld: the order protects those who are lawfully present, and a disclosure cannot be undone.".to_owned(),
            alternatives: vec!["They may leave where most of a group is not protected.".to_owned(), "They may leave on the custodian's certification.".to_owned()],
            effect: "Records of people without an authoritative determination are withheld.".to_owned(),
        },
        InterpretationRow {
            instrument: "8 USC 1360(b)".to_owned(),
            question: "Is an address shared with a lawfully present household member the alien's own?".to_owned(),
            reading: "It is withheld where a member of the household is, or may be, lawfully present.".to_owned(),
            alternatives: Vec::new(),
            effect: "Addresses and telephone numbers of mixed households are withheld.".to_owned(),
        },
    ]
}

fn appendix() -> Appendix {
    Appendix {
        origin: "cms.example/ledger".to_owned(),
        size: 61,
        root: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=".to_owned(),
        signed: Some("2026-04-20T09:00:00Z".to_owned()),
        entries: [5, 7, 8, 9, 12, 15, 16, 17, 18, 22, 27, 31]
            .map(|index| EntryRow {
                index,
                recorded: "2026-01-10T12:00:00Z".to_owned(),
                says: "release to dhs/ice for immigration-enforcement/civil of tmsis-2025-12: partial".to_owned(),
                leaf: digest(index),
                path: if index == 27 { vec!["+N+Y5KbCO3fuVnxIwZLrcMXILAxEfGdyhZpG/3fdjss=".to_owned(); 6] } else { Vec::new() },
            })
            .to_vec(),
        keys: vec![
            KeyRow { signs: "the ledger (Ed25519)".to_owned(), key: "cms.example/ledger+c15ee5c8+AfXVfgxCIFbtOdiaMbZVGaz00ut9tWCRhrDZ3wObB5AI".to_owned() },
            KeyRow { signs: "manifests (Ed25519)".to_owned(), key: "cms.example/ledger/custodian+9f7bc4db+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c".to_owned() },
        ],
        files: Vec::new(),
    }
}
