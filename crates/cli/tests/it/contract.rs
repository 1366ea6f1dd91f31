//! What outside judges rely on: the product's contract, §7, one test or more for each item. The
//! items' numbers stand in the names.

mod files;
mod listener;
mod login;
mod paste;
mod tokens;
mod wire;
