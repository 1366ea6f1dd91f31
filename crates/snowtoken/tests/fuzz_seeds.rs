//! Every saved input of the fuzzer, through the very function that the fuzzer runs.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::Path;

#[path = "../../../fuzz/src/config.rs"]
mod config;

#[test]
fn config() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/config");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of saved inputs") {
        let data = std::fs::read(entry.expect("an entry").path()).expect("a saved input");
        config::check(&data);
        count += 1;
    }
    assert!(count >= 15, "only {count} saved inputs");
}
