use chancery_model::Request;

pub(crate) const REQUEST: &str =
    "recipient = \"dhs/ice\"\npurpose = \"p\"\ncustodian = \"c\"\ndataset = \"d\"\n";

#[test]
fn a_misspelt_field_is_refused_with_its_line() {
    let text = format!("{REQUEST}recipent = \"x\"\n");
    let fault = Request::parse("r.toml", &text).unwrap_err();
    assert_eq!(fault.place.line, Some(5));
    assert!(fault.hint.unwrap().contains("recipient"));
}

#[test]
fn asking_for_nothing_is_refused() {
    let fault = Request::parse("r.toml", &format!("{REQUEST}elements = []\n")).unwrap_err();
    assert_eq!(
        (fault.place.line, fault.field.as_deref()),
        (Some(5), Some("elements"))
    );
}
