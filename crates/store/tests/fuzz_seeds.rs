//! Every saved input of the fuzzer, through the very function that the fuzzer runs.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::Path;

#[path = "../../../fuzz/src/sealed_file.rs"]
mod sealed_file;
#[path = "../../../fuzz/src/store_file.rs"]
mod store_file;

#[test]
fn sealed_file() {
    every_seed("sealed_file", sealed_file::check);
}

#[test]
fn store_file() {
    every_seed("store_file", store_file::check);
}

/// Those whose names say so open, and no others.
fn every_seed(target: &str, check: impl Fn(&[u8]) -> bool) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let folder = seeds.join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of saved inputs") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        let data = std::fs::read(entry.path()).expect("a saved input");
        assert_eq!(check(&data), name.starts_with("opened-"), "{name}");
        count += 1;
    }
    assert!(count >= 10, "only {count} saved inputs");
}
