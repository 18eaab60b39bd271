//! From a template and plain data to an archival, accessible PDF.
//!
//! The compiler, typst, is a library here and sees nothing but the template, the data and the
//! fonts within this program: no files, no packages, no network, no clock. The same input is the
//! same bytes on every machine, so whoever doubts a document can make it again.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use typst::diag::{FileError, FileResult, SourceDiagnostic, Warned};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Coverage, Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::Error;

/// How a kind of document looks: typst markup that reads its data from `data.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template<'a> {
    /// Its name, for errors.
    pub name: &'a str,
    /// The markup.
    pub source: &'a str,
}

/// Sets `data` by a template, as of a date: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1).
///
/// Text of the data is text and never markup. A character that the fonts lack, or that would
/// reorder or hide what is beside it, is shown by its number.
///
/// # Errors
///
/// Fails with the template's name and line if the template is wrong, warns, or would make a
/// document that is not archival and accessible.
///
/// # Example
///
/// ```
/// use chancery_account::typeset::{Template, pdf};
///
/// let source = r#"
/// #let data = json("data.json")
/// #set document(title: data.title)
/// = #data.title
/// "#;
/// let template = Template { name: "note", source };
/// let date = jiff::civil::date(2026, 1, 10);
/// let data = serde_json::json!({ "title": "#panic() is only text here" });
/// let once = pdf(template, &data, date)?;
/// assert_eq!(once, pdf(template, &data, date)?);
///
/// let wrong = pdf(template, &serde_json::json!({}), date).unwrap_err();
/// assert!(wrong.to_string().starts_with("cannot typeset template `note`, line 3:"));
/// # Ok::<(), chancery_account::Error>(())
/// ```
pub fn pdf(template: Template<'_>, data: &impl Serialize, as_of: Date) -> Result<Vec<u8>, Error> {
    let desk = Desk::new(template, data, as_of)?;
    let result = desk.set();
    // What typst remembers of a document to set the next one sooner is a person's data.
    typst::comemo::evict(0);
    result
}

/// Everything that typst can see.
struct Desk<'a> {
    template: Template<'a>,
    main: Source,
    data: Bytes,
    today: Datetime,
    midnight: Datetime,
}

impl<'a> Desk<'a> {
    fn new(template: Template<'a>, data: &impl Serialize, as_of: Date) -> Result<Self, Error> {
        let mut data = serde_json::to_value(data).map_err(Error::Data)?;
        make_legible(&mut data);
        let data = serde_json::to_vec(&data).map_err(Error::Data)?;
        let (year, month, day) = (i32::from(as_of.year()), as_of.month(), as_of.day());
        let (Ok(month), Ok(day)) = (u8::try_from(month), u8::try_from(day)) else {
            return Err(Error::Date(as_of));
        };
        let today = Datetime::from_ymd(year, month, day);
        let midnight = Datetime::from_ymd_hms(year, month, day, 0, 0, 0);
        Ok(Self {
            template,
            main: Source::new(*MAIN, template.source.to_owned()),
            data: Bytes::new(data),
            today: today.ok_or(Error::Date(as_of))?,
            midnight: midnight.ok_or(Error::Date(as_of))?,
        })
    }

    fn set(&self) -> Result<Vec<u8>, Error> {
        let Warned { output, warnings } = typst::compile::<PagedDocument>(self);
        let document = output.map_err(|problems| self.problem(&problems))?;
        // A warning is a font that is missing, or pages that never came to rest.
        if !warnings.is_empty() {
            return Err(self.problem(&warnings));
        }
        typst_pdf::pdf(&document, &self.options()?).map_err(|problems| self.problem(&problems))
    }

    fn options(&self) -> Result<PdfOptions, Error> {
        let standards = PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1]);
        Ok(PdfOptions {
            creator: Smart::Custom(Some("Chancery".to_owned())),
            timestamp: Some(Timestamp::new_utc(self.midnight)),
            standards: standards.map_err(|problem| Error::Template {
                template: self.template.name.to_owned(),
                line: 0,
                problem: problem.message().to_string(),
            })?,
            ..PdfOptions::default()
        })
    }

    fn problem(&self, problems: &[SourceDiagnostic]) -> Error {
        let line = |span: DiagSpan| {
            let start = self.range(span)?.start;
            self.main.lines().byte_to_line(start).map(|line| line + 1)
        };
        let first = problems.first();
        Error::Template {
            template: self.template.name.to_owned(),
            line: first.and_then(|first| line(first.span)).unwrap_or_default(),
            problem: first.map_or_else(String::new, |first| first.message.to_string()),
        }
    }
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() {
            Ok(self.main.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *DATA {
            Ok(self.data.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.faces.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        Some(self.today)
    }
}

/// A file of which typst knows nothing but the name.
fn file(name: &str) -> FileId {
    #[expect(clippy::expect_used, reason = "both names below are one plain word")]
    let path = VirtualPath::new(name).expect("a plain name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

static MAIN: LazyLock<FileId> = LazyLock::new(|| file("main.typ"));
static DATA: LazyLock<FileId> = LazyLock::new(|| file("data.json"));

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| {
    // Header cells of rows, so that a table can be read aloud.
    let features = [Feature::A11yExtras].into_iter().collect();
    LazyHash::new(Library::builder().with_features(features).build())
});

/// The fonts: Libertinus Serif for text and `DejaVu` Sans Mono for digests, both free to embed.
struct Fonts {
    book: LazyHash<FontBook>,
    faces: Vec<Font>,
    /// What text may consist of: the characters of the upright text face.
    text: Coverage,
}

const FAMILIES: [&str; 2] = ["libertinus serif", "dejavu sans mono"];

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let faces: Vec<Font> = typst_assets::fonts()
        .flat_map(|data| Font::iter(Bytes::new(data)))
        .filter(|face| FAMILIES.contains(&face.info().family.to_lowercase().as_str()))
        .collect();
    let coverage = |face: &Font| face.info().coverage.clone();
    Fonts {
        book: LazyHash::new(FontBook::from_fonts(&faces)),
        text: faces
            .first()
            .map_or_else(|| Coverage::from_vec(Vec::new()), coverage),
        faces,
    }
});

/// Makes every text of the data one that can be set, and that reads as it is.
fn make_legible(data: &mut Value) {
    match data {
        Value::String(text) => *text = legible(text),
        Value::Array(values) => values.iter_mut().for_each(make_legible),
        Value::Object(fields) => fields.values_mut().for_each(make_legible),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Shows what cannot be shown by its number, and lets overlong words break.
fn legible(text: &str) -> String {
    let mut legible = String::with_capacity(text.len());
    let mut unbroken = 0;
    for character in text.chars() {
        if character.is_whitespace() {
            legible.push(if character == '\u{a0}' {
                character
            } else {
                ' '
            });
            unbroken = 0;
            continue;
        }
        if unbroken >= LONGEST_WORD {
            legible.push(BREAK);
            unbroken = 0;
        }
        unbroken += 1;
        if is_plain(character) {
            legible.push(character);
        } else {
            legible.push_str(&format!("[U+{:04X}]", u32::from(character)));
        }
    }
    legible
}

/// Longer than a digest, so that a digest can be copied whole.
const LONGEST_WORD: usize = 72;
/// A place where a line may break.
const BREAK: char = '\u{200b}';

/// Whether the character can be set and shows what it is.
fn is_plain(character: char) -> bool {
    let invisible = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}'
    );
    !character.is_control() && !invisible && FONTS.text.contains(u32::from(character))
}
