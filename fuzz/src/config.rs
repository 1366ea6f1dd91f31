//! Any text as `config.toml`: it is refused, or what was read is read again from what is written.

use snowtoken::config::{Config, Outline};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The reader of large files says what the parser says.
    let outline = Outline::parse(text.to_owned());
    match Config::parse(text) {
        Ok(config) => {
            let outline = outline.expect("what the parser takes, the outline takes");
            let mut profiles: Vec<_> = config.profiles().iter().collect();
            profiles.sort_by_key(|profile| profile.name.as_str());
            assert_eq!(outline.len(), profiles.len());
            for (entry, profile) in outline.entries().zip(profiles) {
                assert_eq!(entry.name, profile.name.as_str());
                assert_eq!(entry.instance, profile.instance.url());
                assert_eq!(entry.client_id, profile.client_id.as_str());
                assert_eq!((entry.target, entry.grant), (profile.target.as_str(), profile.grant));
            }
            let again = Config::parse(&config.text()).expect("what we write we can read");
            assert_eq!(again.profiles(), config.profiles());
            assert_eq!(again.hooks(), config.hooks());
            // Written from what was understood, it means the same.
            let mut anew = Config::default();
            for profile in config.profiles() {
                anew.put(profile.clone());
            }
            let again = Config::parse(&anew.text()).expect("what we write we can read");
            assert_eq!(again.profiles(), config.profiles());
        }
        Err(error) => {
            assert_eq!(outline.err(), Some(error.clone()));
            let shown = error.to_string();
            assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        }
    }
}
