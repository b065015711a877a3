//! VMs through the API.

use super::{Client, Result, escape};
use crate::api::Written;
use crate::api::vms::{MakeVm, VmRef, Vms};

impl Client {
    /// The VMs, and how their provider does.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn vms(&self) -> Result<Vms> {
        self.get("/vms".to_owned()).await
    }

    /// Asks for one more VM, which is made soon.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn make_vm(&self, wanted: &MakeVm) -> Result<Written<VmRef>> {
        self.write("/vms".to_owned(), wanted).await
    }

    /// Has a VM destroyed, by its id, a beginning of it, or the provider's id.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn destroy_vm(&self, reference: &str) -> Result<Written<VmRef>> {
        self.delete(format!("/vms/{}", escape(reference))).await
    }
}
