//! The gate, called as a library: what it refuses, what it logs, what it recovers.

mod gate;
mod suppression;
