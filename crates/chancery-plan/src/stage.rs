use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_dataset::{Dataset, Progress};
use chancery_model::{Classification, Digest, Domain, Format};
use datafusion::common::DataFusionError;
use futures::StreamExt as _;

use crate::write::{FileWriter, Finished};
use crate::{Cut, Embedded, Error, Limits};

/// What a staging run works on.
pub struct Job<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// The domain of the attributes.
    pub domain: &'a Domain,
    /// The classification table, for the spellings of origins.
    pub law: &'a Classification,
    /// The cuts.
    pub cuts: &'a [Cut],
    /// The form of the files.
    pub format: Format,
}

/// A file that is written but has not left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedFile {
    /// Its path below the folder of data: `<table>/<origin>.<extension>`.
    pub path: String,
    /// Its table.
    pub table: String,
    /// Its origin.
    pub origin: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// Runs every cut, on as many cores as allowed, each into a file of its own below `out`.
///
/// # Errors
///
/// The first failure; what is in `out` is then worthless and for the caller to remove.
pub fn stage(
    job: &Job<'_>,
    out: &Path,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Vec<StagedFile>, Error> {
    let mut order: Vec<usize> = (0..job.cuts.len()).collect();
    // The longest first, so that the cores finish together.
    order.sort_by_key(|at| std::cmp::Reverse(job.cuts.get(*at).map_or(0, weight)));
    let next = AtomicUsize::new(0);
    let take = || {
        order
            .get(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|at| job.cuts.get(*at))
    };
    let worker = || {
        let mut files = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(io(out))?;
        let engine = Embedded::new(limits).map_err(|error| refused(None, &error))?;
        while let Some(cut) = take() {
            let staged = runtime.block_on(run(job, cut, &engine, out, progress));
            if staged.is_err() {
                // Nothing will leave: the other workers need not go on.
                next.store(order.len(), Ordering::Relaxed);
            }
            files.push(staged?);
        }
        Ok(files)
    };
    let results: Vec<Result<Vec<StagedFile>, Error>> = std::thread::scope(|scope| {
        let workers = limits.workers.clamp(1, job.cuts.len().max(1));
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let lost = || Err(engine_error(None, "a worker failed".to_owned()));
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| lost()))
            .collect()
    });
    let mut files = Vec::new();
    for result in results {
        files.extend(result?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// How long a cut takes, roughly.
fn weight(cut: &Cut) -> u64 {
    cut.all_rows + cut.expected_rows * cut.columns.len() as u64
}

async fn run(
    job: &Job<'_>,
    cut: &Cut,
    engine: &Embedded,
    out: &Path,
    progress: &dyn Progress,
) -> Result<StagedFile, Error> {
    let refused = |error: DataFusionError| refused(Some(cut), &error);
    let plan = engine
        .plan(job.dataset, cut, job.domain, job.law)
        .await
        .map_err(refused)?;
    let mut stream = engine.run(&plan, cut).await.map_err(refused)?;
    let path = format!("{}/{}.{}", cut.table, cut.origin, job.format.extension());
    let file = out.join(&path);
    let parent: PathBuf = out.join(&cut.table);
    private_folder(&parent).map_err(io(&parent))?;
    let mut writer = FileWriter::create(&file, &stream.schema(), job.format).map_err(io(&file))?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(refused)?;
        progress.advance(batch.num_rows() as u64);
        if progress.cancelled() {
            return Err(Error::Cancelled);
        }
        writer = writer.write(&batch).map_err(io(&file))?;
    }
    let Finished {
        rows,
        bytes,
        sha256,
    } = writer.finish().map_err(io(&file))?;
    if rows != cut.expected_rows {
        return Err(Error::Count {
            table: cut.table.clone(),
            origin: cut.origin.clone(),
            expected: cut.expected_rows,
            written: rows,
        });
    }
    Ok(StagedFile {
        path,
        table: cut.table.clone(),
        origin: cut.origin.clone(),
        columns: cut
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        rows,
        bytes,
        sha256,
    })
}

/// A folder for its owner alone.
fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}

fn io(file: &Path) -> impl Fn(std::io::Error) -> Error {
    let file = file.display().to_string();
    move |source| Error::Io {
        file: file.clone(),
        source,
    }
}

/// What the engine says, if it cannot hold a value of a person's record: errors of evaluation and
/// conversion quote what they could not read, so of those only the kind is told.
fn refused(cut: Option<&Cut>, error: &DataFusionError) -> Error {
    let problem = match error.find_root() {
        error @ (DataFusionError::Plan(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_)
        | DataFusionError::ResourcesExhausted(_)
        | DataFusionError::IoError(_)) => error.to_string(),
        DataFusionError::ObjectStore(_) => "a file of the dataset cannot be read".to_owned(),
        DataFusionError::ParquetError(_) => "a Parquet file of the dataset is damaged".to_owned(),
        _ => "the engine could not carry out the plan".to_owned(),
    };
    engine_error(cut, problem)
}

fn engine_error(cut: Option<&Cut>, problem: String) -> Error {
    Error::Engine {
        table: cut.map_or_else(String::new, |cut| cut.table.clone()),
        origin: cut.map_or_else(String::new, |cut| cut.origin.clone()),
        problem,
    }
}
