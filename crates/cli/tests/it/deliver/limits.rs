//! What the taker would refuse is refused before anything is written.

use std::fs;

use super::{deliver, logged_in};

/// Arguments, exit code, diagnosis, words.
type Case = (&'static [&'static str], i32, Option<&'static str>, &'static str);

// The client secret of these tests holds blanks and quotes.
const CASES: &[Case] = &[
    (
        &["--format", "appflow"],
        1,
        Some("delivery-unfit"),
        "the client secret holds white space, which Amazon AppFlow refuses",
    ),
    (&["--format", "dotenv"], 1, Some("delivery-unfit"), "on which readers of such files differ"),
    (&["--format", "github"], 1, Some("delivery-unfit"), "on which readers of such files differ"),
    (
        &["--format", "aws-secret", "--variant", "kendra"],
        1,
        Some("delivery-incomplete"),
        "Amazon Kendra wants a user's name and password",
    ),
    (&["--format", "kubernetes", "--name", "A_b"], 2, None, "the name of the Secret must be"),
    (&["--format", "kubernetes", "--to", "X"], 2, None, "the namespace must be"),
    (&["--format", "docker", "--name", "a/b"], 2, None, "the name of the secret must be"),
    (&["--format", "vault", "--name", "../x"], 2, None, "the path of the secret must be"),
    (
        &["--format", "snowflake-sql", "--name", "a;drop table b"],
        2,
        None,
        "the name of integration and secret must be",
    ),
    (
        &["--format", "azure-key-vault", "--name", "a_b"],
        2,
        None,
        "the beginning of the secrets' names must be",
    ),
    (&["--format", "1password", "--name", "a/b"], 2, None, "the title of the item must be"),
    (
        &["--format", "systemd-credential", "--name", ".."],
        2,
        None,
        "the name of the credential must be",
    ),
    (
        &["--format", "json", "--name", "x"],
        2,
        None,
        "there is nothing in this shape that --name would name",
    ),
    (&["--format", "json", "--variant", "x"], 2, None, "json comes in one way only"),
    (
        &["--format", "vault", "--variant", "x\u{1b}"],
        2,
        None,
        "vault has no variant \"x\\u{1b}\"; it has cli, http-create, http-replace",
    ),
    (&["--field", "Nothing"], 2, None, "there is no field \"Nothing\""),
    (&["--format", "form"], 2, None, "an answer for the moment"),
    (&["--format", "token-json"], 2, None, "an answer for the moment"),
    (&["--format", "shell", "--push"], 2, None, "--push and --output exclude each other"),
];

/// GitHub's shape comes in one way only: another secret helps, another variant does not.
#[test]
fn what_is_advised_for_quotes_is_possible() {
    let (_instance, sandbox) = super::logged_in_without_blanks();
    let (outcome, code) = sandbox.run(&deliver(&["--format", "github"])).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("delivery-unfit"), "{outcome:#?}");
    assert!(outcome.stderr.contains("`snowtoken setup p --rotate-secret`"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("--variant"), "{outcome:#?}");
    let (outcome, _) = sandbox.run(&deliver(&["--format", "dotenv"])).failed_with(&[1]);
    assert!(outcome.stderr.contains("`--variant node`"), "{outcome:#?}");
}

#[test]
fn what_would_be_refused_changes_nothing() {
    let (_instance, sandbox) = logged_in();
    let out = sandbox.file("out", "old");
    for (more, exit, code, why) in CASES {
        let outcome = sandbox.run(&[deliver(more), vec!["--output", "out"]].concat());
        assert_eq!(outcome.code, Some(*exit), "{more:?}: {outcome:#?}");
        let (outcome, found) = outcome.failed_with(&[*exit]);
        assert!(outcome.stderr.contains(why), "{more:?}: {outcome:#?}");
        assert!(code.is_none() || found.as_deref() == *code, "{more:?}: {outcome:#?}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "old", "{more:?}");
    }
    let checked = sandbox.run(&deliver(&["--check"])).ok();
    assert!(checked.stderr.contains("nothing was delivered"), "{checked:#?}");
}

#[test]
fn a_single_value_is_that_value_and_nothing_else() {
    use crate::support::instance::Instance as _;
    let (instance, sandbox) = logged_in();
    let value = |label: &str| sandbox.run(&deliver(&["--field", label])).ok().stdout;
    assert_eq!(value("Client Secret"), instance.client_secret());
    assert_eq!(value("client secret:"), instance.client_secret());
    assert_eq!(value("client_secret"), instance.client_secret());
    assert_eq!(value("Instance URL"), instance.origin());
    assert_eq!(value("token_url"), format!("{}/oauth_token.do", instance.origin()));
    sandbox.run(&deliver(&["--field", "Client Secret", "--output", "one"])).ok();
    assert_eq!(fs::read_to_string(sandbox.path("files/one")).unwrap(), instance.client_secret());
    sandbox.run(&deliver(&["--check"])).ok();
}
