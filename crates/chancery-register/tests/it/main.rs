//! The register against a naive one, and its proofs against forgers.

mod damage;
mod model;
mod proofs;
mod shelf;
