//! The pipeline compiler against real files, and against files that nobody would write.

mod corpus;
