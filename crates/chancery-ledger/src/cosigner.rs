//! The seam to those who vouch that the log shows everybody the same.

use crate::checkpoint::Checkpoint;
use crate::error::Result;

/// Gets the cosignatures that a checkpoint needs before it is published.
pub trait Cosigner: Send {
    /// Gives back the checkpoint with enough cosignatures added to it.
    ///
    /// `prove` gives the consistency proof from the size that a witness saw last.
    ///
    /// # Errors
    ///
    /// [`Error::NoQuorum`](crate::Error::NoQuorum) when too few cosign, which may be tried again.
    fn cosign(
        &self,
        checkpoint: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<Checkpoint>;

    /// Asks what was cosigned last, at the start of a writer, which must not go on from an older
    /// copy of the log.
    ///
    /// # Errors
    ///
    /// [`Error::AheadOfLog`](crate::Error::AheadOfLog) and
    /// [`Error::Diverged`](crate::Error::Diverged) when somebody has seen a larger log, or another;
    /// [`Error::NoQuorum`](crate::Error::NoQuorum) when too few could be asked.
    fn look(
        &self,
        checkpoint: &Checkpoint,
        prove: &dyn Fn(u64) -> Result<Vec<[u8; 32]>>,
    ) -> Result<()>;
}
