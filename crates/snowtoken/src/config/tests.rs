//! What a person wrote stays as it was written.

use super::*;
use crate::hooks::Occasion;

const TEXT: &str = "version = 1\n\n# mine\n[profile.dev]\ninstance = \"classics\" # short\nclient_id = \"id\"\n\
    redirect_uri = \"http://127.0.0.1:1/cb\"\nrefresh_token_lifespan = \"365d\"\n";

#[test]
fn comments_survive_a_change() {
    let mut config = Config::parse(TEXT).unwrap();
    let mut profile = config.profiles()[0].clone();
    profile.lifespans.access = Some(60);
    config.put(profile.clone());
    let text = config.text();
    assert!(text.contains("# mine") && text.contains("access_token_lifespan = 60"), "{text}");
    assert_eq!(Config::parse(&text).unwrap().profiles(), [profile]);
}

#[test]
fn a_new_profile_is_written_and_read_back() {
    let profile = Config::parse(TEXT).unwrap().profiles()[0].clone();
    let mut config = Config::default();
    config.put(profile.clone());
    let again = Config::parse(&config.text()).unwrap();
    assert_eq!(again.profiles(), std::slice::from_ref(&profile));
    let mut again = again;
    assert!(again.remove(&profile.name) && !again.remove(&profile.name));
    assert!(Config::parse(&again.text()).unwrap().profiles().is_empty());
}

#[test]
fn what_is_wrong_is_named_and_not_quoted() {
    for (text, message) in [
        ("a = \"secret", "the configuration is no TOML: line 1: "),
        ("version = 2", "the configuration has form 2; this version knows form 1"),
        ("version = 1\nfoo = 1", "the configuration has an unknown entry \"foo\""),
        ("[profile.A]\n", "profile \"A\": name: \"A\" cannot"),
        ("[profile.a]\ninstance=\"a b\"", "profile \"a\": instance: \"a b\" is neither"),
        ("[profile.a]\nclientid=\"x\"", "profile \"a\": clientid: there is no such key"),
        (
            "[profile.a]\ninstance=\"a\"\nclient_id=7",
            "profile \"a\": client_id: it is no text in quotes",
        ),
        ("profile = 1", "the configuration has an unknown entry \"profile\""),
        ("hooks = 1", "hooks: it is no table"),
        ("[hooks]\nrefershed = \"secret\"", "hooks.refershed: there is no such key"),
        ("[hooks]\nrefreshed = 7", "hooks.refreshed: it is no command in quotes"),
        ("[hooks]\nrefreshed = [\"secret\"]", "hooks.refreshed: it is no command in quotes"),
        ("[hooks]\nrevoked = \" \"", "hooks.revoked: it is empty"),
        ("[hooks]\nrevoked = \"a\\u0000b\"", "hooks.revoked: a command cannot hold a NUL"),
        ("[hooks]\nnotify = \"no\"", "hooks.notify: it is neither true nor false"),
        ("[[hooks]]\nnotify = false", "hooks: it is no table"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
        assert!(!error.contains("secret"));
    }
}

const WORDED: &str = "# all of mine\nversion = 1\n\n# first\n[profile.a]\ninstance = \"b\"\nclient_id = \"x\"\n\n\
    # the one\n[profile.dev] # agreed\ninstance = \"classics\" # short\n# from the form\nclient_id = 'id'\n\
    redirect_uri = \"http://127.0.0.1:1/cb\" # registered\nrefresh_token_lifespan = \"365d\" # agreed\n\
    credentials_file = true\n\n# last\n[profile.z]\ninstance = \"b\"\nclient_id = \"y\"\n";

#[test]
fn a_value_that_means_the_same_keeps_its_wording() {
    let mut config = Config::parse(WORDED).unwrap();
    for profile in config.profiles().to_vec() {
        config.put(profile);
    }
    assert_eq!(config.text(), WORDED);
}

#[test]
fn a_value_that_changes_keeps_its_comment() {
    let mut config = Config::parse(WORDED).unwrap();
    let mut profile = config.profiles()[1].clone();
    profile.lifespans.refresh = Some(60);
    profile.instance = Instance::parse("other").unwrap();
    profile.credentials_file = false;
    config.put(profile.clone());
    let text = config.text();
    let expected = WORDED
        .replace("\"365d\"", "60")
        .replace("\"classics\"", "\"https://other.service-now.com\"")
        .replace("credentials_file = true", "credentials_file = false");
    assert_eq!(text, expected);
    assert_eq!(Config::parse(&text).unwrap().profiles()[1], profile);
}

#[test]
fn a_new_name_changes_nothing_else() {
    let name = |text| ProfileName::parse(text).unwrap();
    let mut config = Config::parse(WORDED).unwrap();
    assert!(config.rename(&name("dev"), &name("prod.eu")));
    assert_eq!(config.text(), WORDED.replace("[profile.dev]", "[profile.\"prod.eu\"]"));
    assert_eq!(Config::parse(&config.text()).unwrap().profiles(), config.profiles());
    assert!(!config.rename(&name("dev"), &name("b")), "it is gone");
    assert!(!config.rename(&name("a"), &name("z")), "the name is taken");
    let dotted = "[profile]\n# mine\na.instance = \"b\" # x\na.client_id = \"c\"\n";
    let mut config = Config::parse(dotted).unwrap();
    assert!(config.rename(&name("a"), &name("b")));
    assert_eq!(Config::parse(&config.text()).unwrap().profiles(), config.profiles());
    assert!(config.text().contains("# x"), "{}", config.text());
}

#[test]
fn what_assertions_say_is_read_and_written() {
    let text = "version = 1\n\n[profile.robot]\ninstance = \"https://acme.service-now.com\"\nclient_id = \"x\"\n\
        grant = \"jwt-bearer\"\nsubject = \"robot@example.com\" # mine\nkey_id = \"key 1\"\n";
    let mut config = Config::parse(text).unwrap();
    let profile = config.profiles()[0].clone();
    let claim = |text| Some(Claim::parse(text).unwrap());
    assert_eq!(profile.grant, Grant::JwtBearer);
    assert_eq!(profile.assertion.subject, claim("robot@example.com"));
    assert_eq!(profile.assertion.key_id, claim("key 1"));
    let assertion = Assertion { subject: claim("other"), key_id: None };
    config.put(Profile { assertion, ..profile });
    let expected = text.replace("robot@example.com", "other").replace("key_id = \"key 1\"\n", "");
    assert_eq!(config.text(), expected);
    for (key, wrong) in [("subject", "\"\""), ("key_id", "\"a\\u0007\""), ("grant", "\"jwt\"")] {
        let base = "[profile.a]\ninstance = \"https://b\"\nclient_id = \"x\"\n";
        let error = Config::parse(&format!("{base}{key} = {wrong}\n")).unwrap_err();
        assert!(matches!(&error, ConfigError::Value { key: found, .. } if found == key), "{error}");
    }
}

#[test]
fn hooks_are_read_and_stay_as_they_were_written() {
    let text = format!(
        "{TEXT}\n# tell the others\n[hooks]\nrefreshed = 'deliver \"$SNOWTOKEN_PROFILE\"' # now\nnotify = false\n"
    );
    let mut config = Config::parse(&text).unwrap();
    let hooks = config.hooks().clone();
    assert_eq!(hooks.line(Occasion::Refreshed), Some("deliver \"$SNOWTOKEN_PROFILE\""));
    assert_eq!(hooks.line(Occasion::Deadline), None);
    assert!(!hooks.notify && !hooks.is_empty());
    for profile in config.profiles().to_vec() {
        config.put(profile);
    }
    assert_eq!(config.text(), text);
    let mut other = config.profiles()[0].clone();
    other.name = ProfileName::parse("other").unwrap();
    config.put(other);
    let again = Config::parse(&config.text()).unwrap();
    assert_eq!(again.hooks(), &hooks);
    assert!(config.text().contains("# tell the others") && config.text().contains("# now"));
    assert!(Config::parse(TEXT).unwrap().hooks().is_empty());
}
