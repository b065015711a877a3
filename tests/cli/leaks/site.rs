//! An installation with all that its secrets are for: a directory, a proxy, EC2, an authority, and people on other machines.
//! What every command says is kept.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};

use crate::acme::Authority;
use crate::openldap::OpenLdap;
use crate::search::Form;
use crate::squid::{Origin, Squid};
use crate::support::{Home, Said, fed, free_port};
use crate::vm::{Account, Stub};

/// A text that people can see, with where it is from.
pub type Text = (String, String);

pub struct Site {
    pub authority: Authority,
    pub ldap: OpenLdap,
    pub squid: Squid,
    /// What the proxy takes of ann.
    pub proxy_password: String,
    pub origin: Origin,
    pub ec2: Stub,
    pub account: Account,
    /// Machines of people.
    pub people: [Home; 3],
    /// Files in which people keep what they have signed in with, and what that is called.
    pub tokens: RefCell<Vec<(PathBuf, &'static str)>>,
    /// What commands have said.
    pub said: RefCell<Vec<Text>>,
    /// What must be found nowhere.
    pub hidden: RefCell<Vec<Form>>,
}

/// Starts a server that logs all it can, into a file.
pub fn serve(home: &Home, config: &str) -> Child {
    let map = home.path("ssh_map");
    fs::write(&map, format!("* 127.0.0.1:{}\n", free_port())).unwrap();
    let config = format!("{config}log = \"trace\"\nvm_ssh_map = {map:?}\n");
    fs::create_dir_all(home.path("log")).unwrap();
    let log = home.path("log/server");
    let log = File::options().create(true).append(true).open(log).unwrap();
    home.serve_in(env!("CARGO_BIN_EXE_roundel"), &config, |command| {
        command.stdout(log.try_clone().unwrap()).stderr(log);
    })
}

impl Site {
    pub fn home(&self) -> &Home {
        &self.authority.home
    }

    /// Writes what only an administrator has, where nothing is searched.
    pub fn file(&self, name: &str, text: &str) -> String {
        let file = self.home().path("given").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Keeps a text that somebody was shown.
    pub fn tell(&self, from: &str, text: &str) {
        let text = (from.to_owned(), text.to_owned());
        self.said.borrow_mut().push(text);
    }

    /// The same of what a command said.
    pub fn keep(&self, words: &[&str], said: Said) -> Said {
        self.tell(&words.join(" "), &format!("{}\n{}", said.out, said.err));
        said
    }

    pub fn run(&self, words: &[&str]) -> Said {
        self.keep(words, self.home().run(words))
    }

    /// The same of a command that is given this on its input.
    pub fn feed(&self, words: &[&str], input: &str) -> Said {
        self.keep(words, fed(&mut self.home().command(words), input))
    }

    /// The same of a command of one's own.
    pub fn run_own(&self, what: &str, command: &mut Command) -> Said {
        self.keep(&[what], Said::from(command.output().unwrap()))
    }

    /// The program on somebody's machine, at this server.
    pub fn away(&self, who: usize, words: &[&str], input: &str) -> Said {
        let mut command = self.people[who].command(words);
        command.env("ROUNDEL_SERVER", self.url());
        self.keep(words, fed(&mut command, input))
    }

    fn network(&self, key: &str) -> String {
        let services = self.home().json(&["services", "-json"]);
        services["network"][key].as_str().unwrap().to_owned()
    }

    pub fn console(&self) -> String {
        self.network("address")
    }

    pub fn fingerprint(&self) -> String {
        self.network("fingerprint")
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.console())
    }

    pub fn hide(&self, forms: Vec<Form>) {
        self.hidden.borrow_mut().extend(forms);
    }
}
