use crate::Error;

/// What a long step tells its caller, and how the caller stops it.
///
/// ```
/// struct Quiet;
/// impl chancery_dataset::Progress for Quiet {
///     fn begin(&self, _what: &str, _total_bytes: u64) {}
///     fn advance(&self, _bytes: u64) {}
/// }
/// ```
pub trait Progress: Sync {
    /// A step over so many bytes begins.
    fn begin(&self, what: &str, total_bytes: u64);
    /// So many more bytes are done.
    fn advance(&self, bytes: u64);
    /// Whether to stop; the step then ends with [`Error::Cancelled`] and leaves nothing behind.
    fn cancelled(&self) -> bool {
        false
    }
    /// Something happened on the way that the operator did not ask for.
    fn note(&self, _what: &str) {}
}

/// Tells nobody and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total_bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// Reports `bytes` and stops if the caller asked for it.
pub(crate) fn step(progress: &dyn Progress, bytes: u64) -> Result<(), Error> {
    progress.advance(bytes);
    if progress.cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(())
}
