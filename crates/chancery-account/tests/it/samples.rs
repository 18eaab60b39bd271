//! Letters and exhibits about nobody.

use chancery_account::{
    Basis, Contact, Custodian, Disclosure, Exclusion, Language, LastFour, Ledger, Letter, Office,
    Person, Recipient, When,
};
use jiff::civil::date;

/// A letter with a disclosure and a series.
pub(crate) fn letter(language: Language) -> Letter {
    let say = |english: &str, spanish: &str| match language {
        Language::English => english.to_owned(),
        Language::Spanish => spanish.to_owned(),
    };
    let six = vec![
        say("that you have Medicaid or CHIP", "que usted tiene Medicaid o CHIP"),
        say("your Medicaid number", "su número de Medicaid"),
        say("your date of birth", "su fecha de nacimiento"),
        say("your home and mailing address", "la dirección de su casa y de su correo"),
        say("your phone number", "su número de teléfono"),
        say("your citizenship", "su ciudadanía"),
        say("your immigration status", "su situación migratoria"),
    ];
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
        disclosures: vec![
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
                purpose: say("to check who can get Medicaid", "para ver quién puede tener Medicaid"),
                basis: vec![Basis {
                    title: "42 USC 1320b-7".to_owned(),
                    clause: "42 USC 1320b-7(a)(2)".to_owned(),
                }],
                releases: (0..14).map(|n| (format!("2025-{:02}-03-ssa-{:08x}", n % 12 + 1, n * 77_777_777_u64), 30 + n)).collect(),
            },
        ],
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
