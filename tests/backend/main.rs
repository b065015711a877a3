//! Integration tests of the library: no terminal, no command line.

mod storage;
