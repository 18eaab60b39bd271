//! The product's proof: the workspace's shape, the corpus, and the command as a user runs it.

mod arrows;

mod workbench;

mod source;

mod expected;

mod corpus;

mod cli;

mod refused;

mod law_defects;

mod damage;

mod disk;

mod killed;

mod suppression;

mod round_trip;
