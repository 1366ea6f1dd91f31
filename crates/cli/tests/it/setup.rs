//! `setup` from outside: what is printed and written, what is kept for the login, and what others
//! make of the checklist's page. What the script does is in `setup_script`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::foreign::{node, scripts};
use crate::support::instance::{Consent, Instance as _};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const CONSOLE: &str = "https://us-west-2.console.aws.amazon.com/appflow/oauth";
const REGION: [&str; 4] = ["--instance", "classics", "--region", "us-west-2"];

fn checklist(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    sandbox.run(&[&["setup", "--checklist"][..], more].concat())
}

/// `html-validate` and Chromium.
fn judge(page: &Path) -> Value {
    let mut command = Command::new(node());
    command.arg(scripts().join("judge_page.mjs")).arg(page);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", page.parent().unwrap());
    let outcome = Running::start(command).finish();
    assert_eq!(outcome.code, Some(0), "run `cargo xtask setup`? {outcome:#?}");
    outcome.json()
}

/// The literal of the script that differs from client to client.
fn wanted(script: &str) -> Value {
    let (_, rest) = script.split_once("var wanted = ").unwrap();
    serde_json::from_str(rest.split_once(";\n").unwrap().0).unwrap()
}

#[test]
fn the_checklist_needs_no_profile_and_keeps_nothing() {
    let sandbox = Sandbox::new();
    let text = checklist(&sandbox, &REGION).ok().stdout;
    for line in [
        CONSOLE,
        "31536000",
        "offline_access",
        "snowtoken login classics --instance https://classics.service-now.com --target nice-knowledge-hub \
         --region us-west-2 --client-id PASTE-THE-CLIENT-ID",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is no line of\n{text}");
    }
    assert!(!sandbox.keep().exists(), "something was kept");
    // Without an instance there are no links, and the rest is the same.
    let text = checklist(&sandbox, &["--region", "us-west-2", "--release", "xanadu"]).ok().stdout;
    assert!(text.contains("--instance YOUR-INSTANCE") && !text.contains("nav_to.do"), "{text}");
    assert!(!text.contains("Machine Identity Console >"), "{text}");
}

#[test]
fn flag_goes_before_environment_before_profile_before_target() {
    let sandbox = Sandbox::new();
    let script = ["setup", "p", "--background-script", "--output", "-"];
    let more = ["--refresh-token-lifespan", "90d", "--scope", "useraccount"];
    sandbox.run(&[&script[..], &REGION, &more].concat()).ok();
    let text = checklist(&sandbox, &[]).ok().stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.contains(&"7776000") && lines.contains(&CONSOLE) && !lines.contains(&"openid"));
    // What the profile knows need not be typed again.
    assert!(lines.contains(&"snowtoken login p"), "{text}");

    let environment = sandbox.command(&["setup", "p", "--checklist"]);
    let mut running = {
        let mut command = environment;
        command.env("SNOWTOKEN_REGION", "eu-west-1");
        Running::start(command)
    };
    running.close_stdin();
    let text = running.finish().ok().stdout;
    assert!(text.contains("\nhttps://eu-west-1.console.aws.amazon.com/appflow/oauth\n"), "{text}");
    assert!(text.contains("\nsnowtoken login p --region eu-west-1\n"), "{text}");

    let text = checklist(&sandbox, &["--region", "us-east-2", "--no-scope"]).ok().stdout;
    assert!(text.contains("\nhttps://us-east-2.console.aws.amazon.com/appflow/oauth\n"), "{text}");
    assert!(text.contains("\nsnowtoken login p --region us-east-2 --no-scope\n"), "{text}");
}

#[test]
fn others_find_nothing_wrong_with_the_page() {
    let sandbox = Sandbox::new();
    let hostile = "<b>\"Knowledge\"</b> & 'Hub' `x`";
    for (name, more) in [
        ("usual.html", &["--user", "svc.knowledge"][..]),
        ("hostile.html", &["--name", hostile, "--user", "\"><img src=x>"]),
        ("credentials.html", &["--grant", "client-credentials"]),
    ] {
        let page = sandbox.path("files").join(name);
        let output = ["--output", page.to_str().unwrap()];
        let done = checklist(&sandbox, &[&REGION[..], more, &output].concat()).ok();
        assert!(done.stdout.is_empty() && done.stderr.contains("no secret"), "{done:#?}");
        let found = judge(&page);
        assert_eq!(found["faults"], serde_json::json!([]), "{name}");
        assert_eq!(found["complaints"], serde_json::json!([]), "{name}");
        assert_eq!(found["requests"], serde_json::json!([]), "{name}");
        assert_eq!(found["tooWide"], false, "{name}");
        assert_ne!(found["colours"][0], found["colours"][1], "{name}");
        let copied: BTreeSet<&str> =
            found["copied"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        if name == "usual.html" {
            assert!(
                copied.is_superset(&BTreeSet::from([CONSOLE, "31536000", "email"])),
                "{copied:?}"
            );
        }
        if name == "hostile.html" {
            assert!(copied.contains(hostile), "{copied:?}");
        }
        assert!(found["text"].as_str().unwrap().contains("If it does not work"));
    }
}

#[test]
fn the_file_says_in_which_form() {
    let sandbox = Sandbox::new();
    for (name, format, start) in [
        ("a.md", None, "# The OAuth client"),
        ("a.html", None, "<!DOCTYPE html>"),
        ("a.txt", None, "The OAuth client"),
        ("b.txt", Some("markdown"), "# The OAuth client"),
        ("-", Some("html"), "<!DOCTYPE html>"),
    ] {
        let mut arguments = [&REGION[..], &["--output", name]].concat();
        arguments.extend(format.iter().flat_map(|format| ["--format", format]));
        let done = checklist(&sandbox, &arguments).ok();
        let text = match name {
            "-" => done.stdout,
            name => fs::read_to_string(sandbox.path("files").join(name)).unwrap(),
        };
        assert!(text.starts_with(start), "{name}: {text}");
    }
}

#[test]
fn the_script_is_for_its_owner_only_and_the_same_again() {
    let sandbox = Sandbox::new();
    let arguments = [&["setup", "p", "--background-script"][..], &REGION].concat();
    let done = sandbox.run(&arguments).ok();
    let place = sandbox.home().join("snowtoken-setup-p.js");
    assert_eq!(sandbox.snapshot()["home/snowtoken-setup-p.js"].permissions(), 0o600);
    let script = fs::read_to_string(&place).unwrap();
    let secret = wanted(&script)["client_secret"].as_str().unwrap().to_owned();
    assert!(done.stdout.is_empty());
    assert!(done.stderr.contains("it holds the client secret") && !done.stderr.contains(&secret));
    assert!(done.stderr.contains("\n  4. Delete the file, then run  snowtoken login p\n"));

    let again = sandbox.run(&["setup", "--background-script", "--output", "-"]).ok();
    assert_eq!(again.stdout, script);
    assert!(!again.stderr.contains(&secret));
    // Beside the script, the secret is nowhere in clear.
    for (name, entry) in sandbox.snapshot() {
        let found = entry.bytes.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert_eq!(found, name == "home/snowtoken-setup-p.js", "{name}");
    }
    let other = sandbox.run(&[&["setup", "q"], &arguments[2..], &["--output", "-"]].concat()).ok();
    assert_ne!(wanted(&other.stdout)["client_secret"], secret);
    assert_ne!(wanted(&other.stdout)["client_id"], wanted(&script)["client_id"]);
}

#[test]
fn the_login_after_the_script_asks_for_nothing() {
    let (mut instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let origin = instance.origin();
    let script = ["setup", "p", "--background-script", "--output", "-", "--region", "us-west-2"];
    let done = sandbox.run(&[&script[..], &["--instance", &origin]].concat()).ok();
    let wanted = wanted(&done.stdout);
    instance
        .register(wanted["client_id"].as_str().unwrap(), wanted["client_secret"].as_str().unwrap());
    let mut running = sandbox.start(&["login", "p", "--no-browser", "--no-output", "--json"]);
    let redirected = instance.consent(&running.authorization_url(), Consent::Allow);
    running.write(format!("{redirected}\n"));
    let json = running.finish().ok().json();
    assert_eq!(json["instance"], origin);
    assert!(json["refresh_token_expires_at"].is_string(), "{json}");
}

#[test]
fn a_secret_that_is_known_is_used_and_never_replaced_in_the_store() {
    let sandbox = Sandbox::new();
    let file = |name: &str, text: &str| sandbox.file(name, text).display().to_string();
    let (one, other) = (file("one", "secret-one\n"), file("other", "secret-other\n"));
    let usual = [&["setup", "p", "--background-script", "--output", "-"][..], &REGION].concat();
    let id = ["--client-id", "0123456789abcdef0123456789abcdef"];
    // Somebody else's client, so far: no secret is made for it.
    let done = sandbox.run(&[&usual[..], &id].concat()).ok();
    assert_eq!(wanted(&done.stdout)["client_secret"], Value::Null);
    assert!(done.stderr.contains("note: no secret is known here for the client"), "{done:#?}");
    let done = sandbox.run(&[&usual[..], &["--client-secret-file", &one]].concat()).ok();
    assert_eq!(wanted(&done.stdout)["client_secret"], "secret-one");
    let done = sandbox.run(&[&usual[..], &["--client-secret-file", &other]].concat()).ok();
    assert_eq!(wanted(&done.stdout)["client_secret"], "secret-other");
    assert!(done.stderr.contains("the stored one is another and stays"), "{done:#?}");
    let done = sandbox.run(&usual).ok();
    assert_eq!(wanted(&done.stdout)["client_secret"], "secret-one");
}

#[test]
fn a_product_that_asks_for_consent_itself_is_not_logged_in_for() {
    let sandbox = Sandbox::new();
    let folder = sandbox.keep().join("targets");
    fs::create_dir_all(&folder).unwrap();
    for folder in [&folder, &sandbox.keep()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let own = |name: &str, class: &str, more: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\ntitle = \"Product\"\nclass = \"{class}\"\n{more}\n\
             fields = [[\"Client ID\", \"client_id\"], [\"Token URL\", \"token_url\"]]\n\
             confidence = \"assumed\"\nsources = [\"a test\"]\n"
        )
    };
    let text = [
        own("flow", "client", "redirect_uri = \"https://flow.example/cb\""),
        own("key", "jwt-bearer", ""),
        own("plain", "basic", "")
            .replace("client_id", "user_name")
            .replace("token_url", "password"),
    ];
    fs::write(folder.join("own.toml"), text.join("\n")).unwrap();
    let run = |more: &[&str]| {
        sandbox
            .run(&[&["setup", "p", "--instance", "classics", "--output", "-"][..], more].concat())
    };
    let text = run(&["--checklist", "--target", "flow"]).ok().stdout;
    assert!(text.contains("It gets its tokens") && !text.contains("snowtoken login p"), "{text}");
    assert!(text.contains("\nhttps://classics.service-now.com/oauth_token.do\n"), "{text}");
    let text = run(&["--checklist", "--target", "key"]).ok().stdout;
    assert!(text.contains("JWT Verifier") && !text.contains("--background-script"), "{text}");
    let done = run(&["--background-script", "--target", "key"]).ended_with(&[2]);
    assert!(done.stderr.contains("key takes a client that this script cannot make"), "{done:#?}");
    for way in ["--checklist", "--background-script"] {
        let done = run(&[way, "--target", "plain"]).ended_with(&[2]);
        assert!(done.stderr.contains("takes a user's name and password, and no OAuth client"));
    }
    let done = run(&["--background-script", "--target", "flow"]).ok();
    assert!(done.stderr.contains("Enter Client ID and client secret into the product: both stand"));
    assert_eq!(wanted(&done.stdout)["redirect_urls"][0], "https://flow.example/cb");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let sandbox = Sandbox::new();
    let script = |more: &[&str]| {
        let usual = ["setup", "p", "--background-script", "--output", "-"];
        sandbox.run(&[&usual[..], more].concat())
    };
    for (more, error) in [
        (&["--region", "us-west-2"][..], "the instance is not known"),
        (&["--instance", "classics"], "the region of the target is not known"),
        (&["--instance", "a@b", "--region", "us-west-2"], "is neither an instance's name"),
        (&["--instance", "classics", "--region", "cn-north-1"], "not offered in China"),
        (&[&REGION[..], &["--name", "a\nb"]].concat(), "--name wants 1 to 100 characters"),
        (&[&REGION[..], &["--name", ""]].concat(), "--name wants 1 to 100 characters"),
        (&[&REGION[..], &["--client-id", "a b"]].concat(), "a client ID is printable"),
        (&[&REGION[..], &["--refresh-token-lifespan", "soon"]].concat(), "wants a number"),
    ] {
        let done = script(more).ended_with(&[2]);
        assert!(done.stderr.contains(error), "{more:?}: {}", done.stderr);
        assert!(done.stdout.is_empty() && !sandbox.keep().join("config.toml").exists());
    }
    let done = sandbox.run(&["setup", "p"]).ended_with(&[2]);
    assert!(done.stderr.contains("--checklist") && done.stderr.contains("--background-script"));

    script(&REGION).ok();
    let before = fs::read(sandbox.keep().join("config.toml")).unwrap();
    for more in [&["--instance", "other"][..], &["--client-id", "0123456789abcdef0123456789abcdef"]]
    {
        let done = script(more).ended_with(&[2]);
        assert!(done.stderr.contains("profile \"p\" is for the client"), "{}", done.stderr);
        assert_eq!(fs::read(sandbox.keep().join("config.toml")).unwrap(), before);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_noticed_before_a_secret_is_made() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("files").display().to_string();
    let arguments = ["setup", "p", "--background-script", "--output", &folder];
    let done = sandbox.run(&[&arguments[..], &REGION].concat());
    let (done, code) = done.failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("output-unwritable"), "{done:#?}");
    assert!(!sandbox.keep().join("config.toml").exists());
}

#[test]
fn a_flag_that_means_nothing_in_a_way_of_it_is_refused() {
    let sandbox = Sandbox::new();
    let api = ["--no-login", "--no-browser", "--no-output"];
    let rights =
        ["--admin-user=a", "--admin-password-file=f", "--admin-profile=p", "--dry-run", "--json"];
    let checklist = ["--format=html", "--release=zurich"];
    let by_hand = ["--new-secret-file=f"];
    for (way, flags) in [
        ("--checklist", [&api[..], &rights, &by_hand, &["--client-secret-file=f"]].concat()),
        ("--background-script", [&api[..], &rights, &by_hand, &checklist].concat()),
        ("--apply", [&by_hand[..], &checklist].concat()),
        ("--rotate-secret", [&api[..], &checklist, &["--client-secret-file=f"]].concat()),
    ] {
        for flag in flags {
            let arguments = [&["setup", "dev", way, flag][..], &REGION].concat();
            let outcome = sandbox.run(&arguments).ended_with(&[2]);
            assert!(outcome.stderr.contains("cannot be used with"), "{way} {flag}: {outcome:#?}");
        }
    }
    assert!(!sandbox.keep().exists(), "something was kept");
}
