//! A request that is read, printed and read again is the same request.

use chancery_model::{Format, Request};
use proptest::prelude::*;

fn word() -> impl Strategy<Value = String> {
    "[ -~à-ÿ\u{1F4DC}\n\t]{0,12}x[ -~]{0,6}"
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(word(), 1..4)
}

fn request() -> impl Strategy<Value = Request> {
    let who = (word(), word(), word(), word());
    let rest = (
        words(),
        words(),
        any::<bool>(),
        prop::collection::vec(word(), 0..3),
        ".{0,20}",
        ".{0,20}",
    );
    (who, rest).prop_map(|(who, rest)| Request {
        recipient: who.0,
        purpose: who.1,
        custodian: who.2,
        dataset: who.3,
        tables: rest.0,
        elements: rest.1,
        format: if rest.2 { Format::Csv } else { Format::Parquet },
        authority: rest.3,
        justification: rest.4,
        requested_by: rest.5,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_survives_being_printed(request in request()) {
        let text = toml::to_string(&request).unwrap();
        let again = Request::parse("r.toml", &text).unwrap();
        prop_assert_eq!(&again, &request);
        prop_assert_eq!(toml::to_string(&again).unwrap(), text);
    }

    #[test]
    fn no_text_breaks_the_parser(text in "(?s).{0,60}", at in 0..160_usize) {
        let mut request = crate::requests::REQUEST.to_owned();
        request.insert_str(at.min(request.len()), &text);
        if let Ok(request) = Request::parse("r.toml", &request) {
            let printed = toml::to_string(&request).unwrap();
            prop_assert_eq!(Request::parse("r.toml", &printed).unwrap(), request);
        }
    }
}
