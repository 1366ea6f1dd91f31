//! The README's picture of the wizard: two pages with their samples, as Chromium shows them.
//!
//! `SNOWTOKEN_WRITE_PICTURE=1` writes the picture. Pixels differ between machines (fonts), so
//! without it the picture is taken all the same, and both are judged by form, size and content.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::foreign::{node, scripts};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;

const PICTURE: &str = "../../docs/pictures/wizard.png";
const WRITE: &str = "SNOWTOKEN_WRITE_PICTURE";
const AGAIN: &str =
    "SNOWTOKEN_WRITE_PICTURE=1 cargo test -p snowtoken-cli --test it wizard_picture::";
const FILES: [&str; 2] = ["way-usual.html", "proof-good.html"];
const SIZE: (u32, u32) = (1240, 760);
const LARGEST: usize = 300 * 1024;

/// Takes the picture of pages as they are now.
fn take(sandbox: &Sandbox) -> Vec<u8> {
    let (folder, picture) = (sandbox.path("files/gallery"), sandbox.path("files/wizard.png"));
    fs::create_dir(&folder).unwrap();
    let gallery: Vec<_> = snowtoken_wizard::pages::gallery()
        .into_iter()
        .map(|(name, html)| (format!("{name}.html"), html))
        .filter(|(name, _)| FILES.contains(&name.as_str()))
        .collect();
    assert_eq!(gallery.len(), FILES.len(), "a page that is shown is not in the gallery");
    for (name, html) in gallery {
        fs::write(folder.join(name), html).unwrap();
    }
    let task = json!({
        "folder": folder, "files": FILES, "width": SIZE.0, "height": SIZE.1, "picture": picture,
    });
    let mut command = Command::new(node());
    command.arg(scripts().join("wizard_picture.mjs")).arg(task.to_string());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", sandbox.path("files"));
    let outcome = Running::start(command).finish();
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    fs::read(&picture).unwrap()
}

/// A PNG (RFC 2083) of that size, not too large for a page that everybody loads, and not blank.
fn judge(png: &[u8], name: &str) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{name} is no PNG");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), SIZE, "{name}; again: {AGAIN}");
    assert!(png.len() <= LARGEST, "{name} has {} bytes", png.len());
    let bytes: BTreeSet<u8> = png.iter().copied().collect();
    assert!(png.len() > 20_000 && bytes.len() == 256, "{name} shows next to nothing");
}

#[test]
fn the_picture_of_the_wizard_is_there_and_can_be_taken_again() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
    let taken = take(&Sandbox::new());
    judge(&taken, "the picture of today");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, &taken).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_else(|e| panic!("{PICTURE}: {e}; write it: {AGAIN}"));
    judge(&kept, PICTURE);
}
