//! What the installation does besides building: one folder per outside edge.

pub mod backup;
pub mod doctor;
pub mod health;
pub mod ldap;
pub mod metrics;
pub mod tls;
pub mod trial;
