//! A file of any size, line by line, in bounded memory.

use std::io::Read;
use std::path::Path;

use crate::progress::step;
use crate::store::{CHUNK_BYTES, Hashing};
use crate::{Error, Progress};

/// A line as its encoding allows.
#[derive(Clone, Copy)]
pub(crate) enum Line<'l> {
    Text(&'l str),
    /// Not UTF-8.
    Bytes(&'l [u8]),
    /// The start of a line that is longer than any chunk.
    Long(&'l [u8]),
}

/// Takes lines in their order.
pub(crate) trait TakesLines {
    /// What is to come before the next call: whole lines, the same for the same file.
    fn ahead(&mut self, _content: &[u8]) {}

    /// Takes a line, its number from 1, and whether it has an end.
    fn line(&mut self, line: Line<'_>, number: u64, ended: bool) -> Result<(), Error>;
}

/// Counts lines.
#[derive(Default)]
pub(crate) struct Lines {
    number: u64,
}

impl Lines {
    /// Passes every line of `reader` on, and returns how many there were.
    pub(crate) fn read(
        mut self,
        path: &Path,
        reader: &mut Hashing<impl Read>,
        progress: &dyn Progress,
        taker: &mut dyn TakesLines,
    ) -> Result<u64, Error> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut filled = 0;
        let mut in_long_line = false;
        loop {
            let mut is_end = false;
            // Full chunks, however little a read gives: they are the same for the same file.
            while filled < CHUNK_BYTES && !is_end {
                let free = buffer.get_mut(filled..).unwrap_or_default();
                let count = reader
                    .read(free)
                    .map_err(|error| Error::io(path, "read", error))?;
                step(progress, count as u64)?;
                filled += count;
                is_end = count == 0;
            }
            let mut content = buffer.get(..filled).unwrap_or_default();
            if in_long_line {
                let end = memchr::memchr(b'\n', content);
                in_long_line = end.is_none();
                let start = end.map_or(filled, |at| at + 1);
                content = content.get(start..).unwrap_or_default();
            }
            if is_end {
                self.block(content, taker)?;
                return Ok(self.number);
            }
            let mut done = memchr::memrchr(b'\n', content).map_or(0, |at| at + 1);
            if done == 0 && content.len() == CHUNK_BYTES {
                self.number += 1;
                taker.line(Line::Long(content), self.number, true)?;
                (in_long_line, done) = (true, filled);
            } else {
                self.block(content.get(..done).unwrap_or_default(), taker)?;
                done += filled - content.len();
            }
            buffer.copy_within(done..filled, 0);
            filled -= done;
        }
    }

    /// Passes on the lines of `content`, which ends with a line.
    pub(crate) fn block(
        &mut self,
        content: &[u8],
        taker: &mut dyn TakesLines,
    ) -> Result<(), Error> {
        taker.ahead(content);
        // One check for the whole chunk is much cheaper than one per line.
        let text = std::str::from_utf8(content).ok();
        let mut start = 0;
        while start < content.len() {
            let rest = content.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(content.len(), |at| start + at);
            self.number += 1;
            let bytes = crate::tmsis::trim_line(content.get(start..end).unwrap_or_default());
            let is_ended = end < content.len();
            let whole = text.and_then(|text| text.get(start..start + bytes.len()));
            let line = match whole {
                Some(text) => Line::Text(text),
                None => std::str::from_utf8(bytes).map_or(Line::Bytes(bytes), Line::Text),
            };
            if !bytes.is_empty() {
                taker.line(line, self.number, is_ended)?;
            }
            start = end + 1;
        }
        Ok(())
    }
}
