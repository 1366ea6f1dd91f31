//! Products that get their tokens themselves: nothing is minted, the client is kept, checked and
//! handed over.

use std::fs;

use serde_json::{Value, json};

use crate::support::instance::{Instance as _, PROFILE, log_in, words};
use crate::support::process::Running;
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const TYPED: &str = "s3cr+t &%=?\"'\\~[`-canary-4711";

/// The arguments of `profile add` for a target.
fn add(sandbox: &Sandbox, instance: &StandIn, target: &str, more: &[&str]) -> Vec<String> {
    let secret = sandbox.file("client-secret", format!("{}\n", instance.client_secret()));
    let mut arguments = words(&["profile", "add", PROFILE, "--target", target, "--instance"]);
    arguments.extend([instance.origin(), "--client-id".to_owned(), instance.client_id()]);
    arguments.extend(["--client-secret-file".to_owned(), secret.display().to_string()]);
    arguments.extend(words(more));
    arguments
}

/// Nothing that could get a token was sent.
fn nothing_was_minted(instance: &StandIn) {
    assert_eq!(instance.token_requests().len(), 0);
    assert!(instance.received().iter().all(|request| !request.is_to("/oauth_auth.do")));
}

#[test]
fn login_says_that_nothing_is_minted_and_what_to_do_instead() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    for (target, text) in [
        (
            "glue",
            "AWS Glue (ServiceNow connection, zero-ETL) takes a client ID and secret and gets its tokens itself: nothing is minted for it here",
        ),
        (
            "bedrock-kb",
            "Amazon Bedrock managed knowledge base (ServiceNow) takes a client ID and secret and gets its tokens itself: nothing is minted for it here",
        ),
        (
            "genesys",
            "Genesys Cloud for ServiceNow takes a client ID and secret and gets its tokens itself: nothing is minted for it here",
        ),
        (
            "grafana",
            "Grafana (ServiceNow data source) takes a client ID and secret with a user's name and password, which you type there yourself: nothing is minted for it here, since that would show a password to one program more (RFC 9700 §2.4)",
        ),
        (
            "airbyte",
            "Airbyte (ServiceNow, enterprise connector) takes a user's name and password and no OAuth client: nothing is minted for it",
        ),
    ] {
        let mut arguments = words(&["login", PROFILE, "--target", target, "--instance"]);
        arguments.extend([instance.origin(), "--client-id".to_owned(), instance.client_id()]);
        let (outcome, code) = sandbox.run(&arguments).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("target-prepares-only"), "{outcome:#?}");
        assert!(outcome.stderr.starts_with(&format!("error: {text}\n")), "{outcome:#?}");
        for hint in ["snowtoken profile add", "snowtoken deliver"] {
            assert!(outcome.stderr.contains(hint), "{outcome:#?}");
        }
    }
    assert_eq!(instance.received().len(), 0);
    assert!(!sandbox.keep().join("config.toml").exists());
}

#[test]
fn a_prepared_client_is_kept_shown_and_handed_over() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    let done = sandbox.run(&add(&sandbox, &instance, "n8n", &["--json"])).ok();
    let host = instance.origin();
    assert_eq!(
        done.json(),
        json!({
            "version": 1, "profile": PROFILE, "instance": host, "client_id": instance.client_id(),
            "target": "n8n", "class": "client", "prepare_only": true, "instance_awake": true,
            "redirect_uris": [], "client_secret_stored": true, "concerns": [],
        })
    );
    assert!(done.stderr.contains("  the instance is awake\n"), "{done:#?}");
    let place = "the credential's window in n8n, under OAuth Callback URL";
    assert!(done.stderr.contains(&format!("redirect URI: read it at {place}")), "{done:#?}");
    assert!(!done.said().contains("canary"), "{done:#?}");
    let delivered = sandbox.run(&["deliver", PROFILE]).ok();
    let lines: Vec<&str> = delivered.stdout.lines().skip(2).collect();
    let secret = format!("Client Secret: {TYPED}");
    let id = format!("Client ID: {}", instance.client_id());
    assert_eq!(lines, ["Subdomain: 127", &id, &secret]);
    let json = sandbox.run(&["deliver", PROFILE, "--format", "json"]).ok().json();
    assert_eq!(
        json["fields"][2],
        json!({"label": "Client Secret", "name": "client_secret", "value": TYPED})
    );
    for format in ["header", "dotenv", "shell"] {
        let (outcome, code) =
            sandbox.run(&["deliver", PROFILE, "--format", format]).failed_with(&[1, 2]);
        assert_eq!(code.as_deref(), Some("delivery-unfit"), "{outcome:#?}");
    }
    nothing_was_minted(&instance);
}

#[test]
fn what_is_for_tokens_is_refused_for_a_prepared_client_and_shows_no_secret() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    sandbox.run(&add(&sandbox, &instance, "grafana", &[])).ok();
    for more in [
        &["--push"][..],
        &["--output", "f", "--keep-fresh"],
        &["--output", "f", "--reload", "true"],
        &["--template", "nope.tpl"],
        &["--variant", "x"],
        &["--name", "x"],
        &["--to", "x"],
        &["--field", "Client ID", "--output", "f"],
        &["--field", "Nothing"],
        &["--output", "-"],
    ] {
        let arguments = [&["deliver", PROFILE], more].concat();
        let (outcome, code) = sandbox.run(&arguments).failed_with(&[2]);
        assert_eq!((outcome.stdout.as_str(), code.as_deref()), ("", Some("usage")), "{outcome:#?}");
        assert!(!outcome.said().contains("canary"), "{outcome:#?}");
    }
    assert!(!sandbox.path("files/f").exists() && !sandbox.path("files/-").exists());
    let (outcome, _) = sandbox.run(&["deliver", PROFILE, "--push"]).failed_with(&[2]);
    let text = "error: --push does not work for a product that gets its tokens itself: \
                --field LABEL, --format credentials-file or json, and --output FILE do\n";
    assert!(outcome.stderr.starts_with(text), "{outcome:#?}");
    let one = sandbox.run(&["deliver", PROFILE, "--field", "client id"]).ok();
    assert_eq!(one.stdout, instance.client_id());
    let (_, code) = sandbox.run(&["deliver", PROFILE, "--field", "Password"]).failed_with(&[1, 2]);
    assert_eq!(code.as_deref(), Some("delivery-incomplete"));
    let done = sandbox.run(&["deliver", PROFILE, "--output", "f", "--json"]).ok().json();
    let place = sandbox.path("files/f");
    let shown = place.to_str().unwrap();
    assert_eq!(
        done,
        json!({"version": 1, "profile": PROFILE, "format": "credentials-file", "output": shown})
    );
}

/// What has no tokens and needs none is not dead: no command says that somebody must log in.
#[test]
fn a_prepared_client_is_never_shown_as_dead() {
    let uri = "https://eu-west-1.console.aws.amazon.com/gluestudio/oauth";
    let instance = StandIn::start(uri, &[]);
    let sandbox = Sandbox::new();
    sandbox.run(&add(&sandbox, &instance, "glue", &["--region", "eu-west-1"])).ok();
    let status = sandbox.run(&["status", "--within", "9999d"]).ok();
    assert!(status.stdout.starts_with("p: prepared\n"), "{status:#?}");
    assert!(
        status.stdout.contains(
            "  tokens          the product gets them itself: `snowtoken deliver p` hands the client over\n"
        ),
        "{status:#?}"
    );
    assert!(status.stdout.contains("  client secret   stored, sealed\n"), "{status:#?}");
    let json = sandbox.run(&["status", "--json"]).ok().json();
    assert_eq!(json["profiles"][0]["state"], "prepared");
    assert_eq!(json["profiles"][0]["client_secret_stored"], true);
    let calendar = sandbox.run(&["status", "--ics", "-"]).ok();
    assert_eq!(calendar.stderr, "", "no event, and no complaint");
    sandbox.run(&["keep", "--once", "--no-notify"]).ok();
    for verb in ["token", "refresh", "verify"] {
        let (outcome, code) = sandbox.run(&[verb, PROFILE]).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("target-prepares-only"), "{verb}: {outcome:#?}");
        let hint =
            "hint: hands over exactly the fields of the product's form: run `snowtoken deliver p`";
        assert_eq!(outcome.stderr.lines().nth(1), Some(hint), "{outcome:#?}");
        assert_eq!(outcome.stderr.matches(hint).count(), 1, "{outcome:#?}");
    }
    let shown = sandbox.run(&["profile", "show", PROFILE]).ok().stdout;
    assert!(shown.contains("Grant                   the product's own\n"), "{shown}");
    assert!(
        shown.contains("https://eu-west-1.console.aws.amazon.com/gluestudio/oauth\n"),
        "{shown}"
    );
    // A second profile makes a table of it.
    let mut other = add(&sandbox, &instance, "nice-knowledge-hub", &["--region", "us-west-2"]);
    "later".clone_into(&mut other[2]);
    sandbox.run(&other).ok();
    let table = sandbox.run(&["status"]).ok().stdout;
    let state = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).nth(1).unwrap().to_owned()
    };
    assert_eq!((state("p "), state("later ")), ("prepared".into(), "not logged in".into()));
    nothing_was_minted(&instance);
    let doctor = sandbox.run(&["doctor", PROFILE]).ok().stdout;
    assert!(doctor.contains("pass     redirect URI"), "{doctor}");
    sandbox.run(&["logout", PROFILE]).ok();
    sandbox.run(&["profile", "remove", PROFILE]).ok();
}

#[test]
fn a_delivered_client_is_watched_for_drift() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    sandbox.run(&add(&sandbox, &instance, "grafana", &[])).ok();
    let path = sandbox.path("files").join("grafana.txt");
    let shown = path.to_str().unwrap();
    sandbox.run(&["deliver", PROFILE, "--output", shown]).ok();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\n# Password: the password of that user: you type it\n"), "{text}");
    let checked = sandbox.run(&["deliver", PROFILE, "--check"]).ok();
    assert_eq!(checked.stderr, format!("{shown} is what is stored\n"));
    let said = sandbox.run(&["revoke", PROFILE]).ok().said();
    assert!(!said.contains("dead copy"), "a client's secret lives on: {said}");
    let other = sandbox.file("other", "another-secret");
    let replace = ["profile", "add", PROFILE, "--replace", "--client-secret-file"];
    sandbox.run(&[&replace[..], &[other.to_str().unwrap()]].concat()).ok();
    let (outcome, _) = sandbox.run(&["deliver", PROFILE, "--check"]).failed_with(&[3]);
    assert!(
        outcome
            .stderr
            .starts_with(&format!("{shown} holds another client or secret than is stored\n")),
        "{outcome:#?}"
    );
    fs::write(&path, text.replace("grafana", "x")).unwrap();
    sandbox.run(&["deliver", PROFILE, "--check"]).failed_with(&[3]);
}

#[test]
fn what_can_be_checked_is_checked() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    let uri = "https://us-gov-west-1.console.aws.amazon.com/appflow/oauth";
    let done =
        sandbox.run(&add(&sandbox, &instance, "appflow-console", &["--redirect-uri", uri])).ok();
    let title = "Amazon AppFlow (ServiceNow connector), in the AWS console";
    for line in [
        format!("warning: \"Client secret\" holds blanks, which {title} may refuse\n"),
        format!(
            "warning: the redirect URI {uri} is not of the form that {title} uses: \
             https://{{region}}.console.aws.amazon.com/appflow/oauth\n"
        ),
        format!("  to be registered on the client: {uri}\n"),
        "  whether it is: `snowtoken doctor p` asks the instance\n".into(),
    ] {
        assert!(done.stderr.contains(&line), "{line}\n{done:#?}");
    }
    // A name that is taken is not taken again by accident.
    let (outcome, code) = sandbox.run(&add(&sandbox, &instance, "n8n", &[])).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("profile-invalid"), "{outcome:#?}");
    assert!(outcome.stderr.contains("--replace"), "{outcome:#?}");
    for (target, more, code) in [
        ("glue", &["--region", "cn-north-1"][..], "region-unknown"),
        ("glue", &[], "setting-missing"),
        ("grafana", &["--redirect-uri", "https://example.com/"], "redirect-uri-invalid"),
        ("airbyte", &[], "target-prepares-only"),
        ("nobody", &[], "usage"),
    ] {
        let mut arguments = add(&sandbox, &instance, target, more);
        "q".clone_into(&mut arguments[2]);
        let (outcome, found) = sandbox.run(&arguments).failed_with(&[2]);
        assert_eq!(found.as_deref(), Some(code), "{target}: {outcome:#?}");
    }
    nothing_was_minted(&instance);
}

/// Some redirect URIs are shown by the product alone: they come later, and are compared then.
#[test]
fn a_redirect_uri_that_comes_later_is_compared_with_the_targets_form() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    sandbox.run(&add(&sandbox, &instance, "logic-apps", &[])).ok();
    let set = |uri: &str| {
        let done = sandbox.run(&["profile", "set", PROFILE, "--redirect-uri", uri]).ok();
        let shown = sandbox.run(&["profile", "show", PROFILE, "--json"]).ok().json();
        assert_eq!(shown["redirect_uri"], uri);
        done.stderr
    };
    let changed = "p: changed; it holds from the next delivery on\n";
    assert_eq!(set("https://logic-apis-westeurope.consent.azure-apim.net/redirect"), changed);
    let other = "https://westeurope.consent.azure-apim.net/redirect";
    assert_eq!(
        set(other),
        format!(
            "warning: the redirect URI {other} is not of the form that Azure Logic Apps (ServiceNow connector) uses: \
             https://logic-apis-{{azure-region}}.consent.azure-apim.net/redirect\n{changed}"
        )
    );
}

/// The older spelling of us-east-1 is to be registered, too.
#[test]
fn every_redirect_uri_to_register_is_named() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    let arguments =
        add(&sandbox, &instance, "appflow-console", &["--region", "us-east-1", "--json"]);
    let done = sandbox.run(&arguments).ok();
    assert_eq!(
        done.json()["redirect_uris"],
        json!([
            "https://us-east-1.console.aws.amazon.com/appflow/oauth",
            "https://console.aws.amazon.com/appflow/oauth"
        ])
    );
}

#[test]
fn an_instance_that_sleeps_is_told_and_nothing_is_kept() {
    let instance = StandIn::with(&["fault.kind=asleep"]);
    let sandbox = Sandbox::new();
    let (outcome, code) = sandbox.run(&add(&sandbox, &instance, "n8n", &[])).failed_with(&[5]);
    assert_eq!(code.as_deref(), Some("instance-asleep"), "{outcome:#?}");
    assert!(outcome.stderr.contains("nothing was stored"), "{outcome:#?}");
    assert!(!sandbox.keep().join("config.toml").exists());
    let done = sandbox.run(&add(&sandbox, &instance, "n8n", &["--no-verify", "--json"])).ok();
    assert_eq!(done.json()["instance_awake"], Value::Null);
    assert!(done.stderr.contains("  not asked: whether the instance is awake\n"), "{done:#?}");
}

/// For a product that takes tokens, a login goes on from there and asks nothing.
#[test]
fn a_login_goes_on_from_a_client_that_was_kept() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    let done = sandbox
        .run(&add(&sandbox, &instance, "nice-knowledge-hub", &["--region", "us-west-2"]))
        .ok();
    assert!(done.stderr.ends_with("`snowtoken login p` gets the tokens.\n"), "{done:#?}");
    let arguments = words(&["login", PROFILE, "--no-browser", "--no-input"]);
    let mut running = sandbox.start(&arguments);
    let url = running.authorization_url();
    let redirected = instance.consent(&url, crate::support::instance::Consent::Allow);
    running.write(format!("{redirected}\n"));
    running.finish().ok();
    // Tokens of another client would be out of reach.
    let mut other = add(&sandbox, &instance, "n8n", &["--replace"]);
    "another-id".clone_into(&mut other[8]);
    let (outcome, code) = sandbox.run(&other).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("profile-invalid"), "{outcome:#?}");
    assert!(outcome.stderr.contains("snowtoken logout p"), "{outcome:#?}");
}

/// Tokens that were got before stay what they were, whatever the target is now.
#[test]
fn tokens_from_before_live_on_when_the_target_prepares_only() {
    let instance = StandIn::with(&[]);
    let sandbox = Sandbox::new();
    log_in(&sandbox, &instance).ok();
    sandbox.run(&["profile", "set", PROFILE, "--target", "grafana"]).ok();
    sandbox.run(&["token", PROFILE]).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
    let status = sandbox.run(&["status"]).ok().stdout;
    assert!(status.starts_with("p: logged in\n"), "{status}");
    sandbox.run(&["deliver", PROFILE]).ok();
    sandbox.run(&["logout", PROFILE]).ok();
    assert!(sandbox.run(&["status"]).ok().stdout.starts_with("p: prepared\n"));
}

#[test]
fn amazons_products_get_their_secret_without_tokens_and_a_copy_is_checked() {
    let instance = StandIn::with(&[]);
    for (target, variant, expected) in [
        (
            "bedrock-kb",
            "bedrock",
            json!({
                "clientId": instance.client_id(), "clientSecret": instance.client_secret(),
                "instanceUrl": instance.origin(),
            }),
        ),
        (
            "glue",
            "glue",
            json!({"USER_MANAGED_CLIENT_APPLICATION_CLIENT_SECRET": instance.client_secret()}),
        ),
    ] {
        let sandbox = Sandbox::new();
        let region = if target == "glue" { &["--region", "us-east-1"][..] } else { &[] };
        sandbox.run(&add(&sandbox, &instance, target, region)).ok();
        let deliver = ["deliver", PROFILE, "--format", "aws-secret"];
        let own = [&deliver[..], &["--variant", variant]].concat();
        assert_eq!(sandbox.run(&own).ok().json(), expected);
        sandbox.run(&[&own[..], &["--output", "secret.json"]].concat()).ok();
        assert_eq!(sandbox.snapshot_of("files")["files/secret.json"].permissions(), 0o600);
        let check = ["deliver", PROFILE, "--check"];
        sandbox.run(&check).ok();
        sandbox.file("secret.json", "{}");
        sandbox.run(&check).failed_with(&[3]);
        // The neutral one holds tokens.
        let (outcome, code) = sandbox.run(&deliver).failed_with(&[1, 2]);
        assert_eq!(code.as_deref(), Some("delivery-unfit"), "{outcome:#?}");
        let other = ["deliver", PROFILE, "--push"];
        let (outcome, _) = sandbox.run(&other).failed_with(&[2]);
        let text = "--push does not work for a product that gets its tokens itself";
        assert!(outcome.stderr.contains(text), "{outcome:#?}");
    }
    assert_eq!(instance.token_requests().len(), 0);
}

/// The grant of such a profile is nobody's choice.
#[test]
fn a_profile_that_was_added_is_set_up_as_the_product_wants_it() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    sandbox.run(&add(&sandbox, &instance, "grafana", &[])).ok();
    for more in [&[][..], &["--target", "grafana"]] {
        let outcome = sandbox.run(&[&["setup", PROFILE, "--checklist"][..], more].concat()).ok();
        assert!(outcome.stdout.contains("Grafana"), "{outcome:#?}");
    }
}

#[test]
fn another_secret_is_asked_for_and_the_stored_one_stays_if_nobody_answers() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    sandbox.run(&add(&sandbox, &instance, "n8n", &[])).ok();
    let replace = words(&["profile", "add", PROFILE, "--replace"]);
    let holds = |secret: &str| {
        let text = sandbox.run(&["deliver", PROFILE]).ok().stdout;
        assert!(text.contains(&format!("Client Secret: {secret}\n")), "{secret}: {text}");
    };
    let stays = "p: the stored client secret stays; --client-secret-file FILE gives another one";
    let mut command = sandbox.command(&replace);
    command.env("SNOWTOKEN_CLIENT_SECRET", "of-another-profile");
    let outcome = Running::start(command).finish().ok();
    assert!(outcome.stderr.contains(stays), "{outcome:#?}");
    holds(TYPED);
    for (typed, held, said) in [("", TYPED, true), ("typed-anew", "typed-anew", false)] {
        let mut terminal = Terminal::start(&sandbox.command(&replace), 100);
        terminal.wait(|text| text.contains("Enter keeps the stored one").then_some(()));
        terminal.keys(format!("{typed}\r"));
        let session = terminal.finish();
        let text = plain(&session.text());
        assert_eq!(session.code, Some(0), "{text}");
        assert_eq!(text.contains("the stored client secret stays"), said, "{text}");
        holds(held);
    }
}

#[test]
fn where_there_are_tokens_another_secret_is_proved_before_it_is_stored() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let wrong = sandbox.file("wrong", "not-this-one\n").display().to_string();
    let replace = ["profile", "add", PROFILE, "--replace", "--client-secret-file", &wrong];
    let (outcome, code) = sandbox.run(&replace).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("secret-not-taken"), "{outcome:#?}");
    let blind = [&replace[..], &["--no-verify"]].concat();
    sandbox.run(&blind).failed_with(&[2]);
    sandbox.run(&["refresh", PROFILE]).ok();
}
