//! A log to read from: a folder, or the web server that publishes it.

use std::io;
use std::time::Duration;

use crate::storage::{Folder, Storage};
use crate::web::Web;

/// The longest file of a log: a bundle of 256 entries of 65,535 bytes, each with its length.
const MAX_FILE: u64 = 256 * (2 + 65_535);

/// How long a file may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long what is not needed may take.
const QUICK: Duration = Duration::from_secs(5);

/// A log's published files, to read and not to write.
///
/// Nothing in them is believed on the ground of where they come from: who reads verifies.
///
/// # Example
///
/// ```
/// use chancery_ledger::{Source, Storage};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # std::fs::write(folder.path().join("checkpoint"), "…").unwrap();
/// # let folder = folder.path().to_str().unwrap();
/// let log = Source::open(folder);
/// assert!(log.read("checkpoint")?.is_some());
/// assert!(log.read("tile/0/000")?.is_none());
///
/// assert_eq!(Source::open("https://log.example/").locate("checkpoint"), "https://log.example/checkpoint");
/// assert!(log.remove("checkpoint").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Source(Place);

enum Place {
    Folder(Folder),
    Server {
        web: Web,
        url: String,
        timeout: Duration,
    },
}

impl Source {
    /// The log at a place: an `http://` or `https://` URL, and the path of a folder otherwise.
    pub fn open(place: &str) -> Self {
        Self::open_for(place, TIMEOUT)
    }

    /// As [`Source::open`], for what is not worth waiting long for.
    pub(crate) fn open_quick(place: &str) -> Self {
        Self::open_for(place, QUICK)
    }

    fn open_for(place: &str, timeout: Duration) -> Self {
        if !is_url(place) {
            return Self(Place::Folder(Folder::new(place)));
        }
        Self(Place::Server {
            web: Web::new(),
            url: place.trim_end_matches('/').to_owned(),
            timeout,
        })
    }
}

/// Whether a place is on a server.
fn is_url(place: &str) -> bool {
    place.starts_with("http://") || place.starts_with("https://")
}

fn download(web: &Web, url: &str, timeout: Duration) -> io::Result<Option<Vec<u8>>> {
    let reply = web.get(url, MAX_FILE, timeout)?;
    match reply.status {
        200 => Ok(Some(reply.body)),
        404 | 410 => Ok(None),
        status => Err(io::Error::other(format!(
            "the server answered with status {status}"
        ))),
    }
}

impl Storage for Source {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match &self.0 {
            Place::Folder(folder) => folder.read(path),
            Place::Server { web, url, timeout } => {
                download(web, &format!("{url}/{path}"), *timeout)
            }
        }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        match &self.0 {
            Place::Folder(folder) => folder.list(dir),
            Place::Server { .. } => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a web server does not list files",
            )),
        }
    }

    fn create(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn replace(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Err(read_only())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(read_only())
    }

    fn locate(&self, path: &str) -> String {
        match &self.0 {
            Place::Folder(folder) => folder.locate(path),
            Place::Server { url, .. } => format!("{url}/{path}"),
        }
    }
}

fn read_only() -> io::Error {
    io::Error::new(
        io::ErrorKind::ReadOnlyFilesystem,
        "the log was opened for reading",
    )
}
