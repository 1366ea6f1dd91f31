//! `setup --apply`: a client made over the Table API by an administrator's rights.

use std::fs;
use std::path::Path;

use crate::support::canary::Scanner;
use crate::support::instance::{
    Instance as _, PROFILE, Received, console_uri, log_in, paste, words,
};
use crate::support::process::{Outcome, Running};
use crate::support::pty::{Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

const ADMIN: &str = "boss";
const PASSWORD: &str = "Pass-Canary-4711+%&word";

/// A pretend instance with an administrator and nothing of ours.
pub(crate) fn fresh(knobs: &[&str]) -> (StandIn, Sandbox) {
    let instance = StandIn::fresh(knobs);
    instance.employ(ADMIN, PASSWORD, &["admin"]);
    (instance, Sandbox::new())
}

/// By whose rights, as somebody in a hurry types it.
pub(crate) fn by_admin(sandbox: &Sandbox) -> Vec<String> {
    let file = sandbox.file("admin-password", format!("{PASSWORD}\n"));
    let mut arguments = words(&["--admin-user", ADMIN, "--admin-password-file"]);
    arguments.push(file.display().to_string());
    arguments
}

/// `setup p --apply` for the vendor's console in a region.
pub(crate) fn apply(sandbox: &Sandbox, instance: &StandIn, more: &[&str]) -> Vec<String> {
    let mut arguments = words(&["setup", PROFILE, "--apply", "--instance"]);
    arguments.push(instance.origin());
    arguments.extend(words(&["--region", "us-west-2"]));
    arguments.extend(by_admin(sandbox));
    arguments.extend(words(more));
    arguments
}

/// The client made, a login by paste, and the credentials file delivered.
pub(crate) fn all_in_one_go(sandbox: &Sandbox, instance: &StandIn) -> Outcome {
    paste(sandbox.start(&apply(sandbox, instance, &["--no-browser"])), instance).ok()
}

#[test]
fn a_fresh_instance_has_its_client_and_the_person_the_tokens_in_one_go() {
    let (instance, sandbox) = fresh(&[]);
    let outcome = all_in_one_go(&sandbox, &instance);
    let [client] = &instance.registered()[..] else { panic!("not one client") };
    assert_eq!(client.name, "snowtoken nice-knowledge-hub");
    assert_eq!(client.redirect_urls[0], console_uri("us-west-2"));
    assert_eq!(client.refresh_token_lifespan, 31_536_000);
    assert_eq!(client.client_id.len(), 32);
    let secret = &client.client_secret;
    assert!(secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_alphanumeric()), "{secret}");
    assert_eq!(&sandbox.credential("Client Secret"), secret);
    assert_eq!(sandbox.credential("Client ID"), client.client_id);
    assert!(instance.is_alive(&sandbox.run(&["token", PROFILE]).ok().token()));
    for said in
        ["made       Client", "proved     client ID and redirect URI", "only a login can prove"]
    {
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
    }
    // Nothing that was asked of the API was asked by name and password again.
    sandbox.run(&["verify", PROFILE]).ok();
    sandbox.run(&["deliver", PROFILE, "--check"]).ok();
}

#[test]
fn a_second_run_changes_nothing() {
    let (instance, sandbox) = fresh(&[]);
    let arguments = apply(&sandbox, &instance, &["--no-login"]);
    sandbox.run(&arguments).ok();
    let (before, writes) = (instance.registered(), instance.table_writes().len());
    let outcome = sandbox.run(&arguments).ok();
    assert_eq!(instance.table_writes().len(), writes, "{outcome:#?}");
    assert_eq!(instance.registered(), before);
    assert!(!outcome.stderr.contains("  made ") && !outcome.stderr.contains("  changed "));
    let done = sandbox.run(&[arguments, words(&["--json"])].concat()).ok().json();
    assert_eq!((&done["version"], &done["profile"]), (&1.into(), &PROFILE.into()));
    assert_eq!(done["client_id"], before[0].client_id.as_str());
    assert_eq!(done["redirect_uri_taken"], true);
    assert_eq!(done["client_secret_proved"], serde_json::Value::Null);
    let parts = done["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["fate"] == "as-it-was"), "{parts:#?}");
}

#[test]
fn what_was_changed_by_others_is_mended_and_told() {
    let (instance, sandbox) = fresh(&[]);
    let arguments = apply(&sandbox, &instance, &["--no-login"]);
    sandbox.run(&arguments).ok();
    let mut client = instance.registered().remove(0);
    client.redirect_urls = vec!["https://other.example/cb".to_owned()];
    client.refresh_token_lifespan = 8_640_000;
    instance.put(client);
    let outcome = sandbox.run(&arguments).ok();
    let said = "changed    Refresh Token Lifespan: 8640000 -> 31536000";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    let client = instance.registered().remove(0);
    assert_eq!(client.redirect_urls, ["https://other.example/cb", &console_uri("us-west-2")]);
}

#[test]
fn whatever_stands_in_the_way_is_told_precisely_and_nothing_is_made() {
    let cases = [
        ("date=present", ADMIN, 1, "admin-not-accepted"),
        ("date=present", "abel.tuter", 1, "admin-role-missing"),
        ("date=present", "locked.user", 1, "admin-not-accepted"),
        ("registry.write_role=security_admin", "admin", 1, "admin-role-missing"),
        ("api.rate_limit=1", "admin", 5, "rate-limited"),
        ("fault.kind=asleep", "admin", 5, "instance-asleep"),
        ("fault.kind=unavailable", "admin", 5, "instance-busy"),
        ("fault.kind=login-page", "admin", 5, "sign-in-in-front"),
    ];
    for (knob, user, exit, wanted) in cases {
        let (instance, sandbox) = fresh(&[knob]);
        // Of the one it is wrong.
        let password = sandbox.file("password", "snow");
        let origin = instance.origin();
        let arguments =
            ["setup", PROFILE, "--apply", "--instance", &origin, "--region", "us-west-2"];
        let mut arguments = words(&arguments);
        arguments.extend(words(&["--admin-user", user, "--admin-password-file"]));
        arguments.push(password.display().to_string());
        let (outcome, code) = sandbox.run(&arguments).failed_with(&[exit]);
        assert_eq!(code.as_deref(), Some(wanted), "{outcome:#?}");
        assert!(outcome.stderr.contains("hint: "), "{outcome:#?}");
        assert!(instance.registered().is_empty(), "{wanted}");
        assert!(!outcome.said().contains("snow\n"), "{outcome:#?}");
    }
}

#[test]
fn hostile_words_are_refused_before_anything_is_asked() {
    let (instance, sandbox) = fresh(&[]);
    let hostile: [&[&str]; 9] = [
        &["--name", "a^ORname=b"],
        &["--name", "two\nlines"],
        &["--name", "a\u{202e}b"],
        &["--name", ""],
        &["--scope", "a^b"],
        &["--client-id", "a^ORactive=true"],
        &["--grant", "client-credentials", "--user", "a^b"],
        &["--admin-user", "a:b"],
        &["--admin-user", "a\u{1b}[2J"],
    ];
    for words in hostile {
        let mut arguments = apply(&sandbox, &instance, &["--no-login"]);
        if words[0] == "--admin-user" {
            let at = arguments.iter().position(|word| word == "--admin-user").unwrap();
            arguments[at + 1] = words[1].to_owned();
        } else {
            arguments.extend(words.iter().map(|&word| word.to_owned()));
        }
        let (outcome, code) = sandbox.run(&arguments).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("usage"), "{words:?} {outcome:#?}");
        assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains('\u{202e}'));
    }
    assert!(instance.received().is_empty());
}

#[test]
fn a_dry_run_sends_nothing_that_writes_and_keeps_nothing() {
    let (instance, sandbox) = fresh(&[]);
    let text = sandbox.run(&apply(&sandbox, &instance, &["--dry-run"])).ok();
    assert!(text.stdout.starts_with("POST /api/now/table/oauth_entity?"), "{}", text.stdout);
    assert!(text.stdout.contains("\"client_secret\": \"********\""), "{}", text.stdout);
    assert!(text.stdout.contains("sysparm_input_display_value=true"), "{}", text.stdout);
    let json = sandbox.run(&apply(&sandbox, &instance, &["--dry-run", "--json"])).ok().json();
    let requests = json["requests"].as_array().unwrap();
    assert_eq!(requests[0]["body"]["refresh_token_lifespan"], "31536000", "{requests:#?}");
    assert!(instance.table_writes().is_empty() && instance.registered().is_empty());
    assert!(instance.received().iter().all(|request| request.method == "GET"));
    assert!(!sandbox.keep().join("config.toml").exists());
    assert!(!sandbox.keep().join("store.db").exists(), "{:?}", sandbox.snapshot_of("keep").keys());

    // The real one sends what was announced.
    sandbox.run(&apply(&sandbox, &instance, &["--no-login"])).ok();
    let sent = instance.table_writes();
    assert_eq!(sent.len(), requests.len(), "{sent:#?}");
    for (sent, planned) in sent.iter().zip(requests) {
        let (method, path) = (planned["method"].as_str(), planned["path"].as_str().unwrap());
        assert_eq!(Some(sent.method.as_str()), method);
        let table = |path: &str| path.split(['/', '?']).nth(4).unwrap_or_default().to_owned();
        assert_eq!(table(&sent.target), table(path));
    }
    let again = sandbox.run(&apply(&sandbox, &instance, &["--dry-run"])).ok();
    assert_eq!(again.stdout, "");
}

#[test]
fn neither_password_nor_secret_is_anywhere_but_where_it_belongs() {
    let (instance, sandbox) = fresh(&["token.error_echo=on"]);
    let mut heard = Vec::new();
    let talk = |arguments: &[String]| {
        let mut command = sandbox.command(arguments);
        command.env("SNOWTOKEN_LOG", "trace").env("RUST_LOG", "trace");
        Running::start(command)
    };
    heard.push(talk(&apply(&sandbox, &instance, &["--dry-run"])).finish().ok());
    heard.push(
        paste(talk(&apply(&sandbox, &instance, &["--no-browser", "--no-output"])), &instance).ok(),
    );
    heard.push(talk(&apply(&sandbox, &instance, &["--no-login"])).finish().ok());
    heard.push(talk(&apply(&sandbox, &instance, &["--no-login", "--json"])).finish().ok());
    instance.employ(ADMIN, "another", &["admin"]);
    heard.push(talk(&apply(&sandbox, &instance, &["--no-login"])).finish().ended_with(&[1]));
    let secret = instance.registered()[0].client_secret.clone();
    let scanner = Scanner::of(&[("password", PASSWORD), ("client secret", &secret)]);
    for outcome in &heard {
        assert_eq!(scanner.scan(outcome.said().as_bytes()), Vec::<String>::new(), "{outcome:#?}");
    }
    let allowed = sandbox.path("files").join("admin-password");
    assert_eq!(scanner.scan_tree(&sandbox.path(""), &[&allowed]), Vec::<String>::new());
    let is_ours = |request: &Received| {
        request.headers.iter().any(|(name, v)| name == "user-agent" && v.starts_with("snowtoken"))
    };
    for request in instance.received().into_iter().filter(is_ours) {
        let name = "authorization";
        let basic = request.headers.iter().any(|(own, v)| own == name && v.starts_with("Basic"));
        assert_eq!(basic, request.target.starts_with("/api/now/table/") && basic, "{request:#?}");
        assert!(!request.has_header("cookie"), "{request:#?}");
        assert_eq!(scanner.scan(request.target.as_bytes()), Vec::<String>::new());
    }
}

#[test]
fn the_password_is_asked_for_unseen_and_not_asked_for_without_a_person() {
    let (instance, sandbox) = fresh(&[]);
    let mut arguments = apply(&sandbox, &instance, &["--no-login"]);
    let at = arguments.iter().position(|word| word == "--admin-password-file").unwrap();
    arguments.drain(at..=at + 1);
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("input-needed"), "{outcome:#?}");
    let mut terminal = Terminal::start(&sandbox.command(&arguments), 100);
    terminal.wait(|text| text.contains("Password of boss on ").then_some(()));
    assert!(!terminal.echoes());
    terminal.keys(format!("{PASSWORD}\r"));
    let session = terminal.finish();
    let text = plain(&session.text());
    assert_eq!(session.code, Some(0), "{text}");
    assert!(!text.contains("Canary") && session.restored, "{text}");
    assert_eq!(instance.registered().len(), 1);
    // A pipe will do, and the login that follows reads on where the password ended.
    let piped = [arguments.clone(), words(&["--admin-password-file", "-"])].concat();
    sandbox.run_fed(&piped, &format!("{PASSWORD}\n")).ok();
    // The environment does as well.
    let mut command = sandbox.command(&arguments);
    command.env("SNOWTOKEN_ADMIN_PASSWORD", PASSWORD);
    Running::start(command).finish().ok();
}

/// An answer that never comes, and an end by power cut at each request of the run.
#[test]
fn a_run_that_was_killed_at_any_request_is_finished_by_the_next() {
    let (instance, sandbox) = fresh(&[]);
    sandbox.run(&apply(&sandbox, &instance, &["--no-login"])).ok();
    let requests = instance.received().len();
    assert!(requests > 12, "{requests}");
    for nth in 1..=requests {
        let (instance, sandbox) = fresh(&[]);
        let arguments = apply(&sandbox, &instance, &["--no-login"]);
        killed_at_request(&sandbox, &instance, &arguments, nth);
        let outcome = sandbox.run(&arguments).ok();
        let [client] = &instance.registered()[..] else { panic!("{nth}: {outcome:#?}") };
        assert_eq!(client.scopes.len(), 5, "{nth}");
        // The secret that is stored is the one that the instance has.
        log_in_again(&sandbox, &instance);
        let writes = instance.table_writes().len();
        sandbox.run(&arguments).ok();
        assert_eq!(instance.table_writes().len(), writes, "{nth}");
    }
}

/// Starts the command, lets the how-manieth request hang after the work was done, and kills it there.
pub(crate) fn killed_at_request(
    sandbox: &Sandbox,
    instance: &StandIn,
    arguments: &[String],
    nth: usize,
) {
    let before = instance.received().len();
    instance.set(&format!("fault.from={nth}"));
    instance.set("fault.kind=stall");
    let mut running = sandbox.start(arguments);
    for _ in 0..10_000 {
        if instance.received().len() >= before + nth || !running.is_running() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // The work is done before the answer hangs; a moment later it certainly is.
    std::thread::sleep(std::time::Duration::from_millis(10));
    let outcome = running.kill();
    assert_eq!(outcome.code, None, "it was not killed at request {nth}: {outcome:#?}");
    instance.set("fault.kind=none");
    instance.set("fault.from=1");
}

fn log_in_again(sandbox: &Sandbox, instance: &StandIn) {
    let arguments = ["login", PROFILE, "--no-browser", "--no-output"];
    paste(sandbox.start(&arguments), instance).ok();
}

#[test]
fn a_client_that_is_there_already_is_not_given_a_new_secret_in_passing() {
    let (instance, sandbox) = fresh(&[]);
    sandbox.run(&apply(&sandbox, &instance, &["--no-login"])).ok();
    let client = instance.registered().remove(0);
    let elsewhere = Sandbox::new();
    let arguments = apply(&elsewhere, &instance, &["--no-login"]);
    let (outcome, code) = elsewhere.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("client-exists"), "{outcome:#?}");
    assert_eq!(instance.registered(), std::slice::from_ref(&client));
    let file = elsewhere.file("client-secret", &client.client_secret);
    let file = file.display().to_string();
    elsewhere.run(&[arguments, words(&["--client-secret-file", &file])].concat()).ok();
    log_in_again(&elsewhere, &instance);
    assert_eq!(instance.registered(), [client]);
}

#[test]
fn two_that_run_at_once_make_one_client() {
    let (instance, sandbox) = fresh(&[]);
    let arguments = apply(&sandbox, &instance, &["--no-login"]);
    let both = [sandbox.start(&arguments), sandbox.start(&arguments)];
    for running in both {
        running.finish().ok();
    }
    assert_eq!(instance.registered().len(), 1);
    log_in_again(&sandbox, &instance);
}

/// Two profiles of one client would share its one pair of tokens for each user.
#[test]
fn a_second_profile_needs_a_client_of_its_own() {
    let (instance, sandbox) = fresh(&[]);
    sandbox.run(&apply(&sandbox, &instance, &["--no-login"])).ok();
    let mut arguments = apply(&sandbox, &instance, &["--no-login"]);
    arguments[1] = "second".to_owned();
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("client-exists"), "{outcome:#?}");
    assert!(outcome.stderr.contains("that of profile \"p\" here"), "{outcome:#?}");
    let dry = sandbox.run(&[arguments.clone(), words(&["--dry-run"])].concat()).ok();
    assert!(dry.stderr.contains("without --dry-run this would end here"), "{dry:#?}");
    sandbox.run(&[arguments, words(&["--name", "Second"])].concat()).ok();
    assert_eq!(instance.registered().len(), 2);
}

#[test]
fn a_name_of_somebody_elses_client_is_not_taken() {
    let (instance, sandbox) = fresh(&[]);
    for id in ["one", "two"] {
        instance.put(snowtoken_stand_in::Client {
            client_id: id.to_owned(),
            name: "Shared".to_owned(),
            ..snowtoken_stand_in::Client::default()
        });
    }
    let arguments = apply(&sandbox, &instance, &["--no-login", "--name", "Shared"]);
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("client-taken"), "{outcome:#?}");
    assert!(instance.table_writes().is_empty());
}

#[test]
fn a_part_that_could_not_be_made_is_told_and_the_rest_is_done() {
    let (instance, sandbox) = fresh(&["registry.auth_scopes=absent"]);
    let refusal =
        r#"{"error":{"message":"Operation Failed","detail":"ACL Exception"},"status":"failure"}"#;
    instance.answer_next("/api/now/table/oauth_entity_scope", 403, refusal);
    let arguments = apply(&sandbox, &instance, &["--no-login"]);
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("setup-incomplete"), "{outcome:#?}");
    for said in ["COULD NOT  Scopes (oauth_entity_scope)", "skipped    Scopes (sys_auth_scope)"] {
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
    }
    sandbox.run(&arguments).ok();
    assert_eq!(instance.registered()[0].scopes.len(), 5);
}

#[test]
fn an_administrators_own_profile_will_do_in_place_of_a_password() {
    let (instance, sandbox) = (StandIn::with_user("elena", &[]), Sandbox::new());
    instance.employ("elena", "snow", &["oauth_admin"]);
    log_in(&sandbox, &instance);
    let origin = instance.origin();
    let words = ["setup", "made", "--apply", "--instance", &origin, "--region", "eu-west-1"];
    let more = ["--admin-profile", PROFILE, "--no-login", "--name", "Another"];
    sandbox.run(&[words.as_slice(), &more].concat()).ok();
    assert_eq!(instance.registered().len(), 2);
    assert!(instance.table_writes().iter().all(|request| {
        request.headers.iter().any(|(name, v)| name == "authorization" && v.starts_with("Bearer "))
    }));
    // A token is not carried to another instance.
    let other = StandIn::fresh(&[]);
    let origin = other.origin();
    let words = ["setup", "far", "--apply", "--instance", &origin, "--region", "eu-west-1"];
    sandbox.run(&[words.as_slice(), &["--admin-profile", PROFILE]].concat()).failed_with(&[2]);
    assert!(other.received().is_empty());
}

#[test]
fn a_product_that_asks_for_its_tokens_itself_is_handed_the_client() {
    let (instance, sandbox) = fresh(&[]);
    let mut arguments = apply(&sandbox, &instance, &[]);
    let at = arguments.iter().position(|word| word == "--region").unwrap();
    arguments.drain(at..=at + 1);
    arguments.extend(words(&["--grant", "client-credentials", "--user", "abel.tuter"]));
    arguments.push("--enable-client-credentials".to_owned());
    let outcome = sandbox.run(&arguments).ok();
    let client = instance.registered().remove(0);
    assert_eq!(client.user, "abel.tuter");
    assert!(outcome.stderr.contains(&client.client_id), "{outcome:#?}");
    assert!(outcome.stderr.contains("asks for its tokens itself"), "{outcome:#?}");
    assert!(fs::exists(Path::new(&sandbox.keep())).unwrap());
}

/// Somebody names a secret while another one is stored that works.
fn named(sandbox: &Sandbox, instance: &StandIn, secret: &str) -> Vec<String> {
    let file = sandbox.file("named", format!("{secret}\n")).display().to_string();
    [apply(sandbox, instance, &["--no-login", "--client-secret-file"]), vec![file]].concat()
}

#[test]
fn a_wrong_secret_does_not_take_the_place_of_the_one_that_works() {
    let (instance, sandbox) = fresh(&[]);
    all_in_one_go(&sandbox, &instance);
    let arguments = named(&sandbox, &instance, "not-this-one");
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("secret-not-taken"), "{outcome:#?}");
    assert!(outcome.stderr.contains("the stored one works, and stays"), "{outcome:#?}");
    sandbox.run(&["refresh", PROFILE]).ok();
    // The environment may hold what was meant for another profile.
    let mut command = sandbox.command(&apply(&sandbox, &instance, &["--no-login"]));
    command.env("SNOWTOKEN_CLIENT_SECRET", "not-this-one");
    Running::start(command).finish().ok();
    sandbox.run(&["refresh", PROFILE]).ok();
    // Where it cannot be asked, nothing changes either.
    sandbox.run(&["logout", PROFILE]).ok();
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("secret-not-taken"), "{outcome:#?}");
    assert!(outcome.stderr.contains("there are no tokens here"), "{outcome:#?}");
    log_in_again(&sandbox, &instance);
}

#[test]
fn the_right_secret_is_proved_and_takes_the_place_of_the_one_that_does_not_work() {
    let (instance, sandbox) = fresh(&[]);
    all_in_one_go(&sandbox, &instance);
    let mut client = instance.registered().remove(0);
    client.client_secret = "changed-by-hand".to_owned();
    instance.put(client);
    sandbox.run(&["refresh", PROFILE]).failed_with(&[4]);
    let outcome = sandbox.run(&named(&sandbox, &instance, "changed-by-hand")).ok();
    assert!(outcome.stderr.contains("proved: the instance takes the given"), "{outcome:#?}");
    sandbox.run(&["refresh", PROFILE]).ok();
}
