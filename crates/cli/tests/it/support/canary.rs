//! Looks for secrets in whatever form they may have slipped out: as they are or reversed, in base64,
//! percent, hex, JSON or UTF-16, whole or any twelve bytes in a row.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A piece this long does not appear by chance.
const WINDOW: usize = 12;

/// Finds any of a set of secrets.
#[derive(Default)]
pub(crate) struct Scanner {
    /// Twelve bytes of some form of a secret → which, and how it is written.
    windows: HashMap<[u8; WINDOW], String>,
    /// Forms of secrets that are shorter than that.
    short: Vec<(Vec<u8>, String)>,
}

impl Scanner {
    /// Looks for this secret as well. One that is shorter than 6 bytes would be found by chance.
    pub(crate) fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 6, "{name} is too short to be told from chance");
        for (how, form) in forms(secret) {
            let label = format!("{name} ({how})");
            if form.len() < WINDOW {
                self.short.push((form, label));
            } else {
                for window in form.windows(WINDOW) {
                    let window = window.try_into().unwrap();
                    self.windows.entry(window).or_insert_with(|| label.clone());
                }
            }
        }
    }

    /// With these secrets, by name.
    pub(crate) fn of(secrets: &[(&str, &str)]) -> Self {
        let mut scanner = Self::default();
        for (name, secret) in secrets {
            scanner.add(name, secret);
        }
        scanner
    }

    /// What of the secrets is in there; each finding once.
    pub(crate) fn scan(&self, bytes: &[u8]) -> Vec<String> {
        let windows = bytes.windows(WINDOW).filter_map(|w| {
            let window: [u8; WINDOW] = w.try_into().ok()?;
            self.windows.get(&window).cloned()
        });
        let mut found: Vec<String> = windows.collect();
        for (form, label) in &self.short {
            if bytes.windows(form.len()).any(|w| w == form) {
                found.push(label.clone());
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// What of the secrets is in the files below a folder, in their names too. Files in `allowed`
    /// are passed over.
    pub(crate) fn scan_tree(&self, folder: &Path, allowed: &[&Path]) -> Vec<String> {
        let mut found = Vec::new();
        let Ok(entries) = fs::read_dir(folder) else {
            return found;
        };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if allowed.contains(&path.as_path()) {
                continue;
            }
            let mut hits = self.scan(path.as_os_str().as_encoded_bytes());
            let Ok(meta) = fs::symlink_metadata(&path) else {
                continue;
            };
            if meta.is_dir() {
                found.extend(self.scan_tree(&path, allowed));
            } else if meta.is_file() {
                hits.extend(self.scan(&fs::read(&path).unwrap_or_default()));
            }
            found.extend(hits.into_iter().map(|hit| format!("{}: {hit}", path.display())));
        }
        found
    }
}

/// Every way of writing a secret that we look for.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("reversed", bytes.iter().rev().copied().collect()),
        ("hex", bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()),
        ("HEX", bytes.iter().flat_map(|b| format!("{b:02X}").into_bytes()).collect()),
        ("UTF-16 LE", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16 BE", secret.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("JSON", json(secret)),
        ("form", url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes()),
        ("percent", percent(bytes, |b| format!("%{b:02X}"))),
        ("percent, small", percent(bytes, |b| format!("%{b:02x}"))),
        ("percent, all", bytes.iter().flat_map(|b| format!("%{b:02X}").into_bytes()).collect()),
    ];
    for phase in 0..3 {
        forms.push(("base64", base64(&STANDARD, bytes, phase)));
        forms.push(("base64url", base64(&URL_SAFE, bytes, phase)));
    }
    forms
}

fn json(secret: &str) -> Vec<u8> {
    let quoted = serde_json::to_string(secret).unwrap();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

fn percent(bytes: &[u8], write: impl Fn(u8) -> String) -> Vec<u8> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let each = bytes.iter().flat_map(|&b| if plain(b) { vec![b] } else { write(b).into_bytes() });
    each.collect()
}

/// The secret in the middle of something else: with 0, 1 or 2 bytes before it, only the characters
/// that depend on nothing but the secret.
fn base64(engine: &impl base64::Engine, bytes: &[u8], phase: usize) -> Vec<u8> {
    let padded = [&vec![0; phase], bytes].concat();
    let text = engine.encode(&padded);
    let from = [0, 2, 3][phase];
    text.as_bytes()[from..padded.len() * 8 / 6].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a&b+c \"quoted\" %25 \\ secret";

    fn scanner() -> Scanner {
        Scanner::of(&[("it", SECRET)])
    }

    #[track_caller]
    fn found(bytes: &[u8]) {
        let around = [b"x=".as_slice(), bytes, b"&y"].concat();
        assert!(!scanner().scan(&around).is_empty(), "{}", String::from_utf8_lossy(&around));
    }

    #[test]
    fn every_form_is_found() {
        found(SECRET.as_bytes());
        found(&SECRET.bytes().rev().collect::<Vec<_>>());
        found(serde_json::to_string(SECRET).unwrap().as_bytes());
        found(
            url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>().as_bytes(),
        );
        found(b"a%26b%2bc%20%22quoted%22%20%2525%20%5c%20secret");
        found(&SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        found(&SECRET.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect::<Vec<_>>());
        for before in ["", "p", "pp", "ppp", "user:"] {
            let text = format!("{before}{SECRET}tail");
            found(STANDARD.encode(&text).as_bytes());
            found(URL_SAFE.encode(&text).as_bytes());
        }
    }

    #[test]
    fn any_twelve_bytes_are_found_and_eleven_are_not() {
        for window in SECRET.as_bytes().windows(12) {
            found(window);
        }
        assert!(scanner().scan(&SECRET.as_bytes()[..11]).is_empty());
        assert!(scanner().scan(b"nothing to see here, move along").is_empty());
    }

    #[test]
    fn a_short_secret_is_found_whole() {
        let scanner = Scanner::of(&[("it", "hunter2")]);
        assert!(!scanner.scan(b"my hunter2 word").is_empty());
        assert!(!scanner.scan(b"6d79 68756e74657232").is_empty());
        assert!(scanner.scan(b"hunter").is_empty());
    }

    #[test]
    fn files_and_their_names_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let file = inner.join("c");
        fs::write(&file, SECRET).unwrap();
        assert_eq!(scanner().scan_tree(folder.path(), &[]).len(), 1);
        assert!(scanner().scan_tree(folder.path(), &[&file]).is_empty());
        let scanner = Scanner::of(&[("it", "hunter2hunter2")]);
        fs::write(inner.join("hunter2hunter2"), "").unwrap();
        assert_eq!(scanner.scan_tree(folder.path(), &[]).len(), 1);
    }
}
