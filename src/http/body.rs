//! The body of a request, as JSON. Of one that cannot be read only the place is told: what stands there may be a secret, and
//! errors are logged by whoever gets them.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    /// In words, which are put into the form of the API for all refusals alike.
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !is_json(&request) {
            let words = "it needs `Content-Type: application/json`";
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, words).into_response());
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(IntoResponse::into_response)?;
        serde_json::from_slice(&body).map(Self).map_err(unread)
    }
}

/// Whether the request says so, as no form of a web page can.
fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn unread(err: serde_json::Error) -> Response {
    let status = match err.is_data() {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::BAD_REQUEST,
    };
    let text = err.to_string();
    // In these nothing is from the body: a name is ours.
    let is_ours = err.is_eof() || text.starts_with("missing field");
    let words = match is_ours {
        true => text,
        false => format!(
            "not understood at line {} column {}",
            err.line(),
            err.column()
        ),
    };
    (status, words).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;
    use crate::api::session::SignIn;

    async fn said(body: &str) -> (u16, String) {
        let request = Request::post("/")
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let answer = Asked::<SignIn>::from_request(request, &()).await;
        let answer = answer.expect_err("it cannot be read");
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), 4096).await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn the_place_is_told_and_not_what_stands_there() {
        for body in [
            r#"{"user": "ann", "password": 47110815}"#,
            r#"{"user": "ann", "password": {"47110815": 1}}"#,
            r#"{"user": "ann", "password": "47110815"#,
            r#"{"user": "ann", "password": 47110815x}"#,
        ] {
            let (status, text) = said(body).await;
            assert!(matches!(status, 400 | 422), "{status} {text}");
            assert!(text.contains("at line 1 column "), "{text}");
            assert!(!text.contains("47110815"), "{text}");
        }
        let (_, text) = said("{}").await;
        assert!(text.contains("missing field `password`"), "{text}");
        let form = Request::post("/").header("content-type", "text/plain");
        let form = form.body(Body::from("{}")).expect("a request");
        let answer = Asked::<SignIn>::from_request(form, &()).await;
        assert!(answer.is_err(), "what a page of somebody else can send");
    }
}
