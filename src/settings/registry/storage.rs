//! Storage: where artifacts, caches and logs go.

use super::{Choice, Entry, Group, Kind, When, choice};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const BACKENDS: &[Choice] = &[
    choice("storage_backend_s3", "AWS S3"),
    choice("storage_backend_none", "None"),
];

const IDENTITIES: &[Choice] = &[
    choice("role", "IAM Instance Profile"),
    choice("user", "IAM User (Key+Secret)"),
];

const S3: When = When::Is("storage_backend", "storage_backend_s3");
const USER: When = When::Is("iam_auth_type", "user");
const S3_USER: When = When::All(&[S3, USER]);

pub(super) const GROUP: Group = Group {
    name: "storage",
    title: "Storage",
    note: Some(
        "Logs are kept in the data directory; S3 is not built yet: held and checked, not used.",
    ),
    entries: &[
        Entry::new(
            "storage_backend",
            "Storage",
            Kind::Choice(BACKENDS),
            "AWS S3, or None: on this machine's disk.",
        )
        .defaults(&[(When::Always, "storage_backend_none")])
        .required(When::Always),
        Entry::new(
            "aws_region",
            "AWS Region",
            Kind::Text,
            "Region of the bucket.",
        )
        .shown(S3)
        .required(When::Always)
        .rule(rules::region),
        Entry::new("s3_bucket", "S3 Bucket", Kind::Text, "Name of the bucket.")
            .shown(S3)
            .required(When::Always)
            .rule(rules::bucket),
        Entry::new(
            "iam_auth_type",
            "Authentication",
            Kind::Choice(IDENTITIES),
            "The profile of this machine, or a user with key and secret.",
        )
        .defaults(&[(When::Always, "role")])
        .shown(S3)
        .required(When::Always),
        Entry::new(
            "aws_access_key_id",
            "Access Key ID",
            Kind::Text,
            "Key of the IAM user.",
        )
        .shown(S3_USER)
        .required(When::Always)
        .rule(rules::access_key_id),
        Entry::new(
            "aws_secret_access_key",
            "Secret Key",
            Kind::Secret,
            "Secret of that key.",
        )
        .shown(S3_USER)
        .required(When::Always)
        .rule(rules::word),
        Entry::new(
            "storage.local_path",
            "Folder",
            Kind::Text,
            "Where artifacts and caches lie on this machine: best a fast volume of its own.",
        )
        .defaults(&[(When::Always, "/data/circle/storage-fileserver")])
        .shown(When::Is("storage_backend", "storage_backend_none"))
        .required(When::Always)
        .rule(local),
    ],
};

fn local(value: &Value, values: &Values) -> Vec<Fault> {
    let mut faults = rules::absolute_path(value, values);
    if value.text() == "/" {
        faults.push(Fault::error("is the root of the file system").fix("a folder of its own"));
    }
    faults
}
