//! The floor that `bench/compare` holds a release against: the same plans run by the same engine
//! on as many cores and written as zstd Parquet, and nothing else.
//!
//! No second look at the inputs' digests, no digest of what is written, nothing made durable, no
//! manifest, no ledger. Only the cut is timed; law and decision are not.
//!
//!     bare_cut WORKSPACE REQUEST.toml DAY OUT

#![allow(clippy::print_stdout, reason = "what the benchmark reads")]

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_dataset::Dataset;
use chancery_law::LawPack;
use chancery_model::Request;
use chancery_plan::{Cut, Embedded, Limits};
use chancery_release::{Known, Workspace, ask, decide};
use futures::StreamExt as _;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workspace, request, day, out] = arguments.as_slice() else {
        return Err("bare_cut WORKSPACE REQUEST.toml DAY OUT".into());
    };
    let workspace = Workspace::find(Path::new(workspace))?;
    let law = workspace.law()?;
    let text = std::fs::read_to_string(request)?;
    let asked = Request::parse(request, &text)?;
    let dataset = workspace.dataset(&asked.dataset, &law)?;
    let question = ask(request, &text, asked, &law, &dataset)?;
    let standing = workspace.standing(&law, day.parse()?, Known::Now)?;
    let in_force = law.in_force(day.parse()?, workspace.sign_off(&standing))?;
    let answer = decide(question, &in_force, &dataset)?;

    let start = std::time::Instant::now();
    let rows = run_all(&dataset, &law, answer.cuts(), Path::new(out))?;
    println!("{:.3} s, {rows} rows", start.elapsed().as_secs_f64());
    Ok(())
}

fn run_all(dataset: &Dataset, law: &LawPack, cuts: &[Cut], out: &Path) -> Result<usize> {
    let workers = std::thread::available_parallelism()?.get();
    let mut cuts: Vec<&Cut> = cuts.iter().collect();
    cuts.sort_by_key(|cut| std::cmp::Reverse(cut.expected_rows));
    let next = AtomicUsize::new(0);
    let limits = Limits {
        memory: (768 << 20) / workers,
        spill: out.join("spill"),
        workers,
    };
    std::fs::create_dir_all(&limits.spill)?;
    let worker = || -> Result<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let engine = Embedded::new(&limits)?;
        let mut rows = 0;
        while let Some(cut) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
            rows += runtime.block_on(run(&engine, dataset, law, cut, out))?;
        }
        Ok(rows)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a worker failed")?)
            .sum()
    })
}

async fn run(
    engine: &Embedded,
    dataset: &Dataset,
    law: &LawPack,
    cut: &Cut,
    out: &Path,
) -> Result<usize> {
    let plan = engine
        .plan(dataset, cut, law.domain(), law.classification())
        .await?;
    let mut stream = engine.run(&plan, cut).await?;
    let folder: PathBuf = out.join(&cut.table);
    std::fs::create_dir_all(&folder)?;
    let file = File::create(folder.join(format!("{}.parquet", cut.origin)))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = ArrowWriter::try_new(file, stream.schema(), Some(properties))?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(rows)
}
