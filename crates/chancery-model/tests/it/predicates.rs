use chancery_model::{Attribute, Domain, Predicate, Signature};
use proptest::prelude::*;

fn attribute(name: &str, values: &[&str]) -> Attribute {
    Attribute {
        name: name.to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
    }
}

fn domain() -> Domain {
    Domain::new(vec![
        attribute("presence", &["lawful", "not_lawful", "unknown"]),
        attribute("origin", &["06", "48", "55", "unknown"]),
        attribute("program", &["medicaid", "unknown"]),
    ])
    .unwrap()
}

fn everyone(domain: &Domain) -> Vec<Signature> {
    let mut all = vec![Signature::unknown(domain)];
    for (at, attribute) in domain.attributes().iter().enumerate() {
        let values = 0..u8::try_from(attribute.values.len()).unwrap();
        all = all
            .iter()
            .flat_map(|s| values.clone().map(move |v| s.with(at, v)))
            .collect();
    }
    all
}

/// A predicate as it is first said, before anything is put in canonical form.
#[derive(Clone, Debug)]
enum Said {
    Constant(bool),
    Within(usize, Vec<u8>),
    All(Vec<Said>),
    Any(Vec<Said>),
    Not(Box<Said>),
}

impl Said {
    fn holds(&self, signature: &Signature) -> bool {
        match self {
            Self::Constant(holds) => *holds,
            Self::Within(at, values) => values.contains(&signature.value(*at).unwrap()),
            Self::All(parts) => parts.iter().all(|part| part.holds(signature)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(signature)),
            Self::Not(part) => !part.holds(signature),
        }
    }

    fn put(&self, domain: &Domain) -> Predicate {
        match self {
            Self::Constant(holds) => Predicate::constant(*holds),
            Self::Within(at, values) => Predicate::within(*at, values.iter().copied()),
            Self::All(parts) => Predicate::all(parts.iter().map(|part| part.put(domain)), domain),
            Self::Any(parts) => Predicate::any(parts.iter().map(|part| part.put(domain)), domain),
            Self::Not(part) => part.put(domain).negate(domain),
        }
    }
}

fn said() -> impl Strategy<Value = Said> {
    let within = (0_usize..3).prop_flat_map(|at| {
        let count = u8::try_from(domain().attributes()[at].values.len()).unwrap();
        proptest::collection::vec(0..count, 0..=4).prop_map(move |values| Said::Within(at, values))
    });
    let leaf = prop_oneof![any::<bool>().prop_map(Said::Constant), within];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            parts().prop_map(Said::All),
            parts().prop_map(Said::Any),
            inner.clone().prop_map(|part| Said::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_form_keeps_the_meaning(said in said()) {
        let domain = domain();
        let predicate = said.put(&domain);
        for signature in everyone(&domain) {
            prop_assert_eq!(predicate.holds(&signature), said.holds(&signature));
            prop_assert_eq!(predicate.negate(&domain).holds(&signature), !said.holds(&signature));
        }
    }

    #[test]
    fn what_is_left_for_a_value_is_the_predicate_there(said in said(), at in 0_usize..3) {
        let domain = domain();
        let predicate = said.put(&domain);
        let parts = predicate.by_value(at, &domain);
        for signature in everyone(&domain) {
            let value = signature.value(at).unwrap();
            let (part, _) = parts.iter().find(|(_, values)| values.contains(&value)).unwrap();
            prop_assert_eq!(part.holds(&signature), predicate.holds(&signature));
            prop_assert!(!part.attributes().contains(&at));
        }
    }

    #[test]
    fn implication_is_found_exactly(a in said(), b in said()) {
        let domain = domain();
        let (a, b) = (a.put(&domain), b.put(&domain));
        let implied = everyone(&domain).iter().all(|s| !a.holds(s) || b.holds(s));
        prop_assert_eq!(a.implies(&b, &domain), implied);
    }
}

#[test]
fn words_name_the_shorter_side() {
    let domain = domain();
    let (origin, _) = domain.attribute("origin").unwrap();
    let words = |values: &[u8]| {
        Predicate::within(origin, values.iter().copied())
            .display(&domain)
            .to_string()
    };
    assert_eq!(words(&[0]), "origin is 06");
    assert_eq!(words(&[0, 1]), "origin is 06 or 48");
    assert_eq!(words(&[0, 1, 2]), "origin is not unknown");
}

#[test]
fn conditions_are_told_apart_by_origin() {
    let domain = domain();
    let at = |name: &str| domain.attribute(name).unwrap().0;
    let order = Predicate::any(
        [
            Predicate::within(at("presence"), [1]),
            Predicate::within(at("origin"), [1, 2]),
        ],
        &domain,
    );
    assert_eq!(
        order.describe("origin", &domain),
        "origin is 48 or 55: always; any other origin: presence is not_lawful"
    );
    assert_eq!(Predicate::Always.describe("origin", &domain), "always");
}

#[test]
fn a_domain_without_doubt_is_refused() {
    let refused = |attributes: Vec<Attribute>| Domain::new(attributes).unwrap_err();
    assert!(refused(vec![attribute("presence", &["lawful"])]).contains("unknown"));
    assert!(refused(vec![attribute("a", &["x", "x", "unknown"])]).contains("twice"));
    let twice = vec![attribute("a", &["unknown"]), attribute("a", &["unknown"])];
    assert!(refused(twice).contains("declared twice"));
}
