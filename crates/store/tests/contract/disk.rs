//! Disks that are full or read-only. Needs `unshare` to mount one of its own; where that is not
//! allowed, it says so.

use std::path::Path;
use std::process::{Command, Stdio};

use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_core::token_set::Generation;
use snowtoken_store::{StoreError, TokenStore as _};

use crate::support::{Place, child, database, draft, make, profile, role};

/// Runs the role on a tmpfs of 256 KiB that is mounted over `home`.
fn on_a_small_disk(role: &str, place: &Place) {
    std::fs::create_dir(place.home()).unwrap();
    let mount = "mount -t tmpfs -o size=256k,mode=0700 tmpfs";
    let script = format!("{mount} '{}' && exec \"$@\"", place.home().display());
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
    let allowed = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(format!("{mount} /mnt"))
        .stderr(Stdio::null())
        .status();
    assert!(
        allowed.is_ok_and(|status| status.success()),
        "no file system can be mounted here: run as root, or allow user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1), with util-linux installed"
    );
    let mut words = wrapper.to_vec();
    words.extend([script.as_str(), "sh"]);
    let output = child(&words, "disk::actor", role, place.root()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn actor() {
    let Some((role, root)) = role() else { return };
    let mut store = make(&root);
    let dev = profile("dev");
    store.save(&dev, Generation::NONE, &draft("old"), None).unwrap();
    if role == "full" {
        store.expect_answer(&dev).unwrap();
        fill(&root);
        full(&mut store);
        // The room for an answer was taken before.
        assert!(store.secure_answer(&dev, Generation(1), &draft("answer")).unwrap());
        std::fs::remove_file(root.join("home/filler")).unwrap();
    } else {
        drop(store);
        remount(&root, "ro");
        let mut frozen = make(&root);
        let refused = frozen.save(&dev, Generation(1), &draft("new"), None).unwrap_err();
        assert_eq!(refused.code(), Code::StoreReadOnly, "{refused}");
        assert_eq!(frozen.probe().unwrap_err().code(), Code::StoreReadOnly);
        assert_eq!(frozen.load(&dev).unwrap().unwrap().tokens, draft("old").tokens);
        drop(frozen);
        remount(&root, "rw");
        store = make(&root);
    }
    // It recovers by itself.
    store.probe().unwrap();
    store.save(&dev, Generation(1), &draft("new"), None).unwrap();
    assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("new").tokens);
    store.check().unwrap();
    assert!(database(&root).exists());
}

fn fill(root: &Path) {
    let filler = root.join("home/filler");
    for block in [65536, 4096, 1] {
        let mut bytes = std::fs::read(&filler).unwrap_or_default();
        while std::fs::write(&filler, &bytes).is_ok() {
            bytes.resize(bytes.len() + block, 0);
            assert!(bytes.len() <= 1 << 20, "the disk is not small");
        }
        bytes.truncate(bytes.len() - block);
        std::fs::write(&filler, &bytes).unwrap();
        if block == 4096 {
            return;
        }
    }
}

fn full(store: &mut snowtoken_store::sqlite::SqliteStore) {
    let dev = profile("dev");
    for _ in 0..50 {
        let refused = store.save(&dev, Generation(1), &draft("new"), None).unwrap_err();
        assert!(matches!(refused, StoreError::Full), "{refused}");
        assert!(matches!(store.probe(), Err(StoreError::Full)));
        assert_eq!(store.load(&dev).unwrap().unwrap().tokens, draft("old").tokens);
    }
}

fn remount(root: &Path, how: &str) {
    let status = Command::new("mount")
        .args(["-o", &format!("remount,bind,{how}")])
        .arg(root.join("home"))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    on_a_small_disk("full", &Place::new());
}

#[test]
fn a_read_only_disk_is_told_and_changes_nothing() {
    on_a_small_disk("read-only", &Place::new());
}
