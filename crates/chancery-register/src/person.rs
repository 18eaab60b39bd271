use sha2::{Digest as _, Sha256};

/// Whom a record is about, as the dataset names them.
///
/// ```
/// use chancery_register::Person;
/// let person = Person::new("06", "CA900123456").unwrap();
/// assert_eq!((person.origin(), person.id()), ("06", "CA900123456"));
/// // A name has no NUL, which stands between the two where they are hashed.
/// assert!(Person::new("06", "CA\0900123456").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person<'a> {
    origin: &'a str,
    id: &'a str,
}

impl<'a> Person<'a> {
    /// The person with this id among those of an origin.
    pub fn new(origin: &'a str, id: &'a str) -> Option<Self> {
        let plain = |text: &str| !text.contains('\0');
        (plain(origin) && plain(id)).then_some(Self { origin, id })
    }

    /// The origin.
    pub fn origin(&self) -> &'a str {
        self.origin
    }

    /// The id.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// What pseudonyms are computed from.
    pub(crate) fn alpha(&self) -> Vec<u8> {
        let mut alpha = b"chancery/register/person/v1\0".to_vec();
        alpha.extend_from_slice(self.origin.as_bytes());
        alpha.push(0);
        alpha.extend_from_slice(self.id.as_bytes());
        alpha
    }

    /// Where among the people of an origin: 16 bits that everybody can compute.
    pub(crate) fn place(&self) -> u16 {
        let mut hash = Sha256::new_with_prefix(b"chancery/register/place/v1\0");
        hash.update(self.origin.as_bytes());
        hash.update([0]);
        hash.update(self.id.as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let [high, low, ..] = hash;
        u16::from_be_bytes([high, low])
    }
}
