//! The way to the authority: that of everything that goes out, in the form that the ACME library takes.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, Response};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::time::timeout;

/// Time for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Largest answer, in bytes: a chain of certificates has some 10 KB.
const ANSWER_MAX: usize = 1 << 20;

/// The client.
pub(super) struct Web(reqwest::Client);

impl Web {
    pub(super) fn new(client: reqwest::Client) -> Self {
        Self(client)
    }
}

impl HttpClient for Web {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            match timeout(PATIENCE, ask(client, request)).await {
                Ok(answer) => answer,
                Err(_) => {
                    let why = format!("no answer within {} s", PATIENCE.as_secs());
                    Err(Error::Other(why.into()))
                }
            }
        })
    }
}

async fn ask(
    client: reqwest::Client,
    request: Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, Error> {
    let other = |err: reqwest::Error| Error::Other(Box::new(err));
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    };
    let request = reqwest::Request::try_from(Request::from_parts(head, body)).map_err(other)?;
    let answer: Response<reqwest::Body> = client.execute(request).await.map_err(other)?.into();
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await;
    let body = body.map_err(Error::Other)?.to_bytes();
    Ok(BytesResponse {
        parts,
        body: Box::new(body),
    })
}
