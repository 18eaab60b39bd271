//! Predicates mean what they say, in whatever form they are put.

mod predicates;
mod requests;
