//! Promises that were broken once: taken-over credentials, what is handed out, what people are told.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::http::Client;
use crate::support::instance::{Instance, PROFILE, log_in, log_in_with, paste};
use crate::support::process::Running;
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

fn logged_in(knobs: &[&str]) -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::with(knobs), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

/// Somebody else's sandbox with a credentials file of the instance in it, as a path there.
fn handed_over(instance: &StandIn) -> (Sandbox, String) {
    let owner = Sandbox::new();
    log_in_with(&owner, instance, &[]).ok();
    let sandbox = Sandbox::new();
    let file = sandbox.file("handed-over.txt", fs::read(owner.credentials()).unwrap());
    (sandbox, file.display().to_string())
}

fn import<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["profile", "import", file, "--name", PROFILE], more].concat()
}

/// Ends the refresh token behind the store's back.
fn revoke_elsewhere(instance: &StandIn, refresh_token: &str) {
    let url = format!("{}/oauth_revoke_token.do", instance.origin());
    let (id, secret) = (instance.client_id(), instance.client_secret());
    let fields = [("token", refresh_token), ("client_id", &id), ("client_secret", &secret)];
    let answer = Client::default().post(&url::Url::parse(&url).unwrap(), &fields);
    assert_eq!(answer.status, 200);
}

#[test]
fn an_import_that_cannot_be_verified_now_keeps_the_rotated_token() {
    let instance = StandIn::with(&["refresh.token=rotate"]);
    let (sandbox, file) = handed_over(&instance);
    instance.set("fault.path=/api/now/ui/user/current_user");
    instance.set("fault.kind=unavailable");
    let (outcome, _) = sandbox.run(&import(&file, &[])).failed_with(&[5]);
    assert!(outcome.stderr.contains("taken over and not verified"), "{outcome:#?}");
    instance.set("fault.kind=none");
    sandbox.run(&["verify", PROFILE]).ok();
    sandbox.run(&["refresh", PROFILE]).ok();
}

#[test]
fn an_import_that_is_refused_leaves_nothing() {
    let instance = StandIn::with(&[]);
    let (sandbox, file) = handed_over(&instance);
    let good = fs::read_to_string(&file).unwrap();
    let bad = good.lines().map(|line| match line.split_once(": ") {
        Some(("Refresh Token", _)) => "Refresh Token: nobody-s\n".to_owned(),
        _ => format!("{line}\n"),
    });
    let bad = sandbox.file("bad.txt", bad.collect::<String>()).display().to_string();
    let (outcome, _) = sandbox.run(&import(&bad, &[])).failed_with(&[1, 4]);
    assert!(outcome.stderr.contains("nothing was taken over"), "{outcome:#?}");
    assert_eq!(sandbox.run(&["profile", "list"]).ok().stdout, "");
    sandbox.run(&import(&file, &[])).ok();
}

#[test]
fn an_import_replaces_nothing_that_is_stored() {
    let (instance, sandbox) = logged_in(&[]);
    let (_owner, file) = handed_over(&instance);
    let config = sandbox.keep().join("config.toml");
    let before = fs::read(&config).unwrap();
    fs::remove_file(&config).unwrap();
    let (outcome, _) = sandbox.run(&import(&file, &["--no-verify"])).failed_with(&[2]);
    assert!(outcome.stderr.contains("`snowtoken profile remove p`"), "{outcome:#?}");
    sandbox.run(&import("/dev/null", &[])).failed_with(&[2]);
    fs::write(&config, before).unwrap();
    sandbox.run(&["refresh", PROFILE]).ok();
}

#[test]
fn a_refresh_token_alone_is_delivered_after_its_first_use() {
    let instance = StandIn::with(&[]);
    let (sandbox, file) = handed_over(&instance);
    let text = fs::read_to_string(&file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("Access Token"));
    let lines: Vec<&str> = lines.collect();
    let file = sandbox.file("refresh-only.txt", lines.join("\n")).display().to_string();
    sandbox.run(&import(&file, &["--no-verify"])).ok();
    for format in ["header", "credentials-file", "json", "shell"] {
        let deliver = ["deliver", PROFILE, "--format", format];
        let (outcome, _) = sandbox.run(&deliver).failed_with(&[1]);
        assert!(outcome.stderr.contains("`snowtoken refresh p`"), "{outcome:#?}");
    }
    let status = sandbox.run(&["status", PROFILE]).ok().stdout;
    assert!(status.contains("none yet"), "{status}");
    // Nobody knows when it ends: that is as near as it gets.
    let outcome = sandbox.run(&["status", "--within", "1d"]).ended_with(&[3]);
    assert!(outcome.stderr.contains("p (its end is not known)"), "{outcome:#?}");
    let token = sandbox.run(&["token", PROFILE]).ok().token();
    let outcome = sandbox.run(&["deliver", PROFILE, "--format", "header"]).ok();
    assert_eq!(outcome.stdout, format!("Authorization: Bearer {token}\n"));
    assert!(!outcome.stderr.contains("has ended"), "{outcome:#?}");
}

#[test]
fn tokens_that_are_being_revoked_are_not_delivered() {
    let (instance, sandbox) = logged_in(&[]);
    instance.set("fault.kind=asleep");
    sandbox.run(&["revoke", PROFILE]).failed_with(&[1, 5]);
    let deliver = ["deliver", PROFILE, "--format", "header"];
    let (outcome, code) = sandbox.run(&deliver).failed_with(&[4]);
    assert_eq!(code.as_deref(), Some("being-revoked"), "{outcome:#?}");
    assert!(outcome.stderr.contains("run `snowtoken revoke p`"), "{outcome:#?}");
}

#[test]
fn tokens_that_were_refused_are_not_delivered() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in_with(&sandbox, &instance, &[]).ok();
    revoke_elsewhere(&instance, &sandbox.credential("Refresh Token"));
    sandbox.run(&["refresh", PROFILE]).failed_with(&[4]);
    sandbox.run(&["deliver", PROFILE, "--format", "json"]).failed_with(&[4]);
}

#[test]
fn an_access_token_that_has_ended_is_delivered_with_a_warning() {
    let (_instance, sandbox) = logged_in(&["lifespan.access=2"]);
    std::thread::sleep(Duration::from_secs(2));
    for way in [&["header"][..], &["shell"], &["dotenv", "--variant", "python"]] {
        let outcome = sandbox.run(&[&["deliver", PROFILE, "--format"][..], way].concat()).ok();
        assert!(outcome.stderr.contains("the access token has ended"), "{outcome:#?}");
    }
}

#[test]
fn an_unusable_output_is_noticed_before_anybody_consents() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let file = sandbox.file("file", "");
    let link = sandbox.path("files/link");
    symlink(&file, &link).unwrap();
    let fifo = sandbox.path("files/fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let under_file = file.join("c.txt");
    for place in [&link, &fifo, &under_file, &sandbox.home(), Path::new("/proc/c.txt")] {
        let place = place.display().to_string();
        let mut arguments = crate::support::instance::first_login(&sandbox, &instance);
        arguments.extend(["--output".to_owned(), place.clone()]);
        let (outcome, code) = sandbox.run(&arguments).failed_with(&[1]);
        assert_eq!(code.as_deref(), Some("output-unwritable"), "{place}: {outcome:#?}");
        assert!(!outcome.stderr.contains("response_type=code"), "{place}: {outcome:#?}");
    }
    assert_eq!(sandbox.snapshot_of("home").len(), 0);
}

#[test]
fn the_place_of_last_time_is_the_latest() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    let place = |name: &str| sandbox.path("files").join(name).display().to_string();
    log_in_with(&sandbox, &instance, &["--output", &place("a.txt")]).ok();
    let again = |more: &[&str]| {
        let arguments = [&["login", PROFILE, "--no-browser"], more].concat();
        paste(sandbox.start(&arguments), &instance).ok().stderr
    };
    again(&["--output", &place("b.txt")]);
    let said = again(&[]);
    assert!(said.contains("b.txt") && !said.contains("a.txt"), "{said}");
    again(&["--output", &place("a.txt")]);
    let said = again(&[]);
    assert!(said.contains("a.txt") && !said.contains("b.txt"), "{said}");
}

#[test]
fn a_delivered_file_that_is_gone_with_its_tokens_has_not_drifted() {
    let (instance, sandbox) = (StandIn::with(&[]), Sandbox::new());
    log_in_with(&sandbox, &instance, &[]).ok();
    let check = ["deliver", PROFILE, "--check"];
    sandbox.run(&check).ok();
    sandbox.run(&["logout", PROFILE]).ok();
    sandbox.run(&check).ended_with(&[3]);
    fs::remove_file(sandbox.credentials()).unwrap();
    let outcome = sandbox.run(&check).ok();
    assert!(outcome.stderr.contains("gone, as it should be"), "{outcome:#?}");
    assert!(sandbox.run(&check).ok().stderr.contains("nothing was delivered"));
}

#[test]
fn a_new_name_keeps_what_a_person_wrote() {
    let (_instance, sandbox) = logged_in(&[]);
    let path = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("[profile.p]", "# the one for tests\n[profile.p] # agreed");
    fs::write(&path, &text).unwrap();
    sandbox.run(&["profile", "rename", PROFILE, "q"]).ok();
    let expected = text.replace("[profile.p]", "[profile.q]");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    sandbox.run(&["token", "q"]).ok();
}

#[test]
fn tokens_of_another_client_are_shown_as_such() {
    let (instance, sandbox) = logged_in(&[]);
    let path = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&instance.client_id(), "another")).unwrap();
    let status = sandbox.run(&["status", PROFILE]).ok().stdout;
    assert!(!status.contains("logged in") && status.contains("bound elsewhere"), "{status}");
    assert!(status.contains(&instance.client_id()), "{status}");
    let json = sandbox.run(&["status", PROFILE, "--json"]).ok().json();
    assert_eq!(json["profiles"][0]["state"], "bound elsewhere");
}

#[test]
fn a_new_lifespan_moves_only_what_was_counted_from_the_grant() {
    for (knob, moves) in [("refresh.token=same", true), ("refresh.token=rotate", false)] {
        // What the instance's own rows say is not moved by what somebody says.
        let (_instance, sandbox) = logged_in(&[knob, "api.credentials=administrators"]);
        std::thread::sleep(Duration::from_millis(1_100));
        sandbox.run(&["refresh", PROFILE]).ok();
        let end = || {
            let json = sandbox.run(&["status", PROFILE, "--json"]).ok().json();
            json["profiles"][0]["refresh_token_expires_at"].to_string()
        };
        let before = end();
        let set = ["profile", "set", PROFILE, "--refresh-token-lifespan", "30d"];
        let said = sandbox.run(&set).ok().stderr;
        assert_eq!(said.contains("derived anew"), moves, "{knob}: {said}");
        assert_eq!(end() != before, moves, "{knob}");
        let file = sandbox.run(&["deliver", PROFILE]).ok().stdout;
        assert_eq!(file.contains("(derived: granted "), moves, "{knob}: {file}");
    }
}

#[test]
fn hints_can_be_followed() {
    let (_instance, sandbox) = logged_in(&[]);
    let config = sandbox.keep().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let other = "\n[profile.other]\ninstance = \"b\"\nclient_id = \"c\"\n";
    fs::write(&config, format!("{text}{other}")).unwrap();
    let outcome = sandbox.run(&["status", "--within", "9999d"]).ended_with(&[3]);
    assert!(outcome.stderr.contains("run `snowtoken login p`"), "{outcome:#?}");
    let outcome = sandbox.run(&["explain", "region-unknown"]).ok();
    assert!(outcome.stdout.contains("`snowtoken target show NAME`"), "{outcome:#?}");
}

#[test]
fn output_that_cannot_be_written_has_a_code_and_a_closed_pipe_is_silent() {
    let (_instance, sandbox) = logged_in(&[]);
    for arguments in ["token p", "token p --header", "status", "target list"] {
        let run = |tail: &str| {
            let mut command = sandbox.command::<&str>(&[]);
            let program = command.get_program().to_owned();
            command = sandbox.program("sh");
            command.args(["-c", &format!("\"$0\" {arguments} {tail}")]).arg(program);
            Running::start(command).finish()
        };
        let (outcome, code) = run(">/dev/full").failed_with(&[1]);
        assert_eq!(code.as_deref(), Some("output-failed"), "{arguments}: {outcome:#?}");
        assert_eq!(run("| true").ok().stderr, "", "{arguments}");
    }
}
