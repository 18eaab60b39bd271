//! The solver: a child process that is trusted with nothing but an answer in time.

use std::ffi::OsString;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cedar_policy_symcc::err::{Error, SolverError};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use tokio::process::Command;

/// Where the solver is and how long it may think.
#[derive(Clone, Debug)]
pub struct Solver {
    /// The program: a path, or a name to be found on `PATH`.
    pub program: OsString,
    /// The time for one question.
    pub limit: Duration,
    /// The time for all questions.
    pub total: Duration,
    /// How many of it run at a time.
    pub workers: usize,
}

impl Solver {
    /// The environment variable that says where the solver is.
    pub const VARIABLE: &str = "CVC5";
    const LIMIT: Duration = Duration::from_secs(20);
    const TOTAL: Duration = Duration::from_mins(5);
    /// Its last words after its own time limit.
    const GRACE: Duration = Duration::from_millis(500);
    /// The time to start and to answer the questions of the trial.
    const START: Duration = Duration::from_secs(10);

    /// `cvc5`, or what the environment variable `CVC5` names.
    pub fn cvc5() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            program: std::env::var_os(Self::VARIABLE).unwrap_or_else(|| "cvc5".into()),
            limit: Self::LIMIT,
            total: Self::TOTAL,
            workers: workers.min(4),
        }
    }
}

/// A question to the solver: is there a request for which …
pub(super) enum Question<'q> {
    /// … both sets allow?
    BothAllow(&'q CompiledPolicySet, &'q CompiledPolicySet),
    /// … the first set allows and the second does not?
    OnlyFirstAllows(&'q CompiledPolicySet, &'q CompiledPolicySet),
    /// … the policy errs?
    Errs(&'q CompiledPolicy),
}

/// A number of questions that share a time limit.
pub(super) struct Session<'s> {
    solver: &'s Solver,
    until: Option<Instant>,
    asked: AtomicU64,
    /// Why the solver is of no use: it cannot be started, or failed its trial.
    useless: OnceLock<String>,
}

impl<'s> Session<'s> {
    pub(super) fn new(solver: &'s Solver) -> Self {
        Self {
            solver,
            until: Instant::now().checked_add(solver.total),
            asked: AtomicU64::new(0),
            useless: OnceLock::new(),
        }
    }

    /// How many questions were put.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Why there is no point in asking, if there is none.
    fn over(&self) -> Option<String> {
        let up = || "the time for all questions is up".to_owned();
        let useless = self.useless.get().cloned();
        useless.or_else(|| self.left().is_zero().then(up))
    }

    /// What is left of the time.
    fn left(&self) -> Duration {
        self.until.map_or(Duration::MAX, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }
}

/// A worker with a solver of its own, started when it is first needed.
pub(super) struct Asker<'s> {
    runtime: tokio::runtime::Runtime,
    running: Running<'s>,
}

impl Asker<'_> {
    /// The answer: no such request, or one. An error is the reason why there is no answer.
    pub(super) fn ask(&mut self, question: &Question<'_>) -> Result<Option<Env>, String> {
        self.runtime.block_on(self.running.ask(question))
    }
}

/// Does the jobs with a few workers. A job that could not be done has the reason for its answer.
pub(super) fn each<J: Sync, A: Send>(
    session: &Session<'_>,
    trial: &Trial,
    jobs: &[J],
    work: impl Fn(&mut Asker<'_>, &J) -> Result<A, String> + Sync,
) -> Vec<Result<A, String>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return done;
        };
        let mut asker = Asker {
            runtime,
            running: Running {
                session,
                compiler: None,
                trial,
            },
        };
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            let ready = asker.runtime.block_on(asker.running.ready());
            done.push((at, ready.and_then(|()| work(&mut asker, job))));
        }
        asker.runtime.block_on(asker.running.stop());
        done
    };
    let lost = || Err("a worker failed".to_owned());
    let mut answers: Vec<Result<A, String>> = jobs.iter().map(|_| lost()).collect();
    std::thread::scope(|scope| {
        let workers = 0..session.solver.workers.clamp(1, jobs.len().max(1));
        let workers: Vec<_> = workers.map(|_| scope.spawn(worker)).collect();
        for (at, answer) in workers
            .into_iter()
            .flat_map(|w| w.join().unwrap_or_default())
        {
            if let Some(slot) = answers.get_mut(at) {
                *slot = answer;
            }
        }
    });
    answers
}

/// A running solver, or none yet.
struct Running<'s> {
    session: &'s Session<'s>,
    compiler: Option<CedarSymCompiler<LocalSolver>>,
    trial: &'s Trial,
}

/// Two questions whose answers are known: a solver that gets one wrong is not believed.
pub(super) struct Trial {
    /// Some request is allowed by both.
    pub(super) some: (CompiledPolicySet, CompiledPolicySet),
    /// No request is allowed by both.
    pub(super) none: (CompiledPolicySet, CompiledPolicySet),
}

impl Running<'_> {
    async fn ask(&mut self, question: &Question<'_>) -> Result<Option<Env>, String> {
        self.ready().await?;
        let limit = self.session.solver.limit;
        self.put(question, limit).await
    }

    /// Starts a solver, unless one runs, and tries it.
    async fn ready(&mut self) -> Result<(), String> {
        if let Some(over) = self.session.over() {
            return Err(over);
        }
        if self.compiler.is_some() {
            return Ok(());
        }
        let started = match self.start() {
            Ok(compiler) => {
                self.compiler = Some(compiler);
                self.tried().await
            }
            Err(reason) => Err(reason),
        };
        if let Err(reason) = started {
            self.stop().await;
            return Err(self.session.useless.get_or_init(|| reason).clone());
        }
        Ok(())
    }

    async fn tried(&mut self) -> Result<(), String> {
        let trial = self.trial;
        let (some, none) = (&trial.some, &trial.none);
        let found = self
            .put(&Question::BothAllow(&some.0, &some.1), Solver::START)
            .await?;
        let nothing = self
            .put(&Question::BothAllow(&none.0, &none.1), Solver::START)
            .await?;
        if found.is_none() || nothing.is_some() {
            return Err("the solver is wrong about a question whose answer is known".to_owned());
        }
        Ok(())
    }

    async fn put(
        &mut self,
        question: &Question<'_>,
        limit: Duration,
    ) -> Result<Option<Env>, String> {
        if let Some(over) = self.session.over() {
            return Err(over);
        }
        let Some(compiler) = self.compiler.as_mut() else {
            return Err("the solver does not run".to_owned());
        };
        self.session.asked.fetch_add(1, Ordering::Relaxed);
        let answer = async {
            match question {
                Question::BothAllow(one, other) => {
                    compiler
                        .check_disjoint_with_counterexample_opt(one, other)
                        .await
                }
                Question::OnlyFirstAllows(one, other) => {
                    compiler
                        .check_implies_with_counterexample_opt(one, other)
                        .await
                }
                Question::Errs(policy) => {
                    compiler
                        .check_never_errors_with_counterexample_opt(policy)
                        .await
                }
            }
        };
        let allowed = self.session.left().min(limit + Solver::GRACE);
        let answer = tokio::time::timeout(allowed, answer).await;
        let reason = match answer {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => reason(&error),
            Err(_) => {
                let late = format!("the solver gave no answer within {limit:?}");
                self.session.over().unwrap_or(late)
            }
        };
        // What it still has to say belongs to this question: the next gets a fresh process.
        self.stop().await;
        Err(reason)
    }

    fn start(&self) -> Result<CedarSymCompiler<LocalSolver>, String> {
        let solver = self.session.solver;
        let limit = format!("--tlimit-per={}", solver.limit.as_millis());
        let mut command = Command::new(&solver.program);
        command.args(["--lang", "smt", &limit]).kill_on_drop(true);
        let started = LocalSolver::from_command(&mut command);
        let started =
            started.map_err(|error| format!("the solver cannot be started: {}", cause(&error)))?;
        CedarSymCompiler::new(started).map_err(|error| error.to_string())
    }

    /// Ends the process.
    async fn stop(&mut self) {
        if let Some(mut compiler) = self.compiler.take() {
            // It may have ended by itself.
            let _ = compiler.solver_mut().clean_up().await;
        }
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::SolverUnknown => "the solver answered `unknown`".to_owned(),
        Error::SolverError(error) => format!("the solver failed: {}", cause(error)),
        error => format!("no answer: {error}"),
    }
}

fn cause(error: &SolverError) -> String {
    match error {
        SolverError::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}
