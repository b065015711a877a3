//! Nodes as the installation remembers them: who takes work, who drains.

use rusqlite::{Row, params};

use super::writer::Tx;
use super::{During, StoreError};
use crate::clock::Timestamp;
use crate::ids::NodeId;

/// A node's remembered part; its capacity is measured anew at each start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// First seen.
    pub created: Timestamp,
    /// Takes new work.
    pub eligible: bool,
    /// A drain: since, deadline, by whom.
    pub drain: Option<(Timestamp, Option<Timestamp>, String)>,
}

impl NodeRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let since: Option<Timestamp> = row.get(4)?;
        let drain = match since {
            Some(since) => Some((
                since,
                row.get(5)?,
                row.get::<_, Option<String>>(6)?.unwrap_or_default(),
            )),
            None => None,
        };
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            created: row.get(2)?,
            eligible: row.get(3)?,
            drain,
        })
    }
}

impl Tx<'_> {
    /// All nodes, by name.
    pub fn nodes(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT id, name, created, eligible, drain_since, drain_deadline, drain_by FROM nodes ORDER BY name",
            )
            .and_then(|mut statement| statement.query_map([], NodeRecord::from_row)?.collect())
            .during("read the nodes")
    }

    /// Inserts or replaces a node.
    pub fn set_node(&self, node: &NodeRecord) -> Result<(), StoreError> {
        let (since, deadline, by) = match &node.drain {
            Some((since, deadline, by)) => (Some(*since), *deadline, Some(by)),
            None => (None, None, None),
        };
        self.db
            .prepare_cached("INSERT OR REPLACE INTO nodes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .and_then(|mut statement| {
                statement.execute(params![
                    node.id,
                    node.name,
                    node.created,
                    node.eligible,
                    since,
                    deadline,
                    by
                ])
            })
            .during("store a node")?;
        Ok(())
    }

    /// Forgets a node.
    pub fn delete_node(&self, id: NodeId) -> Result<(), StoreError> {
        self.db
            .execute("DELETE FROM nodes WHERE id = ?1", [id])
            .during("forget a node")?;
        Ok(())
    }
}
