//! The law pack loader, the decision and its second evaluator.

mod answers;
mod pack;
