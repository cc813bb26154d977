//! The schema registry behind Confluent's REST API: real clients register, look up, and are refused.
//!
//! In: HTTP requests on one address. Out: what `machines::registry` answers, in the product's shapes and words. Loopback
//! only, unless another address is asked for. A request cannot harm the next one: bodies and waiting have limits, and a
//! panic answers 500.
//! Must not know: compatibility, what schemas mean. Start at [`serve`]; a request's way is [`Call`], [`answer`], [`Answer`].
//!
//! ```text
//! socket ─► axum ─► Call ─► answer(&mut Registry, &Call) ─► Answer ─► socket
//! ```

mod answer;
mod bodies;
mod call;
mod replies;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::machines::registry::Registry;

pub use answer::answer;
pub use call::{Call, Method};
pub use replies::Answer;

/// Largest body of a request.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY_WAIT_MAX: Duration = Duration::from_secs(30);
/// Requests under way at once; further ones wait.
const REQUESTS_MAX: usize = 256;
/// As the product writes it.
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no more threads or sockets.
    #[error("the server stopped: {0}")]
    Stopped(#[from] std::io::Error),
}

/// Serves a registry until the process is interrupted; `listening` is told the address, with the port that was chosen for
/// port 0.
///
/// # Errors
/// An address that cannot be had, a system that gives no threads.
pub fn serve(registry: Registry, host: IpAddr, port: u16, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let address = SocketAddr::new(host, port);
    runtime.block_on(async move {
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        listening(listener.local_addr()?);
        let shared = Arc::new(Shared { registry: Mutex::new(registry), places: Semaphore::new(REQUESTS_MAX) });
        let router = Router::new().fallback(handle).with_state(shared);
        let interrupted = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        axum::serve(listener, router).with_graceful_shutdown(interrupted).await?;
        Ok(())
    })
}

struct Shared {
    registry: Mutex<Registry>,
    places: Semaphore,
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let Ok(_place) = shared.places.acquire().await else { return respond(Answer::internal()) };
    let (parts, body) = request.into_parts();
    let Some(method) = Method::named(parts.method.as_str()) else { return respond(Answer::no_such_method()) };
    let body = match tokio::time::timeout(BODY_WAIT_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return respond(Answer::too_large(BODY_BYTES_MAX)),
        Err(_) => return respond(Answer::too_slow()),
    };
    let call = Call::new(method, parts.uri.path(), parts.uri.query().unwrap_or_default(), body);
    let shared = Arc::clone(&shared);
    // A hostile schema may take its hundred milliseconds: others are served meanwhile up to here.
    let answered = tokio::task::spawn_blocking(move || {
        let mut registry = shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
        answer(&mut registry, &call)
    });
    respond(answered.await.unwrap_or_else(|_| Answer::internal()))
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(CONTENT_TYPE));
    response
}
