//! Many threads, one writer: what arrives while a batch is under way makes up the next one.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::bundle::check_entry;
use crate::error::{Error, Result};
use crate::ledger::{Ledger, Receipt};

/// The most entries under one checkpoint; each takes part of the time that all of them wait.
const MAX_BATCH_ENTRIES: usize = 2_048;
/// The most bytes under one checkpoint, which are held in memory a few times over.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// A handle for appending from any number of threads; cloning it gives another to the same log.
#[derive(Clone)]
pub struct Appender {
    queue: Sender<Job>,
}

/// The thread that writes, which ends when the last [`Appender`] is gone.
pub struct Writer(JoinHandle<Ledger>);

struct Job {
    entry: Vec<u8>,
    answer: SyncSender<Result<Receipt>>,
}

impl Appender {
    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the operating system has no thread left.
    pub fn start(ledger: Ledger) -> Result<(Self, Writer)> {
        let (queue, jobs) = channel();
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        let writer = thread
            .spawn(move || write(ledger, &jobs))
            .map_err(|reason| Error::Io {
                action: "start",
                file: "the ledger's thread".to_owned(),
                reason,
            })?;
        Ok((Self { queue }, Writer(writer)))
    }

    /// Appends an entry, and waits until it is published together with what others append.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::append`]; all entries of a batch get the same error.
    pub fn append(&self, entry: Vec<u8>) -> Result<Receipt> {
        // One that is too large would fail the whole batch.
        check_entry(&entry)?;
        let (answer, receipt) = sync_channel(1);
        self.queue
            .send(Job { entry, answer })
            .map_err(|_| Error::Poisoned)?;
        receipt.recv().map_err(|_| Error::Poisoned)?
    }
}

impl Writer {
    /// Waits until every [`Appender`] is gone, and gives the log back.
    ///
    /// # Errors
    ///
    /// [`Error::Poisoned`] when the thread has panicked.
    pub fn join(self) -> Result<Ledger> {
        self.0.join().map_err(|_| Error::Poisoned)
    }
}

fn write(mut ledger: Ledger, jobs: &Receiver<Job>) -> Ledger {
    let mut next = jobs.recv().ok();
    while let Some(first) = next.take() {
        let mut batch = Vec::new();
        let mut bytes = first.entry.len();
        batch.push(first);
        while batch.len() < MAX_BATCH_ENTRIES
            && let Ok(job) = jobs.try_recv()
        {
            bytes += job.entry.len();
            if bytes > MAX_BATCH_BYTES {
                next = Some(job);
                break;
            }
            batch.push(job);
        }
        append(&mut ledger, batch);
        next = next.or_else(|| jobs.recv().ok());
    }
    ledger
}

fn append(ledger: &mut Ledger, batch: Vec<Job>) {
    let entries: Vec<&[u8]> = batch.iter().map(|job| job.entry.as_slice()).collect();
    let outcome = ledger.append_batch(&entries).map_err(Arc::new);
    let answers = batch.into_iter().map(|job| job.answer);
    // Whoever has stopped waiting needs no answer.
    match outcome {
        Ok(receipts) => {
            for (answer, receipt) in answers.zip(receipts) {
                drop(answer.send(Ok(receipt)));
            }
        }
        Err(error) => {
            for answer in answers {
                drop(answer.send(Err(Error::Batch(Arc::clone(&error)))));
            }
        }
    }
}
