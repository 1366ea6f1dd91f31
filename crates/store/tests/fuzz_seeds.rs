//! Every saved input of the fuzzer, through the very function that the fuzzer runs.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::Path;

#[path = "../../../fuzz/src/store_file.rs"]
mod store_file;

#[test]
fn store_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/store_file");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of saved inputs") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        let data = std::fs::read(entry.path()).expect("a saved input");
        assert_eq!(store_file::check(&data), name.starts_with("opened-"), "{name}");
        count += 1;
    }
    assert!(count >= 10, "only {count} saved inputs");
}
