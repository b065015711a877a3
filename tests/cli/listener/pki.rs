//! An authority of one test, with an intermediate one, and clients that trust it alone.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use roundel::clock;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{Home, until};

/// A root and an intermediate authority.
pub struct Pki {
    /// The root, in PEM.
    pub root: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Pki {
    pub fn new() -> Self {
        let root = CertifiedIssuer::self_signed(authority("Root"), KeyPair::generate().unwrap());
        let root = root.unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::signed_by(authority("Intermediate"), key, &root).unwrap();
        Self {
            root: root.pem(),
            issuer,
        }
    }

    /// A chain for a name that holds for so many days, and its key; both in PEM.
    pub fn issue(&self, name: &str, days: u64) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        let now = u64::try_from(clock::now().0 / 1000).unwrap();
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + Duration::from_secs(now - 3600);
        params.not_after = epoch + Duration::from_secs(now + days * 86_400 - 60);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let chain = format!("{}{}", leaf.pem(), self.issuer.pem());
        (chain, key.serialize_pem())
    }

    /// What a client that trusts this authority alone connects with.
    pub fn trust(&self) -> Arc<ClientConfig> {
        trusting(&self.root)
    }
}

/// What a client that trusts one root alone connects with.
pub fn trusting(root: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(root.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// The first lines of the base64 of a chain's first certificate, as openssl prints it.
pub fn first(chain: &str) -> String {
    let lines = chain.lines().skip(1).take(8);
    let text: Vec<&str> = lines.map(str::trim).collect();
    text.join("\n")
}

/// What openssl, which trusts this root alone, says of an address; and whether it takes what it is shown.
pub fn s_client(address: &str, name: &str, root: &str, home: &Home) -> (bool, String) {
    let file = home.path("trusted.pem");
    fs::write(&file, root).unwrap();
    let said = Command::new("openssl")
        .args(["s_client", "-connect", address, "-servername", name])
        .args(["-verify_return_error", "-verify_hostname", name, "-CAfile"])
        .arg(&file)
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        said.status.success(),
        String::from_utf8_lossy(&said.stdout).into_owned(),
    )
}

/// A client that keeps its one connection.
pub struct Client {
    sender: SendRequest<Empty<Bytes>>,
}

impl Client {
    /// Status of an answer that has been read to its end.
    pub async fn get(&mut self, path: &str) -> Result<u16, String> {
        self.get_with(path, None).await
    }

    /// The same by who has a token.
    pub async fn get_with(&mut self, path: &str, token: Option<&str>) -> Result<u16, String> {
        let mut request = hyper::Request::get(path).header("host", "ci.example.com");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(|err| err.to_string())?;
        let said = |err: hyper::Error| err.to_string();
        self.sender.ready().await.map_err(said)?;
        let answer = self.sender.send_request(request).await.map_err(said)?;
        let status = answer.status().as_u16();
        answer.into_body().collect().await.map_err(said)?;
        Ok(status)
    }
}

/// Connects by TLS and makes sure who is there.
pub async fn http_over_tls(
    address: &str,
    name: &str,
    trust: Arc<ClientConfig>,
) -> Result<Client, String> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|err| err.to_string())?;
    let name = ServerName::try_from(name.to_owned()).map_err(|err| err.to_string())?;
    let stream = TlsConnector::from(trust).connect(name, stream).await;
    let stream = stream.map_err(|err| err.to_string())?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|err| err.to_string())?;
    tokio::spawn(async move {
        // How it ends is told to whoever waits for an answer on it.
        let _ = connection.await;
    });
    Ok(Client { sender })
}

/// Keep-alive clients that ask until they are told to end.
pub struct Clients {
    end: Arc<AtomicBool>,
    asked: Arc<Vec<AtomicUsize>>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), String>>>,
    runtime: tokio::runtime::Runtime,
}

impl Clients {
    pub fn start(count: usize, address: &str, name: &str, trust: &Arc<ClientConfig>) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let asked: Arc<Vec<AtomicUsize>> =
            Arc::new((0..count).map(|_| AtomicUsize::new(0)).collect());
        let task = |n: usize| {
            let (end, asked) = (end.clone(), asked.clone());
            let (address, name, trust) = (address.to_owned(), name.to_owned(), trust.clone());
            runtime.spawn(async move {
                let mut client = http_over_tls(&address, &name, trust).await?;
                while !end.load(Ordering::Relaxed) {
                    match client.get("/health").await? {
                        200 => asked[n].fetch_add(1, Ordering::Relaxed),
                        status => return Err(format!("answered {status}")),
                    };
                }
                Ok(())
            })
        };
        let tasks = (0..count).map(task).collect();
        Self {
            end,
            asked,
            tasks,
            runtime,
        }
    }

    /// How often each has asked.
    fn asked(&self) -> Vec<usize> {
        let all = self.asked.iter();
        all.map(|n| n.load(Ordering::Relaxed)).collect()
    }

    /// Waits until each has asked so often more.
    pub fn go_on(&self) {
        let before = self.asked();
        until("each client has asked", || {
            let mut all = self.asked().into_iter().zip(&before);
            all.all(|(now, before)| now > before + 1)
                || self.tasks.iter().any(tokio::task::JoinHandle::is_finished)
        });
    }

    /// Ends them; not one connection may have dropped. Answers how often they asked.
    pub fn end(self) -> usize {
        let asked = self.asked().iter().sum();
        self.end.store(true, Ordering::Relaxed);
        for (n, task) in self.tasks.into_iter().enumerate() {
            let ended = self.runtime.block_on(task).unwrap();
            assert_eq!(ended, Ok(()), "client {n}");
        }
        asked
    }
}
