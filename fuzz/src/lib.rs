//! What strangers can hand us, and what must hold whatever it is. The targets in `fuzz_targets/` call
//! these; the tests of the crates include the same files and run every saved input through them.

#[cfg(feature = "config")]
mod config;
mod explained;
mod instance;
mod redirect;
#[cfg(feature = "store-file")]
mod sealed_file;
#[cfg(feature = "store-file")]
mod store_file;
mod token_answer;

/// A text as `config.toml`.
#[cfg(feature = "config")]
pub fn config(data: &[u8]) {
    config::check(data);
}

/// A text that was pasted into `explain`.
pub fn explained(data: &[u8]) {
    explained::check(data);
}

/// A text as the name of an instance.
pub fn instance(data: &[u8]) {
    instance::check(data);
}

/// A text that was pasted, or came to the listener, while a login waits.
pub fn redirect(data: &[u8]) {
    redirect::check(data);
}

/// An answer to a refresh.
pub fn token_answer(data: &[u8]) {
    token_answer::check(data);
}

/// Bytes as the file of the store.
#[cfg(feature = "store-file")]
pub fn store_file(data: &[u8]) {
    store_file::check(data);
}

/// A text as a sealed profile.
#[cfg(feature = "store-file")]
pub fn sealed_file(data: &[u8]) {
    sealed_file::check(data);
}
