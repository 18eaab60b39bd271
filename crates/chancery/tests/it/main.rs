//! The product's proof: the workspace's shape, the corpus, and the command as a user runs it.

mod arrows;
