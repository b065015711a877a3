//! Secrets where something else is wrong: beside what is no setting, in a file that is no TOML, in a request that is no JSON.
//! What is said of it names the place.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use roundel::settings::registry::entries;

use crate::search::forms;

use super::given::word;
use super::site::Site;

impl Site {
    /// All of them; what is staged on the way is forgotten again.
    pub fn faults(&self) {
        self.values();
        self.files();
        self.requests();
        self.run(&["settings", "discard"]).with_code(0);
    }

    fn hidden_word(&self, name: &str) -> String {
        let word = word();
        self.hide(forms(&format!("faulty {name}"), word.as_bytes()));
        word
    }

    /// A value for each secret that its rules have something against, where it has some.
    fn values(&self) {
        for (_, entry) in entries().filter(|(_, entry)| entry.kind.is_secret()) {
            let secret = self.hidden_word(entry.key);
            let file = self.file("fault", &format!("{secret} {secret}\u{e9}\n{secret}\n"));
            self.run(&["settings", "set", entry.key, "--file", &file]);
            self.run(&["settings", "set", entry.key, "--file", &file, "--json"]);
            if let Some(test) = entry.test {
                let set = format!("{}={file}", entry.key);
                self.run(&["settings", "test", test.word(), "--set-file", &set]);
            }
        }
        self.run(&["settings", "save"]).with_code(2);
        self.run(&["settings", "save", "--json"]).with_code(2);
    }

    /// Files of settings that cannot be read, or hold more than secrets.
    fn files(&self) {
        let secret = self.hidden_word("a file of settings");
        let digits = self.digits("a file of settings");
        for text in [
            format!("ldap.search_password = \"{secret}\n"),
            format!("ldap.search_password = {secret}\n"),
            format!("ldap.search_password = \"{secret}\" \"{secret}\"\n"),
            format!("ldap.search_password = {{ fil = \"{secret}\" }}\n"),
            format!("ldap.search_password = {{ sealed = \"{secret}\" }}\n"),
            format!("ldap.search_password = [\"{secret}\"]\n"),
            format!("ldap.search_password = {digits}\n"),
            format!("ldap.search_password = {digits}.5\n"),
            format!("ldap.search_password = \"{secret}\"\nldap.search_password = \"{secret}\"\n"),
            format!("ldap.search_password = \"{secret}\\q\"\n"),
            format!("ldap.search_password = \"{secret}\"\nldap.port = 70000\nno_such = 1\n"),
        ] {
            let file = self.file("fault.toml", &text);
            self.run(&["settings", "import", &file]).with_code(2);
            self.run(&["settings", "import", &file, "--json"])
                .with_code(2);
        }
    }

    /// A secret of digits alone, which JSON and TOML take for a number.
    fn digits(&self, name: &str) -> String {
        let number = uuid::Uuid::new_v4().as_u128() % 1_000_000_000_000_000_000;
        let digits = format!("{}", number + 1_000_000_000_000_000_000);
        self.hide(forms(&format!("digits of {name}"), digits.as_bytes()));
        digits
    }

    /// Requests in which a secret is not the text that it should be.
    fn requests(&self) {
        let (secret, digits) = (self.hidden_word("a request"), self.digits("a request"));
        for (path, before, after) in [
            ("session/sign-in", "{\"user\":\"ann\",\"password\":", "}"),
            ("secrets/unlock", "{\"passphrase\":", "}"),
            ("secrets/protect", "{\"passphrase\":", "}"),
            (
                "settings/stage",
                "{\"set\":{\"ldap.search_password\":",
                "}}",
            ),
            ("settings/save", "{\"changes\":", "}"),
            (
                "settings/test",
                "{\"test\":\"ldap\",\"words\":{\"password\":",
                "}}",
            ),
            ("projects/web/env", "{\"name\":\"TOKEN\",\"value\":", "}"),
        ] {
            for value in [
                digits.clone(),
                format!("{digits}.5"),
                format!("[\"{secret}\"]"),
                format!("{{\"{secret}\":1}}"),
                format!("\"{secret}\\q\""),
                format!("\"{secret}"),
                secret.clone(),
            ] {
                let answer = self.post(path, &format!("{before}{value}{after}"));
                self.tell(&format!("POST {path}"), &answer);
            }
        }
    }

    /// What the server answers.
    pub fn post(&self, path: &str, body: &str) -> String {
        let mut stream = UnixStream::connect(self.home().data().join("socket")).unwrap();
        write!(
            stream,
            "POST /api/roundel/v1/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nidempotency-key: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            uuid::Uuid::new_v4(),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}
