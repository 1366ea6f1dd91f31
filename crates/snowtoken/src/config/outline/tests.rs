//! The plain reader and the parser say the same of every text that the plain reader takes.

use proptest::prelude::*;

use super::*;

/// What is taken without the parser; `None` if it would be asked.
fn plainly(text: &str) -> Option<Outline> {
    Outline::read_plainly(text.to_owned()).ok()
}

/// Holds the plain reader against the parser; whether it took the text.
fn compare(text: &str) -> bool {
    let Some(outline) = plainly(text) else { return false };
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => panic!("the parser refuses what was taken: {error}\n{text}"),
    };
    let parsed = Outline::of(config.profiles());
    let (one, other): (Vec<_>, Vec<_>) = (outline.entries().collect(), parsed.entries().collect());
    assert_eq!(one, other, "{text}");
    true
}

const FULL: &str = "# mine\nversion = 1\n\n[profile.a]\ninstance = \"https://b.service-now.com\"\n\
    client_id = \"x\"\nclient_authentication = \"none\"\ngrant = \"client-credentials\"\n\
    target = \"nice-knowledge-hub\"\nregion = \"us-west-2\"\n\
    redirect_uri = \"https://us-west-2.console.aws.amazon.com/appflow/oauth\"\n\
    scope = \"useraccount openid\"\naccess_token_lifespan = 1800\n\
    refresh_token_lifespan = 31536000\ncredentials_file = false\n\
    subject = \"robot@example.com\"\nkey_id = \"key 1\"\n\n\
    [profile.\"a.b\"]\ninstance = \"http://127.0.0.1:8080\"\nclient_id = \"y\"\n";

#[test]
fn what_this_program_writes_is_read_without_the_parser() {
    assert!(compare(FULL));
    let outline = plainly(FULL).unwrap();
    let entries: Vec<_> = outline.entries().collect();
    assert_eq!((outline.len(), outline.is_empty()), (2, false));
    assert_eq!((entries[0].name, entries[1].name), ("a", "a.b"));
    assert_eq!(entries[0].instance, "https://b.service-now.com");
    assert_eq!((entries[0].grant, entries[1].grant), (Grant::ClientCredentials, Grant::default()));
    let mut config = Config::default();
    for profile in Config::parse(FULL).unwrap().profiles() {
        config.put(profile.clone());
    }
    assert!(compare(&config.text()), "{}", config.text());
    assert!(compare(&Config::default().text()));
    assert!(plainly("").unwrap().is_empty());
}

#[test]
fn entries_come_in_the_order_of_their_names() {
    let section =
        |name: &str| format!("[profile.{name}]\ninstance = \"https://b\"\nclient_id = \"x\"\n");
    let text = ["b", "a10", "z", "a-", "a1", "\"a.\""].map(section).concat();
    for outline in [plainly(&text).unwrap(), Outline::of(Config::parse(&text).unwrap().profiles())]
    {
        let names: Vec<_> = outline.entries().map(|entry| entry.name).collect();
        assert_eq!(names, ["a-", "a.", "a1", "a10", "b", "z"]);
    }
}

/// Nothing of this is in the plain form, or it is wrong: the parser decides.
#[test]
fn whatever_looks_different_is_left_to_the_parser() {
    let changes = [
        ("version = 1", "version = 2"),
        ("version = 1", "version = 1\nversion = 1"),
        ("version = 1", "version=1"),
        ("version = 1", "foo = 1"),
        ("\n", "\r\n"),
        ("# mine", "# m\u{7f}ine"),
        ("[profile.a]", "[profile.a] # x"),
        ("[profile.a]", "[profile . a]"),
        ("[profile.a]", "[profile.A]"),
        ("[profile.a]", "[profile.con]"),
        ("[profile.a]", "[profile]\n[profile.a]"),
        ("[profile.\"a.b\"]", "[profile.a.b]"),
        ("[profile.\"a.b\"]", "[profile.a]"),
        ("[profile.\"a.b\"]", "[profile.\"a\"]"),
        ("client_id = \"y\"\n", ""),
        ("client_id = \"y\"", "client_id = \"\""),
        ("client_id = \"y\"", "client_id = \"y \""),
        ("client_id = \"y\"", "client_id = 'y'"),
        ("client_id = \"y\"", "client_id = \"\"\"y\"\"\""),
        ("client_id = \"y\"", "client_id = \"\\u0079\""),
        ("client_id = \"y\"", "client_id = \"y\" # z"),
        ("client_id = \"y\"", "client_id = \"y\"z\""),
        ("client_id = \"y\"", "client_id  = \"y\""),
        ("client_id = \"y\"", "client_id = \"y\"\nclient_id = \"y\""),
        ("client_id = \"y\"", "\"client_id\" = \"y\""),
        ("client_id = \"y\"", "client_id = \"y\"\nnew = \"y\""),
        ("https://b.service-now.com", "b"),
        ("https://b.service-now.com", "https://b.service-now.com/"),
        ("https://b.service-now.com", "https://B"),
        ("https://b.service-now.com", "https://127.1"),
        ("http://127.0.0.1:8080", "http://8.8.8.8"),
        ("\"none\"", "\"some\""),
        ("client-credentials", "password"),
        ("nice-knowledge-hub", "nice"),
        ("redirect_uri = \"https", "redirect_uri = \"ftp"),
        ("useraccount openid", "\u{e4}"),
        ("= 1800", "= 0"),
        ("= 1800", "= 01800"),
        ("= 1800", "= +1800"),
        ("= 1800", "= 1_800"),
        ("= 1800", "= 99999999999"),
        ("= 1800", "= \"365y\""),
        ("= 1800", "= 3155760001"),
        ("= false", "= \"false\""),
    ];
    for (from, to) in changes {
        assert!(FULL.contains(from), "{from}");
        let text = FULL.replacen(from, to, 1);
        assert!(!compare(&text), "{text}");
    }
    let widest = FULL.replacen("= 1800", "= 3155760000", 1);
    assert!(compare(&widest) && compare(&FULL.replacen("= 1800", "= \"30m\"", 1)));
}

#[test]
fn what_the_parser_refuses_is_refused_with_its_words() {
    let text = FULL.replacen("client_id = \"y\"\n", "", 1);
    let error = Outline::parse(text.clone()).unwrap_err();
    assert_eq!(error, Config::parse(&text).unwrap_err());
    let twice = FULL.replace("\"a.b\"", "a");
    assert_eq!(Outline::parse(twice.clone()).unwrap_err(), Config::parse(&twice).unwrap_err());
    let short =
        FULL.replace("https://b.service-now.com", "b").replace("[profile.a]", "[profile.z]");
    let names: Vec<_> =
        Outline::parse(short).unwrap().entries().map(|e| e.name.to_owned()).collect();
    assert_eq!(names, ["a.b", "z"]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_usual_instance_is_one(host in "[a-z0-9.-]{1,30}", tail in "(\\.service-now\\.com)?") {
        let url = format!("https://{host}{tail}");
        if is_usual_instance(&url) {
            let instance = Instance::parse(&url);
            prop_assert_eq!(instance.as_ref().map(Instance::url), Ok(url.as_str()));
        }
    }
}
