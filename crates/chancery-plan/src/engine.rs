use std::path::{Path, PathBuf};
use std::sync::Arc;

use chancery_dataset::Dataset;
use chancery_model::{Classification, Domain};
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::write::ROWS_PER_WRITE;
use crate::{Cut, Sources, compile};

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of memory for joins and sorts; beyond it they spill.
    pub memory: usize,
    /// Where they spill. It holds people's data: private, and removed with the release's staging.
    pub spill: PathBuf,
    /// How many cuts run at once.
    pub workers: usize,
}

/// DataFusion in this process.
pub struct Embedded {
    context: SessionContext,
}

/// Above this many people a join sorts and spills instead of holding them in memory.
const MOST_PEOPLE_IN_MEMORY: u64 = 6_000_000;

impl Embedded {
    /// An engine within limits.
    ///
    /// # Errors
    ///
    /// When the spill folder cannot be used.
    pub fn new(limits: &Limits) -> Result<Self> {
        Ok(Self {
            context: SessionContext::new_with_state(state(limits)?),
        })
    }

    /// The optimised logical plan of a cut.
    ///
    /// # Errors
    ///
    /// When a source cannot be opened or the plan does not fit it.
    pub async fn plan(
        &self,
        dataset: &Dataset,
        cut: &Cut,
        domain: &Domain,
        law: &Classification,
    ) -> Result<LogicalPlan> {
        let (_, table) = dataset
            .catalogue
            .table(&cut.table)
            .ok_or_else(|| DataFusionError::Plan(format!("no table `{}`", cut.table)))?;
        let files = dataset.table_files(&cut.table, &cut.origin);
        let many_origins = files.iter().any(|file| !file.single_origin);
        let paths: Vec<PathBuf> = files.into_iter().map(|file| file.path).collect();
        let people = dataset.subjects_file(&cut.origin);
        let records = self.open(&paths).await?;
        let people = match people {
            Some(path) => self.open(&[path]).await?,
            None => Arc::clone(&records),
        };
        let sources = Sources {
            records: provider_as_source(records),
            people: provider_as_source(people),
            many_origins,
        };
        let plan = compile(cut, table, &sources, domain, law)?;
        self.context.state().optimize(&plan)
    }

    /// Runs an optimised plan of a cut as one ordered stream.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub async fn run(&self, plan: &LogicalPlan, cut: &Cut) -> Result<SendableRecordBatchStream> {
        let mut state = self.context.state();
        if cut.people > MOST_PEOPLE_IN_MEMORY {
            state.config_mut().options_mut().optimizer.prefer_hash_join = false;
        }
        let physical = state
            .query_planner()
            .create_physical_plan(plan, &state)
            .await?;
        datafusion::physical_plan::execute_stream(physical, self.context.task_ctx())
    }

    async fn open(&self, paths: &[PathBuf]) -> Result<Arc<dyn TableProvider>> {
        let urls = paths
            .iter()
            .map(|path| url(path))
            .collect::<Result<Vec<_>>>()?;
        let options =
            ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension("");
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(options)
            .infer_schema(&self.context.state())
            .await?;
        Ok(Arc::new(ListingTable::try_new(config)?))
    }
}

/// A file's address; taken literally, so that no character of a path is read as a pattern.
fn url(path: &Path) -> Result<ListingTableUrl> {
    let absolute = std::path::absolute(path)?;
    let url = url::Url::from_file_path(&absolute)
        .map_err(|()| DataFusionError::Plan("a source's path is not absolute".to_owned()))?;
    ListingTableUrl::try_new(url, None)
}

fn state(limits: &Limits) -> Result<datafusion::execution::SessionState> {
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![limits.spill.clone()]));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory)))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    // One partition a plan keeps the records' order, so that a release is byte-reproducible; all
    // cores are used by running as many plans at once.
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(ROWS_PER_WRITE);
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.collect_statistics = false;
    options.optimizer.join_reordering = false;
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build())
}
