//! Any text as `config.toml`: it is refused, or what was read is read again from what is written.

use snowtoken::config::Config;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse(text) {
        Ok(config) => {
            let again = Config::parse(&config.text()).expect("what we write we can read");
            assert_eq!(again.profiles(), config.profiles());
            // Written from what was understood, it means the same.
            let mut anew = Config::default();
            for profile in config.profiles() {
                anew.put(profile.clone());
            }
            let again = Config::parse(&anew.text()).expect("what we write we can read");
            assert_eq!(again.profiles(), config.profiles());
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        }
    }
}
