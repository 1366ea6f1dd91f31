//! The reader of large configurations says of every text what the TOML parser says.

use proptest::prelude::*;
use snowtoken::config::{Config, Outline};

const KEYS: &[&str] = &[
    "instance",
    "client_id",
    "client_authentication",
    "grant",
    "target",
    "region",
    "redirect_uri",
    "scope",
    "access_token_lifespan",
    "refresh_token_lifespan",
    "credentials_file",
    "subject",
    "key_id",
];

fn compare(text: String) {
    let parsed = Config::parse(&text);
    let shown = text.clone();
    match (Outline::parse(text), parsed) {
        (Ok(outline), Ok(config)) => {
            let mut profiles: Vec<_> = config.profiles().iter().collect();
            profiles.sort_by_key(|profile| profile.name.as_str());
            assert_eq!(outline.len(), profiles.len(), "{shown}");
            for (entry, profile) in outline.entries().zip(profiles) {
                let one = (entry.name, entry.instance, entry.client_id, entry.target, entry.grant);
                let other = (
                    profile.name.as_str(),
                    profile.instance.url(),
                    profile.client_id.as_str(),
                    profile.target.as_str(),
                    profile.grant,
                );
                assert_eq!(one, other, "{shown}");
            }
        }
        (outline, parsed) => {
            assert_eq!(outline.map(|_| ()), parsed.map(|_| ()), "{shown}");
        }
    }
}

/// Lines that are nearly plain, in any order.
fn line() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => prop::sample::select(KEYS).prop_map(str::to_owned),
        1 => "[a-z_ \"']{0,12}",
    ];
    let host = "(https://|http://|)[a-zA-Z0-9x.:-]{0,20}(\\.service-now\\.com)?/?";
    let text = prop_oneof![
        3 => "[ -~]{0,12}",
        3 => host,
        1 => "[\\x00-\\x7f\u{e4}\u{feff}]{0,6}",
        1 => "[0-9]{1,12}[smhd]?",
        1 => prop::sample::select(&["none", "client-credentials", "jwt-bearer", "nice-knowledge-hub"][..])
            .prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        8 => text.prop_map(|text| format!("\"{text}\"")),
        2 => "[0-9+_-]{1,12}",
        1 => "(true|false|'x'|\\[\\]|\\{\\})",
    ];
    prop_oneof![
        8 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        4 => "\\[profile\\.\"?[a-z0-9._-]{1,6}\"?\\]",
        1 => "(#.{0,10}|version = 1|\\[profile\\]|\\[\\[profile.a\\]\\]|)",
        1 => "[ -~]{0,20}",
    ]
}

/// A section that is most probably right, so that many texts are taken.
fn section() -> impl Strategy<Value = String> {
    let host = prop_oneof![3 => "https://[a-z]{1,4}", 1 => "https?://[a-z0-9x.:-]{1,24}"];
    ("[ab1.]{1,2}", any::<bool>(), host, "[!-~]{1,8}", prop::option::of(line())).prop_map(
        |(name, quoted, host, client, more)| {
            let name = if quoted { format!("\"{name}\"") } else { name };
            let more = more.map(|line| format!("{line}\n")).unwrap_or_default();
            format!("[profile.{name}]\ninstance = \"{host}\"\nclient_id = \"{client}\"\n{more}\n")
        },
    )
}

fn cases() -> u32 {
    let full = std::env::var("SNOWTOKEN_TEST_COUNTS").is_ok_and(|counts| counts == "full");
    if full { 1_000_000 } else { 20_000 }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn near_misses_are_read_the_same_way(
        sections in prop::collection::vec(section(), 0..3),
        lines in prop::collection::vec(line(), 0..4),
    ) {
        compare(format!("version = 1\n{}{}", sections.concat(), lines.join("\n")));
    }
}
