//! What the installation does besides building: one folder per outside edge.

pub mod acme;
pub mod backup;
pub mod ca;
pub mod certificates;
pub mod doctor;
pub mod health;
pub mod ldap;
pub mod metrics;
pub mod outgoing;
pub mod proxy;
pub mod rendered;
pub mod tls;
pub mod trial;
pub mod vm;
