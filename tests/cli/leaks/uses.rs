//! Each secret as it is used: rightly, wrongly, and where something else is wrong beside it.

use std::fs;
use std::path::Path;

use crate::listener::pki::{Pki, s_client};
use crate::openldap::OpenLdap;
use crate::search::{escaped, forms, of_private_key};
use crate::secrets;
use crate::support::{Said, until};
use crate::vm::REGION;

use super::given::{Given, hard, word};
use super::site::{Site, serve};

const NAME: &str = "ci.example.com";
/// Who is where, among the people of the site.
const DESK: usize = 0;
const LAPTOP: usize = 1;
const OFFICE: usize = 2;

impl Site {
    /// A secret that is wrong, and as little to be found as the right one.
    pub fn wrong(&self, name: &str) -> String {
        let text = hard();
        self.hide(forms(&format!("wrong {name}"), text.as_bytes()));
        text
    }

    /// A secret that is right.
    fn right(&self, name: &str, text: &str) -> String {
        self.hide(forms(name, text.as_bytes()));
        text.to_owned()
    }

    /// What an administrator writes into the file of settings: plain ones as they are, secrets as names of files.
    pub fn import(&self, given: &[Given], console: &str, public: &str) {
        let (console, public) = (
            self.file("console.crt", console),
            self.file("public.crt", public),
        );
        let mut text = format!(
            "ldap.enabled = true\nldap.hostname = \"127.0.0.1\"\nldap.port = {}\nldap.search_user = \"{}\"\n\
             ldap.base_dn = \"dc=example,dc=com\"\nldap.user_search_dn = \"ou=people\"\nldap.admin_groups = \"ops\"\n\
             console.tls.source = \"key-cert\"\nconsole.tls.hostname = \"{NAME}\"\nconsole.tls.cert = {{ file = \"{console}\" }}\n\
             privacy.ssl_only = true\nssl_cert = {{ file = \"{public}\" }}\n{PRODUCT}",
            self.ldap.port,
            OpenLdap::dn("erin"),
        );
        for Given { key, value, hidden } in given {
            text += &format!("{key} = {{ file = \"{}\" }}\n", self.file(key, value));
            self.hide(hidden.clone());
        }
        let file = self.file("settings.toml", &text);
        self.run(&["settings", "import", &file, "--yes"])
            .with_code(0);
        // What the services run with is what is saved.
        self.run(&["services", "stop", "--yes"]).with_code(0);
        self.run(&["services", "start"]).with_code(0);
    }

    /// The directory: its search user, a person who signs in, and wrong passwords of both.
    pub fn directory(&self, password: &str) {
        let password = self.right("password of ann", password);
        let (file, wrong) = (self.file("ann", &password), self.wrong("password of ann"));
        let test = ["ldap", "test", "--user", "ann", "--password-file"];
        self.run(&[&test[..], &[&file]].concat()).with_code(0);
        self.run(&[&test[..], &[&file, "--json"]].concat())
            .with_code(0);
        self.run(&[&test[..], &[&self.file("ann, wrong", &wrong)]].concat())
            .with_code(5);
        let search = self.file("search, wrong", &self.wrong("ldap.search_password"));
        let set = format!("ldap.search_password={search}");
        self.run(&[&test[..], &[&file, "--set-file", &set]].concat())
            .with_code(5);
        let login = [
            "login",
            "--user",
            "ann",
            "--fingerprint",
            &self.fingerprint(),
        ];
        self.away(DESK, &login, &wrong).with_code(5);
        self.away(DESK, &login, &password).with_code(0);
        self.kept_token(DESK, "session of ann");
    }

    /// Whoever has a token uses it; it is what they have kept.
    fn kept_token(&self, who: usize, name: &'static str) {
        let tokens = self.people[who].path("config/roundel/tokens");
        let file = tokens.join(self.console());
        let token = fs::read_to_string(&file).unwrap();
        self.tokens.borrow_mut().push((file, name));
        let secret = token.trim().rsplit('_').next().unwrap();
        self.right(name, secret);
        self.away(who, &["whoami", "--json"], "").with_code(0);
        self.away(who, &["status"], "").with_code(0);
        self.away(who, &["console", "--once"], "").with_code(0);
    }

    /// The password of the console, and a token, right and wrong.
    pub fn ways_in(&self, password: &str) {
        let fingerprint = self.fingerprint();
        let login = ["login", "--console", "--fingerprint", &fingerprint];
        self.away(OFFICE, &login, &self.wrong("console.password"))
            .with_code(5);
        self.away(OFFICE, &login, password).with_code(0);
        self.kept_token(OFFICE, "session of the console");
        // Shown this once, to whoever asked for it.
        let made = self
            .home()
            .run(&["token", "create", "laptop", "--role", "operator"]);
        let token = made.with_code(0).out.trim().to_owned();
        let login = ["login", "--fingerprint", &fingerprint];
        let (id, _) = token.rsplit_once('_').unwrap();
        let wrong = format!("{id}_{}", self.right("another token", &word()));
        for wrong in [&wrong, &self.wrong("token")] {
            let said = self.away(LAPTOP, &login, wrong);
            assert_ne!(said.code, Some(0), "{said:?}");
        }
        self.away(LAPTOP, &login, &token).with_code(0);
        self.kept_token(LAPTOP, "token of the laptop");
    }

    /// Both listeners show the certificates, so that they have the keys.
    pub fn listeners(&self, pki: &Pki) {
        for address in [self.authority.public.clone(), self.console()] {
            let (taken, said) = s_client(&address, NAME, &pki.root, self.home());
            assert!(taken, "{said}");
        }
        let [key, cert] =
            ["ssl_private_key", "public.crt"].map(|name| self.home().path("given").join(name));
        self.run(&["tls", "verify"]);
        self.run(&[
            "tls",
            "verify",
            cert.to_str().unwrap(),
            key.to_str().unwrap(),
        ]);
    }

    /// The proxy: tried with the right password and with a wrong one, and gone by to a repository.
    pub fn proxy(&self) {
        let url = format!("http://origin.test:{}/", self.origin.port);
        self.run(&["proxy", "test", &url]).with_code(0);
        self.run(&["proxy", "test", &url, "--json"]).with_code(0);
        self.squid.until_logged(&["GET", &url, " ann ", "/200"]);
        let wrong = escaped(&self.wrong("proxy.url"));
        let wrong = self.squid.url(&format!("ann:{wrong}@"));
        let set = format!("proxy.url={}", self.file("proxy, wrong", &wrong));
        self.run(&["proxy", "test", &url, "--set-file", &set])
            .with_code(5);
        let repository = format!("http://git.test:{}/app.git", self.origin.port);
        self.run(&["build", &repository]).with_code(0);
        self.squid
            .until_logged(&["GET", "git.test", "info/refs", " ann ", "/200"]);
        let absent = format!("http://git.test:{}/none.git", self.origin.port);
        self.run(&["build", &absent]);
        // What others are told is for them; how it is shown and compared is for everybody.
        let root = self.home().path("rendered");
        fs::create_dir(&root).unwrap();
        let render = ["proxy", "render", "--root", root.to_str().unwrap()];
        self.run(&render).with_code(0);
        self.run(&[&render[..], &["--write"]].concat()).with_code(0);
        let environment = root.join("etc/environment");
        let text = fs::read_to_string(&environment).unwrap();
        fs::write(&environment, text.replace("ann", "ben")).unwrap();
        self.run(&["settings", "drift"]).with_code(4);
        self.run(&["settings", "drift", "--json"]).with_code(4);
        self.run(&[&render[..], &["--json"]].concat()).with_code(0);
    }

    /// A job that prints its variables in every way, looked at while it runs.
    pub fn job(&self, looked: impl FnOnce(&Site)) {
        let hold = self.home().path("hold");
        fs::write(&hold, "").unwrap();
        let wait = format!("[ -e {} ]", hold.display());
        self.home()
            .repository("web", &secrets::config("machine: true", &wait, "{A: b}"));
        let key = Pki::new().issue(NAME, 1).1;
        self.hide(of_private_key("KEY of the project", &key));
        let token = self.right("TOKEN of the project", &hard());
        for (name, value) in [("TOKEN", &token), ("KEY", &key)] {
            self.feed(&["project", "env", "set", "./web", name], value)
                .with_code(0);
        }
        let refused = format!("{}\0", self.wrong("TOKEN of the project"));
        self.feed(&["project", "env", "set", "web", "TOKEN"], &refused)
            .with_code(2);
        let build = self.home().start(&["build", "web"]);
        let log = || self.home().run(&["logs", "web#1"]).out;
        until("all was said once", || log().contains("and this stays"));
        looked(self);
        fs::remove_file(&hold).unwrap();
        let built = Said::from(build.wait_with_output().unwrap()).with_code(0);
        self.keep(&["build", "web"], built);
    }

    /// EC2, asked with the key of a user: refused first, then VMs are made. And with what the metadata service hands out.
    pub fn machines(&self, moto: &str) {
        let mark = word();
        let (subnet, group) = (self.account.subnet(), self.account.open_group(&mark));
        let plain = [
            ("vm.provider", "ec2"),
            ("vm.aws_region", REGION),
            ("vm.subnet_id", &subnet),
            ("vm.security_group_id", &group),
            ("vm.endpoint_url", &self.ec2.url),
            ("vm.metadata_url", moto),
            ("vm.auth_type", "user"),
            ("vm.access_key_id", "AKIAIOSFODNN7EXAMPLE"),
            ("vm.no_proxy", "169.254.169.254"),
        ];
        for (key, value) in plain {
            self.run(&["settings", "set", key, value]).with_code(0);
        }
        self.ec2.refuse("DescribeSubnets", 2, 401, "AuthFailure");
        self.run(&["settings", "test", "vm"]);
        self.run(&["vm", "test", "--json"]);
        self.ec2.relent();
        let wrong = self.file("vm, wrong", &self.wrong("vm.secret_access_key"));
        let set = format!("vm.secret_access_key={wrong}");
        self.run(&["settings", "test", "vm", "--set-file", &set]);
        self.run(&["vm", "test"]).with_code(0);
        self.run(&["settings", "set", "vm.prealloc_machine", "1"])
            .with_code(0);
        self.run(&["settings", "save", "--yes"]).with_code(0);
        until("EC2 is asked for a VM", || {
            self.ec2.count("RunInstances") > 0
        });
        self.run(&["vm", "list", "--json"]).with_code(0);
        for secret in ["test-secret-key", "test-session-token"] {
            self.right(&format!("{secret} of the profile"), secret);
        }
        self.run(&["vm", "test", "--set", "vm.auth_type=profile"])
            .with_code(0);
        // Jobs are of this machine again.
        self.run(&["settings", "unset", "vm.provider"]).with_code(0);
        self.run(&["settings", "save", "--yes"]).with_code(0);
    }

    /// A certificate of the authority, by an account that is made at its order.
    pub fn order(&self) {
        self.run_own("tls acme", &mut self.authority.order_by_hook())
            .with_code(0);
        self.authority.served();
    }

    /// Settings to a file and back, sealed; and without the passphrase.
    pub fn exchange(&self, out: &Path) -> String {
        let passphrase = self.right("passphrase of an export", &hard());
        let key = self.file("passphrase", &passphrase);
        let sealed = out.join("sealed.toml");
        let sealed = sealed.to_str().unwrap();
        self.run(&["settings", "export", "--key-file", &key, "--out", sealed])
            .with_code(0);
        self.run(&["settings", "export", "--key-file", &key, "--json"])
            .with_code(0);
        let wrong = self.file("passphrase, wrong", &self.wrong("passphrase of an export"));
        self.run(&["settings", "import", sealed, "--key-file", &wrong])
            .with_code(2);
        self.run(&["settings", "import", sealed]).with_code(2);
        self.run(&["settings", "import", sealed, "--key-file", &key, "--yes"])
            .with_code(0);
        passphrase
    }

    /// The key of the secrets under a passphrase, over a start of the server.
    pub fn passphrase(&mut self) {
        let passphrase = self.right("passphrase of the secrets", &hard());
        let wrong = self.wrong("passphrase of the secrets");
        let short = self.right("a short passphrase", &word()[..11]);
        self.feed(&["secrets", "protect"], &short).with_code(2);
        self.feed(&["secrets", "protect"], &passphrase).with_code(0);
        self.authority.restart_by(&serve);
        self.feed(&["project", "env", "set", "web", "MORE"], &wrong)
            .with_code(3);
        self.run(&["ldap", "test"]);
        self.run(&["proxy", "test", "http://origin.test/"]);
        self.run(&["console", "--once"]).with_code(0);
        self.feed(&["unlock"], &wrong).with_code(5);
        self.feed(&["unlock", "--json"], &wrong).with_code(5);
        self.feed(&["secrets", "unprotect"], &wrong);
        self.feed(&["unlock"], &passphrase).with_code(0);
    }
}

/// Settings beside which the secrets stand that nothing reaches out with: what they are of is not built, or is the product's.
const PRODUCT: &str = "engine.v1 = true
ghe_type = \"github_type_enterprise\"
ghe_domain = \"ghe.example.com\"
ghe_client_id = \"0123456789abcdef0123\"
services.mongodb_local = false
services.postgres_local = false
external.postgres_host = \"postgres.example.com\"
external.postgres_user = \"circle\"
services.vault_local = false
external.vault_host = \"vault.example.com\"
storage_backend = \"storage_backend_s3\"
aws_region = \"eu-central-1\"
s3_bucket = \"artifacts-of-the-tests\"
iam_auth_type = \"user\"
aws_access_key_id = \"AKIAIOSFODNN7EXAMPLE\"
";
