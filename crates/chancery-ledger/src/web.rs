//! Requests over HTTP that end: with a limit to what is read and to how long it takes.

use std::io;
use std::time::Duration;

use ureq::http::header::CONTENT_TYPE;

/// How long a connection may lie idle and be used again.
const MAX_IDLE: Duration = Duration::from_secs(5);

/// A client that keeps its connections.
#[derive(Clone, Debug)]
pub(crate) struct Web(ureq::Agent);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Web {
    pub(crate) fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(3)
            // Before the server tires of it.
            .max_idle_age(MAX_IDLE)
            .user_agent("chancery")
            .build();
        Self(config.new_agent())
    }

    pub(crate) fn get(&self, url: &str, limit: u64, timeout: Duration) -> io::Result<Reply> {
        let request = self.0.get(url).config().timeout_global(Some(timeout));
        read(request.build().call(), limit)
    }

    pub(crate) fn post(
        &self,
        url: &str,
        body: &[u8],
        limit: u64,
        timeout: Duration,
    ) -> io::Result<Reply> {
        let request = self.0.post(url).config().timeout_global(Some(timeout));
        read(request.build().send(body), limit)
    }
}

fn read(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    limit: u64,
) -> io::Result<Reply> {
    let mut response = response.map_err(ureq::Error::into_io)?;
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|kind| Some(kind.to_str().ok()?.to_owned()));
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(limit);
    Ok(Reply {
        status,
        content_type,
        body: body.read_to_vec().map_err(ureq::Error::into_io)?,
    })
}
