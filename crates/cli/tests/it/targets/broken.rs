//! Files of targets that cannot be: refused with the exact reason, and by a foreign validator with
//! our schema.

use super::complaints;
use crate::support::sandbox::Sandbox;

/// A file that is right.
const WHOLE: &str = r#"
[regions.ours]
list = ["eu-1", "us-1"]
refused = [{ prefix = "cn-", reason = "not there" }]

[[target]]
name = "wiki"
title = "Our wiki"
class = "tokens"
redirect_uri = "https://{region}.wiki.example.com/back"
also_register = [{ region = "us-1", redirect_uri = "https://wiki.example.com/back", reason = "older" }]
regions = "ours"
scope = "useraccount"
access_token_lifespan = 1800
fields = [["ID", "client_id"], ["Token", "refresh_token"], ["Kind", "=oauth"]]
credentials_file = true
formats = ["json"]
limits = { client_id = 64, no_white_space = true }
instance = "host"
domains = ["service-now.com"]
tables = ["kb_knowledge"]
roles = ["knowledge"]
user_advice = ["One thing."]
notes = ["Another."]
confidence = "documented"
sources = ["our wiki"]

[[target]]
name = "form"
title = "A form"
class = "password"
fields = [["Name", "user_name"], ["Word", "password"], ["ID", "client_id"]]
confidence = "assumed"
sources = ["us"]
"#;

/// Who refuses it.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Both,
    /// What a schema cannot say.
    UsAlone,
}
use By::{Both, UsAlone};

/// A piece of the file, what stands in its place, the reason, and who sees it.
const BROKEN: &[(&str, &str, &str, By)] = &[
    (
        "[[target]]\nname = \"wiki\"",
        "[[target\nname = \"wiki\"",
        "line 6: unclosed array table, expected `]]`",
        Both,
    ),
    ("title = \"Our wiki\"\n", "", "line 6: missing field `title`", Both),
    ("name = \"wiki\"\n", "", "line 6: missing field `name`", Both),
    ("class = \"tokens\"\n", "", "line 6: missing field `class`", Both),
    ("sources = [\"our wiki\"]\n", "", "line 6: missing field `sources`", Both),
    ("confidence = \"documented\"\n", "", "line 6: missing field `confidence`", Both),
    ("scope = ", "scopes = ", "line 13: unknown field `scopes`, expected one of", Both),
    ("client_id = 64", "client = 64", "line 18: unknown field `client`, expected one of", Both),
    (
        "\"eu-1\", \"us-1\"]\n",
        "\"eu-1\", \"us-1\"]\nmore = 1\n",
        "line 4: unknown field `more`, expected `list` or `refused`",
        Both,
    ),
    (
        "scope = \"useraccount\"",
        "scope = 3",
        "line 13: invalid type: integer `3`, expected a string",
        Both,
    ),
    (
        "client_id = 64",
        "client_id = \"64\"",
        "line 18: invalid type: string \"64\", expected usize",
        Both,
    ),
    (
        "client_id = 64",
        "client_id = -1",
        "line 18: invalid value: integer `-1`, expected usize",
        Both,
    ),
    (
        "[\"Kind\", \"=oauth\"]",
        "[\"Kind\"]",
        "line 15: invalid length 1, expected a tuple of size 2",
        Both,
    ),
    (
        "name = \"wiki\"",
        "name = \"Wiki\"",
        "target \"Wiki\": name: a name is 1 to 63 characters of a-z, 0-9 and -",
        Both,
    ),
    (
        "name = \"wiki\"",
        "name = \"../wiki\"",
        "target \"../wiki\": name: a name is 1 to 63 characters of a-z, 0-9 and -",
        Both,
    ),
    ("title = \"Our wiki\"", "title = \" \"", "target \"wiki\": title: a text is empty", Both),
    (
        "title = \"Our wiki\"",
        "title = \"a\\u001b[2Jb\"",
        "target \"wiki\": title: a text is one line, without control characters",
        Both,
    ),
    (
        "class = \"tokens\"",
        "class = \"T\"",
        "target \"wiki\": class: \"T\" is none of tokens, client, client-credentials, jwt-bearer, password, basic",
        Both,
    ),
    (
        "class = \"tokens\"",
        "class = \"client\"",
        "target \"wiki\": credentials_file: only tokens are written to a credentials file",
        Both,
    ),
    (
        "class = \"tokens\"",
        "class = \"client-credentials\"",
        "target \"wiki\": redirect_uri: a target of class client-credentials has none",
        Both,
    ),
    (
        "redirect_uri = \"https://{region}.wiki.example.com/back\"\n",
        "",
        "target \"wiki\": redirect_uri: a target of class tokens has one, or says in redirect_uri_from where it is shown",
        Both,
    ),
    (
        "https://{region}.wiki",
        "https://wiki",
        "target \"wiki\": regions: a redirect URI with {region} has regions, and no other has",
        Both,
    ),
    (
        "regions = \"ours\"\n",
        "",
        "target \"wiki\": regions: a redirect URI with {region} has regions, and no other has",
        Both,
    ),
    (
        "https://{region}.wiki",
        "http://{region}.wiki",
        "target \"wiki\": redirect_uri: a redirect URI is https, or http on a loopback address (127.0.0.1, [::1], localhost)",
        Both,
    ),
    (
        "example.com/back\"\nalso",
        "example.com/back#x\"\nalso",
        "target \"wiki\": redirect_uri: a redirect URI has no fragment, no user name and no blanks",
        Both,
    ),
    (
        "https://{region}.wiki",
        "https://you@{region}.wiki",
        "target \"wiki\": redirect_uri: a redirect URI has no fragment, no user name and no blanks",
        Both,
    ),
    (
        "https://{region}.wiki",
        "https://{region}.{Wiki}",
        "target \"wiki\": redirect_uri: a word in braces is made of a-z and -",
        Both,
    ),
    (
        "https://{region}.wiki",
        "{region}.wiki",
        "target \"wiki\": redirect_uri: a redirect URI is an absolute URL",
        Both,
    ),
    (
        "\"https://wiki.example.com/back\"",
        "\"http://wiki.example.com/back\"",
        "target \"wiki\": also_register: a redirect URI is https, or http on a loopback address (127.0.0.1, [::1], localhost)",
        Both,
    ),
    (
        "reason = \"older\"",
        "reason = \"\"",
        "target \"wiki\": also_register: a text is empty",
        Both,
    ),
    (
        "\"eu-1\", \"us-1\"",
        "\"eu-1\", \"us-1\", \"us-1\"",
        "target \"wiki\": regions: a region is in the list twice",
        Both,
    ),
    (
        "\"eu-1\", \"us-1\"",
        "\"eu-1\", \"us-1\", \"a/b\"",
        "target \"wiki\": regions: a region is 1 to 63 characters of a-z, 0-9 and -",
        Both,
    ),
    (
        "prefix = \"cn-\"",
        "prefix = \"\"",
        "target \"wiki\": regions: a refused beginning is empty",
        Both,
    ),
    (
        "reason = \"not there\"",
        "reason = \"\\n\"",
        "target \"wiki\": regions: a text is empty",
        Both,
    ),
    (
        "scope = \"useraccount\"",
        "scope = \"a  b\"",
        "target \"wiki\": scope: scopes are words, parted by one blank",
        Both,
    ),
    (
        "access_token_lifespan = 1800",
        "access_token_lifespan = 0",
        "target \"wiki\": access_token_lifespan: a lifespan is 1 second to a hundred years",
        Both,
    ),
    (
        "access_token_lifespan = 1800",
        "access_token_lifespan = 1800.5",
        "line 14: invalid type: floating point `1800.5`, expected i64",
        Both,
    ),
    (
        "\"refresh_token\"]",
        "\"refreshToken\"]",
        "target \"wiki\": fields: \"refreshToken\" is none of instance, client_id, client_secret, access_token, refresh_token, auth_code, token_url, authorization_url, redirect_uri, scope, refresh_token_expires_at, user_name, password",
        Both,
    ),
    (
        "[\"ID\", \"client_id\"], [\"Token\"",
        "[\"\", \"client_id\"], [\"Token\"",
        "target \"wiki\": fields: a text is empty",
        Both,
    ),
    (
        "\"refresh_token\"]",
        "\"client_secret\"]",
        "target \"wiki\": fields: a target of class tokens takes one of them",
        Both,
    ),
    (
        "\"refresh_token\"]",
        "\"refresh_token\"], [\"U\", \"user_name\"]",
        "target \"wiki\": fields: a user's name and password are for the classes password and basic, which have them",
        Both,
    ),
    (
        "[[\"Name\", \"user_name\"], [\"Word\", \"password\"], [\"ID\", \"client_id\"]]",
        "[]",
        "target \"form\": fields: it has none",
        Both,
    ),
    (
        "[[\"Name\", \"user_name\"], [\"Word\", \"password\"], ",
        "[",
        "target \"form\": fields: a user's name and password are for the classes password and basic, which have them",
        Both,
    ),
    (
        "[\"ID\", \"client_id\"]]\nconfidence",
        "[\"T\", \"access_token\"]]\nconfidence",
        "target \"form\": fields: only a target of class tokens takes tokens",
        Both,
    ),
    (
        "class = \"password\"",
        "class = \"basic\"",
        "target \"form\": fields: a target of class basic has no OAuth client",
        Both,
    ),
    (
        "class = \"password\"",
        "class = \"password\"\ncredentials_file = true",
        "target \"form\": credentials_file: only tokens are written to a credentials file",
        Both,
    ),
    (
        "class = \"password\"",
        "class = \"password\"\nredirect_uri_from = \"there\"",
        "target \"form\": redirect_uri: a target of class password has none",
        Both,
    ),
    ("client_id = 64", "client_id = 0", "target \"wiki\": limits: a limit is at least 1", Both),
    (
        "instance = \"host\"",
        "instance = \"hostname\"",
        "target \"wiki\": instance: \"hostname\" is none of url, url-with-slash, host, name",
        Both,
    ),
    (
        "\"service-now.com\"",
        "\"service-now\"",
        "target \"wiki\": domains: a domain is one such as service-now.com",
        Both,
    ),
    (
        "\"kb_knowledge\"",
        "\"kb_knowledge.*\"",
        "target \"wiki\": tables: a table's name is made of a-z, 0-9 and _",
        Both,
    ),
    ("\"kb_knowledge\"", "\"a\", \"a\"", "target \"wiki\": tables: a table is named twice", Both),
    (
        "roles = [\"knowledge\"]",
        "roles = [\"Knowledge\"]",
        "target \"wiki\": roles: a role's name is made of a-z, 0-9, _ and .",
        Both,
    ),
    (
        "user_advice = [\"One thing.\"]",
        "user_advice = [\"\"]",
        "target \"wiki\": user_advice: a text is empty",
        Both,
    ),
    (
        "confidence = \"documented\"",
        "confidence = \"A\"",
        "target \"wiki\": confidence: \"A\" is none of documented, partly-documented, reported, assumed",
        Both,
    ),
    (
        "sources = [\"our wiki\"]",
        "sources = []",
        "target \"wiki\": sources: every target says where it comes from",
        Both,
    ),
    // These need more than one look.
    (
        "regions = \"ours\"",
        "regions = \"theirs\"",
        "target \"wiki\": regions: \"theirs\" is none of ours",
        UsAlone,
    ),
    (
        "prefix = \"cn-\"",
        "prefix = \"us-\"",
        "target \"wiki\": regions: us- is refused, and a region begins so",
        UsAlone,
    ),
    (
        "region = \"us-1\"",
        "region = \"us-2\"",
        "target \"wiki\": also_register: there is no region us-2",
        UsAlone,
    ),
    (
        "name = \"form\"",
        "name = \"wiki\"",
        "target \"wiki\": the name stands in this file twice",
        UsAlone,
    ),
    ("[\"Token\"", "[\"ID\"", "target \"wiki\": fields: two have the same label", UsAlone),
    (
        "formats = [\"json\"]",
        "formats = [\"yaml\"]",
        "target \"wiki\": formats: \"yaml\" is none of ",
        UsAlone,
    ),
];

#[test]
fn broken_files_are_refused_with_the_exact_reason_by_us_and_by_the_schema() {
    let sandbox = Sandbox::new();
    let whole = sandbox.file("whole.toml", WHOLE);
    sandbox.run(&["target", "check", whole.to_str().unwrap()]).ok();
    assert!(BROKEN.iter().filter(|(.., by)| *by == Both).count() >= 50);
    let mut files = vec![WHOLE.to_owned()];
    for (from, to, reason, _) in BROKEN {
        assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
        let text = WHOLE.replacen(from, to, 1);
        let path = sandbox.file("broken.toml", &text);
        let shown = path.display().to_string();
        let (outcome, code) = sandbox.run(&["target", "check", &shown]).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("target-file-invalid"));
        let mut lines = outcome.stderr.lines();
        assert_eq!(lines.next(), Some(&*format!("error: {shown}")), "{outcome:#?}");
        let cause = lines.next().unwrap().strip_prefix("  caused by: ").unwrap();
        let fits = if reason.ends_with("one of") || reason.ends_with("none of ") {
            cause.starts_with(reason)
        } else {
            cause == *reason
        };
        assert!(fits, "{from} -> {to}\nsaid:     {cause}\nexpected: {reason}");
        files.push(text);
    }
    let found = complaints(&sandbox, &files);
    assert_eq!(found[0], None, "the whole file");
    for ((from, to, _, by), complaint) in BROKEN.iter().zip(&found[1..]) {
        assert_eq!(complaint.is_some(), *by == Both, "{from} -> {to}: {complaint:?}");
    }
}
