use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::Error;

/// A file, read where it lies.
///
/// Files of the register are written once, under another name, and never changed; whoever shortens one
/// under a running program ends that program.
#[derive(Debug)]
pub(crate) struct Mapped(Option<Mmap>);

impl Mapped {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        // Anything else, such as a pipe, might never end.
        let kind = std::fs::symlink_metadata(path).map_err(Error::io("open", path))?;
        if !kind.is_file() {
            return Err(Error::damaged(path, "is not a file"));
        }
        let file = File::open(path).map_err(Error::io("open", path))?;
        let length = file.metadata().map_err(Error::io("read", path))?.len();
        if length == 0 {
            return Ok(Self(None));
        }
        #[expect(
            unsafe_code,
            reason = "the one call that maps a file; nothing changes one after it has its name"
        )]
        let mapped = unsafe { Mmap::map(&file) };
        Ok(Self(Some(mapped.map_err(Error::io("map", path))?)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}
