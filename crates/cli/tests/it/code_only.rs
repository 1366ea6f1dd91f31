//! A fresh code is handed over unspent: another client, in another language, exchanges it once.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::canary::Scanner;
use crate::support::foreign::python;
use crate::support::instance::{
    Consent, Instance, PROFILE, first_login, free_redirect_uri, log_in, parameter, paste,
    with_parameter, words,
};
use crate::support::judge::in_python;
use crate::support::process::Outcome;
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// The arguments of a first login that stops at the code. No client secret is known anywhere.
fn code_only(instance: &StandIn, more: &[&str]) -> Vec<String> {
    let (origin, id) = (instance.origin(), instance.client_id());
    let redirect_uri = instance.redirect_uri();
    let all = ["login", PROFILE, "--code-only", "--no-browser", "--instance", &origin];
    let rest = ["--client-id", &id, "--redirect-uri", &redirect_uri];
    words(&[&all[..], &rest, more].concat())
}

fn handed_over(sandbox: &Sandbox, instance: &StandIn, more: &[&str]) -> Outcome {
    paste(sandbox.start(&code_only(instance, more)), instance)
}

fn value(text: &str, label: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(name, _)| *name == label).map(|(_, value)| value.to_owned()).next()
}

/// What the form has to be filled in with.
struct Fresh {
    code: String,
    redirect_uri: String,
    verifier: Option<String>,
}

impl Fresh {
    fn of(text: &str) -> Self {
        Self {
            code: value(text, "Auth Code").unwrap(),
            redirect_uri: value(text, "Redirect URL").unwrap(),
            verifier: value(text, "Code Verifier"),
        }
    }
}

/// Exchanges the code as the product would: a program of its own, with the client's secret.
fn exchange(instance: &StandIn, fresh: &Fresh) -> (u64, Value) {
    let script = "import json, sys, urllib.error, urllib.parse, urllib.request\n\
                  asked = json.load(sys.stdin)\n\
                  body = urllib.parse.urlencode(asked['form']).encode()\n\
                  opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))\n\
                  try:\n    answer = opener.open(asked['url'], body, timeout=20)\n\
                  except urllib.error.HTTPError as error:\n    answer = error\n\
                  print(json.dumps([answer.status, json.loads(answer.read())]))\n";
    let mut form = json!({
        "grant_type": "authorization_code", "code": fresh.code, "redirect_uri": fresh.redirect_uri,
        "client_id": instance.client_id(), "client_secret": instance.client_secret(),
    });
    if let Some(verifier) = &fresh.verifier {
        form["code_verifier"] = json!(verifier);
    }
    let url = format!("{}/oauth_token.do", instance.origin());
    let mut command = Command::new(python("python"));
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let asked = json!({"url": url, "form": form}).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
    (answer[0].as_u64().unwrap(), answer[1].clone())
}

/// There are no tokens here, and nobody asked for any.
#[track_caller]
fn holds_nothing(sandbox: &Sandbox) {
    let (_, code) = sandbox.run(&["token", PROFILE]).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("not-logged-in"));
}

#[test]
fn somebody_else_exchanges_the_code_once() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let outcome = handed_over(&sandbox, &instance, &[]).ok();
    assert!(instance.received().iter().all(|request| !request.is_to("/oauth_token.do")));
    let labels: Vec<&str> =
        outcome.stdout.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(labels, ["Auth Code", "Redirect URL", "Code Verifier", "Good Until"]);
    assert!(outcome.stderr.contains("is fresh: nothing was exchanged"), "{outcome:#?}");
    assert!(outcome.stderr.contains("it ends 60 s after it was issued"), "{outcome:#?}");
    assert!(outcome.stderr.contains("sooner by the time the paste took"), "{outcome:#?}");
    for wrong in ["spent", "Exchanging", "has been used"] {
        assert!(!outcome.stderr.contains(wrong), "{wrong}: {outcome:#?}");
    }
    holds_nothing(&sandbox);
    assert!(!sandbox.credentials().exists());

    let fresh = Fresh::of(&outcome.stdout);
    let (status, tokens) = exchange(&instance, &fresh);
    assert_eq!(status, 200, "{tokens}");
    assert!(instance.is_alive(tokens["access_token"].as_str().unwrap()));
    assert!(tokens["refresh_token"].is_string(), "{tokens}");
    for _ in 0..2 {
        assert_ne!(exchange(&instance, &fresh).0, 200, "a code is good once");
    }
    holds_nothing(&sandbox);
}

#[test]
fn the_code_is_worth_nothing_without_its_verifier() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let fresh = |more: &[&str]| Fresh::of(&handed_over(&sandbox, &instance, more).ok().stdout);
    let bare = Fresh { verifier: None, ..fresh(&[]) };
    assert_ne!(exchange(&instance, &bare).0, 200);
    let other = Fresh { verifier: Some("x".repeat(43)), ..fresh(&[]) };
    assert_ne!(exchange(&instance, &other).0, 200);
    assert_eq!(exchange(&instance, &fresh(&[])).0, 200);
}

#[test]
fn without_pkce_no_verifier_is_needed_and_that_is_said() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let running = sandbox.start(&code_only(&instance, &["--no-pkce"]));
    let url = running.authorization_url();
    assert_eq!(parameter(&url, "code_challenge"), None);
    assert_eq!(parameter(&url, "code_challenge_method"), None);
    assert!(parameter(&url, "state").unwrap().len() >= 22);
    let outcome = paste(running, &instance).ok();
    assert!(outcome.stderr.contains("warning: there is no PKCE"), "{outcome:#?}");
    let fresh = Fresh::of(&outcome.stdout);
    assert_eq!(fresh.verifier, None);
    assert_eq!(exchange(&instance, &fresh).0, 200);
    let alone = ["login", PROFILE, "--no-pkce"];
    sandbox.run(&alone).ended_with(&[2]);
}

#[test]
fn the_listener_brings_it_too_and_json_is_whole() {
    let instance = StandIn::start(&free_redirect_uri(), &[]);
    let sandbox = Sandbox::new();
    let mut running = sandbox.start(&code_only(&instance, &["--json"]));
    running.close_stdin();
    let redirected = instance.consent(&running.authorization_url(), Consent::Allow);
    let mut browser = crate::support::http::Client::default();
    let at: url::Url = redirected.parse().unwrap();
    let answer = browser.get(&at);
    let page = browser.get(&at.join(answer.header("location").unwrap()).unwrap());
    assert!(page.body.contains("The code is here"), "{}", page.body);
    let outcome = running.finish().ok();
    let json = outcome.json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["instance"], instance.origin());
    assert_eq!(json["client_id"], instance.client_id());
    assert!(json["good_until"].as_str().unwrap().ends_with('Z'));
    assert!(!outcome.stderr.contains("the paste took"), "{outcome:#?}");
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    let fresh = Fresh {
        code: text("auth_code"),
        redirect_uri: text("redirect_uri"),
        verifier: Some(text("code_verifier")),
    };
    assert_eq!(exchange(&instance, &fresh).0, 200);
}

#[test]
fn a_file_gets_it_for_its_owner_alone_and_stdout_stays_empty() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let outcome = handed_over(&sandbox, &instance, &["--output", "code.txt"]).ok();
    assert_eq!(outcome.stdout, "");
    let entry = sandbox.snapshot_of("files")["files/code.txt"].clone();
    assert_eq!(entry.permissions(), 0o600);
    let fresh = Fresh::of(std::str::from_utf8(&entry.bytes).unwrap());
    let scanner = Scanner::of(&[
        ("code", &fresh.code),
        ("code verifier", fresh.verifier.as_deref().unwrap()),
    ]);
    // It is in that file and nowhere else: not in what was said, not in the store, not in the audit.
    assert_eq!(scanner.scan(outcome.stderr.as_bytes()), Vec::<String>::new());
    let known = sandbox.path("files/code.txt");
    assert_eq!(scanner.scan_tree(&sandbox.path(""), &[&known]), Vec::<String>::new());
    assert!(!scanner.scan_tree(&sandbox.path(""), &[]).is_empty(), "the scanner is blind");
    // Where it cannot be written nobody is sent to a browser.
    let (nowhere, code) =
        sandbox.run(&code_only(&instance, &["--output", "no/such/x"])).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("output-unwritable"));
    assert!(!nowhere.stderr.contains("/oauth_auth.do"), "{nowhere:#?}");
    assert_eq!(exchange(&instance, &fresh).0, 200);
}

#[test]
fn the_audit_knows_of_it() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    handed_over(&sandbox, &instance, &[]).ok();
    handed_over(&sandbox, &instance, &["--no-pkce"]).ok();
    let database = rusqlite::Connection::open(sandbox.keep().join("store/tokens.db")).unwrap();
    let mut rows =
        database.prepare("SELECT event, outcome, detail FROM audit ORDER BY id").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let rows: Vec<(String, String, String)> = rows.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    for ((event, outcome, detail), pkce) in rows.iter().zip(["with", "without"]) {
        assert_eq!((event.as_str(), outcome.as_str()), ("code handed over", "done"));
        let begin = format!("unspent, {pkce} PKCE, good until 20");
        assert!(detail.starts_with(&begin), "{detail}");
    }
}

#[test]
fn a_second_one_asks_for_nothing_and_touches_no_tokens() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in(&sandbox, &instance);
    let before = sandbox.run(&["token", PROFILE]).ok().token();
    let asked = instance.token_requests().len();
    let running = sandbox.start(&["login", PROFILE, "--code-only", "--no-browser"]);
    let outcome = paste(running, &instance).ok();
    assert_eq!(instance.token_requests().len(), asked);
    assert_eq!(sandbox.run(&["token", PROFILE]).ok().token(), before);
    assert_eq!(exchange(&instance, &Fresh::of(&outcome.stdout)).0, 200);
}

fn registry_requests(instance: &StandIn) -> usize {
    let all = instance.api_requests();
    all.iter().filter(|request| request.target.contains("/oauth_entity")).count()
}

#[test]
fn the_lifespan_is_read_from_the_record_where_a_token_may() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    instance.let_codes_live(240);
    // The administrator may read the registry.
    let mut running =
        sandbox.start(&[first_login(&sandbox, &instance), words(&["--no-output"])].concat());
    let redirected = instance.consent_as("admin", &running.authorization_url());
    running.write(format!("{redirected}\n"));
    running.finish().ok();
    let asked = registry_requests(&instance);
    let mut running = sandbox.start(&["login", PROFILE, "--code-only", "--no-browser"]);
    let redirected = instance.consent(&running.authorization_url(), Consent::Allow);
    // A person takes longer than the answer does.
    let end = Instant::now() + Duration::from_secs(10);
    while registry_requests(&instance) == asked && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    running.write(format!("{redirected}\n"));
    let outcome = running.finish().ok();
    assert!(outcome.stderr.contains("it ends 240 s after it was issued"), "{outcome:#?}");
}

#[test]
fn a_terminal_counts_down_and_says_when_it_is_over() {
    let (instance, sandbox) = (StandIn::with(&["lifespan.code=2"]), Sandbox::new());
    let arguments = code_only(&instance, &["--code-lifespan", "2s"]);
    let mut terminal = Terminal::start(&sandbox.command(&arguments), 300);
    let url = terminal.wait(|text| {
        let text = plain(text);
        text.lines().find(|line| line.contains("/oauth_auth.do?")).map(str::to_owned)
    });
    terminal.wait(|text| text.contains("Enter the redirected URL:").then_some(()));
    let redirected = instance.consent(&url, Consent::Allow);
    terminal.keys(format!("{redirected}\r"));
    let session = terminal.finish();
    assert_eq!(session.code, Some(0), "{}", session.text());
    let text = plain(&session.text());
    assert!(text.contains("2 s left") && text.contains("1 s left"), "{text}");
    assert!(text.trim_end().ends_with("this code has ended"), "{text}");
    assert!(session.restored);
    // It is true.
    instance.pass(Duration::from_secs(3));
    assert_ne!(exchange(&instance, &Fresh::of(&text)).0, 200);
}

#[test]
fn what_is_refused_at_a_login_is_refused_here() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let mut running = sandbox.start(&code_only(&instance, &[]));
    let redirected = instance.consent(&running.authorization_url(), Consent::Allow);
    running
        .write(format!("{}\n", with_parameter(&redirected, "state", "0123456789abcdef01234567")));
    running.finish().failed_with(&[1, 2, 4]);
    let mut running = sandbox.start(&code_only(&instance, &[]));
    let redirected = instance.consent(&running.authorization_url(), Consent::Deny);
    running.write(format!("{redirected}\n"));
    running.finish().failed_with(&[1, 4]);
    let grant = code_only(&instance, &["--grant", "client-credentials"]);
    let (outcome, _) = sandbox.run(&grant).failed_with(&[2]);
    assert!(outcome.stderr.contains("the grant client-credentials has no code"), "{outcome:#?}");
    sandbox.run(&code_only(&instance, &["--expect-user", "x"])).ended_with(&[2]);
}

/// The same arguments, for AppFlow; the client secret lies in a file.
fn for_appflow(sandbox: &Sandbox, instance: &StandIn, more: &[&str]) -> Vec<String> {
    sandbox.file("secret", format!("{}\n", instance.client_secret()));
    let shape = ["--format", "appflow", "--client-secret-file", "secret"];
    code_only(instance, &[&shape[..], more].concat())
}

/// A secret that AppFlow takes.
fn instance_for_appflow() -> StandIn {
    StandIn::with_secret("s3cr$t'`\"%-canary-4711")
}

/// What Amazon's own SDK would send for it.
fn judged(operation: &str, text: &str) -> Value {
    let question = json!({
        "kind": "aws", "service": "appflow", "operation": operation, "text": text,
    });
    in_python(&question).unwrap_or_else(|why| panic!("{why}: {text}"))
}

fn grant_of(profile: &Value) -> &Value {
    let credentials = &profile["connectorProfileConfig"]["connectorProfileCredentials"];
    &credentials["ServiceNow"]["oAuth2Credentials"]
}

/// As AppFlow would exchange it.
fn fresh_of(grant: &Value) -> Fresh {
    let request = &grant["oAuthRequest"];
    Fresh {
        code: request["authCode"].as_str().unwrap().to_owned(),
        redirect_uri: request["redirectUri"].as_str().unwrap().to_owned(),
        verifier: request["codeVerifier"].as_str().map(str::to_owned),
    }
}

#[test]
fn appflow_gets_the_code_in_its_own_shape_and_can_exchange_it() {
    let (instance, sandbox) = (instance_for_appflow(), Sandbox::new());
    for (more, operation, has_verifier) in [
        (&[][..], "CreateConnectorProfile", true),
        (&["--variant", "update", "--name", "ours"], "UpdateConnectorProfile", true),
        // Whatever serves it may know no `codeVerifier` yet.
        (&["--no-pkce"], "CreateConnectorProfile", false),
    ] {
        let running = sandbox.start(&for_appflow(&sandbox, &instance, more));
        let outcome = paste(running, &instance).ok();
        let profile = judged(operation, &outcome.stdout);
        let name = if more.contains(&"ours") { "ours" } else { "servicenow-p" };
        assert_eq!(profile["connectorProfileName"], name);
        let is_new = operation.starts_with("Create");
        assert_eq!(profile["connectorType"] == "Servicenow", is_new, "{profile:#}");
        let grant = grant_of(&profile);
        assert_eq!((&grant["accessToken"], &grant["refreshToken"]), (&Value::Null, &Value::Null));
        assert_eq!(grant["clientId"], instance.client_id());
        assert_eq!(grant["clientSecret"], instance.client_secret());
        let fresh = fresh_of(grant);
        assert_eq!(fresh.redirect_uri, instance.redirect_uri());
        assert_eq!(fresh.verifier.is_some(), has_verifier);
        assert!(outcome.stderr.contains("the product exchanges it, once"), "{outcome:#?}");
        assert!(outcome.stderr.contains("Z at the latest"), "{outcome:#?}");
        assert_eq!(exchange(&instance, &fresh).0, 200);
        assert_ne!(exchange(&instance, &fresh).0, 200, "a code is good once");
    }
    holds_nothing(&sandbox);
}

#[test]
fn appflows_file_is_for_its_owner_and_the_way_on_is_said() {
    let (instance, sandbox) = (instance_for_appflow(), Sandbox::new());
    let arguments = for_appflow(&sandbox, &instance, &["--output", "profile.json"]);
    let outcome = paste(sandbox.start(&arguments), &instance).ok();
    assert_eq!(outcome.stdout, "");
    let entry = sandbox.snapshot_of("files")["files/profile.json"].clone();
    assert_eq!(entry.permissions(), 0o600);
    let text = std::str::from_utf8(&entry.bytes).unwrap();
    let profile = judged("CreateConnectorProfile", text);
    let grant = grant_of(&profile);
    let fresh = fresh_of(grant);
    let path = sandbox.path("files/profile.json");
    let command = "aws appflow create-connector-profile --cli-input-json file://";
    assert!(outcome.stderr.contains(command), "{outcome:#?}");
    assert!(outcome.stderr.contains(&path.display().to_string()), "{outcome:#?}");
    assert!(outcome.stderr.contains("delete the file then"), "{outcome:#?}");
    let scanner = Scanner::of(&[
        ("code", &fresh.code),
        ("code verifier", fresh.verifier.as_deref().unwrap()),
        ("client secret", &instance.client_secret()),
    ]);
    assert_eq!(scanner.scan(outcome.stderr.as_bytes()), Vec::<String>::new());
    let secret = sandbox.path("files/secret");
    let known: [&std::path::Path; 2] = [&path, &secret];
    assert_eq!(scanner.scan_tree(&sandbox.path(""), &known), Vec::<String>::new());
    // It is no delivery that could drift: nobody has the code any more.
    let check = sandbox.run(&["deliver", PROFILE, "--check"]);
    assert!(!check.stderr.contains("profile.json"), "{check:#?}");
    assert_eq!(exchange(&instance, &fresh).0, 200);
}

#[test]
fn amazons_program_gets_it_at_once_by_standard_input() {
    let (instance, sandbox) = (instance_for_appflow(), Sandbox::new());
    let seen = sandbox.path("seen");
    let aws = sandbox.path("bin/aws");
    let script =
        format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >'{0}.args'\ncat >'{0}.stdin'\n", seen.display());
    std::fs::write(&aws, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&aws, executable).unwrap();
    let arguments = for_appflow(&sandbox, &instance, &["--push"]);
    let outcome = paste(sandbox.start(&arguments), &instance).ok();
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("the code is spent by that"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("is fresh"), "{outcome:#?}");
    let read = |end: &str| std::fs::read_to_string(seen.with_extension(end)).unwrap();
    assert_eq!(
        read("args"),
        "appflow create-connector-profile --cli-input-json file:///dev/stdin\n"
    );
    let profile = judged("CreateConnectorProfile", &read("stdin"));
    assert_eq!(exchange(&instance, &fresh_of(grant_of(&profile))).0, 200);

    std::fs::write(&aws, "#!/bin/sh\ncat >/dev/null\necho refused >&2\nexit 254\n").unwrap();
    let (outcome, code) = paste(sandbox.start(&arguments), &instance).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("push-failed"));
    assert!(outcome.stderr.contains("is spent if the product has tried it"), "{outcome:#?}");
}

#[test]
fn what_appflow_would_refuse_sends_nobody_to_a_browser() {
    let (instance, sandbox) = (instance_for_appflow(), Sandbox::new());
    sandbox.file("blanks", "a b\n");
    for (more, code, said) in [
        (
            &["--format", "cloudformation", "--client-secret-file", "blanks"][..],
            "usage",
            "cloudformation has no place for a fresh code and its code verifier",
        ),
        (
            &["--format", "appflow", "--client-secret-file", "blanks"],
            "delivery-unfit",
            "the client secret holds white space, which Amazon AppFlow refuses",
        ),
        (
            &["--format", "appflow", "--no-input"],
            "input-needed",
            "the client secret is needed and nobody can be asked",
        ),
        (
            &["--format", "appflow", "--client-auth", "none"],
            "delivery-incomplete",
            "there is no client secret, which this shape needs",
        ),
        (
            &["--format", "appflow", "--name", "a b", "--client-secret-file", "blanks"],
            "usage",
            "the name of the connector profile must be 1 to 256 letters",
        ),
    ] {
        let (outcome, found) = sandbox.run(&code_only(&instance, more)).failed_with(&[1, 2]);
        assert!(outcome.stderr.starts_with(&format!("error: {said}")), "{outcome:#?}");
        assert_eq!(found.as_deref(), Some(code), "{outcome:#?}");
        assert!(!outcome.stderr.contains("/oauth_auth.do"), "{outcome:#?}");
    }
    for more in [
        &["--format", "appflow", "--json"][..],
        &["--format", "appflow", "--variant", "code"],
        &["--format", "appflow", "--push", "--output", "x"],
        &["--push"],
        &["--variant", "update"],
    ] {
        sandbox.run(&code_only(&instance, more)).ended_with(&[2]);
    }
    sandbox.run(&["login", PROFILE, "--format", "appflow"]).ended_with(&[2]);
}
