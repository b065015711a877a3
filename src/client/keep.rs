//! Calls of housekeeping.

use super::connection::Ask;
use super::{Client, DISK_PATIENCE, Result, decode};
use crate::api::Written;
use crate::api::keep::{Housekeeping, KeepRow, Pass, Plan};

impl Client {
    /// How housekeeping stands, and how long things are kept.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn housekeeping(&self) -> Result<Housekeeping> {
        self.get("/gc".to_owned()).await
    }

    /// What a pass of housekeeping would remove now.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn housekeeping_plan(&self) -> Result<Plan> {
        let ask = Ask {
            patience: DISK_PATIENCE,
            ..Ask::get("/gc/plan".to_owned())
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// Removes what has been kept for long enough; waits for it.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn clean(&self) -> Result<Pass> {
        let ask = Ask {
            patience: DISK_PATIENCE,
            ..Ask::post("/gc".to_owned(), &())
        };
        decode(&self.pool.ask(&ask).await?)
    }

    /// Keeps a kind of thing so long from now on.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn set_keep(&self, wanted: &KeepRow) -> Result<Written<KeepRow>> {
        self.write("/gc/keep".to_owned(), wanted).await
    }
}
