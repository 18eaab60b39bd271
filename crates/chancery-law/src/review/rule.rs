use serde::Serialize;

/// A rule that agreements are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name.
    #[serde(rename = "rule")]
    pub id: &'static str,
    /// The clause that asks for it.
    pub clause: &'static str,
    /// What it asks for.
    pub title: &'static str,
}

impl Rule {
    /// Every rule, in the order of a report.
    pub const ALL: [Self; 29] = [
        rule("terms", "inventory", "the document's terms are entered"),
        rule(
            "order",
            "orders of courts; Fed. R. Civ. P. 65(d)(2)",
            "it allows nothing that an order bars",
        ),
        rule(
            "authority",
            "the authority that it names",
            "its authority covers what it allows",
        ),
        rule(
            "statute",
            "statutes and regulations",
            "it allows nothing that a statute or regulation bars",
        ),
        rule(
            "permitted",
            "the law pack",
            "everything that it needs is permitted",
        ),
        rule(
            "beyond-document",
            "its own lists, purposes and people",
            "its own permits let go no more than the document names",
        ),
        rule("lists", "its own lists", "its lists of elements agree"),
        rule(
            "vocabulary",
            "elements of the law pack",
            "every element that it lists is known",
        ),
        rule(
            "closed",
            "45 CFR 164.502(b): minimum necessary",
            "its lists leave nothing open",
        ),
        rule("lapse", "its own dates", "it has not lapsed"),
        rule(
            "renewal-due",
            "its own dates; 5 USC 552a(o)(2)(D)",
            "its renewal is not due",
        ),
        rule(
            "timeline",
            "its own dates",
            "the law pack lets it count on no day beyond its dates",
        ),
        rule(
            "on-file",
            "the agreement that it calls for",
            "the agreement that it calls for is on file and in force",
        ),
        rule("o1a", "5 USC 552a(o)(1)(A)", "purpose and legal authority"),
        rule(
            "o1b",
            "5 USC 552a(o)(1)(B)",
            "justification and expected results",
        ),
        rule(
            "o1c",
            "5 USC 552a(o)(1)(C)",
            "records: each element, their number, start and end",
        ),
        rule(
            "o1d",
            "5 USC 552a(o)(1)(D)",
            "procedures for notice to those concerned",
        ),
        rule("o1e", "5 USC 552a(o)(1)(E)", "procedures for verification"),
        rule(
            "o1f",
            "5 USC 552a(o)(1)(F)",
            "procedures for retention and timely destruction",
        ),
        rule("o1g", "5 USC 552a(o)(1)(G)", "procedures for security"),
        rule(
            "o1h",
            "5 USC 552a(o)(1)(H)",
            "prohibitions on duplication and redisclosure",
        ),
        rule(
            "o1i",
            "5 USC 552a(o)(1)(I)",
            "procedures for use and for return",
        ),
        rule("o1j", "5 USC 552a(o)(1)(J)", "assessments of accuracy"),
        rule(
            "o1k",
            "5 USC 552a(o)(1)(K)",
            "access for the Comptroller General",
        ),
        rule("o2-term", "5 USC 552a(o)(2)(C)", "at most 18 months"),
        rule(
            "o2-renewal",
            "5 USC 552a(o)(2)(D)",
            "renewed for at most one year",
        ),
        rule(
            "criteria",
            "42 CFR 431.306(a)",
            "criteria for release and use",
        ),
        rule(
            "comparable",
            "42 CFR 431.306(b)",
            "comparable standards of confidentiality",
        ),
        rule(
            "permission",
            "42 CFR 431.306(d)",
            "permission of the person, or notice",
        ),
    ];

    /// The rule with this name.
    pub fn of(id: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|rule| rule.id == id)
    }
}

const fn rule(id: &'static str, clause: &'static str, title: &'static str) -> Rule {
    Rule { id, clause, title }
}
