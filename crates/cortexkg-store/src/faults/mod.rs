//! A directory in memory whose disk fails on demand.
