//! The witness's HTTP server.
//!
//! It is built on `hyper` itself, as a server for anybody needs time-outs for headers, which the
//! frameworks above it do not offer.

use std::convert::Infallible;
use std::future::Future;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::witness::{Answer, Witness};

/// The longest request body in bytes: room for a checkpoint of 16 ML-DSA-44 signatures.
pub const MAX_BODY: usize = 64 * 1024;

/// How long a client may take for the headers of a request, and then for its body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may last, whatever goes on over it: one that is never read takes a place.
const CONNECTION_TIMEOUT: Duration = Duration::from_mins(1);

/// How long requests that are under way may take when the server is to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections there may be at once; more have to wait.
const MAX_CONNECTIONS: usize = 256;

/// How many requests are worked on at once. They wait for one database, so more would not help.
const MAX_WORKERS: usize = 4;

/// Ends a server from another thread.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<Notify>);

impl Shutdown {
    /// Lets [`serve`] finish the requests that are under way, and return.
    pub fn begin(&self) {
        self.0.notify_one();
    }
}

/// What every connection has.
struct Shared {
    witness: Witness,
    observe: Box<dyn Fn(&Answer) + Send + Sync>,
    /// Told when the witness cannot remember any more.
    failed: Notify,
}

/// Serves a witness until `shutdown` begins. `observe` learns of every answer to a log.
///
/// # Errors
///
/// [`Error::Poisoned`] when the witness failed to remember something: what is on its disk is only
/// known after a new start. [`Error::Io`] when the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    witness: Witness,
    shutdown: &Shutdown,
    observe: impl Fn(&Answer) + Send + Sync + 'static,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_WORKERS)
        .build()
        .map_err(|reason| failed("start", reason))?;
    let shared = Arc::new(Shared {
        witness,
        observe: Box::new(observe),
        failed: Notify::new(),
    });
    runtime.block_on(run(listener, Arc::clone(&shared), shutdown))?;
    if shared.witness.has_failed() {
        return Err(Error::Poisoned);
    }
    Ok(())
}

async fn run(listener: TcpListener, shared: Arc<Shared>, shutdown: &Shutdown) -> Result<()> {
    let listener = listen(listener).map_err(|reason| failed("listen", reason))?;
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = GracefulShutdown::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => {
                    let connection = connections.watch(connect(stream, Arc::clone(&shared)));
                    tokio::spawn(async move {
                        // A client that goes away or is too slow has itself to blame.
                        drop(timeout(CONNECTION_TIMEOUT, connection).await);
                        drop(place);
                    });
                }
                // Such as too many open files: what is open has to end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            () = shutdown.0.notified() => break,
            () = shared.failed.notified() => break,
        }
    }
    drop(listener);
    drop(timeout(SHUTDOWN_TIMEOUT, connections.shutdown()).await);
    Ok(())
}

fn listen(listener: TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn connect(
    stream: tokio::net::TcpStream,
    shared: Arc<Shared>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(respond(request, shared).await) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}

async fn respond(request: Request<Incoming>, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    if path == "/add-checkpoint" {
        return match *request.method() {
            Method::POST => add_checkpoint(request, shared).await,
            _ => problem(StatusCode::METHOD_NOT_ALLOWED, "this takes a POST"),
        };
    }
    let origin_hash = path
        .strip_prefix('/')
        .and_then(|path| path.strip_suffix("/checkpoint"));
    match (origin_hash, request.method()) {
        (Some(origin_hash), &Method::GET) => checkpoint(origin_hash.to_owned(), shared).await,
        (Some(_), _) => problem(StatusCode::METHOD_NOT_ALLOWED, "this takes a GET"),
        (None, _) => problem(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

async fn add_checkpoint(request: Request<Incoming>, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    let body = match read_body(request.into_body()).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let worker = Arc::clone(&shared);
    let answer = in_background(move || worker.witness.add_checkpoint(&body)).await;
    let answer = answer.unwrap_or_else(|| Answer::Failed("the witness failed".to_owned()));
    (shared.observe)(&answer);
    if shared.witness.has_failed() {
        shared.failed.notify_one();
    }
    let status = StatusCode::from_u16(answer.status()).unwrap_or_default();
    text(status, answer.content_type(), answer.body())
}

async fn read_body(body: Incoming) -> std::result::Result<Bytes, Response<Full<Bytes>>> {
    match timeout(READ_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(reason)) if reason.is::<LengthLimitError>() => Err(problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request is longer than 64 KiB",
        )),
        Ok(Err(_)) => Err(problem(StatusCode::BAD_REQUEST, "the body was cut off")),
        Err(_) => Err(problem(
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long",
        )),
    }
}

async fn checkpoint(origin_hash: String, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    match in_background(move || shared.witness.checkpoint(&origin_hash)).await {
        Some(Ok(Some(note))) => text(StatusCode::OK, "text/plain; charset=utf-8", note),
        Some(Ok(None)) => problem(
            StatusCode::NOT_FOUND,
            "no checkpoint of such a log was cosigned",
        ),
        Some(Err(_)) | None => problem(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed"),
    }
}

/// Runs what waits for the disk; `None` when it panicked.
fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Option<T>> {
    let task = tokio::task::spawn_blocking(work);
    async { task.await.ok() }
}

fn problem(status: StatusCode, problem: &str) -> Response<Full<Bytes>> {
    text(status, "text/plain; charset=utf-8", format!("{problem}\n"))
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn failed(action: &'static str, reason: std::io::Error) -> Error {
    Error::Io {
        action,
        file: "the witness's server".to_owned(),
        reason,
    }
}
