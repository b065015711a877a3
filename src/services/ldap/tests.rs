//! What a directory may say that is none, or a bad one: a port that answers with any bytes. The real ones are met by
//! `tests/cli/ldap.rs`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::error::{Explain, Kind};

/// A port on which each connection is answered with these bytes, whatever is asked, and then ended.
async fn port_that_says(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 512]).await;
                let _ = stream.write_all(&bytes).await;
            });
        }
    });
    port
}

fn directory(port: u16, encryption: &str) -> Directory {
    let mut values = Values::default();
    for (key, text) in [
        ("ldap.hostname", "127.0.0.1"),
        ("ldap.encryption", encryption),
        ("ldap.search_user", "cn=search,dc=example,dc=com"),
        ("ldap.base_dn", "dc=example,dc=com"),
    ] {
        values.set(key, Value::Text(text.to_owned()));
    }
    let password = Secret::new("search password".to_owned());
    values.set("ldap.search_password", Value::Secret(password));
    values.set("ldap.port", Value::Number(port.into()));
    values.set("ldap.timeout", Value::Number(5));
    Directory::new(&values).unwrap()
}

#[tokio::test]
async fn whatever_answers_is_an_error_and_no_panic() {
    let bind = [0x30, 0x0c, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0].to_vec();
    let mut deep = vec![0x30, 0x84, 0, 0, 0x40, 0];
    deep.extend([0x30, 0x82, 0x3f, 0].repeat(4096));
    let table: [(&str, Vec<u8>); 8] = [
        ("nothing", Vec::new()),
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("a huge message", vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        ("no message at all", vec![0x30, 0]),
        ("no result", [0x30, 5, 2, 1, 1, 0x61, 0].to_vec()),
        (
            "a result that is no number",
            vec![0x30, 7, 2, 1, 1, 0x61, 2, 4, 0],
        ),
        (
            "words that are no UTF-8",
            vec![0x30, 0x0d, 2, 1, 1, 0x61, 8, 10, 1, 1, 4, 0, 4, 1, 0xff],
        ),
        ("too deep", deep),
    ];
    for (what, bytes) in table {
        for encryption in ["plain", "starttls"] {
            let port = port_that_says(bytes.clone()).await;
            let dir = directory(port, encryption);
            let password = Secret::new("secret".to_owned());
            let err = dir.sign_in("alice", &password).await.unwrap_err();
            assert!(
                matches!(
                    err,
                    DirectoryError::Ended { .. } | DirectoryError::Garbled { .. }
                ),
                "{what}, {encryption}: {err:?}"
            );
            assert!(!err.refuses() && err.hint().is_some(), "{what}: {err}");
        }
    }
    // One that lets everybody in and then says something else than entries.
    let port = port_that_says([&bind[..], &[0x30, 5, 2, 1, 2, 0x42, 0]].concat()).await;
    let dir = directory(port, "plain");
    let err = dir.look_up(Who::Name("alice")).await.unwrap_err();
    assert!(!err.refuses(), "{err}");
}

#[tokio::test]
async fn more_than_the_answer_to_starttls_is_not_taken() {
    let yes = [0x30, 0x0c, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0];
    let no = [0x30, 0x0c, 2, 1, 1, 0x78, 7, 10, 1, 2, 4, 0, 4, 0];
    let password = Secret::new("secret".to_owned());
    let twice = port_that_says([yes, yes].concat()).await;
    let err = directory(twice, "starttls")
        .sign_in("alice", &password)
        .await;
    assert!(err.unwrap_err().to_string().contains("more came"));
    let refuses = port_that_says(no.to_vec()).await;
    let err = directory(refuses, "starttls")
        .sign_in("alice", &password)
        .await;
    let err = err.unwrap_err();
    assert_eq!(err.kind(), Kind::Infrastructure);
    assert!(matches!(err, DirectoryError::NoStartTls { .. }), "{err:?}");
}

#[tokio::test]
async fn an_empty_password_is_refused_before_anybody_is_asked() {
    // Nobody listens there, and nobody is asked.
    let dir = directory(1, "plain");
    let err = dir.sign_in("alice", &Secret::new(String::new())).await;
    let err = err.unwrap_err();
    assert!(matches!(err, DirectoryError::EmptyPassword) && err.refuses());
    assert_eq!(err.kind(), Kind::Usage);
}

#[test]
fn a_setting_that_is_absent_is_named() {
    let err = Directory::new(&Values::default()).unwrap_err();
    assert!(
        err.setting().is_some_and(|key| key.starts_with("ldap.")),
        "{err}"
    );
    let locked = [("ldap.search_password".to_owned(), Value::Locked)];
    let err = Directory::new(&locked.into_iter().collect()).unwrap_err();
    assert!(matches!(err, DirectoryError::Locked), "{err}");
    assert_eq!(err.kind(), Kind::Unavailable);
}

#[test]
fn no_password_is_shown() {
    let dir = directory(1, "plain");
    assert!(!format!("{dir:?}").contains("search password"));
}
