//! `setup --rotate-secret`: a new client secret, everywhere, and no moment without one that works.

use std::fs;

use crate::apply::{all_in_one_go, by_admin, fresh, killed_at_request};
use crate::support::canary::Scanner;
use crate::support::instance::{Instance as _, PROFILE, first_login, paste, words};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// With every refresh another access token, so that a lost one would be noticed.
const NEW: &str = "refresh.access=new-each-time";

fn set_up(knobs: &[&str]) -> (StandIn, Sandbox) {
    let (instance, sandbox) = fresh(knobs);
    all_in_one_go(&sandbox, &instance);
    (instance, sandbox)
}

fn rotate(sandbox: &Sandbox) -> Vec<String> {
    [words(&["setup", PROFILE, "--rotate-secret"]), by_admin(sandbox)].concat()
}

fn secret_of(instance: &StandIn) -> String {
    instance.registered()[0].client_secret.clone()
}

/// The new secret is on the instance and in the file, and works.
fn assert_rotated(instance: &StandIn, sandbox: &Sandbox, old: &str) {
    let new = secret_of(instance);
    assert_ne!(new, old);
    assert_eq!(sandbox.credential("Client Secret"), new);
    sandbox.run(&["refresh", PROFILE]).ok();
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    assert!(instance.is_alive(&token));
}

#[test]
fn a_new_secret_is_made_set_proved_and_delivered_again() {
    let (instance, sandbox) = set_up(&[]);
    let old = secret_of(&instance);
    let second = sandbox.path("files").join("second.json").display().to_string();
    sandbox.run(&["deliver", PROFILE, "--format", "json", "--output", &second]).ok();
    let outcome = sandbox.run(&[rotate(&sandbox), words(&["--json"])].concat()).ok();
    assert_eq!(outcome.json()["client_secret_proved"], true);
    assert_eq!(outcome.json()["delivered"].as_array().unwrap().len(), 2);
    sandbox.run(&["deliver", PROFILE, "--check"]).ok();
    assert!(fs::read_to_string(&second).unwrap().contains(&secret_of(&instance)));
    assert_rotated(&instance, &sandbox, &old);
    let scanner = Scanner::of(&[("old secret", &old), ("new secret", &secret_of(&instance))]);
    assert_eq!(scanner.scan(outcome.said().as_bytes()), Vec::<String>::new());
    assert_eq!(scanner.scan_tree(&sandbox.keep(), &[]), Vec::<String>::new());
    let report = sandbox.run(&["doctor", PROFILE, "--bundle", "-", "--yes", "--json"]).stdout;
    assert!(report.contains("client-secret") && !report.contains("another"), "{report}");
    // The next one begins anew.
    let old = secret_of(&instance);
    sandbox.run(&rotate(&sandbox)).ok();
    assert_rotated(&instance, &sandbox, &old);
}

#[test]
fn a_dry_run_of_it_sends_nothing_that_writes() {
    let (instance, sandbox) = set_up(&[]);
    let (old, writes) = (secret_of(&instance), instance.table_writes().len());
    let outcome = sandbox.run(&[rotate(&sandbox), words(&["--dry-run"])].concat()).ok();
    assert!(outcome.stdout.starts_with("PATCH /api/now/table/oauth_entity/"), "{outcome:#?}");
    assert!(outcome.stdout.contains("********"), "{outcome:#?}");
    assert_eq!((secret_of(&instance), instance.table_writes().len()), (old, writes));
}

/// Killed at each request: whatever the instance has by then, the next refresh works, and the same
/// command finishes.
#[test]
fn killed_at_any_request_it_loses_nothing_and_is_finished_by_the_next_run() {
    let (instance, sandbox) = set_up(&[NEW]);
    let before = instance.received().len();
    sandbox.run(&rotate(&sandbox)).ok();
    let requests = instance.received().len() - before;
    assert!(requests >= 3, "{requests}");
    for nth in 1..=requests {
        let (instance, sandbox) = set_up(&[NEW]);
        let old = secret_of(&instance);
        killed_at_request(&sandbox, &instance, &rotate(&sandbox), nth);
        let refreshed = sandbox.run(&["refresh", PROFILE]);
        assert_eq!(refreshed.code, Some(0), "killed at request {nth}: {refreshed:#?}");
        let outcome = sandbox.run(&rotate(&sandbox));
        assert_eq!(outcome.code, Some(0), "killed at request {nth}: {outcome:#?}");
        assert_rotated(&instance, &sandbox, &old);
        sandbox.run(&["deliver", PROFILE, "--check"]).ended_with(&[0, 3]);
    }
}

#[test]
fn what_an_interrupted_run_had_set_is_finished_without_an_administrator() {
    let (instance, sandbox) = set_up(&[]);
    let old = secret_of(&instance);
    // The second request is the one that sets it.
    killed_at_request(&sandbox, &instance, &rotate(&sandbox), 2);
    assert_ne!(secret_of(&instance), old);
    let is_told = || {
        let words = "being changed: `snowtoken setup p --rotate-secret` finishes it";
        let json = sandbox.run(&["status", PROFILE, "--json"]).ok().json();
        let long = sandbox.run(&["status", PROFILE]).ok().stdout.contains(words);
        (long, json["profiles"][0]["client_secret_changes"].clone())
    };
    assert_eq!(is_told(), (true, true.into()));
    let outcome = sandbox.run(&["setup", PROFILE, "--rotate-secret"]).ok();
    assert!(outcome.stderr.contains("going on with a change"), "{outcome:#?}");
    assert_eq!(is_told(), (false, false.into()));
    assert_rotated(&instance, &sandbox, &old);
}

#[test]
fn a_secret_that_was_changed_by_hand_is_proved_stored_and_delivered() {
    let (instance, sandbox) = set_up(&[]);
    let old = secret_of(&instance);
    let mut client = instance.registered().remove(0);
    client.client_secret = "by-hand+&%=?'\"\\ x".to_owned();
    instance.put(client);
    let right = sandbox.file("right", "by-hand+&%=?'\"\\ x\n").display().to_string();
    let wrong = sandbox.file("wrong", "not this one\n").display().to_string();
    let by_hand =
        |file: &str| sandbox.run(&["setup", PROFILE, "--rotate-secret", "--new-secret-file", file]);
    let (outcome, code) = by_hand(&wrong).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("rotation-unfinished"), "neither works: {outcome:#?}");
    by_hand(&right).ok();
    assert_rotated(&instance, &sandbox, &old);
    // One that nobody has set is noticed, and the one that works stays.
    let (outcome, code) = by_hand(&wrong).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("secret-not-taken"), "{outcome:#?}");
    sandbox.run(&["refresh", PROFILE]).ok();
    let (outcome, code) = sandbox.run(&["setup", PROFILE, "--rotate-secret"]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("input-needed"), "{outcome:#?}");
}

#[test]
fn an_instance_that_says_yes_and_keeps_the_old_secret_is_found_out() {
    let (instance, sandbox) = set_up(&[]);
    let (old, id) = (secret_of(&instance), instance.registered()[0].sys_id.clone());
    let path = format!("/api/now/table/oauth_entity/{id}");
    instance.answer_next(&path, 200, &format!(r#"{{"result":{{"sys_id":"{id}"}}}}"#));
    let (outcome, code) = sandbox.run(&rotate(&sandbox)).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("secret-not-taken"), "{outcome:#?}");
    assert_eq!(
        (secret_of(&instance), sandbox.credential("Client Secret")),
        (old.clone(), old.clone())
    );
    sandbox.run(&["refresh", PROFILE]).ok();
    sandbox.run(&rotate(&sandbox)).ok();
    assert_rotated(&instance, &sandbox, &old);
}

#[test]
fn without_rights_nothing_is_changed() {
    let (instance, sandbox) = set_up(&[]);
    let old = secret_of(&instance);
    let password = sandbox.file("abel", "snow").display().to_string();
    let arguments = ["setup", PROFILE, "--rotate-secret", "--admin-user", "abel.tuter"];
    let arguments = [arguments.as_slice(), &["--admin-password-file", &password]].concat();
    let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("admin-role-missing"), "{outcome:#?}");
    assert_eq!(secret_of(&instance), old);
    sandbox.run(&["refresh", PROFILE]).ok();
}

#[test]
fn where_there_are_no_tokens_the_next_login_proves_it() {
    let (instance, sandbox) = set_up(&[]);
    sandbox.run(&["logout", PROFILE]).ok();
    let old = secret_of(&instance);
    let outcome = sandbox.run(&rotate(&sandbox)).ok();
    assert!(outcome.stderr.contains("not proved"), "{outcome:#?}");
    assert_ne!(secret_of(&instance), old);
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &instance).ok();
    assert_rotated(&instance, &sandbox, &old);
    let outcome = sandbox.run(&["setup", PROFILE, "--rotate-secret"]).ended_with(&[2]);
    assert!(!outcome.stderr.contains("going on"), "nothing is left over: {outcome:#?}");
}

#[test]
fn a_copy_that_somebody_changed_is_theirs_and_one_that_is_gone_stays_gone() {
    let (instance, sandbox) = set_up(&[]);
    let old = secret_of(&instance);
    let mut text = fs::read_to_string(sandbox.credentials()).unwrap();
    text.push_str("# noted by hand\n");
    fs::write(sandbox.credentials(), &text).unwrap();
    let (outcome, code) = sandbox.run(&rotate(&sandbox)).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("rotation-unfinished"), "{outcome:#?}");
    assert_eq!(fs::read_to_string(sandbox.credentials()).unwrap(), text);
    fs::remove_file(sandbox.credentials()).unwrap();
    let outcome = sandbox.run(&["setup", PROFILE, "--rotate-secret"]).ok();
    assert!(outcome.stderr.contains("is not there any more"), "{outcome:#?}");
    assert!(!sandbox.credentials().exists());
    assert_ne!(secret_of(&instance), old);
    sandbox.run(&["refresh", PROFILE]).ok();
}

#[test]
fn a_client_that_acts_for_itself_proves_its_secret_by_a_token_of_its_own() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    instance.employ("boss", "Pass-Canary-4711+%&word", &["admin"]);
    instance.let_client_act_as("abel.tuter");
    let arguments = [first_login(&sandbox, &instance), words(&["--grant", "client-credentials"])];
    let mut arguments = [arguments.concat(), words(&["--no-output"])].concat();
    let at = arguments.iter().position(|word| word == "--region").unwrap();
    arguments.drain(at..=at + 1);
    sandbox.run(&arguments).ok();
    let old = secret_of(&instance);
    let outcome = sandbox.run(&rotate(&sandbox)).ok();
    assert!(outcome.stderr.contains("proved: the instance takes"), "{outcome:#?}");
    assert_ne!(secret_of(&instance), old);
    sandbox.run(&["login", PROFILE, "--no-output"]).ok();
}

/// The way out of `client-exists`: everybody else needs the new secret then.
#[test]
fn a_client_of_an_unknown_secret_is_taken_over_by_a_new_one() {
    let (instance, sandbox) = set_up(&[]);
    let (old, origin, elsewhere) = (secret_of(&instance), instance.origin(), Sandbox::new());
    let mut arguments = words(&["setup", "mine", "--rotate-secret", "--instance", &origin]);
    arguments.extend(words(&["--region", "us-west-2"]));
    arguments.extend(by_admin(&elsewhere));
    let outcome = elsewhere.run(&arguments).ok();
    assert!(outcome.stderr.contains("not proved"), "{outcome:#?}");
    assert_ne!(secret_of(&instance), old);
    let login = ["login", "mine", "--no-browser", "--no-output"];
    paste(elsewhere.start(&login), &instance).ok();
    let (_, code) = sandbox.run(&["refresh", PROFILE]).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("token-refused"));
}

#[test]
fn what_another_machine_refreshes_is_rotated_there_and_nothing_is_handed_over_half_way() {
    let (instance, sandbox) = set_up(&[]);
    let old = secret_of(&instance);
    killed_at_request(&sandbox, &instance, &rotate(&sandbox), 2);
    let passphrase = sandbox.file("passphrase", "correct horse battery staple\n");
    let passphrase = passphrase.display().to_string();
    let export = ["profile", "export", PROFILE, "--passphrase-file", &passphrase];
    let file = sandbox.path("files").join("p.sealed").display().to_string();
    let export = [export.as_slice(), &["--output", &file]].concat();
    let (outcome, code) = sandbox.run(&export).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("rotation-unfinished"), "{outcome:#?}");
    assert!(outcome.stderr.contains("snowtoken setup p --rotate-secret"), "{outcome:#?}");
    sandbox.run(&rotate(&sandbox)).ok();
    assert_rotated(&instance, &sandbox, &old);
    sandbox.run(&export).ok();
    let new = secret_of(&instance);
    let (outcome, code) = sandbox.run(&rotate(&sandbox)).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("handed-over"), "{outcome:#?}");
    assert_eq!(secret_of(&instance), new);
}

/// `setup p --apply` for a product that gets its tokens itself.
fn prepared() -> (StandIn, Sandbox, String) {
    let (instance, sandbox) = fresh(&[]);
    let mut arguments = words(&["setup", PROFILE, "--apply", "--target", "glue", "--instance"]);
    arguments.extend([instance.origin(), "--region".to_owned(), "us-east-1".to_owned()]);
    sandbox.run(&[arguments, by_admin(&sandbox)].concat()).ok();
    let copy = sandbox.path("files").join("glue.txt").display().to_string();
    sandbox.run(&["deliver", PROFILE, "--output", &copy]).ok();
    (instance, sandbox, copy)
}

fn is_changing(sandbox: &Sandbox) -> bool {
    let json = sandbox.run(&["status", PROFILE, "--json"]).ok().json();
    json["profiles"][0]["client_secret_changes"] == true
}

#[test]
fn a_client_of_a_product_that_gets_its_tokens_itself_is_rotated_and_handed_over_again() {
    let (instance, sandbox, copy) = prepared();
    for _ in 0..2 {
        let old = secret_of(&instance);
        let outcome = sandbox.run(&rotate(&sandbox)).ok();
        let new = secret_of(&instance);
        assert_ne!(new, old);
        let text = fs::read_to_string(&copy).unwrap();
        assert!(text.contains(&new) && !text.contains(&old), "the copy holds the former secret");
        assert!(outcome.stderr.contains("nothing here could prove it"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("snowtoken login"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("going on"), "{outcome:#?}");
        assert!(!is_changing(&sandbox));
        sandbox.run(&["deliver", PROFILE, "--check"]).ok();
    }
}

#[test]
fn a_rotation_for_such_a_product_that_was_killed_is_finished_by_the_next_run() {
    for nth in 1..=2 {
        let (instance, sandbox, copy) = prepared();
        let old = secret_of(&instance);
        killed_at_request(&sandbox, &instance, &rotate(&sandbox), nth);
        sandbox.run(&rotate(&sandbox)).ok();
        let new = secret_of(&instance);
        assert_ne!(new, old, "killed at request {nth}");
        assert!(fs::read_to_string(&copy).unwrap().contains(&new), "killed at request {nth}");
        assert!(!is_changing(&sandbox));
    }
}

#[test]
fn where_there_are_no_tokens_each_run_sets_another_one_or_says_what_is_missing() {
    let (instance, sandbox) = set_up(&[]);
    sandbox.run(&["logout", PROFILE]).ok();
    sandbox.run(&rotate(&sandbox)).ok();
    let first = secret_of(&instance);
    let (outcome, code) = sandbox.run(&["setup", PROFILE, "--rotate-secret"]).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("rotation-unfinished"), "{outcome:#?}");
    assert!(outcome.stderr.contains("snowtoken login p"), "{outcome:#?}");
    let wrong = sandbox.file("wrong-password", "no\n").display().to_string();
    let by_wrong = ["setup", PROFILE, "--rotate-secret", "--admin-user", "boss"];
    let by_wrong = [by_wrong.as_slice(), &["--admin-password-file", &wrong]].concat();
    let (outcome, code) = sandbox.run(&by_wrong).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("admin-not-accepted"), "{outcome:#?}");
    assert_eq!(secret_of(&instance), first);
    sandbox.run(&rotate(&sandbox)).ok();
    assert_ne!(secret_of(&instance), first);
    let first = secret_of(&instance);
    paste(sandbox.start(&["login", PROFILE, "--no-browser"]), &instance).ok();
    assert!(!is_changing(&sandbox));
    assert_rotated(&instance, &sandbox, "");
    assert_eq!(secret_of(&instance), first);
}

#[test]
fn what_no_form_takes_is_not_taken_for_a_secret() {
    let (instance, sandbox) = set_up(&[]);
    let (old, before) = (secret_of(&instance), instance.received().len());
    let by_hand = |file: &str, said: &str| {
        let rotate = ["setup", PROFILE, "--rotate-secret", "--new-secret-file", file];
        let (outcome, code) = sandbox.run(&rotate).failed_with(&[2]);
        assert_eq!(code.as_deref(), Some("usage"), "{outcome:#?}");
        assert!(outcome.stderr.contains(said), "{said}: {outcome:#?}");
    };
    by_hand("/dev/zero", "its first line is longer than 4096 bytes");
    for text in ["a\0b\n", "a\x1b[2Jb\n", "a\tb\n"] {
        let file = sandbox.file("odd", text).display().to_string();
        by_hand(&file, "holds control characters, which no form takes");
    }
    assert_eq!((secret_of(&instance), instance.received().len()), (old, before));
}

#[test]
fn what_is_missing_is_named_and_nothing_else() {
    let (_instance, sandbox) = set_up(&[]);
    let (outcome, code) = sandbox.run(&["setup", PROFILE, "--rotate-secret"]).failed_with(&[2]);
    assert_eq!(code.as_deref(), Some("input-needed"), "{outcome:#?}");
    for (word, is_there) in [
        ("--admin-user USER", true),
        ("--new-secret-file FILE", true),
        ("--client-secret-file", false),
        ("SNOWTOKEN_CLIENT_SECRET", false),
    ] {
        assert_eq!(outcome.stderr.contains(word), is_there, "{word}: {outcome:#?}");
    }
    let login = ["login", "new", "--no-input", "--instance", "dev1", "--client-id", "0123"];
    let login = [&login[..], &["--region", "us-west-2"]].concat();
    let (outcome, _) = sandbox.run(&login).failed_with(&[2]);
    for word in ["--client-secret-file FILE", "SNOWTOKEN_CLIENT_SECRET"] {
        assert!(outcome.stderr.contains(word), "{word}: {outcome:#?}");
    }
    let output = sandbox.path("files").join("nowhere").join("x.txt").display().to_string();
    let list = ["setup", "--checklist", "--region", "us-west-2", "--output", &output];
    let (outcome, code) = sandbox.run(&list).failed_with(&[1]);
    assert_eq!(code.as_deref(), Some("output-unwritable"), "{outcome:#?}");
    assert!(outcome.stderr.contains("name another file"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("snowtoken deliver"), "{outcome:#?}");
}
