//! The secrets of one run of the test, which nobody else has: a value for each secret of the registry, and the parts of it
//! that have to stay unknown.

use crate::search::{Form, escaped, forms, of_private_key};

/// Letters and digits.
pub fn word() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Characters that URLs, JSON and shells write otherwise.
pub fn hard() -> String {
    format!("p@s\"/ \\{}%o", word())
}

/// A setting, its value, and what of it nobody may find.
pub struct Given {
    pub key: &'static str,
    pub value: String,
    pub hidden: Vec<Form>,
}

/// A value that is secret as a whole.
fn whole(key: &'static str, value: String) -> Given {
    let hidden = forms(key, value.as_bytes());
    Given { key, value, hidden }
}

/// A value in which a password stands as URLs have it.
fn address(key: &'static str, before: &str, password: &str, after: &str) -> Given {
    Given {
        key,
        value: format!("{before}ann:{}@{after}", escaped(password)),
        hidden: forms(key, password.as_bytes()),
    }
}

/// A private key in PEM.
fn private(key: &'static str, value: String) -> Given {
    let hidden = of_private_key(key, &value);
    Given { key, value, hidden }
}

/// A value for each secret of the registry but `acme.account`, which the server makes at an order. The keys are in PEM; at
/// `proxy` a proxy listens that takes this password.
pub fn of_settings(
    console_key: String,
    public_key: String,
    proxy: &str,
    password: &str,
) -> Vec<Given> {
    vec![
        address("proxy.url", "http://", password, proxy),
        address(
            "external.mongo_base_uri",
            "mongodb://",
            &hard(),
            "mongo.example.com/?authSource=admin",
        ),
        whole("external.postgres_password", hard()),
        whole("external.vault_token", word()),
        whole("console.password", hard()),
        private("console.tls.key", console_key),
        whole("vm.secret_access_key", format!("{}/+=", word())),
        address(
            "vm.http_proxy",
            "http://",
            &hard(),
            "proxy.example.com:3128",
        ),
        address(
            "vm.https_proxy",
            "http://",
            &hard(),
            "proxy.example.com:3128",
        ),
        whole("aws_secret_access_key", format!("{}/+=", word())),
        whole("secret_passphrase", word()),
        whole("ghe_client_secret", format!("{}{}", word(), &word()[..8])),
        whole("ghe_api_token", word()),
        whole("ldap.search_password", hard()),
        private("ssl_private_key", public_key),
    ]
}
