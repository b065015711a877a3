//! Tokens of people and programs: made and revoked. Decisions only; `access` says what opens.

use super::builds::Batch;
use super::command::{Actor, CommandError, Reply, TokenCommand};
use super::state::State;
use crate::access::Entry;
use crate::store::{StoreError, TokenRecord, Tx};

/// Tokens that open at once: more than an installation has people and programs.
const MOST: usize = 1000;

impl State {
    /// Reads the tokens and sessions that open. Those whose time is over, and sessions that were ended, are among them:
    /// they are told so.
    pub(super) fn load_tokens(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let live = tx
            .api_tokens()?
            .into_iter()
            .filter(|token| token.revoked.is_none());
        let entries = live.map(|token| {
            let entry = Entry {
                who: format!("token {} ({})", token.id, token.name),
                way: None,
                role: token.role,
                hash: token.hash,
                expires: token.expires,
                ended: None,
            };
            (token.id, entry)
        });
        let sessions = tx.sessions()?.into_iter().map(|session| {
            let entry = Entry {
                who: session.way.actor(&session.name),
                way: Some(session.way),
                role: session.role,
                hash: session.hash,
                expires: Some(session.expires),
                ended: session.ended.map(|(_, why)| why),
            };
            (session.id, entry)
        });
        self.tokens = std::sync::Arc::new(entries.chain(sessions).collect());
        Ok(())
    }
}

impl Batch<'_, '_> {
    /// Decides a wish on tokens.
    pub(super) fn token(
        &mut self,
        command: TokenCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        let (id, name) = match command {
            TokenCommand::Create(new) => {
                let refused = |why: String| CommandError::Conflict {
                    what: "token",
                    name: new.name.clone(),
                    why,
                };
                if self.state.tokens.counts().1 >= MOST {
                    return Err(refused(format!("is one too many: there are {MOST}")));
                }
                let record = TokenRecord {
                    id: new.id.clone(),
                    name: new.name.clone(),
                    role: new.role,
                    hash: new.hash,
                    created: self.now,
                    by: actor.name.clone(),
                    expires: new.expires,
                    revoked: None,
                };
                if !self.tx.insert_api_token(&record)? {
                    return Err(refused("has the id of another".to_owned()));
                }
                (new.id, new.name)
            }
            TokenCommand::Revoke(id) => match self.tx.revoke_api_token(&id, self.now)? {
                Some(name) => (id, name),
                None => {
                    return Err(CommandError::NotFound {
                        what: "token",
                        name: id,
                    });
                }
            },
        };
        self.state.load_tokens(self.tx)?;
        Ok(Reply::Token { id, name })
    }
}
