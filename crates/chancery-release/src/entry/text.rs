//! The texts of an entry, each of a form that leaves little room for a person's data.
//!
//! An entry is public for good, so no field takes free text. What a closed list can say is a code
//! (see [`super::codes`]); the rest is one of the forms here. A form cannot tell a name from a
//! word: that a [`Label`] is harmless rests on where it is taken from, which is the law pack, the
//! catalogue of datasets and the keys, never a record. The forms catch what slips through by
//! mistake: identification numbers, telephone numbers, prose.
//!
//! Every text is printable ASCII without `"` and `\`, so its JSON form has no escapes. A refusal
//! never repeats the text that it refuses.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_ledger::VerifierKey;
use chancery_model::{Fault, Place};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Clock;

/// What a text type shares with the others: it is made by parsing alone, and prints as it was.
macro_rules! text {
    ($type:ident) => {
        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Reads the text of the field `field`.
            ///
            /// # Errors
            ///
            /// A fault that names the field and the form, not the text.
            pub fn of(field: &str, text: &str) -> Result<Self, Fault> {
                text.parse()
                    .map_err(|problem: String| fault(field, problem))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<String> for $type {
            fn eq(&self, other: &String) -> bool {
                self.0 == *other
            }
        }
    };
}

pub(super) fn fault(field: &str, problem: impl Into<String>) -> Fault {
    Fault::new(Place::file("ledger entry"), problem)
        .field(field)
        .hint(
            "an entry is public for good and takes no free text: use a name from the law pack, the \
             datasets or the keys, never anything from a record (docs/ledger.md has the forms)",
        )
}

/// A name from the law pack, the catalogue or the keys: an agency, a purpose, an instrument, a
/// dataset, a log.
///
/// 1 to 128 of `A-Z a-z 0-9 . _ / : # @ + -`, the first a letter or a digit. A *number* is a run of
/// digits and the marks between them: it has at most eight digits, and more than six without a mark
/// are a day, `YYYYMMDD`. That admits `us/cfr/45/164.512`, `us/fr/90-53324`,
/// `us/cand/3-25-cv-05536/order-2025-12-29` and `tmsis-20251231`, and no Social Security number (9
/// digits), telephone number (10) or long identification number, however they are spelt.
///
/// ```
/// use chancery_release::entry::Label;
/// assert!("us/cand/3-25-cv-05536/order-2025-12-29".parse::<Label>().is_ok());
/// assert!("900-12-3456".parse::<Label>().is_err());
/// assert!("enrollee 7 of case 12".parse::<Label>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Label(String);

text!(Label);

impl Label {
    const MOST: usize = 128;
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_label(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "expected a name of 1 to {} characters out of A-Z a-z 0-9 . _ / : # @ + - that begins \
             with a letter or a digit, with no number of more than eight digits, and no more than \
             six together unless they are a day",
            Self::MOST
        ))
    }
}

fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:#@+-".contains(&byte);
    (1..=Label::MOST).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(allowed)
        && text.split(|c: char| c.is_ascii_alphabetic()).all(is_short)
}

/// Whether a number, with the marks in it, is too short for an identification number.
fn is_short(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let mut runs = number.split(|c: char| !c.is_ascii_digit());
    digits <= 8 && runs.all(|run| run.len() <= 6 || is_compact_day(run))
}

fn is_compact_day(digits: &str) -> bool {
    let (Some(year), Some(month), Some(day)) = (digits.get(..4), digits.get(4..6), digits.get(6..))
    else {
        return false;
    };
    is_day(&format!("{year}-{month}-{day}"))
}

fn is_day(text: &str) -> bool {
    text.parse::<Date>()
        .is_ok_and(|day| day.to_string() == text)
}

/// The id of a release: the day, the recipient, eight hexadecimal digits of a digest of what was
/// asked, and from the second on a number. What was aborted before that has no digest.
///
/// ```
/// use chancery_release::entry::ReleaseId;
/// assert!("2026-01-10-dhs-ice-5d6b1a90".parse::<ReleaseId>().is_ok());
/// assert!("2026-01-10-dhs-ice-5d6b1a90-2".parse::<ReleaseId>().is_ok());
/// assert!("dhs-ice".parse::<ReleaseId>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ReleaseId(String);

text!(ReleaseId);

/// Stands where a folder in the staging area has a name that is no release's.
const UNRECOGNISED: &str = "unrecognised";

impl ReleaseId {
    /// The id that a folder is named by. A name that is none could say anything, so it is not
    /// repeated.
    pub fn of_folder(name: &str) -> Self {
        name.parse()
            .unwrap_or_else(|_| Self(UNRECOGNISED.to_owned()))
    }
}

impl FromStr for ReleaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == UNRECOGNISED || is_release_id(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "expected the id of a release: a day, the recipient and eight hexadecimal digits, as \
             in `2026-01-10-agency-5d6b1a90`"
                .to_owned(),
        )
    }
}

fn is_release_id(text: &str) -> bool {
    let Some((day, rest)) = text.split_at_checked(10) else {
        return false;
    };
    let Some(rest) = rest.strip_prefix('-') else {
        return false;
    };
    let is_number = |text: &str| text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    let without_number = rest
        .rsplit_once('-')
        .filter(|(before, last)| is_number(last) && without_digest(before) != *before)
        .map_or(rest, |(before, _)| before);
    is_day(day) && is_label(without_digest(without_number)) && !rest.contains('/')
}

fn without_digest(text: &str) -> &str {
    let is_digest = |text: &str| {
        text.len() == 8
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    text.rsplit_once('-')
        .filter(|(_, last)| is_digest(last))
        .map_or(text, |(before, _)| before)
}

/// A public key as a vkey line of [signed-note]: Ed25519 (types 1 and 4) or ML-DSA-44 (type 6).
///
/// Its name is a [`Label`] without `+`, its key id is that of name and key, and its base64 is
/// canonical.
///
/// ```
/// use chancery_release::entry::Vkey;
/// let line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// assert!(line.parse::<Vkey>().is_ok());
/// assert!(line.replace("Peter", "Paul").parse::<Vkey>().is_err());
/// ```
///
/// [signed-note]: https://c2sp.org/signed-note
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Vkey(String);

text!(Vkey);

impl Vkey {
    /// The name of the key.
    pub fn name(&self) -> &str {
        self.0.split('+').next().unwrap_or_default()
    }

    /// The key, for what it signed.
    ///
    /// # Errors
    ///
    /// When it is not a key that this version can verify with.
    pub fn verifier(&self) -> Result<VerifierKey, chancery_ledger::Error> {
        self.0.parse()
    }
}

impl FromStr for Vkey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_vkey(text) {
            return Ok(Self(text.to_owned()));
        }
        Err("expected a vkey line, `<name>+<key id>+<base64>`, of an Ed25519 or ML-DSA-44 key whose \
             name is plain ASCII"
            .to_owned())
    }
}

fn is_vkey(text: &str) -> bool {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(key) = BASE64_STANDARD.decode(base64) else {
        return false;
    };
    let length = match key.first() {
        Some(0x01 | 0x04) => 1 + 32,
        Some(0x06) => 1 + 1312,
        _ => return false,
    };
    let hash = Sha256::digest([name.as_bytes(), b"\n", &key].concat());
    let expected: String = hash.iter().take(4).map(|b| format!("{b:02x}")).collect();
    key.len() == length && is_label(name) && id == expected
}

/// An Ed25519 signature in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeySignature([u8; 64]);

impl KeySignature {
    /// The signature with these bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl From<KeySignature> for String {
    fn from(signature: KeySignature) -> Self {
        BASE64_STANDARD.encode(signature.0)
    }
}

impl TryFrom<String> for KeySignature {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = BASE64_STANDARD.decode(&text).unwrap_or_default();
        let bytes = bytes.try_into();
        bytes
            .map(Self)
            .map_err(|_| "expected 64 bytes in base64".to_owned())
    }
}

/// A person, as a keyed pseudonym: 32 bytes of HMAC-SHA256, or of a VRF, over origin and id under a
/// key that never leaves the custodian. An unkeyed hash must not be used: ids can be guessed.
///
/// ```
/// use chancery_release::entry::Pseudonym;
/// let text = Pseudonym::from_mac([7; 32]).to_string();
/// assert!(text.starts_with("pseudonym:0707"));
/// assert!("pseudonym:CA900123456".parse::<Pseudonym>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Pseudonym([u8; 32]);

impl Pseudonym {
    const PREFIX: &'static str = "pseudonym:";

    /// The pseudonym that is this keyed hash of the person's origin and id.
    pub const fn from_mac(mac: [u8; 32]) -> Self {
        Self(mac)
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = chancery_model::Digest::from_bytes(self.0).hex();
        write!(f, "{}{hex}", Self::PREFIX)
    }
}

impl FromStr for Pseudonym {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hex = text.strip_prefix(Self::PREFIX);
        let digest = hex.and_then(|hex| format!("sha256:{hex}").parse().ok());
        let digest: chancery_model::Digest =
            digest.ok_or_else(|| "expected `pseudonym:` and 64 hexadecimal digits".to_owned())?;
        Ok(Self(*digest.as_bytes()))
    }
}

impl From<Pseudonym> for String {
    fn from(pseudonym: Pseudonym) -> Self {
        pseudonym.to_string()
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Where a text of the law was fetched from.
///
/// `https://`, a host name and a path, perhaps a query: at most 512 of `A-Z a-z 0-9` and
/// `. _ ~ / : , = ? & + -`. No user, percent-encoding or fragment. Between two of `/ ? & =` and
/// letters there are at most eight digits, or a year and a number as in `2025-21024`.
///
/// ```
/// use chancery_release::entry::Url;
/// let page = "https://www.federalregister.gov/documents/2025/11/25/2025-21024/notice";
/// assert!(page.parse::<Url>().is_ok());
/// assert!("https://example.gov/search?q=900-12-3456".parse::<Url>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Url(String);

text!(Url);

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_url(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "expected an address that begins with `https://` and a host name, of at most 512 \
             characters out of A-Z a-z 0-9 . _ ~ / : , = ? & + -, without digits that read as an \
             identification or telephone number"
                .to_owned(),
        )
    }
}

fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~/:,=?&+-".contains(&byte);
    let segments = rest.split(['/', '?', '&', '=']);
    text.len() <= 512
        && host.starts_with(|first: char| first.is_ascii_alphanumeric())
        && host.contains('.')
        && host.chars().all(is_host)
        && rest.bytes().all(allowed)
        && segments
            .flat_map(|segment| segment.split(|c: char| c.is_ascii_alphabetic()))
            .all(is_no_identification)
}

/// At most eight digits, or a year and a number as in `2025-21024`.
fn is_no_identification(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let mut groups = number.split(|c: char| !c.is_ascii_digit());
    let year = groups.find(|group| !group.is_empty()).unwrap_or_default();
    let numbered = year.len() == 4 && (year.starts_with("19") || year.starts_with("20"));
    let rest: Vec<&str> = groups.filter(|group| !group.is_empty()).collect();
    digits <= 8 || numbered && matches!(rest.as_slice(), [one] if one.len() <= 6)
}

/// When something happened: `2026-01-10T12:00:00Z`, in whole seconds.
///
/// A fraction of a second, without zeros at its end, is read as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Recorded(Timestamp);

impl Recorded {
    /// The clock's second.
    pub fn now(clock: &dyn Clock) -> Self {
        Self::at(clock.now())
    }

    /// The second of an instant.
    pub fn at(instant: Timestamp) -> Self {
        let fraction = SignedDuration::from_nanos(i64::from(instant.subsec_nanosecond()));
        Self(instant - fraction)
    }

    /// The instant.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// The day in UTC.
    pub fn date(self) -> Date {
        self.0.to_zoned(jiff::tz::TimeZone::UTC).date()
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl From<Recorded> for String {
    fn from(recorded: Recorded) -> Self {
        recorded.to_string()
    }
}

impl TryFrom<String> for Recorded {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let instant = text.parse::<Timestamp>().ok();
        instant
            .filter(|instant| instant.to_string() == text && !text.starts_with('-'))
            .map(Self)
            .ok_or_else(|| "expected an instant such as `2026-01-10T12:00:00Z`".to_owned())
    }
}

/// The version of an entry's form: 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u64", try_from = "u64")]
pub struct Version1;

impl Version1 {
    pub(super) const NUMBER: u64 = 1;
}

impl From<Version1> for u64 {
    fn from(_: Version1) -> Self {
        Version1::NUMBER
    }
}

impl TryFrom<u64> for Version1 {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, &'static str> {
        if number == Self::NUMBER {
            return Ok(Self);
        }
        Err("expected version 1")
    }
}

/// The version of an entry's form, where there are two: the second is signed over the log and how
/// long it was, so that a copy of it says nothing anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u64", try_from = "u64")]
pub enum Version2 {
    /// 1.
    One,
    /// 2.
    Two,
}

impl From<Version2> for u64 {
    fn from(version: Version2) -> Self {
        match version {
            Version2::One => 1,
            Version2::Two => 2,
        }
    }
}

impl TryFrom<u64> for Version2 {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, &'static str> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err("expected version 1 or 2"),
        }
    }
}
