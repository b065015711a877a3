//! The pieces that screens are put together from. They draw what they are given and keep nothing.

pub mod bars;
pub mod graph;
pub mod spark;
pub mod table;
